// Cluster against two scripted brokers in the simulated world.
#include "client/cluster.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/fake_broker.h"
#include "io/sim/sim_world.h"
#include "wire/apis/find_coordinator.h"
#include "wire/apis/metadata.h"

namespace milena::client {
namespace {

using ::testing::HasSubstr;

class ClusterTest : public ::testing::Test {
 protected:
  ClusterTest() {
    for (int i = 0; i < 2; ++i) {
      FakeBroker& broker = brokers_[i];
      broker.on<wire::MetadataApi>(
          {0, 13}, [this](std::int16_t, const wire::MetadataRequest& request) { return metadata(request); });
      broker.on<wire::FindCoordinatorApi>(
          coordinator_versions_,
          [this](std::int16_t version, const auto& request) { return find(version, request); });
      io::SimNodeOptions options;
      options.name = "b" + std::to_string(i);
      options.program = [&broker](io::Runtime& runtime) {
        io::Loop& loop = runtime.control_loop();
        loop.spawn(broker.serve(&loop, 9092));
        return std::shared_ptr<void>();
      };
      world_.add_node(options);
    }
    client_ = &world_.add_node({});
    ClusterOptions options;
    options.bootstrap = {{"nowhere", 1}, {"b0", 9092}};
    cluster_ = std::make_unique<Cluster>(client_->runtime().control_loop(), options);
  }

  // Topic "t" with partition 0 led by broker 1, once `leader_after_` questions were asked.
  std::optional<wire::MetadataResponse> metadata(const wire::MetadataRequest& request) {
    wire::MetadataResponse response;
    response.cluster_id = "c";
    response.controller_id = 1;
    for (int i = 0; i < 2; ++i) {
      auto& broker = response.brokers.emplace_back();
      broker.node_id = i;
      broker.host = "b" + std::to_string(i);
      broker.port = 9092;
    }
    if (!request.topics) return response;
    for (const auto& asked : *request.topics) {
      auto& topic = response.topics.emplace_back();
      topic.name = asked.name;
      if (*asked.name != "t") {
        topic.error_code = wire::to_int16(wire::ErrorCode::INVALID_TOPIC_EXCEPTION);
        continue;
      }
      topic.topic_id = Uuid{1, 2};
      auto& partition = topic.partitions.emplace_back();
      partition.leader_id = ++asked_ > leader_after_ ? leader_ : -1;
    }
    return response;
  }
  std::optional<wire::FindCoordinatorResponse> find(std::int16_t version,
                                                    const wire::FindCoordinatorRequest& request) {
    wire::FindCoordinatorResponse response;
    bool loading = ++coordinator_asked_ <= 2;
    std::int16_t code =
        loading ? wire::to_int16(wire::ErrorCode::COORDINATOR_NOT_AVAILABLE) : std::int16_t{0};
    if (version >= 4) {
      auto& found = response.coordinators.emplace_back();
      found.key = request.coordinator_keys.at(0);
      found.error_code = code;
      found.node_id = 1;
      found.host = "b1";
      found.port = 9092;
    } else {
      response.error_code = code;
      response.node_id = 1;
      response.host = "b1";
      response.port = 9092;
    }
    return response;
  }

  static io::Task<void> keep(ClusterTest* test, io::Task<ClientResult<ConnectionPtr>> lookup) {
    test->result_ = co_await std::move(lookup);
    test->done_ = true;
  }
  // Runs the lookup; empty text: it gave a connection to a host, whose name is in host_.
  std::string look(io::Task<ClientResult<ConnectionPtr>> lookup) {
    done_ = false;
    client_->spawn(keep(this, std::move(lookup)));
    EXPECT_TRUE(world_.run_until([this] { return done_; }, 300s));
    if (result_->failed()) return result_->error().message;
    host_ = (**result_)->peer().host;
    return "";
  }
  void TearDown() override {
    result_.reset();
    cluster_.reset();
  }

  FakeBroker brokers_[2];
  VersionRange coordinator_versions_{0, 6};
  io::SimWorld world_{11};
  io::SimNode* client_ = nullptr;
  std::unique_ptr<Cluster> cluster_;
  std::optional<ClientResult<ConnectionPtr>> result_;
  bool done_ = false;
  std::string host_;
  int asked_ = 0;
  int leader_after_ = 0;
  std::int32_t leader_ = 1;
  int coordinator_asked_ = 0;
};

TEST_F(ClusterTest, the_first_bootstrap_server_that_answers_is_used) {
  EXPECT_EQ(look(cluster_->any()), "");
  EXPECT_EQ(host_, "b0");
  EXPECT_EQ(look(cluster_->any()), "");
  EXPECT_EQ(brokers_[0].connections, 1u);
}

TEST_F(ClusterTest, no_server_answers) {
  world_.crash(world_.node(0), io::SimCrash::kKill);
  std::string error = look(cluster_->any());
  EXPECT_THAT(error, HasSubstr("none of 2 servers"));
  EXPECT_THAT(error, HasSubstr("b0:9092"));
}

TEST_F(ClusterTest, brokers_and_controller_are_found_by_id) {
  EXPECT_EQ(look(cluster_->controller()), "");
  EXPECT_EQ(host_, "b1");
  EXPECT_THAT(look(cluster_->broker(BrokerId(9))), HasSubstr("no broker 9"));
}

TEST_F(ClusterTest, a_leader_that_is_being_elected_is_waited_for) {
  leader_after_ = 3;
  EXPECT_EQ(look(cluster_->leader("t", PartitionId(0))), "");
  EXPECT_EQ(host_, "b1");
  EXPECT_EQ(asked_, 4);
  EXPECT_EQ(look(cluster_->leader("t", PartitionId(0))), "");
  EXPECT_EQ(asked_, 4) << "known, not asked again";
  EXPECT_EQ(cluster_->topic_id("t"), (Uuid{1, 2}));
  leader_ = 0;
  cluster_->forget_topic("t");
  EXPECT_EQ(look(cluster_->leader("t", PartitionId(0))), "");
  EXPECT_EQ(host_, "b0");
}

TEST_F(ClusterTest, a_leader_that_never_comes_is_an_error_with_the_reason) {
  leader_after_ = 1000;
  Instant before = world_.now();
  EXPECT_THAT(look(cluster_->leader("t", PartitionId(0))), HasSubstr("LEADER_NOT_AVAILABLE"));
  EXPECT_EQ(result_->error().kind, ErrorKind::kNoLeader);
  EXPECT_LT(world_.now() - before, 12s);
  EXPECT_THAT(look(cluster_->leader("bad", PartitionId(0))), HasSubstr("INVALID_TOPIC_EXCEPTION"));
}

TEST_F(ClusterTest, a_coordinator_that_is_loading_is_waited_for_and_then_known) {
  EXPECT_EQ(look(cluster_->coordinator(CoordinatorType::kGroup, "g")), "");
  EXPECT_EQ(host_, "b1");
  EXPECT_EQ(coordinator_asked_, 3);
  EXPECT_EQ(look(cluster_->coordinator(CoordinatorType::kGroup, "g")), "");
  EXPECT_EQ(coordinator_asked_, 3);
}

TEST_F(ClusterTest, old_brokers_answer_one_coordinator_at_a_time) {
  brokers_[0].served[wire::FindCoordinatorApi::key] = {0, 3};
  EXPECT_EQ(look(cluster_->coordinator(CoordinatorType::kTransaction, "x")), "");
  EXPECT_EQ(host_, "b1");
}

}  // namespace
}  // namespace milena::client
