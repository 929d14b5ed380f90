// What a node counts, and what a scrape makes of it.
#include <gtest/gtest.h>

#include "broker/testing/node_world.h"
#include "broker/testing/partition_requests.h"
#include "wire/apis/delete_topics.h"
#include "wire/apis/produce.h"

namespace milena::broker {
namespace {

io::Task<void> gather(Node* node, MetricsQuery query, std::shared_ptr<const MetricSet>* into) {
  *into = co_await node->metrics(query);
}

class Metrics : public ::testing::Test {
 protected:
  Metrics() : world_({}, 1, 2) {}
  void SetUp() override { ASSERT_TRUE(world_.start()) << world_.error(); }

  std::shared_ptr<const MetricSet> scrape(MetricsQuery query = {}) {
    std::shared_ptr<const MetricSet> set;
    world_.machine().spawn(gather(&world_.node(), query, &set));
    CHECK(world_.world().run_until([&] { return set != nullptr; }, 60s), "no metrics");
    return set;
  }
  static double value(const MetricSet& set, const std::string& name, const MetricLabels& labels = {},
                      const std::string& suffix = {}) {
    auto family = set.families().find(name);
    if (family == set.families().end()) return -1;
    for (const MetricSample& sample : family->second.samples) {
      if (sample.labels == labels && sample.suffix == suffix) return sample.value;
    }
    return -1;
  }
  void produce(const TopicRef& topic, std::int32_t partition, int records) {
    Bytes batch = batch_of(records, world_.now_ms());
    auto answer = world_.ask<wire::ProduceApi>(produce_to(topic, partition, std::move(batch)), 13);
    CHECK(answer.has_value());
  }
  TopicRef create(const std::string& name, std::int32_t partitions) {
    world_.create_topic(name, partitions);
    return {name, world_.image().topic(name)->id};
  }

  NodeWorld world_;
};

TEST_F(Metrics, count_records_on_whatever_loop_they_came) {
  TopicRef orders = create("orders", 4);
  TopicRef other = create("other", 1);
  for (std::int32_t partition = 0; partition < 4; ++partition) produce(orders, partition, 5);
  produce(orders, 9, 5);  // there is no such partition
  produce(other, 0, 2);
  auto set = scrape();
  const std::string prefix = "kafka_server_brokertopicmetrics_";
  EXPECT_EQ(value(*set, prefix + "messagesin_total"), 22);
  EXPECT_EQ(value(*set, prefix + "messagesin_total", {{"topic", "orders"}}), 20);
  EXPECT_EQ(value(*set, prefix + "totalproducerequests_total", {{"topic", "orders"}}), 4);
  EXPECT_EQ(value(*set, prefix + "messagesin_total", {{"topic", "other"}}), 2);
  double size = 0;
  for (const char* partition : {"0", "1", "2", "3"}) {
    size += value(*set, "kafka_log_log_size", {{"topic", "orders"}, {"partition", partition}});
    EXPECT_EQ(value(*set, "kafka_log_log_logendoffset", {{"topic", "orders"}, {"partition", partition}}), 5);
  }
  EXPECT_EQ(value(*set, prefix + "bytesin_total", {{"topic", "orders"}}), size);
  EXPECT_EQ(value(*set, "kafka_network_requestmetrics_requests_total", {{"request", "Produce"}, {"version", "13"}}), 6);
  EXPECT_EQ(value(*set, "kafka_network_requestmetrics_totaltimems", {{"request", "Produce"}}, "_count"), 6);
}

TEST_F(Metrics, forget_a_topic_that_is_gone_but_not_its_part_of_the_whole) {
  TopicRef orders = create("orders", 1);
  produce(orders, 0, 3);
  EXPECT_EQ(value(*scrape(), "kafka_server_brokertopicmetrics_messagesin_total", {{"topic", "orders"}}), 3);
  wire::DeleteTopicsRequest gone;
  gone.timeout_ms = 30000;
  gone.topic_names.emplace_back("orders");
  ASSERT_TRUE(world_.ask<wire::DeleteTopicsApi>(gone, 5).has_value());
  world_.world().run_for(5s);
  auto set = scrape();
  EXPECT_EQ(value(*set, "kafka_server_brokertopicmetrics_messagesin_total", {{"topic", "orders"}}), -1);
  EXPECT_EQ(value(*set, "kafka_server_brokertopicmetrics_messagesin_total"), 3);
}

TEST_F(Metrics, count_the_cluster_and_this_node) {
  create("orders", 3);
  auto set = scrape();
  EXPECT_EQ(value(*set, "kafka_controller_kafkacontroller_activecontrollercount"), 1);
  EXPECT_EQ(value(*set, "kafka_controller_kafkacontroller_globalpartitioncount"), 3);
  EXPECT_EQ(value(*set, "kafka_controller_kafkacontroller_activebrokercount"), 1);
  EXPECT_EQ(value(*set, "kafka_server_replicamanager_leadercount"), 3);
  EXPECT_EQ(value(*set, "kafka_server_replicamanager_underreplicatedpartitions"), 0);
  EXPECT_EQ(value(*set, "kafka_server_raftmetrics_current_state", {{"current_state", "leader"}}), 1);
  EXPECT_EQ(value(*set, "kafka_server_kafkaserver_brokerstate"), 3);
  EXPECT_EQ(value(*set, "kafka_topic_partitions", {{"topic", "orders"}}), 3);
}

// Its log is damaged, and left as it is: clients find no leader, and so do those who watch.
TEST_F(Metrics, count_what_is_not_served_as_offline) {
  TopicRef orders = create("orders", 2);
  for (std::int32_t partition = 0; partition < 2; ++partition) produce(orders, partition, 5);
  produce(orders, 0, 5);
  world_.crash(io::SimCrash::kKill);
  world_.machine().disk().revive();
  auto file = world_.machine().disk().open("/data/orders-0/00000000000000000000.log", io::OpenMode::kWrite);
  ASSERT_TRUE(file.has_value());
  ASSERT_TRUE((*file)->write_at(70, as_bytes("XXXX")).has_value()) << "a valid batch follows";
  file->reset();
  ASSERT_TRUE(world_.start()) << world_.error();
  produce(orders, 0, 1);  // looks into the log
  auto set = scrape();
  EXPECT_EQ(value(*set, "kafka_controller_kafkacontroller_offlinepartitionscount"), 1);
  EXPECT_EQ(value(*set, "kafka_server_replicamanager_offlinereplicacount"), 1);
  EXPECT_EQ(value(*set, "kafka_server_replicamanager_leadercount"), 1);
  EXPECT_EQ(value(*set, "kafka_topic_partition_leader", {{"topic", "orders"}, {"partition", "0"}}), -1);
  EXPECT_EQ(value(*set, "kafka_topic_partition_leader", {{"topic", "orders"}, {"partition", "1"}}), 1);
}

TEST_F(Metrics, are_as_many_as_were_asked_for) {
  create("a", 30);
  create("b", 30);
  MetricsQuery query;
  query.partitions = 40;
  query.topics = 1;
  auto set = scrape(query);
  EXPECT_EQ(set->families().at("kafka_log_log_size").samples.size(), 40U);
  EXPECT_EQ(set->families().at("kafka_topic_partitions").samples.size(), 1U);
  EXPECT_EQ(value(*set, "milena_metrics_left_out", {{"kind", "partitions"}}), 20);
  EXPECT_EQ(value(*set, "kafka_log_log_size", {{"topic", "b"}, {"partition", "9"}}), 0);
  EXPECT_EQ(value(*set, "kafka_log_log_size", {{"topic", "b"}, {"partition", "10"}}), -1);
}

TEST(Health, of_a_node_that_serves) {
  NodeWorld world;
  ASSERT_TRUE(world.start()) << world.error();
  for (const HealthCheck& check : world.node().health()) EXPECT_TRUE(check.ok) << check.name << ": " << check.detail;
  EXPECT_EQ(world.node().health().size(), 5U);
}

}  // namespace
}  // namespace milena::broker
