/// AsioNet: TCP over non-blocking sockets and the loop's reactor. Calls are tried first and wait only when
/// the kernel says so. A coroutine in flight holds the socket, never the Stream or Listener object, so both
/// may be destroyed at any time.
#pragma once

#include <memory>

#include "io/asio/reactor.h"
#include "io/net.h"

namespace milena::io {

class AsioNet final : public Net {
 public:
  AsioNet(Loop& loop, Reactor& reactor) : loop_(loop), reactor_(reactor) {}
  /// A host name is resolved inline (listeners are made at start). Backlog 4096, SO_REUSEADDR, never
  /// SO_REUSEPORT: two processes must not share a port unseen.
  IoResult<std::unique_ptr<Listener>> listen(const Endpoint& endpoint) override;
  std::unique_ptr<Stream> adopt(std::unique_ptr<AcceptedSocket> socket) override;
  /// Host names are resolved in the pool; addresses are tried in the resolver's order.
  Task<IoResult<std::unique_ptr<Stream>>> connect(Endpoint endpoint) override;

 private:
  Loop& loop_;
  Reactor& reactor_;
};

}  // namespace milena::io
