#include "broker/acceptor.h"

#include <algorithm>
#include <utility>

namespace milena::broker {

Acceptor::Acceptor(io::Loop& control, ListenerInfo info, std::unique_ptr<io::Listener> listener,
                   std::vector<LoopState*> loops, std::shared_ptr<ConnectionQuotas> quotas,
                   std::function<void()> on_excess)
    : control_(control),
      info_(std::move(info)),
      listener_(std::move(listener)),
      loops_(std::move(loops)),
      quotas_(std::move(quotas)),
      on_excess_(std::move(on_excess)) {}

io::Task<void> Acceptor::run(std::shared_ptr<Acceptor> acceptor) {
  while (!acceptor->closed_) {
    auto socket = co_await acceptor->listener_->accept();
    if (socket.has_value()) {
      // While it waits for a place the next ones wait in the system's backlog.
      bool admitted = co_await acceptor->quotas_->admit(acceptor->info_.name);
      if (!admitted) break;
      if (acceptor->closed_) {
        acceptor->quotas_->ended(acceptor->info_.name, "");
        break;
      }
      hand_over(acceptor, std::move(*socket));
      continue;
    }
    if (acceptor->closed_ || socket.error().kind == io::ErrorKind::kClosed) break;
    acceptor->control_.log().warn("network", "accepting on {}: {}", io::to_string(acceptor->info_.bound),
                                  socket.error().what);
    co_await io::sleep_for(acceptor->control_, 100ms);
  }
}

void Acceptor::hand_over(const std::shared_ptr<Acceptor>& self, std::unique_ptr<io::AcceptedSocket> socket) {
  LoopState* least = *std::ranges::min_element(
      self->loops_, {}, [](const LoopState* loop) { return loop->connections.load(std::memory_order_relaxed); });
  least->connections.fetch_add(1, std::memory_order_relaxed);
  least->loop.post([self, least, socket = std::move(socket)]() mutable {
    least->loop.spawn(take_up(self, least, std::move(socket)));
  });
}

// On the control loop: whether the connection may stay.
io::Task<bool> Acceptor::arrived(std::shared_ptr<Acceptor> self, std::string address) {
  bool allowed = self->quotas_->arrived(address) && !self->closed_;
  if (!allowed && !self->closed_) {
    self->control_.log().info("network", "{} has too many connections: its newest is closed", address);
  }
  if (self->quotas_->excess() > 0) self->on_excess_();
  co_return allowed;
}

io::Task<void> Acceptor::take_up(std::shared_ptr<Acceptor> self, LoopState* there,
                                 std::unique_ptr<io::AcceptedSocket> socket) {
  auto stream = there->loop.net().adopt(std::move(socket));
  std::string address = stream->peer().host;
  auto ask = [self, address] { return arrived(self, address); };
  bool allowed = co_await io::run_on(self->control_, std::move(ask));
  if (allowed) {
    auto connection = std::make_shared<Connection>(*there, self->info_, std::move(stream));
    co_await Connection::serve(std::move(connection));
  } else {
    stream->close();
    there->connections.fetch_sub(1, std::memory_order_relaxed);
  }
  self->control_.post([self, address] { self->quotas_->ended(self->info_.name, address); });
}

void Acceptor::close() {
  closed_ = true;
  listener_->close();
}

}  // namespace milena::broker
