// Expiry of offsets and of empty groups (KIP-211).
//
// Each group with something that may expire stands in a queue under a wall time before which nothing of it
// can. Whenever that time has come the group is looked at, and queued again under its next time.
#include <algorithm>
#include <cstdint>
#include <limits>
#include <set>

#include "group/coordinator.h"

namespace milena::group {

void Groups::Impl::note_expiry(const std::string& group_id, std::int64_t when_ms) {
  auto [at, added] = soft.expiry_of.try_emplace(group_id, when_ms);
  if (!added) {
    if (at->second <= when_ms) return;
    soft.expiry_queue.erase({at->second, group_id});
    at->second = when_ms;
  }
  soft.expiry_queue.insert({when_ms, group_id});
}

void Groups::Impl::expire_group_offsets(const std::string& group_id, Now now, Effects& out) {
  std::unique_ptr<ClassicGroup> scratch;
  const ClassicGroup* group = peek_classic(group_id, scratch);
  if (group == nullptr) return;  // gone, or of another protocol: not ours to expire
  const DurableGroup* stored = durable.find(group_id);

  bool simple = !group->protocol_type().has_value();
  bool idle = group->is(GroupState::empty);
  bool active_consumer =
      group->uses_consumer_protocol() && group->subscriptions_known() && group->is(GroupState::stable);
  if (!simple && !idle && !active_consumer) return;  // its next stored state brings it back

  std::size_t before = out.records.size();
  std::int64_t retention_ms = to_ms(options.offsets_retention);
  bool all_expired = stored == nullptr || stored->open_transactions.empty();
  std::int64_t next = std::numeric_limits<std::int64_t>::max();
  if (stored != nullptr) {
    for (const auto& [topic, partitions] : stored->offsets) {
      bool subscribed = group->is_subscribed_to(topic);
      for (const auto& [partition, committed] : partitions) {
        std::int64_t base = committed.commit_timestamp;
        if (!simple && idle && group->state_timestamp() != kNoTimestamp) base = group->state_timestamp().value();
        std::int64_t due = committed.expire_timestamp == -1 ? base + retention_ms : committed.expire_timestamp;
        if (subscribed || stored->has_pending(topic, partition)) {
          all_expired = false;
        } else if (due <= now.wall.value()) {
          out.records.push_back(make_offset_tombstone(group_id, topic, PartitionId(partition)));
        } else {
          all_expired = false;
          next = std::min(next, due);
        }
      }
    }
  }
  if (next != std::numeric_limits<std::int64_t>::max()) note_expiry(group_id, next);
  bool group_goes = all_expired && idle && group->pending_join().empty();
  if (group_goes) {
    forget(group_id);
    record_tombstones(group_id, out);
  }
  if (out.records.size() > before) note_expiry(group_id, now.wall.value());  // should the append fail
}

Effects Groups::expire_offsets(Now now) {
  Effects out;
  Impl::SoftState& soft = impl_->soft;
  std::vector<std::string> due;
  while (!soft.expiry_queue.empty() && soft.expiry_queue.begin()->first <= now.wall.value()) {
    auto [when, group_id] = *soft.expiry_queue.begin();
    soft.expiry_queue.erase(soft.expiry_queue.begin());
    soft.expiry_of.erase(group_id);
    due.push_back(group_id);
  }
  for (const std::string& group_id : due) impl_->expire_group_offsets(group_id, now, out);
  return out;
}

Effects Groups::topics_deleted(const std::map<Uuid, std::string>& topics) {
  Effects out;
  for (const auto& [group_id, stored] : impl_->durable.groups()) {
    for (const auto& [topic_id, name] : topics) {
      auto committed = stored.offsets.find(name);
      if (committed == stored.offsets.end() && !stored.open_transactions.contains(name)) continue;
      std::set<std::int32_t> gone;
      auto note = [&, id = topic_id](std::int32_t partition, const CommittedOffset& offset) {
        if (offset.topic_id.is_zero() || offset.topic_id == id) gone.insert(partition);
      };
      if (committed != stored.offsets.end()) {
        for (const auto& [partition, offset] : committed->second) note(partition, offset);
      }
      impl_->durable.for_each_pending(group_id, name, note);
      for (std::int32_t partition : gone)
        out.records.push_back(make_offset_tombstone(group_id, name, PartitionId(partition)));
    }
  }
  return out;
}

}  // namespace milena::group
