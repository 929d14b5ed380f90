#include "console/console.h"

#include <charconv>
#include <limits>
#include <utility>

#include "console/exposition.h"
#include "console/health.h"

namespace milena::console {

namespace {

// How many series of a kind a scrape wants: a number, or all. False: neither.
bool read_count(const io::HttpRequest& request, const char* name, std::size_t* count) {
  auto asked = request.query.find(name);
  if (asked == request.query.end()) return true;
  const std::string& text = asked->second;
  if (text == "all") {
    *count = std::numeric_limits<std::size_t>::max();
    return true;
  }
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *count);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

}  // namespace

Console::Console(NodeView node) : node_(std::move(node)) {}

io::Task<io::HttpResponse> Console::live(io::HttpRequest) {
  Health health = co_await node_.live();
  co_return health_response(health);
}

io::Task<io::HttpResponse> Console::ready(io::HttpRequest) {
  Health health = co_await node_.ready();
  co_return health_response(health);
}

io::Task<io::HttpResponse> Console::metrics(io::HttpRequest request) {
  MetricsQuery query;
  bool good = read_count(request, "topics", &query.topics) && read_count(request, "partitions", &query.partitions) &&
              read_count(request, "group_offsets", &query.group_offsets);
  if (!good) {
    io::HttpResponse refused(400, "topics, partitions and group_offsets are each a number, or all.\n");
    co_return refused;
  }
  query.jvm = request.query.contains("jvm");
  Exposition format = choose_exposition(request.header("accept"));
  std::shared_ptr<const MetricSet> set = co_await node_.metrics(query);
  std::function<std::string()> write = [set, format] { return expose(*set, format); };
  set.reset();
  io::HttpResponse response;
  response.body = co_await node_.aside(std::move(write));
  response.content_type = content_type(format);
  response.headers.emplace_back("Cache-Control", "no-store");
  co_return response;
}

io::Task<io::HttpResponse> Console::index(io::HttpRequest) {
  io::HttpResponse response(200, "Milena " + node_.version +
                                     "\n\n"
                                     "/livez    200: the process works; 503: a loop does not answer\n"
                                     "/readyz   200: clients are served; 503: not, and why\n"
                                     "/metrics  for Prometheus\n");
  co_return response;
}

io::Task<io::HttpResponse> Console::handle(io::HttpRequest request) {
  using Route = io::Task<io::HttpResponse> (Console::*)(io::HttpRequest);
  struct Path {
    std::string_view path;
    Route route;
  };
  static constexpr Path kRoutes[] = {
      {"/", &Console::index}, {"/livez", &Console::live}, {"/metrics", &Console::metrics}, {"/readyz", &Console::ready}};
  for (const Path& known : kRoutes) {
    if (known.path != request.path) continue;
    if (request.method == "GET" || request.method == "HEAD") {
      Route route = known.route;
      co_return co_await (this->*route)(std::move(request));
    }
    io::HttpResponse refused(405, "Use GET.\n");
    refused.headers.emplace_back("Allow", "GET, HEAD");
    co_return refused;
  }
  io::HttpResponse missing(404, "There is nothing here. What there is: /\n");
  co_return missing;
}

}  // namespace milena::console
