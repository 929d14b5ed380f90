// The real world for the contract tests, and what only the real world does.
#include <gtest/gtest.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "io/asio/asio_runtime.h"
#include "io/asio/posix_disk.h"
#include "io/asio/stderr_log.h"
#include "io/asio/system.h"
#include "io/contract_world.h"

namespace milena::io {
namespace {

Task<int> run_body(std::function<Task<void>(Runtime*)> body, Runtime* runtime) {
  co_await body(runtime);
  co_return 0;
}

class AsioContractWorld final : public ContractWorld {
 public:
  AsioContractWorld() : runtime_(options()) {
    char name[] = "/tmp/milena-io-XXXXXX";
    CHECK(::mkdtemp(name) != nullptr, "mkdtemp failed");
    scratch_ = name;
    runtime_.start();
  }
  ~AsioContractWorld() override {
    runtime_.stop();
    PosixDisk disk;
    EXPECT_TRUE(disk.remove_tree(scratch_).has_value());
  }
  Runtime& runtime() override { return runtime_; }
  bool run(std::function<Task<void>(Runtime*)> body) override {
    return runtime_.run([this, &body] { return run_body(body, &runtime_); }) == 0;
  }
  Endpoint address() const override { return {"127.0.0.1", 0}; }
  std::string scratch() const override { return scratch_; }

 private:
  static AsioOptions options() {
    AsioOptions options;
    options.data_loops = 2;
    return options;
  }
  AsioRuntime runtime_;
  std::string scratch_;
};

}  // namespace

std::unique_ptr<ContractWorld> make_contract_world() { return std::make_unique<AsioContractWorld>(); }

namespace {

AsioOptions one_loop() {
  AsioOptions options;
  options.data_loops = 1;
  return options;
}

Task<int> await_signal(AsioRuntime* runtime) {
  int got = co_await runtime->wait_signal();
  co_return got;
}

TEST(AsioRuntime, a_signal_is_awaited) {
  AsioRuntime runtime(one_loop());
  runtime.start();
  ::kill(::getpid(), SIGTERM);
  EXPECT_EQ(runtime.run([&] { return await_signal(&runtime); }), SIGTERM);
  runtime.stop();
}

Task<void> sleep_long(Loop* loop, std::shared_ptr<int> held) {
  co_await sleep_for(*loop, std::chrono::hours(10));
  ++*held;
}

TEST(AsioRuntime, stop_destroys_what_still_waits) {
  auto held = std::make_shared<int>(0);
  AsioRuntime runtime(one_loop());
  for (Loop* loop : {&runtime.data_loop(0), &runtime.control_loop()}) {
    loop->post([loop, held] { loop->spawn(sleep_long(loop, held)); });
  }
  runtime.start();
  runtime.stop();
  EXPECT_EQ(held.use_count(), 1);
  EXPECT_EQ(runtime.control_loop().live_tasks(), 0u);
}

Task<int> stall(Loop* loop) {
  Instant until = loop->now() + 80ms;
  while (loop->now() < until) {
  }
  co_await sleep_for(*loop, 1ms);
  co_return 0;
}

TEST(AsioRuntime, a_long_turn_is_counted_as_a_stall) {
  AsioRuntime runtime(one_loop());
  runtime.start();
  runtime.run([&] { return stall(&runtime.control_loop()); });
  auto stats = runtime.loop_stats();
  ASSERT_EQ(stats.size(), 2u);
  EXPECT_EQ(stats[1].name, "control");
  EXPECT_EQ(stats[1].stalls, 1u);
  EXPECT_GE(stats[1].longest_turn, Duration(80ms));
}

Task<int> connect_by_name(Loop* loop) {
  auto listener = loop->net().listen({"", 0});
  EXPECT_TRUE(listener.has_value());
  std::uint16_t port = (*listener)->local().port;
  for (const char* host : {"localhost", "127.0.0.1", "::1"}) {
    Endpoint target{host, port};
    auto stream = co_await loop->net().connect(target);
    EXPECT_TRUE(stream.has_value()) << host << ": " << stream.error().what;
    auto accepted = co_await (*listener)->accept();
    auto served = loop->net().adopt(std::move(*accepted));
    EXPECT_EQ(served->peer().host, std::string(host) == "localhost" ? served->peer().host : host);
  }
  Endpoint unknown{"no-such-host.invalid", port};
  auto failed = co_await loop->net().connect(unknown);
  EXPECT_EQ(failed.error().kind, ErrorKind::kUnreachable);
  co_return 0;
}

TEST(AsioNet, an_empty_host_listens_on_both_families_and_names_resolve) {
  AsioRuntime runtime(one_loop());
  runtime.start();
  runtime.run([&] { return connect_by_name(&runtime.control_loop()); });
}

// Takes all descriptors, then a connection arrives: it is refused by closing it, the listener goes on.
Task<int> run_out_of_descriptors(Loop* loop) {
  auto listener = loop->net().listen({"127.0.0.1", 0});
  Endpoint target = (*listener)->local();
  auto client = co_await loop->net().connect(target);
  auto accept = [](Listener* from, std::unique_ptr<AcceptedSocket>* into) -> Task<void> {
    auto accepted = co_await from->accept();
    if (accepted.has_value()) *into = std::move(*accepted);
  };
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  rlimit tight{std::min<rlim_t>(before.rlim_cur, 256), before.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &tight);
  std::vector<int> taken;
  for (int fd; (fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0;) taken.push_back(fd);
  std::unique_ptr<AcceptedSocket> accepted;
  loop->spawn(accept(listener->get(), &accepted));
  std::uint8_t byte[1];
  auto got = co_await (*client)->read_some(byte);  // the end, or a reset: dropped
  EXPECT_TRUE(got.failed() || *got == 0);
  EXPECT_EQ(accepted, nullptr);
  for (int fd : taken) ::close(fd);
  ::setrlimit(RLIMIT_NOFILE, &before);
  auto again = co_await loop->net().connect(target);
  EXPECT_TRUE(again.has_value());
  for (int i = 0; i < 200 && accepted == nullptr; ++i) co_await sleep_for(*loop, 10ms);
  EXPECT_NE(accepted, nullptr);
  co_return 0;
}

TEST(AsioNet, without_descriptors_it_sheds_and_goes_on) {
#if defined(__has_feature)
#if __has_feature(undefined_behavior_sanitizer)
  GTEST_SKIP() << "the sanitizer itself needs descriptors to look at objects";
#endif
#endif
  AsioRuntime runtime(one_loop());
  runtime.start();
  runtime.run([&] { return run_out_of_descriptors(&runtime.control_loop()); });
}

TEST(System, processors_and_entropy) {
  EXPECT_GE(usable_processors(), 1u);
  KernelEntropy entropy;
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(entropy.random64());
  EXPECT_EQ(seen.size(), 1000u);
}

TEST(StderrLog, lines_are_json_outside_a_terminal) {
  testing::internal::CaptureStderr();
  StderrLog log(Level::kInfo, StderrLog::Format::kJson);
  log.warn("controller", "broker {} said \"{}\"\n", 7, "a\\b");
  log.debug("controller", "not shown");
  std::string out = testing::internal::GetCapturedStderr();
  EXPECT_NE(out.find(R"("level":"warning","logger":"controller","msg":"broker 7 said \"a\\b\"\n"})"), std::string::npos)
      << out;
  EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), 1);
  EXPECT_EQ(out.rfind("{\"ts\":\"", 0), 0u);
}

}  // namespace
}  // namespace milena::io
