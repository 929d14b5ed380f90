#include "broker/testing/node_world.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/endian.h"
#include "broker/testing/partition_requests.h"
#include "config/settings.h"
#include "replica/testing/metadata_check.h"
#include "wire/apis/create_topics.h"

namespace milena::broker {
namespace {

config::Settings settings_of(const NodeWorld::Overrides& overrides) {
  std::map<std::string, std::string> all = {
      {"process.roles", "broker,controller"},
      {"node.id", "1"},
      {"listeners", "PLAINTEXT://:9092,CONTROLLER://:9093"},
      {"advertised.listeners", "PLAINTEXT://broker:9092,CONTROLLER://broker:9093"},
      {"listener.security.protocol.map", "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT"},
      {"controller.listener.names", "CONTROLLER"},
      {"controller.quorum.bootstrap.servers", "broker:9093"},
      {"log.dirs", "/data"},
      {"offsets.topic.replication.factor", "1"},
      {"offsets.topic.num.partitions", "4"},
      {"group.initial.rebalance.delay.ms", "0"},
  };
  for (const auto& [key, value] : overrides) all[key] = value;
  return config::settings_from_overrides({all.begin(), all.end()});
}

NodeOptions options_of(const NodeWorld::Overrides& overrides) {
  auto parsed = config::KafkaConfig::parse(settings_of(overrides));
  CHECK(parsed.has_value(), "the test's configuration is wrong");
  NodeOptions options;
  options.config = std::make_shared<const config::KafkaConfig>(std::move(*parsed));
  auto server = config::server_config(*options.config);
  CHECK(server.has_value(), "the test's listeners are wrong");
  options.server = std::move(*server);
  return options;
}

io::SimNodeOptions machine_options(std::string name, io::SimProgram program) {
  io::SimNodeOptions options;
  options.name = std::move(name);
  options.program = std::move(program);
  return options;
}

}  // namespace

NodeWorld::NodeWorld(Overrides overrides, std::uint64_t seed, std::size_t data_loops)
    : options_(options_of(overrides)), data_loops_(data_loops), world_(seed) {
  clients_ = &world_.add_node(machine_options("clients", nullptr));
}

NodeWorld::~NodeWorld() {
  if (restarts_at_end_ && machine_ != nullptr && !::testing::Test::HasFailure()) check_restart();
  connections_.clear();
}

void NodeWorld::check_restart() {
  machine_->disk().faults() = {};
  machine_->disk().no_room_at(0, 0);
  if (machine_->running() && !stop()) {
    ADD_FAILURE() << "after the test the node does not stop";
    return;
  }
  replica::ImagePtr before = last_image_;
  if (!start()) {
    ADD_FAILURE() << "after the test the node does not start again: " << error_;
    return;
  }
  if (before == nullptr) return;
  std::string changed = replica::restart_difference(*before, image());
  EXPECT_EQ(changed, "") << "a restart after the test changed the metadata";
}

void NodeWorld::check_replay() {
  io::SimDisk& disk = machine_->disk();
  disk.revive();
  io::SimDiskFaults faults = std::exchange(disk.faults(), {});  // what the log says, not what the disk does
  const std::string& directory = options_.server.metadata_log.dir;
  std::string wrong = replica::replay_difference(disk, directory, machine_->clock().wall_now(), *last_image_);
  EXPECT_EQ(wrong, "") << "the metadata log alone";
  disk.faults() = std::move(faults);
  disk.kill();
}

std::shared_ptr<void> NodeWorld::run_node(io::Runtime& runtime) {
  NodeOptions options = options_;
  log_levels_ = std::make_unique<io::LogLevels>(runtime.control_loop().log());
  options.log_levels = log_levels_.get();
  options.on_fatal = [this](std::string why) { error_ = std::move(why); };
  node_ = std::make_shared<Node>(runtime, std::move(options));
  runtime.control_loop().spawn(start_node(this, node_));
  // The world destroys what the program owns after its tasks; no other owner may outlive that.
  return std::exchange(node_, nullptr);
}

io::Task<void> NodeWorld::start_node(NodeWorld* self, std::shared_ptr<Node> node) {
  auto started = co_await node->start();
  if (started.failed()) self->error_ = started.error().message;
  else self->started_ = true;
}

bool NodeWorld::start() {
  started_ = false;
  error_.clear();
  if (machine_ == nullptr) {
    auto program = [this](io::Runtime& runtime) { return run_node(runtime); };
    io::SimNodeOptions machine = machine_options("broker", program);
    machine.data_loops = data_loops_;
    machine_ = &world_.add_node(std::move(machine));
  } else {
    world_.restart(*machine_);
  }
  world_.run_until([&] { return started_ || !error_.empty(); }, std::chrono::minutes(1));
  node_ = std::static_pointer_cast<Node>(machine_->program());
  if (!started_ && error_.empty()) error_ = "the node did not start within a minute";
  return started_;
}

io::Task<void> NodeWorld::stop_node(NodeWorld* self, std::shared_ptr<Node> node) {
  co_await node->stop();
  self->stopped_ = true;
}

bool NodeWorld::stop() {
  stopped_ = false;
  machine_->spawn(stop_node(this, node_));
  bool ended = world_.run_until([&] { return stopped_; }, std::chrono::minutes(5));
  crash(io::SimCrash::kKill);
  return ended;
}

void NodeWorld::crash(io::SimCrash how) {
  if (node_ != nullptr) last_image_ = node_->metadata().committed();
  node_.reset();
  connections_.clear();
  if (!machine_->running()) return;
  world_.crash(*machine_, how);
  if (last_image_ != nullptr) check_replay();  // null: it did not come so far
}

io::Task<NodeWorld::Opened> NodeWorld::connection(Via via) {
  std::shared_ptr<client::Connection> known = connections_[via];
  if (known != nullptr && known->is_open()) co_return Opened(std::move(known));
  client::ConnectionOptions options;
  options.client_id = via.client;
  io::Endpoint to{"broker", via.controller ? kControllerPort : kBrokerPort};
  Opened opened = co_await client::Connection::open(io::Loop::current(), to, options);
  if (opened.has_value()) connections_[via] = *opened;
  co_return opened;
}

io::Task<void> NodeWorld::exchange(NodeWorld*, Bytes frame, std::uint16_t port, std::optional<Bytes>* answer,
                                   bool* done) {
  io::Endpoint to{"broker", port};
  auto connected = co_await io::Loop::current()->net().connect(to);
  if (connected.has_value()) {
    std::vector<std::uint8_t> length(4);
    store_be(length.data(), static_cast<std::int32_t>(frame.size()));
    std::vector<ByteView> pieces{ByteView(length), frame.view()};
    auto written = co_await (*connected)->write(pieces);
    Buffer received(1 << 20);
    bool open = written.has_value();
    std::size_t wanted = 4;
    while (open && received.size() < wanted) {
      std::size_t at = received.size();
      received.resize(received.capacity());
      auto got = co_await (*connected)->read_some(MutableByteView(received.data() + at, received.size() - at));
      open = got.has_value() && *got > 0;
      received.resize(at + (open ? *got : 0));
      if (received.size() >= 4) wanted = 4 + static_cast<std::size_t>(load_be<std::int32_t>(received.data()));
    }
    if (received.size() >= wanted && wanted > 4) *answer = received.share(4, wanted - 4);
    (*connected)->close();
  }
  *done = true;
}

std::optional<Bytes> NodeWorld::ask_raw(Bytes frame, bool controller) {
  std::optional<Bytes> answer;
  bool done = false;
  clients_->spawn(exchange(this, std::move(frame), controller ? kControllerPort : kBrokerPort, &answer, &done));
  bool ended = world_.run_until([&] { return done; }, std::chrono::minutes(1));
  CHECK(ended, "the exchange did not end");
  return answer;
}

bool NodeWorld::connected(const Via& via) const {
  auto it = connections_.find(via);
  return it != connections_.end() && it->second != nullptr && it->second->is_open();
}

void NodeWorld::create_topic(const std::string& name, std::int32_t partitions,
                             const std::map<std::string, std::string>& configs) {
  wire::CreateTopicsRequest request = creation_of(name, partitions);
  for (const auto& [key, value] : configs) {
    auto& config = request.topics[0].configs.emplace_back();
    config.name = key;
    config.value = value;
  }
  auto response = ask<wire::CreateTopicsApi>(request, 7);
  CHECK(response.has_value(), "CreateTopics was not answered");
  CHECK(response->topics.at(0).error_code == 0, "the topic was not created");
}

}  // namespace milena::broker
