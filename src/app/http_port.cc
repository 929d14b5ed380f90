#include "app/http_port.h"

#include <fmt/format.h>

#include <utility>

#include "app/version.h"
#include "io/asio/port_holder.h"
#include "io/asio/process.h"
#include "io/timeout.h"

namespace milena::app {
namespace {

// A loop that does not come to a callback within this long is stuck: one turn takes milliseconds.
constexpr Duration kLoopPatience = std::chrono::seconds(5);

io::Task<bool> yes() { co_return true; }

io::Task<bool> answers(io::Loop* home, io::Loop* loop) {
  auto question = [] { return yes(); };
  auto answer = co_await io::with_timeout(*home, home->now() + kLoopPatience, io::run_on(*loop, std::move(question)));
  co_return answer.has_value();
}

std::string in_use(const io::Endpoint& at) {
  auto holder = io::find_port_holder(at.port);
  if (!holder.has_value()) return "";
  return fmt::format(". Port {} is held by {} (pid {})", at.port, holder->name, holder->pid);
}

}  // namespace

HttpPort::HttpPort(io::AsioRuntime& runtime, broker::Node& node)
    : runtime_(runtime), home_(runtime.data_loop(runtime.data_loops() - 1)), node_(node), console_(view()) {}

console::NodeView HttpPort::view() {
  console::NodeView view;
  view.version = kVersion;
  view.live = [this] { return live(this); };
  view.ready = [this] { return ready(this); };
  view.metrics = [this](MetricsQuery query) { return metrics(this, query); };
  view.aside = [this](std::function<std::string()> write) { return aside(this, std::move(write)); };
  return view;
}

io::Task<Result<void, std::string>> HttpPort::open(config::HttpConfig config) {
  for (const config::Address& address : config.listeners) {
    io::Endpoint at{address.host, address.port};
    auto bind = [this, at] { return listen(this, at); };
    auto bound = co_await io::run_on(home_, std::move(bind));
    if (bound.has_value()) {
      addresses_.push_back(*bound);
      continue;
    }
    std::string why = fmt::format("{}: cannot listen on {}: {}", config::kHttpListenersKey, io::to_string(at),
                                  bound.error().what);
    if (bound.error().kind == io::ErrorKind::kAddressInUse) why += in_use(at);
    if (config.asked_for) co_return Err(why + ". Stop it, choose another port, or leave the value empty for no HTTP");
    runtime_.control_loop().log().warn("http", "{}; the node goes on without metrics and health over HTTP, until {} "
                                       "names a free port (or is empty, to say so)", why, config::kHttpListenersKey);
  }
  co_return Result<void, std::string>();
}

io::Task<io::IoResult<io::Endpoint>> HttpPort::listen(HttpPort* self, io::Endpoint at) {
  auto listener = self->home_.net().listen(at);
  if (listener.failed()) co_return Err(listener.error());
  io::HttpHandler handler = [self](io::HttpRequest request) { return self->console_.handle(std::move(request)); };
  self->servers_.push_back(
      std::make_unique<io::HttpServer>(self->home_, std::move(*listener), std::move(handler)));
  co_return self->servers_.back()->local();
}

io::Task<Health> HttpPort::live(HttpPort* self) {
  Health health;
  io::Runtime& runtime = self->runtime_;
  bool control = co_await answers(&self->home_, &runtime.control_loop());
  health.emplace_back("control loop", control, control ? "answers" : "does not answer");
  for (std::size_t i = 0; i < runtime.data_loops(); ++i) {
    bool there = co_await answers(&self->home_, &runtime.data_loop(i));
    health.emplace_back(fmt::format("data loop {}", i), there, there ? "answers" : "does not answer");
  }
  co_return health;
}

namespace {

io::Task<Health> node_health(const broker::Node* node) { co_return node->health(); }

}  // namespace

io::Task<Health> HttpPort::ready(HttpPort* self) {
  const broker::Node* node = &self->node_;
  auto ask = [node] { return node_health(node); };
  io::Loop& control = self->runtime_.control_loop();
  Instant deadline = self->home_.now() + kLoopPatience;
  auto health = co_await io::with_timeout(self->home_, deadline, io::run_on(control, std::move(ask)));
  if (health.has_value()) co_return std::move(*health);
  Health stuck;
  stuck.emplace_back("control loop", false, "does not answer");
  co_return stuck;
}

io::Task<std::shared_ptr<const MetricSet>> HttpPort::metrics(HttpPort* self, MetricsQuery query) {
  std::shared_ptr<const MetricSet> of_node = co_await self->node_.metrics(query);
  auto set = std::make_shared<MetricSet>();
  auto look = [set, of_node] {
    *set = *of_node;
    return io::process_facts();
  };
  io::ProcessFacts facts = co_await io::offload(self->home_, std::move(look));
  self->process_.add(*set, facts, self->runtime_.loop_stats(), self->home_.now(), query.jvm);
  co_return set;
}

io::Task<std::string> HttpPort::aside(HttpPort* self, std::function<std::string()> write) {
  co_return co_await io::offload(self->home_, std::move(write));
}

}  // namespace milena::app
