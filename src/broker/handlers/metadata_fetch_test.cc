// Fetch and FetchSnapshot on a controller's listener: how other nodes follow the metadata log.
#include <gtest/gtest.h>

#include "broker/testing/node_world.h"
#include "raft/batch.h"
#include "raft/snapshot.h"
#include "wire/apis/describe_quorum.h"
#include "wire/apis/fetch.h"
#include "wire/apis/fetch_snapshot.h"
#include "wire/error_code.h"

namespace milena::broker {
namespace {

using wire::ErrorCode;
using Data = wire::FetchResponse::PartitionData;

const Via kController{"observer", true};

std::int16_t code(ErrorCode error) { return wire::to_int16(error); }

class MetadataFetch : public ::testing::Test {
 protected:
  explicit MetadataFetch(NodeWorld::Overrides overrides = {}) : world_(std::move(overrides)) {}
  void SetUp() override { ASSERT_TRUE(world_.start()) << world_.error(); }

  std::int32_t epoch() { return world_.node().metadata().raft().epoch().value(); }
  std::int64_t end() { return world_.node().metadata().high_watermark().value(); }
  wire::FetchRequest request(std::int64_t offset, std::int32_t last_epoch, std::int32_t wait_ms = 0) {
    wire::FetchRequest request;
    request.max_wait_ms = wait_ms;
    request.cluster_id = world_.node().cluster_id();
    request.replica_id = request.replica_state.replica_id = 7;
    auto& topic = request.topics.emplace_back();
    topic.topic = "__cluster_metadata";
    topic.topic_id = Uuid{0, 1};
    auto& partition = topic.partitions.emplace_back();
    partition.current_leader_epoch = epoch();
    partition.fetch_offset = offset;
    partition.last_fetched_epoch = last_epoch;
    partition.replica_directory_id = Uuid{7, 7};
    return request;
  }
  wire::FetchResponse ask(wire::FetchRequest request, std::int16_t version = 18) {
    auto response = world_.ask<wire::FetchApi>(std::move(request), version, kController);
    CHECK(response.has_value(), "Fetch was not answered");
    return std::move(*response);
  }
  Data one(wire::FetchRequest request, std::int16_t version = 18) {
    return ask(std::move(request), version).responses.at(0).partitions.at(0);
  }

  NodeWorld world_;
};

TEST_F(MetadataFetch, gives_the_committed_log_to_its_end) {
  world_.create_topic("orders");
  for (std::int16_t version = 13; version <= 18; ++version) {
    std::int64_t at = 0;
    std::int32_t last_epoch = 0;
    while (at < end()) {
      auto asked = request(at, last_epoch);
      asked.max_bytes = 500;
      auto response = ask(asked, version);
      ASSERT_EQ(response.error_code, 0);
      EXPECT_EQ(response.node_endpoints.size(), version >= 17 ? 1u : 0u);
      Data& data = response.responses.at(0).partitions.at(0);
      ASSERT_EQ(data.error_code, 0);
      EXPECT_EQ(data.high_watermark, end());
      EXPECT_EQ(data.log_start_offset, 0);
      EXPECT_EQ(data.current_leader.leader_id, 1);
      EXPECT_EQ(data.current_leader.leader_epoch, epoch());
      auto batch = raft::decode_batch(*data.records);
      ASSERT_TRUE(batch.has_value()) << at;
      EXPECT_EQ(batch->base_offset.value(), at);
      at = batch->last_offset.value() + 1;
      last_epoch = batch->epoch.value();
    }
    EXPECT_EQ(last_epoch, epoch());
  }
}

TEST_F(MetadataFetch, waits_for_news) {
  auto waiting = world_.send<wire::FetchApi>(request(end(), epoch(), 60'000), 18, kController);
  world_.world().run_for(300ms);
  EXPECT_FALSE(waiting->has_value());
  std::int64_t before = end();
  world_.create_topic("orders");
  auto response = world_.wait<wire::FetchApi>(waiting);
  const Data& data = response->responses.at(0).partitions.at(0);
  EXPECT_GT(data.high_watermark, before);
  EXPECT_FALSE(data.records->empty());
}

TEST_F(MetadataFetch, a_high_watermark_that_the_follower_does_not_know_is_news) {
  auto asked = request(end(), epoch(), 60'000);
  asked.topics[0].partitions[0].high_watermark = end() - 1;
  Instant before = world_.world().now();
  EXPECT_EQ(one(asked).high_watermark, end());
  EXPECT_LT(world_.world().now() - before, 1s);
}

TEST_F(MetadataFetch, a_log_that_parted_is_told_where) {
  Data parted = one(request(end() + 5, epoch()));
  EXPECT_EQ(parted.error_code, 0);
  EXPECT_EQ(parted.diverging_epoch.epoch, epoch());
  EXPECT_GE(parted.diverging_epoch.end_offset, end());
  EXPECT_TRUE(parted.records->empty());
}

TEST_F(MetadataFetch, other_questions_are_refused) {
  auto by_name = request(0, 0);
  EXPECT_EQ(ask(by_name, 12).error_code, code(ErrorCode::INVALID_REQUEST)) << "only by id";
  auto other_topic = request(0, 0);
  other_topic.topics[0].topic_id = Uuid{5, 5};
  EXPECT_EQ(ask(other_topic).error_code, code(ErrorCode::INVALID_REQUEST));
  auto other_cluster = request(0, 0);
  other_cluster.cluster_id = "other";
  EXPECT_EQ(ask(other_cluster).error_code, code(ErrorCode::INCONSISTENT_CLUSTER_ID));
  auto old = request(0, 0);
  old.topics[0].partitions[0].current_leader_epoch = epoch() - 1;
  EXPECT_EQ(one(old).error_code, code(ErrorCode::FENCED_LEADER_EPOCH));
  auto future = request(0, 0);
  future.topics[0].partitions[0].current_leader_epoch = epoch() + 1;
  EXPECT_EQ(one(future).error_code, code(ErrorCode::UNKNOWN_LEADER_EPOCH));
  EXPECT_EQ(one(request(-1, 0)).error_code, code(ErrorCode::INVALID_REQUEST));
  EXPECT_EQ(one(request(0, epoch() + 1)).error_code, code(ErrorCode::INVALID_REQUEST));
  auto ourselves = request(0, 0);
  ourselves.replica_state.replica_id = 1;
  EXPECT_EQ(one(ourselves).error_code, code(ErrorCode::UNKNOWN_SERVER_ERROR));
}

TEST_F(MetadataFetch, who_follows_is_listed_as_observer) {
  one(request(end(), epoch()));
  wire::DescribeQuorumRequest describe;
  describe.topics.emplace_back().topic_name = "__cluster_metadata";
  describe.topics[0].partitions.emplace_back();
  auto response = world_.ask<wire::DescribeQuorumApi>(describe, 2, kController);
  const auto& observers = response->topics.at(0).partitions.at(0).observers;
  ASSERT_EQ(observers.size(), 1u);
  EXPECT_EQ(observers[0].replica_id, 7);
  EXPECT_EQ(observers[0].replica_directory_id, (Uuid{7, 7}));
  EXPECT_GT(observers[0].last_caught_up_timestamp, 0);
}

TEST_F(MetadataFetch, a_stop_does_not_wait_for_a_long_poll) {
  auto waiting = world_.send<wire::FetchApi>(request(end(), epoch(), 600'000), 18, kController);
  world_.world().run_for(300ms);
  EXPECT_TRUE(world_.stop());
}

class MetadataSnapshots : public MetadataFetch {
 protected:
  MetadataSnapshots() : MetadataFetch({{"metadata.log.max.record.bytes.between.snapshots", "1"}}) {}
  wire::FetchSnapshotRequest snapshot_request(const wire::FetchResponse_SnapshotId& id, std::int64_t position) {
    wire::FetchSnapshotRequest request;
    request.max_bytes = 100;
    request.topics.emplace_back().name = "__cluster_metadata";
    auto& partition = request.topics[0].partitions.emplace_back();
    partition.current_leader_epoch = epoch();
    partition.snapshot_id = {id.end_offset, id.epoch};
    partition.position = position;
    return request;
  }
  wire::FetchSnapshotResponse::PartitionSnapshot piece(wire::FetchSnapshotRequest request, std::int16_t version) {
    auto response = world_.ask<wire::FetchSnapshotApi>(std::move(request), version, kController);
    CHECK(response.has_value(), "FetchSnapshot was not answered");
    return response->topics.at(0).partitions.at(0);
  }
};

TEST_F(MetadataSnapshots, whoever_begins_takes_the_newest_one_piece_by_piece) {
  world_.create_topic("orders");
  world_.world().run_for(10s);
  Data begin = one(request(0, 0));
  EXPECT_EQ(begin.error_code, 0);
  EXPECT_TRUE(begin.records->empty());
  ASSERT_GT(begin.snapshot_id.end_offset, 0);
  for (std::int16_t version : {0, 1}) {
    Buffer content;
    std::int64_t size = 1;
    while (static_cast<std::int64_t>(content.size()) < size) {
      auto at = static_cast<std::int64_t>(content.size());
      auto got = piece(snapshot_request(begin.snapshot_id, at), version);
      ASSERT_EQ(got.error_code, 0);
      EXPECT_EQ(got.position, at);
      EXPECT_EQ(got.snapshot_id.end_offset, begin.snapshot_id.end_offset);
      size = got.size;
      content.append(got.unaligned_records.view());
    }
    auto snapshot = raft::decode_snapshot(Bytes::copy(content.view()));
    ASSERT_TRUE(snapshot.has_value()) << snapshot.error().message;
    EXPECT_FALSE(snapshot->values.empty());
    EXPECT_EQ(piece(snapshot_request(begin.snapshot_id, size), version).error_code,
              code(ErrorCode::POSITION_OUT_OF_RANGE));
  }
  // From the snapshot's end the log goes on.
  Data next = one(request(begin.snapshot_id.end_offset, begin.snapshot_id.epoch));
  EXPECT_EQ(next.error_code, 0);
  EXPECT_EQ(next.snapshot_id.end_offset, -1);
  EXPECT_EQ(next.diverging_epoch.epoch, -1);
}

TEST_F(MetadataSnapshots, those_that_are_not_there_are_refused) {
  wire::FetchResponse_SnapshotId missing;
  missing.end_offset = 12345;
  missing.epoch = 1;
  EXPECT_EQ(piece(snapshot_request(missing, 0), 1).error_code, code(ErrorCode::SNAPSHOT_NOT_FOUND));
  auto other = snapshot_request(missing, 0);
  other.topics[0].name = "other";
  EXPECT_EQ(piece(other, 1).error_code, code(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION));
  auto fenced = snapshot_request(missing, 0);
  fenced.topics[0].partitions[0].current_leader_epoch = 0;
  EXPECT_EQ(piece(fenced, 1).error_code, code(ErrorCode::FENCED_LEADER_EPOCH));
}

}  // namespace
}  // namespace milena::broker
