/// Acceptor: one listening socket. Each accepted connection goes to the data loop that has the fewest, if the node's
/// quotas allow it (connection_quotas.h).
/// Threads: the control loop accepts; connections live on their loops.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "broker/connection.h"
#include "broker/connection_quotas.h"
#include "broker/request_context.h"
#include "io/net.h"

namespace milena::broker {

class Acceptor {
 public:
  /// `loops` outlive the acceptor and its connections. `on_excess`: told on the control loop when a connection was
  /// taken up that others have to make room for.
  Acceptor(io::Loop& control, ListenerInfo info, std::unique_ptr<io::Listener> listener,
           std::vector<LoopState*> loops, std::shared_ptr<ConnectionQuotas> quotas, std::function<void()> on_excess);
  const ListenerInfo& info() const { return info_; }
  const std::shared_ptr<ConnectionQuotas>& quotas() const { return quotas_; }
  /// Accepts until close().
  static io::Task<void> run(std::shared_ptr<Acceptor> acceptor);
  /// No further connections.
  void close();

 private:
  static void hand_over(const std::shared_ptr<Acceptor>& self, std::unique_ptr<io::AcceptedSocket> socket);
  static io::Task<void> take_up(std::shared_ptr<Acceptor> self, LoopState* there,
                                std::unique_ptr<io::AcceptedSocket> socket);
  static io::Task<bool> arrived(std::shared_ptr<Acceptor> self, std::string address);

  io::Loop& control_;
  ListenerInfo info_;
  std::unique_ptr<io::Listener> listener_;
  std::vector<LoopState*> loops_;
  std::shared_ptr<ConnectionQuotas> quotas_;
  std::function<void()> on_excess_;
  bool closed_ = false;
};

}  // namespace milena::broker
