/// HTTP/1.1, as rooms above see it: a request comes as a value, a task answers it. The server itself is
/// `io/asio/http_server.h`, the one place that knows Boost.Beast; it works on any Net, so that what is written against
/// this header is tested in the simulated world.
///
/// Threads: a handler's tasks run on the server's loop.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "io/net.h"
#include "io/task.h"

namespace milena::io {

struct HttpRequest {
  std::string method;  // as sent, "GET"
  std::string path;    // decoded, without the query: "/metrics"
  std::map<std::string, std::string> query;                   // decoded; of names given twice the last
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case, in their order
  std::string body;
  Endpoint peer;

  HttpRequest() = default;
  /// The header's first value; empty: there is none. `name` in lower case.
  std::string_view header(std::string_view name) const;
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;  // besides type, length and connection

  HttpResponse() = default;
  HttpResponse(int code, std::string text) : status(code), body(std::move(text)) {}
};

/// What a client may take up. What it holds grows with what it sent, up to these.
struct HttpLimits {
  std::size_t header_bytes = 16 << 10;  // more: 431
  std::size_t body_bytes = 64 << 10;    // more: 413
  /// Connections. One more, and the one that has waited longest without a request is closed for it.
  std::size_t connections = 256;
  Duration request_time = std::chrono::seconds(10);  // from a request's first byte to its last; longer: 408
  Duration idle_time = std::chrono::seconds(75);     // between requests
  Duration write_time = std::chrono::seconds(30);    // of one response
};

/// Answers one request. HEAD comes as it is; the server leaves the body out.
using HttpHandler = std::function<Task<HttpResponse>(HttpRequest request)>;

/// "text": %41 and + undone. Nothing: a broken escape.
bool decode_percent(std::string_view text, bool plus_is_space, std::string* decoded);
/// Splits a request's target into path and query. False: it is not one.
bool parse_target(std::string_view target, HttpRequest* request);
/// The words for a status: "Not Found"; "Unknown" for what is not listed.
std::string_view status_text(int status);

}  // namespace milena::io
