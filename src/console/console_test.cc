// The routes, over the HTTP server and the simulated network.
#include "console/console.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "console/health.h"
#include "io/sim/sim_world.h"

namespace milena::console {
namespace {

io::Task<Health> told(const Health* health) { co_return *health; }

io::Task<std::shared_ptr<const MetricSet>> some_metrics(MetricsQuery query) {
  auto set = std::make_shared<MetricSet>();
  set->counter("asked_total", "Of what was asked for.", static_cast<double>(query.partitions), {{"kind", "partitions"}});
  set->counter("asked_total", "Of what was asked for.", static_cast<double>(query.topics), {{"kind", "topics"}});
  co_return set;
}

io::Task<std::string> at_once(std::function<std::string()> write) { co_return write(); }

io::Task<void> ask(Console* console, std::string method, std::string target, io::HttpResponse* answer, bool* done) {
  io::HttpRequest request;
  request.method = std::move(method);
  request.headers = {{"accept", "application/openmetrics-text"}};
  EXPECT_TRUE(io::parse_target(target, &request)) << target;
  *answer = co_await console->handle(std::move(request));
  *done = true;
}

class ConsoleTest : public ::testing::Test {
 protected:
  ConsoleTest() : world_(5), node_(&world_.add_node(io::SimNodeOptions())) {
    NodeView view;
    view.version = "1.2.3";
    view.live = [this] { return told(&live_); };
    view.ready = [this] { return told(&ready_); };
    view.metrics = [](MetricsQuery query) { return some_metrics(query); };
    view.aside = [](std::function<std::string()> write) { return at_once(std::move(write)); };
    console_ = std::make_unique<Console>(std::move(view));
  }
  io::HttpResponse get(const std::string& path, const std::string& method = "GET") {
    io::HttpResponse answer;
    bool done = false;
    node_->spawn(ask(console_.get(), method, path, &answer, &done));
    EXPECT_TRUE(world_.run_until([&] { return done; }, 60s));
    return answer;
  }

  io::SimWorld world_;
  io::SimNode* node_;
  Health live_;
  Health ready_;
  std::unique_ptr<Console> console_;
};

TEST_F(ConsoleTest, is_ready_when_every_check_holds) {
  ready_.emplace_back("controller", true, "active");
  ready_.emplace_back("broker", true, "unfenced");
  io::HttpResponse answer = get("/readyz");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.content_type, "application/json");
  EXPECT_EQ(answer.body, "{\"status\":\"ok\",\"checks\":{\"controller\":\"active\",\"broker\":\"unfenced\"}}\n");
}

TEST_F(ConsoleTest, says_why_it_is_not_ready) {
  ready_.emplace_back("controller", true, "active");
  ready_.emplace_back("log_dirs", false, "offline: /a\xff\"b");
  io::HttpResponse answer = get("/readyz");
  EXPECT_EQ(answer.status, 503);
  auto json = nlohmann::json::parse(answer.body);
  EXPECT_EQ(json["status"], "unavailable");
  EXPECT_EQ(json["reasons"].size(), 1u);
  EXPECT_EQ(json["reasons"][0], "log_dirs: offline: /a\xef\xbf\xbd\"b");
  EXPECT_EQ(get("/livez").status, 200);
}

TEST_F(ConsoleTest, is_alive_while_the_loops_answer) {
  live_.emplace_back("control loop", true, "answers");
  EXPECT_EQ(get("/livez").status, 200);
  live_.emplace_back("data loop 1", false, "does not answer");
  EXPECT_EQ(get("/livez").status, 503);
}

TEST_F(ConsoleTest, tells_the_metrics_that_were_asked_for) {
  io::HttpResponse answer = get("/metrics?partitions=7");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.content_type, "application/openmetrics-text; version=1.0.0; charset=utf-8");
  EXPECT_EQ(answer.body, "# HELP asked Of what was asked for.\n# TYPE asked counter\n"
                         "asked_total{kind=\"partitions\"} 7\nasked_total{kind=\"topics\"} 1000\n# EOF\n");
  EXPECT_THAT(get("/metrics?topics=all").body, ::testing::HasSubstr("{kind=\"topics\"} 1.8446744073709552e+19"));
  for (const char* target : {"/metrics?topics=", "/metrics?partitions=-1", "/metrics?group_offsets=1x"}) {
    EXPECT_EQ(get(target).status, 400) << target;
  }
}

TEST_F(ConsoleTest, refuses_other_methods_and_paths) {
  for (const char* path : {"/livez", "/readyz", "/metrics", "/"}) {
    EXPECT_EQ(get(path, "HEAD").status, 200) << path;
    for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "BREW"}) {
      io::HttpResponse refused = get(path, method);
      EXPECT_EQ(refused.status, 405) << method;
      EXPECT_EQ(refused.headers.at(0).second, "GET, HEAD");
    }
  }
  for (const char* path : {"/metricsx", "/../etc/passwd", "//livez", "/livez/", "/LIVEZ"}) {
    EXPECT_EQ(get(path).status, 404) << path;
  }
}

}  // namespace
}  // namespace milena::console
