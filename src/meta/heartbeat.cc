#include <algorithm>
#include <iterator>
#include <utility>

#include "base/check.h"
#include "image/writer.h"
#include "meta/brokers.h"
#include "meta/partition_change.h"

namespace milena::meta {
namespace {

using wire::ErrorCode;

enum class BrokerState : std::uint8_t { kFenced, kUnfenced, kControlledShutdown, kShutdownNow };

bool leads_something(const image::Image& image, BrokerId id) {
  for (const auto& [topic_id, topic] : image.topics)
    for (const auto& [number, partition] : topic->partitions)
      if (partition->leader == id) return true;
  return false;
}

BrokerState current_state(const image::Broker& broker, const Heartbeats::State& state) {
  if (state.controlled_shutdown_offset.has_value()) return BrokerState::kControlledShutdown;
  return broker.fenced ? BrokerState::kFenced : BrokerState::kUnfenced;
}

BrokerState next_state(const Context& context, const wire::BrokerHeartbeatRequest& request, BrokerState current,
                       const Heartbeats::State& state, bool caught_up) {
  BrokerId id(request.broker_id);
  switch (current) {
    case BrokerState::kFenced:
      if (request.want_shut_down) return BrokerState::kShutdownNow;
      return !request.want_fence && caught_up ? BrokerState::kUnfenced : BrokerState::kFenced;
    case BrokerState::kUnfenced:
      if (request.want_fence) return request.want_shut_down ? BrokerState::kShutdownNow : BrokerState::kFenced;
      if (!request.want_shut_down) return BrokerState::kUnfenced;
      return leads_something(context.image, id) ? BrokerState::kControlledShutdown : BrokerState::kShutdownNow;
    case BrokerState::kControlledShutdown:
      // Wait until the others have read that the leaders moved.
      if (leads_something(context.image, id) ||
          state.controlled_shutdown_offset > context.heartbeats.lowest_active_offset())
        return BrokerState::kControlledShutdown;
      return BrokerState::kShutdownNow;
    case BrokerState::kShutdownNow: break;
  }
  return BrokerState::kShutdownNow;
}

wire::BrokerRegistrationChangeRecord change_of(const image::Broker& broker) {
  wire::BrokerRegistrationChangeRecord change;
  change.broker_id = broker.broker_id;
  change.broker_epoch = broker.broker_epoch;
  return change;
}

void append(std::vector<image::MetadataRecord>& records, std::vector<image::MetadataRecord> more) {
  std::ranges::move(more, std::back_inserter(records));
}

void unfence(const Context& context, const image::Broker& broker, std::vector<image::MetadataRecord>& records) {
  auto change = change_of(broker);
  change.fenced = -1;
  records.push_back(image::broker_change_record(std::move(change)));
  append(records, leader_and_isr_updates(context, kNoBroker, BrokerId(broker.broker_id), kNoBroker));
}

void begin_shutdown(const Context& context, const image::Broker& broker, std::vector<image::MetadataRecord>& records) {
  if (!broker.in_controlled_shutdown) {
    auto change = change_of(broker);
    change.in_controlled_shutdown = 1;
    records.push_back(image::broker_change_record(std::move(change)));
  }
  append(records, leader_and_isr_updates(context, BrokerId(broker.broker_id), kNoBroker, kNoBroker));
}

/// Replicas in directories that went offline lose leadership and ISR membership.
void offline_directories(const Context& context, const image::Broker& broker, const std::vector<Uuid>& offline,
                         std::vector<image::MetadataRecord>& records) {
  auto is_offline = [&](const Uuid& dir) { return std::ranges::find(offline, dir) != offline.end(); };
  std::vector<Uuid> online = broker.log_dirs;
  std::erase_if(online, is_offline);
  if (online.size() == broker.log_dirs.size()) return;
  BrokerId id(broker.broker_id);
  for (image::MetadataRecord& record : leader_and_isr_updates(context, id, kNoBroker, kNoBroker)) {
    const auto& change = std::get<wire::PartitionChangeRecord>(record.message);
    const image::Partition* partition = context.image.partition({change.topic_id, PartitionId(change.partition_id)});
    if (is_offline(partition->directory_of(id))) records.push_back(std::move(record));
  }
  auto change = change_of(broker);
  change.log_dirs = std::move(online);
  records.push_back(image::broker_change_record(std::move(change)));
}

void cordoned_directories(const image::Broker& broker, const std::vector<Uuid>& cordoned,
                          std::vector<image::MetadataRecord>& records) {
  if (broker.cordoned_log_dirs == cordoned) return;
  auto change = change_of(broker);
  change.cordoned_log_dirs = cordoned;
  records.push_back(image::broker_change_record(std::move(change)));
}

}  // namespace

std::vector<image::MetadataRecord> fence_broker(const Context& context, BrokerId id) {
  const image::Broker* broker = context.image.broker(id);
  CHECK(broker != nullptr, "broker {} is not registered", id);
  std::vector<image::MetadataRecord> records = leader_and_isr_updates(context, id, kNoBroker, kNoBroker);
  auto change = change_of(*broker);
  change.fenced = 1;
  records.push_back(image::broker_change_record(std::move(change)));
  return records;
}

HeartbeatDecision broker_heartbeat(const Context& context, const wire::BrokerHeartbeatRequest& request) {
  HeartbeatDecision decision;
  BrokerId id(request.broker_id);
  const image::Broker* broker = context.image.broker(id);
  const Heartbeats::State* state = context.heartbeats.find(id);
  if (broker == nullptr || state == nullptr || broker->broker_epoch != request.broker_epoch) {
    decision.response.error_code = wire::to_int16(ErrorCode::STALE_BROKER_EPOCH);
    return decision;
  }
  auto registered = context.registration_offsets.find(id);
  std::int64_t must_have_read =
      registered == context.registration_offsets.end() ? broker->broker_epoch : registered->second.value();
  bool caught_up = request.current_metadata_offset >= must_have_read;
  BrokerState current = current_state(*broker, *state);
  BrokerState next = next_state(context, request, current, *state, caught_up);
  if (next != current) {
    if (next == BrokerState::kUnfenced) unfence(context, *broker, decision.records);
    else if (next == BrokerState::kControlledShutdown) begin_shutdown(context, *broker, decision.records);
    else if (!broker->fenced) append(decision.records, fence_broker(context, id));
  }
  image::MetadataVersion version = context.image.metadata_version();
  if (version.directories()) offline_directories(context, *broker, request.offline_log_dirs, decision.records);
  if (version.cordoned_directories() && request.cordoned_log_dirs.has_value())
    cordoned_directories(*broker, *request.cordoned_log_dirs, decision.records);

  decision.accepted = true;
  decision.fenced = next == BrokerState::kFenced || next == BrokerState::kShutdownNow;
  decision.enters_shutdown = next == BrokerState::kControlledShutdown && current != next;
  decision.response.is_caught_up = caught_up;
  decision.response.is_fenced = decision.fenced;
  decision.response.should_shut_down = next == BrokerState::kShutdownNow;
  return decision;
}

void apply_heartbeat(Heartbeats& heartbeats, const wire::BrokerHeartbeatRequest& request,
                     const HeartbeatDecision& decision, Offset log_end, Instant now) {
  if (!decision.accepted) return;
  BrokerId id(request.broker_id);
  heartbeats.touch(id, decision.fenced, Offset(request.current_metadata_offset), now);
  if (decision.enters_shutdown) heartbeats.shutting_down(id, log_end - 1);
  if (decision.response.should_shut_down) heartbeats.fence(id);
}

}  // namespace milena::meta
