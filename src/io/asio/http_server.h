/// HttpServer: HTTP/1.1 on one listener, over the streams of any Net, real or simulated; Boost.Beast parses. Requests
/// of a connection are answered one after the other, in order, also if they were sent without waiting.
///
/// Life: made and destroyed on its loop, or left until the process ends; destroying it before its tasks have ended is
/// fine: they share what they need. Threads: its loop only. Errors: what a client does wrong is answered and logged
/// nowhere; it never ends the server.
#pragma once

#include <memory>

#include "io/http.h"
#include "io/loop.h"
#include "io/net.h"

namespace milena::io {

class HttpServer {
 public:
  /// Serves `listener`, which belongs to `loop`'s Net, from now until close().
  HttpServer(Loop& loop, std::unique_ptr<Listener> listener, HttpHandler handler, HttpLimits limits = {});
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  Endpoint local() const;
  /// Connections that are open now.
  std::size_t connections() const;
  /// No further connections or requests; those open are closed.
  void close();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace milena::io
