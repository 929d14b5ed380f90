/// Acceptor: one listening socket. Each accepted connection goes to the data loop that has the fewest.
/// Threads: the control loop accepts; connections live on their loops.
#pragma once

#include <memory>
#include <vector>

#include "broker/connection.h"
#include "broker/request_context.h"
#include "io/net.h"

namespace milena::broker {

class Acceptor {
 public:
  /// `loops` outlive the acceptor and its connections.
  Acceptor(io::Loop& control, ListenerInfo info, std::unique_ptr<io::Listener> listener,
           std::vector<LoopState*> loops);
  const ListenerInfo& info() const { return info_; }
  /// Accepts until close().
  static io::Task<void> run(std::shared_ptr<Acceptor> acceptor);
  /// No further connections.
  void close();

 private:
  static void hand_over(const std::shared_ptr<Acceptor>& self, std::unique_ptr<io::AcceptedSocket> socket);

  io::Loop& control_;
  ListenerInfo info_;
  std::unique_ptr<io::Listener> listener_;
  std::vector<LoopState*> loops_;
  bool closed_ = false;
};

}  // namespace milena::broker
