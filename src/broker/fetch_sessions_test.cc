// Fetch sessions: which partitions a request means, and which of them its answer tells of.
#include "broker/fetch_sessions.h"

#include <gtest/gtest.h>

namespace milena::broker {
namespace {

using wire::ErrorCode;

constexpr std::int16_t kById = 17;
constexpr std::int16_t kByName = 12;
const Uuid kOrders{1, 2};

wire::FetchRequest request(std::int32_t id, std::int32_t epoch, const std::vector<int>& partitions,
                           const std::vector<int>& forgotten = {}) {
  wire::FetchRequest result;
  result.session_id = id;
  result.session_epoch = epoch;
  if (!partitions.empty()) {
    auto& topic = result.topics.emplace_back();
    topic.topic = "orders";
    topic.topic_id = kOrders;
    for (int index : partitions) topic.partitions.emplace_back().partition = index;
  }
  if (!forgotten.empty()) {
    auto& topic = result.forgotten_topics_data.emplace_back();
    topic.topic = "orders";
    topic.topic_id = kOrders;
    topic.partitions.assign(forgotten.begin(), forgotten.end());
  }
  return result;
}

FetchKey key(int partition) { return {kOrders, "", PartitionId(partition)}; }

FetchNews news(std::int64_t high_watermark, bool data = false) {
  FetchNews result;
  result.high_watermark = Offset(high_watermark);
  result.log_start = Offset(0);
  result.data = data;
  return result;
}

std::vector<int> partitions_of(const FetchPlan& plan) {
  std::vector<int> result;
  for (const FetchPartition& partition : plan.partitions()) result.push_back(partition.key.partition.value());
  return result;
}

class Sessions : public ::testing::Test {
 protected:
  FetchPlan plan(const wire::FetchRequest& request, std::int16_t version = kById) {
    return sessions_.plan(request, version, now_, random_);
  }
  // A session with these partitions, of which nothing was told yet.
  std::int32_t open(const std::vector<int>& partitions) { return plan(request(0, 0, partitions)).session_id(); }

  FetchSessions sessions_{2};
  Random random_{1};
  Instant now_;
};

TEST_F(Sessions, begin_with_a_full_request_and_go_on_by_epochs) {
  FetchPlan first = plan(request(0, 0, {0, 1}));
  ASSERT_NE(first.session_id(), 0);
  EXPECT_FALSE(first.incremental);
  EXPECT_EQ(partitions_of(first), (std::vector<int>{0, 1}));
  EXPECT_TRUE(first.tell(key(0), news(0))) << "a full answer tells of every partition";

  FetchPlan second = plan(request(first.session_id(), 1, {}));
  EXPECT_TRUE(second.incremental);
  EXPECT_EQ(second.session_id(), first.session_id());
  EXPECT_EQ(partitions_of(second), (std::vector<int>{0, 1}));

  EXPECT_EQ(plan(request(first.session_id(), 1, {})).error, ErrorCode::INVALID_FETCH_SESSION_EPOCH);
  EXPECT_EQ(plan(request(first.session_id(), 3, {})).error, ErrorCode::INVALID_FETCH_SESSION_EPOCH);
  EXPECT_EQ(plan(request(first.session_id() + 1, 2, {})).error, ErrorCode::FETCH_SESSION_ID_NOT_FOUND);
  EXPECT_EQ(plan(request(first.session_id(), 2, {}), kByName).error, ErrorCode::FETCH_SESSION_TOPIC_ID_ERROR);
  EXPECT_EQ(plan(request(first.session_id(), 2, {})).error, ErrorCode::NONE) << "refused requests used up an epoch";
}

TEST_F(Sessions, the_epoch_begins_again_at_one) {
  FetchPlan first = plan(request(0, 0, {0}));
  first.session->epoch = INT32_MAX;
  EXPECT_EQ(plan(request(first.session_id(), INT32_MAX, {})).error, ErrorCode::NONE);
  EXPECT_EQ(plan(request(first.session_id(), 1, {})).error, ErrorCode::NONE);
}

TEST_F(Sessions, requests_add_change_and_forget_partitions) {
  std::int32_t id = open({0, 1});
  wire::FetchRequest changes = request(id, 1, {1, 2}, {0});
  changes.topics[0].partitions[0].fetch_offset = 7;
  changes.topics[0].partitions[0].partition_max_bytes = 99;
  FetchPlan plan_now = plan(changes);
  EXPECT_EQ(partitions_of(plan_now), (std::vector<int>{1, 2}));
  EXPECT_EQ(plan_now.partitions().front().fetch_offset, Offset(7));
  EXPECT_EQ(plan_now.partitions().front().max_bytes, 99);
  EXPECT_EQ(partitions_of(plan(request(id, 2, {}, {5}))), (std::vector<int>{1, 2})) << "5 was never there";
}

TEST_F(Sessions, names_are_keys_before_topic_ids_were) {
  std::int32_t id = plan(request(0, 0, {0, 1}), kByName).session_id();
  FetchPlan next = plan(request(id, 1, {}, {1}), kByName);
  EXPECT_EQ(partitions_of(next), (std::vector<int>{0}));
  EXPECT_EQ(next.partitions().front().key, (FetchKey{kZeroUuid, "orders", PartitionId(0)}));
}

TEST_F(Sessions, end_when_nothing_is_left_and_when_the_client_says_so) {
  std::int32_t id = open({0});
  FetchPlan last = plan(request(id, 1, {}, {0}));
  EXPECT_EQ(last.error, ErrorCode::NONE);
  EXPECT_EQ(last.session_id(), 0);
  EXPECT_TRUE(last.partitions().empty());
  EXPECT_EQ(sessions_.size(), 0u);

  id = open({0});
  FetchPlan closing = plan(request(id, -1, {0}));
  EXPECT_EQ(closing.session_id(), 0);
  EXPECT_EQ(partitions_of(closing), (std::vector<int>{0}));
  EXPECT_EQ(plan(request(id, 1, {})).error, ErrorCode::FETCH_SESSION_ID_NOT_FOUND);
  id = open({0});
  std::int32_t renewed = plan(request(id, 0, {0})).session_id();
  EXPECT_NE(renewed, id);
  EXPECT_EQ(sessions_.size(), 1u) << "the old one gave way to the new one";
}

TEST_F(Sessions, a_request_for_nothing_opens_one_that_ends_unless_it_is_filled) {
  std::int32_t id = open({});
  ASSERT_NE(id, 0);
  EXPECT_EQ(partitions_of(plan(request(id, 1, {0}))), (std::vector<int>{0}));
  id = open({});
  EXPECT_EQ(plan(request(id, 1, {})).session_id(), 0);
  EXPECT_EQ(sessions_.size(), 1u);
}

TEST_F(Sessions, the_least_recently_used_gives_way_once_it_is_idle) {
  std::int32_t a = open({0});
  now_ = now_ + 1s;
  std::int32_t b = open({0});
  now_ = now_ + 1s;
  EXPECT_EQ(plan(request(a, 1, {})).error, ErrorCode::NONE);  // b is the older one now
  FetchPlan without = plan(request(0, 0, {3}));
  EXPECT_EQ(without.session_id(), 0) << "nobody is idle for long enough";
  EXPECT_EQ(partitions_of(without), (std::vector<int>{3}));
  EXPECT_TRUE(without.tell(key(3), news(0)));
  EXPECT_TRUE(without.is_current());
  now_ = now_ + 119s;
  EXPECT_NE(open({0}), 0);
  EXPECT_EQ(sessions_.size(), 2u);
  EXPECT_EQ(plan(request(b, 1, {})).error, ErrorCode::FETCH_SESSION_ID_NOT_FOUND);
  EXPECT_EQ(plan(request(a, 2, {})).error, ErrorCode::NONE);
}

TEST_F(Sessions, an_incremental_answer_tells_only_what_changed) {
  FetchPlan full = plan(request(0, 0, {0, 1}));
  std::int32_t id = full.session_id();
  EXPECT_TRUE(full.tell(key(0), news(5)));
  EXPECT_TRUE(full.tell(key(1), news(5)));

  FetchPlan next = plan(request(id, 1, {}));
  EXPECT_FALSE(next.tell(key(0), news(5)));
  EXPECT_TRUE(next.tell(key(1), news(6))) << "the high watermark moved";
  FetchNews moved = news(5);
  moved.log_start = Offset(2);
  EXPECT_TRUE(next.tell(key(0), moved));
  EXPECT_FALSE(next.tell(key(0), moved));
  EXPECT_TRUE(next.tell(key(1), news(6, true))) << "data is always told";
  FetchNews diverging = news(6);
  diverging.diverging = true;
  EXPECT_TRUE(next.tell(key(1), diverging));

  FetchNews failed = news(6);
  failed.error = true;
  EXPECT_TRUE(next.tell(key(1), failed));
  EXPECT_TRUE(next.tell(key(1), failed)) << "errors are always told";
  EXPECT_TRUE(next.tell(key(1), news(6))) << "and so is their end";
  EXPECT_FALSE(next.tell(key(1), news(6)));

  FetchPlan added = plan(request(id, 2, {4}));
  EXPECT_TRUE(added.tell(key(4), news(0))) << "a partition that was never told of";
}

TEST_F(Sessions, who_was_served_goes_to_the_end) {
  std::int32_t id = open({0, 1, 2});
  FetchPlan next = plan(request(id, 1, {}));
  next.tell(key(0), news(5, true));
  next.tell(key(1), news(5));
  EXPECT_EQ(partitions_of(plan(request(id, 2, {}))), (std::vector<int>{1, 2, 0}));
}

TEST_F(Sessions, two_connections_on_one_session) {
  std::int32_t id = open({0, 1});
  FetchPlan waiting = plan(request(id, 1, {}));
  EXPECT_TRUE(waiting.is_current());
  FetchPlan other = plan(request(id, 2, {}, {0}));
  EXPECT_FALSE(waiting.is_current());
  EXPECT_TRUE(other.is_current());
  EXPECT_EQ(partitions_of(other), (std::vector<int>{1}));
  EXPECT_TRUE(waiting.tell(key(0), news(5, true))) << "forgotten meanwhile: nothing to take a note of";
}

TEST_F(Sessions, a_session_that_is_closed_meanwhile_lasts_as_long_as_its_request) {
  std::int32_t id = open({0});
  FetchPlan waiting = plan(request(id, 1, {}));
  plan(request(id, -1, {}));
  EXPECT_EQ(sessions_.size(), 0u);
  EXPECT_TRUE(waiting.is_current());
  EXPECT_TRUE(waiting.tell(key(0), news(5, true)));
}

}  // namespace
}  // namespace milena::broker
