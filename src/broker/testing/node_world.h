/// NodeWorld: one whole node (broker and controller) in the simulated world, and clients beside it that speak the
/// real protocol to it. For tests of handlers, and a start for tests with faults: the SimWorld is open to them.
///
///   NodeWorld world;
///   ASSERT_TRUE(world.start()) << world.error();
///   wire::HeartbeatRequest request;
///   auto response = world.ask<wire::HeartbeatApi>(request, 4);
///   ASSERT_TRUE(response.has_value()) << response.error().message;
///
/// Every client has a connection of its own, because a broker answers one connection's requests one by one.
///
/// Each end of the node's process is a check: its metadata log alone must give the image that it served. When the
/// test is over the node stops and starts again, and nothing but leaders and registrations may have changed. What
/// is found wrong fails the test.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "broker/node.h"
#include "client/connection.h"
#include "io/sim/sim_world.h"

namespace milena::broker {

/// Who asks, and on which listener.
struct Via {
  std::string client = "client";
  bool controller = false;
  friend auto operator<=>(const Via&, const Via&) = default;
};

template <class Api>
using Response = client::ClientResult<typename Api::Response>;
/// An answer that may still come.
template <class Api>
using Pending = std::shared_ptr<std::optional<Response<Api>>>;

class NodeWorld {
 public:
  static constexpr std::uint16_t kBrokerPort = 9092;
  static constexpr std::uint16_t kControllerPort = 9093;
  /// Configuration keys over the fixture's own: node 1, /data, four partitions of __consumer_offsets, groups
  /// without an initial delay.
  using Overrides = std::vector<std::pair<std::string, std::string>>;

  /// `data_loops`: 0: as the seed has it.
  explicit NodeWorld(Overrides overrides = {}, std::uint64_t seed = 1, std::size_t data_loops = 0);
  ~NodeWorld();

  /// Starts the node (formats it the first time) and waits until it serves clients. False: see error().
  bool start();
  /// A clean stop. False: it did not end.
  bool stop();
  /// The test leaves directories that no node may start on: when it is over the node is not started again.
  void leaves_directories_unusable() { restarts_at_end_ = false; }
  /// The node's process ends at once; start() brings it back on the same disk.
  void crash(io::SimCrash how);
  const std::string& error() const { return error_; }

  io::SimWorld& world() { return world_; }
  io::SimNode& machine() { return *machine_; }
  const config::ServerConfig& config() const { return options_.server; }
  /// REQUIRES: started.
  Node& node() { return *node_; }
  const image::Image& image() const { return *node_->metadata().committed(); }

  /// Sends a request in exactly this version. Errors: the connection's; a version that is not served.
  template <class Api>
  Pending<Api> send(typename Api::Request request, std::int16_t version, Via via = {}) {
    auto answer = std::make_shared<std::optional<Response<Api>>>();
    clients_->spawn(call<Api>(this, std::move(via), std::move(request), version, answer));
    return answer;
  }
  /// Runs the world until the answer is there. REQUIRES: it comes within ten minutes of virtual time.
  template <class Api>
  Response<Api> wait(const Pending<Api>& pending) {
    bool came = world_.run_until([&] { return pending->has_value(); }, std::chrono::minutes(10));
    CHECK(came, "no answer within ten minutes");
    return **pending;
  }
  template <class Api>
  Response<Api> ask(typename Api::Request request, std::int16_t version, Via via = {}) {
    return wait<Api>(send<Api>(std::move(request), version, std::move(via)));
  }
  /// A frame as it stands (without its length); the answer's frame, or nothing if the connection was closed.
  std::optional<Bytes> ask_raw(Bytes frame, bool controller = false);

  /// Whether the connection that `via` used last is open.
  bool connected(const Via& via = {}) const;
  /// Where the node sees its clients.
  std::string address_of_clients() const { return clients_->address(); }
  /// The node's wall clock. REQUIRES: running.
  std::int64_t now_ms() { return machine_->clock().wall_now().value(); }

  /// Creates a topic and waits for its leaders. REQUIRES: there is none of that name.
  void create_topic(const std::string& name, std::int32_t partitions = 1,
                    const std::map<std::string, std::string>& configs = {});

 private:
  using Opened = client::ClientResult<std::shared_ptr<client::Connection>>;
  io::Task<Opened> connection(Via via);
  template <class Api>
  static io::Task<void> call(NodeWorld* self, Via via, typename Api::Request request, std::int16_t version,
                             Pending<Api> answer) {
    Opened opened = co_await self->connection(via);
    if (opened.failed()) {
      answer->emplace(Err(opened.error()));
      co_return;
    }
    client::CallOptions options;
    options.min_version = version;
    options.max_version = version;
    options.timeout = std::chrono::minutes(9);
    std::shared_ptr<client::Connection> to = *opened;
    auto result = co_await to->call<Api>(std::move(request), options);
    answer->emplace(std::move(result));
  }
  std::shared_ptr<void> run_node(io::Runtime& runtime);
  static io::Task<void> start_node(NodeWorld* self, std::shared_ptr<Node> node);
  static io::Task<void> stop_node(NodeWorld* self, std::shared_ptr<Node> node);
  static io::Task<void> exchange(NodeWorld* self, Bytes frame, std::uint16_t port, std::optional<Bytes>* answer,
                                 bool* done);
  void check_replay();
  void check_restart();

  NodeOptions options_;
  std::unique_ptr<io::LogLevels> log_levels_;
  std::size_t data_loops_;
  io::SimWorld world_;
  io::SimNode* machine_ = nullptr;
  io::SimNode* clients_ = nullptr;
  std::shared_ptr<Node> node_;
  bool started_ = false;
  bool stopped_ = false;
  bool restarts_at_end_ = true;
  std::string error_;
  replica::ImagePtr last_image_;  // that the node served when it ended last
  std::map<Via, std::shared_ptr<client::Connection>> connections_;
};

}  // namespace milena::broker
