/// The Stream over one connected socket. Only for io/asio.
#pragma once

#include <memory>

#include "io/asio/reactor.h"
#include "io/net.h"

namespace milena::io {

/// Takes over a connected non-blocking socket.
std::unique_ptr<Stream> make_stream(WatchedOwner socket);

}  // namespace milena::io
