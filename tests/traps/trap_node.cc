#include "trap_node.h"

#include "wire/apis/fetch.h"
#include "wire/apis/find_coordinator.h"
#include "wire/apis/heartbeat.h"
#include "wire/apis/join_group.h"
#include "wire/apis/list_offsets.h"
#include "wire/apis/offset_commit.h"
#include "wire/apis/offset_fetch.h"
#include "wire/apis/produce.h"
#include "wire/apis/sync_group.h"
#include "wire/record_batch.h"

namespace milena::traps {

namespace {

TrapNode::Overrides with_flush(TrapNode::Overrides overrides) {
  overrides.insert(overrides.begin(), {"log.flush.interval.messages", "1"});
  return overrides;
}

}  // namespace

TrapNode::TrapNode(Overrides overrides, const Configs& topic, std::uint64_t seed)
    : world(with_flush(std::move(overrides)), seed) {
  CHECK(world.start(), "{}", world.error());
  world.create_topic("orders", 1, topic);
  orders = {"orders", world.image().topic("orders")->id};
}

void TrapNode::restart(io::SimCrash how) {
  world.crash(how);
  CHECK(world.start(), "{}", world.error());
}

void TrapNode::stop_and_start() {
  CHECK(world.stop(), "{}", world.error());
  CHECK(world.start(), "{}", world.error());
}

io::SimDisk& TrapNode::disk() {
  if (!world.machine().running()) world.machine().disk().revive();
  return world.machine().disk();
}

Produced TrapNode::produce(Bytes batch, const std::string& topic, std::int32_t partition) {
  broker::TopicRef to{topic, world.image().topic(topic)->id};
  auto answer = world.ask<wire::ProduceApi>(broker::produce_to(to, partition, std::move(batch)), 13);
  if (answer.failed()) return {};
  const auto& result = answer->responses.at(0).partition_responses.at(0);
  return {static_cast<ErrorCode>(result.error_code), result.base_offset};
}

std::vector<std::int64_t> TrapNode::read(std::int64_t from) {
  std::vector<std::int64_t> found;
  while (true) {
    broker::FetchFrom at;
    at.offset = from;
    auto answer = world.ask<wire::FetchApi>(broker::fetch_from(orders, {at}), 13);
    if (answer.failed() || answer->responses.empty()) return found.push_back(-1), found;
    const auto& one = answer->responses.at(0).partitions.at(0);
    if (one.error_code != 0) return found.push_back(-1), found;
    if (!one.records.has_value() || one.records->empty()) return found;
    wire::BatchCursor cursor(one.records->view());
    wire::BatchView batch;
    while (cursor.next(batch)) {
      if (!batch.crc_ok()) return found.push_back(-1), found;
      for (std::int64_t offset = batch.base_offset().value(); offset <= batch.last_offset().value(); ++offset) {
        if (offset >= from) found.push_back(offset);
      }
      from = std::max(from, batch.last_offset().value() + 1);
    }
  }
}

std::int64_t TrapNode::offset(std::int64_t timestamp, const std::string& topic) {
  auto answer = world.ask<wire::ListOffsetsApi>(broker::offsets_at({topic, kZeroUuid}, 0, timestamp), 7);
  if (answer.failed()) return -100;
  const auto& one = answer->topics.at(0).partitions.at(0);
  return one.error_code != 0 ? -100 - one.error_code : one.offset;
}

std::string TrapNode::directory_of(const std::string& topic) {
  for (const char* directory : {"/data", "/a", "/b"}) {
    if (disk().exists(std::string(directory) + "/" + topic + "-0")) return directory;
  }
  return "";
}

void TrapNode::find_coordinator(const std::string& group) {
  wire::FindCoordinatorRequest request;
  request.coordinator_keys = {group};
  for (int i = 0; i < 50; ++i) {
    auto found = world.ask<wire::FindCoordinatorApi>(request, 4);
    if (found.has_value() && found->coordinators.at(0).error_code == 0) break;
    world.world().run_for(std::chrono::milliseconds(200));
  }
  world.world().run_for(std::chrono::seconds(1));  // its partition is loaded
}

Membership TrapNode::join(const std::string& group, std::optional<std::string> instance) {
  find_coordinator(group);
  wire::JoinGroupRequest request;
  request.group_id = group;
  request.session_timeout_ms = 10000;
  request.rebalance_timeout_ms = 10000;
  request.group_instance_id = instance;
  request.protocol_type = "consumer";
  auto& protocol = request.protocols.emplace_back();
  protocol.name = "range";
  protocol.metadata = Bytes::copy("all");
  auto joined = world.ask<wire::JoinGroupApi>(request, 5);
  if (joined.has_value() && static_cast<ErrorCode>(joined->error_code) == ErrorCode::MEMBER_ID_REQUIRED) {
    request.member_id = joined->member_id;
    joined = world.ask<wire::JoinGroupApi>(request, 5);
  }
  CHECK(joined.has_value() && joined->error_code == 0, "JoinGroup");
  wire::SyncGroupRequest sync;
  sync.group_id = group;
  sync.member_id = joined->member_id;
  sync.group_instance_id = instance;
  sync.generation_id = joined->generation_id;
  auto& own = sync.assignments.emplace_back();
  own.member_id = joined->member_id;
  own.assignment = Bytes::copy("all");
  auto synced = world.ask<wire::SyncGroupApi>(sync, 3);
  CHECK(synced.has_value() && synced->error_code == 0, "SyncGroup");
  return {group, joined->member_id, instance, joined->generation_id};
}

ErrorCode TrapNode::heartbeat(const Membership& member) {
  wire::HeartbeatRequest request;
  request.group_id = member.group;
  request.member_id = member.id;
  request.group_instance_id = member.instance;
  request.generation_id = member.generation;
  auto answer = world.ask<wire::HeartbeatApi>(request, 4);
  return answer.has_value() ? static_cast<ErrorCode>(answer->error_code) : ErrorCode::UNKNOWN_SERVER_ERROR;
}

ErrorCode TrapNode::commit(const Membership& member, std::int64_t offset, std::int32_t leader_epoch) {
  wire::OffsetCommitRequest request;
  request.group_id = member.group;
  request.member_id = member.id;
  request.group_instance_id = member.instance;
  request.generation_id_or_member_epoch = member.generation;
  auto& topic = request.topics.emplace_back();
  topic.name = "orders";
  auto& partition = topic.partitions.emplace_back();
  partition.committed_offset = offset;
  partition.committed_leader_epoch = leader_epoch;
  auto answer = world.ask<wire::OffsetCommitApi>(request, 8);
  return answer.has_value() ? static_cast<ErrorCode>(answer->topics.at(0).partitions.at(0).error_code)
                            : ErrorCode::UNKNOWN_SERVER_ERROR;
}

TrapNode::Committed TrapNode::committed(const std::string& group) {
  wire::OffsetFetchRequest request;
  auto& asked = request.groups.emplace_back();
  asked.group_id = group;
  asked.topics = std::nullopt;
  auto answer = world.ask<wire::OffsetFetchApi>(request, 8);
  if (answer.failed() || answer->groups.at(0).error_code != 0) return {-2, -2};
  for (const auto& topic : answer->groups[0].topics) {
    for (const auto& partition : topic.partitions) return {partition.committed_offset, partition.committed_leader_epoch};
  }
  return {};
}

Bytes numbered(std::int32_t sequence, std::int32_t records, std::int16_t epoch, std::int64_t producer) {
  wire::BatchOptions options;
  options.producer_id = ProducerId(producer);
  options.producer_epoch = epoch;
  options.base_sequence = sequence;
  return broker::batch_of(records, kBatchTime, 10, options);
}

std::vector<std::int64_t> offsets(std::int64_t first, std::int64_t count) {
  std::vector<std::int64_t> all;
  for (std::int64_t i = 0; i < count; ++i) all.push_back(first + i);
  return all;
}

}  // namespace milena::traps
