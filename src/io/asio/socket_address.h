/// Socket addresses as text and back. Only for io/asio.
#pragma once

#include <sys/socket.h>

#include <string>
#include <vector>

#include "io/net.h"

namespace milena::io {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = sizeof(sockaddr_storage);

  int family() const { return storage.ss_family; }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

/// IPv4 addresses that came in through an IPv6 socket are written as IPv4.
Endpoint to_endpoint(const SocketAddress& address);
Endpoint local_endpoint(int fd);
Endpoint peer_endpoint(int fd);

/// The addresses of a numeric host, or with `allow_names` of any host (may block for seconds). Errors:
/// kUnreachable (unknown host).
IoResult<std::vector<SocketAddress>> resolve(const Endpoint& endpoint, bool allow_names);

}  // namespace milena::io
