#include "io/asio/reactor.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

namespace milena::io {
namespace asio = boost::asio;

namespace {

class AsioWatched final : public Watched {
 public:
  AsioWatched(asio::io_context& context, ReadyQueue& ready, int descriptor)
      : Watched(ready), stream_(context, descriptor), descriptor_(descriptor) {}

  int descriptor() const override { return descriptor_; }

  void close() override {
    if (descriptor_ < 0) return;
    descriptor_ = -1;
    boost::system::error_code ignored;
    stream_.close(ignored);
    wake(kRead);
    wake(kWrite);
  }

 protected:
  void start(Direction direction) override {
    if (armed_[direction]) return;  // left over from a waiter that went away
    armed_[direction] = true;
    auto self = std::static_pointer_cast<AsioWatched>(shared_from_this());
    stream_.async_wait(direction == kRead ? asio::posix::stream_descriptor::wait_read
                                          : asio::posix::stream_descriptor::wait_write,
                       [self = std::move(self), direction](boost::system::error_code) {
                         self->armed_[direction] = false;
                         self->wake(direction);
                       });
  }

 private:
  asio::posix::stream_descriptor stream_;
  int descriptor_;
  std::array<bool, 2> armed_{};
};

}  // namespace

struct Reactor::State {
  explicit State(ReadyQueue& queue) : ready(queue) {}
  ReadyQueue& ready;
  // No locks inside: every call but wake() comes from the loop's thread, and wake() goes through wake_fd.
  asio::io_context context{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE};
  asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
  int wake_fd = -1;
  std::unique_ptr<asio::posix::stream_descriptor> wake_stream;

  void await_wake() {
    wake_stream->async_wait(asio::posix::stream_descriptor::wait_read, [this](boost::system::error_code error) {
      if (error) return;
      std::uint64_t count = 0;
      [[maybe_unused]] ssize_t got = ::read(wake_fd, &count, sizeof count);
      await_wake();
    });
  }
};

Reactor::Reactor(ReadyQueue& ready) : state_(std::make_unique<State>(ready)) {
  state_->wake_fd = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  CHECK(state_->wake_fd >= 0, "eventfd failed");
  state_->wake_stream = std::make_unique<asio::posix::stream_descriptor>(state_->context, state_->wake_fd);
  state_->await_wake();
}

Reactor::~Reactor() = default;

std::shared_ptr<Watched> Reactor::watch(int descriptor) {
  return std::make_shared<AsioWatched>(state_->context, state_->ready, descriptor);
}

void Reactor::poll() { state_->context.poll(); }

void Reactor::wait(Duration at_most) {
  if (at_most == Duration::max()) {
    state_->context.run_one();
  } else {
    // An hour at most: the deadline is looked at again, and the sum with the clock cannot overflow.
    state_->context.run_one_for(std::min<Duration>(at_most, std::chrono::hours(1)));
  }
  state_->context.poll();
}

void Reactor::wake() {
  std::uint64_t one = 1;
  [[maybe_unused]] ssize_t put = ::write(state_->wake_fd, &one, sizeof one);
}

}  // namespace milena::io
