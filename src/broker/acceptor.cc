#include "broker/acceptor.h"

#include <algorithm>
#include <utility>

namespace milena::broker {

Acceptor::Acceptor(io::Loop& control, ListenerInfo info, std::unique_ptr<io::Listener> listener,
                   std::vector<LoopState*> loops)
    : control_(control), info_(std::move(info)), listener_(std::move(listener)), loops_(std::move(loops)) {}

io::Task<void> Acceptor::run(std::shared_ptr<Acceptor> acceptor) {
  while (!acceptor->closed_) {
    auto socket = co_await acceptor->listener_->accept();
    if (socket.has_value()) {
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
    auto stream = least->loop.net().adopt(std::move(socket));
    auto connection = std::make_shared<Connection>(*least, self->info_, std::move(stream));
    least->loop.spawn(Connection::serve(std::move(connection)));
  });
}

void Acceptor::close() {
  closed_ = true;
  listener_->close();
}

}  // namespace milena::broker
