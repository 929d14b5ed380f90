// The simulated world for the contract tests; crashes, determinism.
#include "io/sim/sim_world.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>

#include "io/contract_world.h"
#include "io/signal.h"

namespace milena::io {
namespace {

Task<void> run_body(std::function<Task<void>(Runtime*)> body, Runtime* runtime, bool* done) {
  co_await body(runtime);
  *done = true;
}

class SimContractWorld final : public ContractWorld {
 public:
  SimContractWorld() : world_(1), node_(world_.add_node(options())) {
    CHECK(node_.disk().create_directories("/scratch").has_value(), "mkdir failed");
  }
  Runtime& runtime() override { return node_.runtime(); }
  bool run(std::function<Task<void>(Runtime*)> body) override {
    bool done = false;
    node_.spawn(run_body(std::move(body), &node_.runtime(), &done));
    return world_.run_until([&] { return done; }, 600s);
  }
  Endpoint address() const override { return {"localhost", 0}; }
  std::string scratch() const override { return "/scratch"; }

 private:
  static SimNodeOptions options() {
    SimNodeOptions options;
    options.data_loops = 2;
    return options;
  }
  SimWorld world_;
  SimNode& node_;
};

}  // namespace

std::unique_ptr<ContractWorld> make_contract_world() { return std::make_unique<SimContractWorld>(); }

namespace {

// A server that writes what it gets to a log, syncs it in the pool and then acknowledges each byte; a client
// that sends numbered lines and goes on after each failure with the first line that was not acknowledged.
struct Journal {
  std::uint64_t acknowledged = 0;  // bytes
  std::uint64_t reconnects = 0;
};

Task<void> serve_one(Loop* loop, std::unique_ptr<AcceptedSocket> socket) {
  auto stream = loop->net().adopt(std::move(socket));
  auto opened = loop->disk().open("/journal", OpenMode::kCreate);
  if (opened.failed()) co_return;
  std::shared_ptr<File> file = std::move(*opened);
  if (loop->disk().sync_directory("/").failed()) co_return;
  std::vector<std::uint8_t> buffer(256);
  while (true) {
    auto got = co_await stream->read_some(buffer);
    if (got.failed() || *got == 0) co_return;
    auto size = file->size();
    if (size.failed()) co_return;
    if (file->write_at(*size, ByteView(buffer.data(), *got)).failed()) co_return;
    auto sync = [file] { return file->sync(); };
    auto synced = co_await offload(*loop, sync);
    if (synced.failed()) co_return;
    std::vector<ByteView> reply{ByteView(buffer.data(), *got)};
    auto written = co_await stream->write(reply);
    if (written.failed()) co_return;
  }
}

Task<void> serve(Runtime* runtime) {
  Loop& home = runtime->control_loop();
  auto listener = home.net().listen({"", 9092});
  CHECK(listener.has_value(), "listen failed");
  std::size_t next = 0;
  while (true) {
    auto accepted = co_await (*listener)->accept();
    if (accepted.failed()) co_return;
    Loop* target = &runtime->data_loop(next++ % runtime->data_loops());
    auto socket = std::make_shared<std::unique_ptr<AcceptedSocket>>(std::move(*accepted));
    target->post([target, socket] { target->spawn(serve_one(target, std::move(*socket))); });
  }
}

std::shared_ptr<void> start_server(Runtime& runtime) {
  runtime.control_loop().spawn(serve(&runtime));
  return nullptr;
}

Task<void> send_lines(Loop* loop, Journal* journal) {
  std::vector<std::uint8_t> buffer(100);
  while (true) {
    Endpoint server{"server", 9092};
    auto stream = co_await loop->net().connect(server);
    ++journal->reconnects;
    while (stream.has_value()) {
      std::string line = "line;";
      std::vector<ByteView> pieces{as_bytes(line)};
      auto sent = co_await (*stream)->write(pieces);
      if (sent.failed()) break;
      std::size_t answered = 0;
      while (answered < line.size()) {
        auto got = co_await (*stream)->read_some(buffer);
        if (got.failed() || *got == 0) break;
        answered += *got;
      }
      journal->acknowledged += answered;
      if (answered < line.size()) break;
      co_await sleep_for(*loop, Duration(1ms));
    }
    co_await sleep_for(*loop, Duration(20ms));
  }
}

struct Outcome {
  std::uint64_t hash = 0;
  std::uint64_t acknowledged = 0;
  std::uint64_t durable = 0;
  std::map<std::string, std::uint64_t, std::less<>> marks;
};

Outcome run_journal(std::uint64_t seed) {
  SimWorld world(seed);
  SimNodeOptions options;
  options.name = "server";
  options.program = start_server;
  SimNode& server = world.add_node(options);
  SimNode& client = world.add_node({});
  Journal journal;
  client.spawn(send_lines(&client.runtime().control_loop(), &journal));
  Random nemesis = world.stream("nemesis");
  for (int round = 0; round < 6; ++round) {
    world.run_for(Duration(nemesis.between(50'000'000, 400'000'000)));
    switch (nemesis.below(6)) {
      case 0: world.crash(server, SimCrash::kKill); break;
      case 1: world.crash(server, SimCrash::kPowerLoss); break;
      case 2: world.net().cut(0, 1); break;
      case 3: server.disk().crash_at_call(server.disk().calls() + nemesis.below(40)); break;
      case 4: world.pause(server, 100ms); break;
      default:
        world.net().block(0, 1);
        world.run_for(50ms);
        world.net().heal();
    }
    world.run_for(100ms);
    world.restart(server);
  }
  world.run_for(300ms);
  world.crash(server, SimCrash::kPowerLoss);
  world.restart(server);
  Outcome outcome{world.trace_hash(), journal.acknowledged, 0, world.marks()};
  if (auto info = server.disk().stat("/journal"); info.has_value()) outcome.durable = info->size;
  return outcome;
}

TEST(SimWorld, one_seed_is_one_run) {
  std::set<std::uint64_t> hashes;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    Outcome first = run_journal(seed);
    Outcome second = run_journal(seed);
    EXPECT_EQ(first.hash, second.hash) << "seed " << seed;
    EXPECT_EQ(first.acknowledged, second.acknowledged);
    hashes.insert(first.hash);
  }
  EXPECT_EQ(hashes.size(), 10u) << "seeds differ";
}

TEST(SimWorld, what_was_synced_and_acknowledged_survives) {
  std::map<std::string, std::uint64_t, std::less<>> marks;
  std::uint64_t acknowledged = 0;
  for (std::uint64_t seed = 100; seed < 160; ++seed) {
    Outcome outcome = run_journal(seed);
    EXPECT_GE(outcome.durable, outcome.acknowledged) << "seed " << seed;
    acknowledged += outcome.acknowledged;
    for (auto& [name, count] : outcome.marks) marks[name] += count;
  }
  EXPECT_GT(acknowledged, 10'000u) << "the clients got something done";
  for (const char* name : {"node.killed", "node.lost_power", "node.paused", "net.cut", "net.blocked", "net.refused",
                           "net.held_back", "net.reset_received", "net.late", "disk.crash_at_call"}) {
    EXPECT_GT(marks[name], 0u) << name << " never happened";
  }
}

struct Witness {
  std::vector<std::string>* log;
  std::string name;
  Witness(std::vector<std::string>* to, std::string who) : log(to), name(std::move(who)) {}
  Witness(const Witness&) = delete;
  ~Witness() { log->push_back(name); }
};

Task<void> hold(Loop* loop, std::shared_ptr<Witness> witness) {
  Signal signal(*loop);
  co_await signal.wait();
  witness->name = "woken";
}

Task<void> hold_nested(Loop* loop, std::shared_ptr<Witness> witness) { co_await hold(loop, std::move(witness)); }

TEST(SimWorld, a_crash_destroys_tasks_then_callbacks_then_the_program) {
  std::vector<std::string> log;  // outlives the world, whose last process writes to it
  SimWorld world(5);
  SimNodeOptions options;
  options.data_loops = 1;
  options.program = [&log](Runtime& runtime) -> std::shared_ptr<void> {
    Loop& data = runtime.data_loop(0);
    data.post([&data, &log] {
      data.spawn(hold_nested(&data, std::make_shared<Witness>(&log, "task")));
      data.run_off_loop([callback = std::make_shared<Witness>(&log, "callback")] { ADD_FAILURE(); }, [] {});
    });
    return std::make_shared<Witness>(&log, "program");
  };
  SimNode& node = world.add_node(options);
  world.run_until([&] { return node.runtime().data_loop(0).live_tasks() == 1; }, 1s);
  EXPECT_TRUE(log.empty());
  world.crash(node, SimCrash::kKill);
  EXPECT_EQ(log, (std::vector<std::string>{"task", "callback", "program"}));
  EXPECT_FALSE(node.running());
  world.crash(node, SimCrash::kKill);  // nothing left to kill
  world.run_for(1s);
  world.restart(node);
  EXPECT_TRUE(node.running());
}

Task<void> crash_from_inside(SimWorld* world, SimNode* victim, bool* asked) {
  world->crash(*victim, SimCrash::kKill);
  *asked = victim->running();
  co_return;
}

TEST(SimWorld, a_task_may_ask_for_a_crash_even_of_its_own_node) {
  SimWorld world(6);
  SimNode& node = world.add_node({});
  bool running_after_asking = false;
  node.spawn(crash_from_inside(&world, &node, &running_after_asking));
  EXPECT_TRUE(world.run_until([&] { return !node.running(); }, 1s));
  EXPECT_TRUE(running_after_asking);
}

TEST(SimWorld, clocks_drift_apart_and_jump_and_deadlines_follow_the_own_clock) {
  SimWorld world(7);
  SimNode& a = world.add_node({});
  SimNode& b = world.add_node({});
  Instant a0 = a.clock().now();
  Instant b0 = b.clock().now();
  world.run_for(std::chrono::hours(10));
  EXPECT_NE(a.clock().now() - a0, b.clock().now() - b0);
  std::int64_t before = a.clock().wall_now().value();
  a.clock().jump_wall(-1s);
  EXPECT_EQ(a.clock().wall_now().value(), before - 1000);
}

TEST(SimWorld, a_paused_node_runs_nothing) {
  SimWorld world(8);
  SimNode& node = world.add_node({});
  bool ran = false;
  world.pause(node, 2s);
  node.runtime().control_loop().post([&ran] { ran = true; });
  world.run_for(1900ms);
  EXPECT_FALSE(ran);
  world.run_for(200ms);
  EXPECT_TRUE(ran);
}

TEST(SimWorld, a_slow_disk_delays_work_off_the_loop) {
  SimWorld world(10);
  SimNode& node = world.add_node({});
  node.disk().faults().slow = Duration(std::chrono::hours(100));
  bool done = false;
  node.runtime().control_loop().run_off_loop([] {}, [&done] { done = true; });
  world.run_for(60s);
  EXPECT_FALSE(done);
  EXPECT_TRUE(world.run_until([&] { return done; }, Duration(std::chrono::hours(101))));
}

TEST(SimWorld, log_lines_name_their_node) {
  SimWorld world(9);
  SimNodeOptions options;
  options.name = "broker-1";
  SimNode& node = world.add_node(options);
  node.runtime().control_loop().log().warn("controller", "epoch {}", 3);
  ASSERT_EQ(world.log_lines().size(), 1u);
  EXPECT_NE(world.log_lines()[0].find("broker-1 WARN [controller] epoch 3"), std::string::npos);
}

}  // namespace
}  // namespace milena::io
