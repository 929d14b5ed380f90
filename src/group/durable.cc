#include "group/durable.h"

#include <fmt/format.h>

#include <iterator>
#include <utility>

#include "base/check.h"
#include "base/mutant.h"

namespace milena::group {
namespace {

CommittedOffset committed(const wire::OffsetCommitValue& value, Offset record_offset) {
  return {.offset = value.offset,
          .leader_epoch = MILENA_MUTANT("epochless-offsets") ? -1 : value.leader_epoch,
          .metadata = value.metadata,
          .commit_timestamp = value.commit_timestamp,
          .expire_timestamp = value.expire_timestamp,
          .topic_id = value.topic_id,
          .record_offset = record_offset};
}

void erase_offset(TopicOffsets& topics, const std::string& topic, std::int32_t partition) {
  auto at = topics.find(topic);
  if (at == topics.end()) return;
  at->second.erase(partition);
  if (at->second.empty()) topics.erase(at);
}

}  // namespace

GroupType DurableGroup::type() const {
  if (other_records.empty()) return GroupType::classic;
  std::optional<std::int16_t> type = record_type(other_records.begin()->second);
  CHECK(type.has_value());
  return group_type_of(*type).value_or(GroupType::classic);
}

bool DurableGroup::other_has_members() const {
  for (const auto& [key, record] : other_records) {
    std::int16_t type = record_type(record).value_or(0);
    if (type == kConsumerGroupMemberMetadata || type == kShareGroupMemberMetadata ||
        type == kStreamsGroupMemberMetadata) {
      return true;
    }
  }
  return false;
}

bool DurableGroup::has_pending(std::string_view topic, std::int32_t partition) const {
  auto at = open_transactions.find(topic);
  return at != open_transactions.end() && at->second.contains(partition);
}

const CommittedOffset* DurableGroup::find(std::string_view topic, std::int32_t partition) const {
  auto at = offsets.find(topic);
  if (at == offsets.end()) return nullptr;
  auto found = at->second.find(partition);
  return found == at->second.end() ? nullptr : &found->second;
}

Result<std::string, RecordError> DurableState::replay(const GroupRecord& record, Offset offset,
                                                      ProducerId producer_id) {
  std::optional<std::int16_t> type = record_type(record);
  if (!type) return Err(RecordError::malformed_key);
  std::string key(as_text(record.key));

  if (*type == kOffsetCommit || *type == kLegacyOffsetCommit) {
    TRY_ASSIGN(wire::OffsetCommitKey parsed, parse_offset_key(record));
    if (!record.value) {
      replay_offset_tombstone(parsed);
      return parsed.group;
    }
    TRY_ASSIGN(wire::OffsetCommitValue value, parse_offset_value(record));
    if (producer_id == kNoProducer) {
      groups_[parsed.group].offsets[parsed.topic][parsed.partition] = committed(value, offset);
    } else {
      pending_[producer_id][parsed.group][parsed.topic][parsed.partition] = committed(value, offset);
      add_open(parsed, producer_id);
    }
    return parsed.group;
  }

  if (!group_type_of(*type)) {
    if (record.value) {
      unknown_records_[key] = record;
    } else {
      unknown_records_.erase(key);
    }
    return std::string();
  }

  std::optional<std::string> group_id = group_id_of(record);
  if (!group_id) return Err(RecordError::malformed_key);
  if (!record.value) {
    auto at = groups_.find(*group_id);
    if (at == groups_.end()) return *group_id;
    if (*type == kGroupMetadata) {
      at->second.metadata.reset();
    } else {
      at->second.other_records.erase(key);
    }
    drop_if_empty(*group_id);
    return *group_id;
  }
  if (*type == kGroupMetadata) {
    TRY_ASSIGN(wire::GroupMetadataValue value, parse_group_value(record));
    groups_[*group_id].metadata = std::move(value);
  } else {
    groups_[*group_id].other_records[key] = record;
  }
  return *group_id;
}

void DurableState::replay_offset_tombstone(const wire::OffsetCommitKey& key) {
  auto at = groups_.find(key.group);
  if (at == groups_.end()) return;
  erase_offset(at->second.offsets, key.topic, key.partition);
  // Pending offsets of the partition go too, whoever wrote them.
  auto topic = at->second.open_transactions.find(key.topic);
  if (topic != at->second.open_transactions.end()) {
    auto partition = topic->second.find(key.partition);
    if (partition != topic->second.end()) {
      for (ProducerId producer_id : partition->second) {
        auto pending = pending_.find(producer_id);
        CHECK(pending != pending_.end());
        erase_offset(pending->second[key.group], key.topic, key.partition);
        if (pending->second[key.group].empty()) pending->second.erase(key.group);
        if (pending->second.empty()) pending_.erase(pending);
      }
      topic->second.erase(partition);
      if (topic->second.empty()) at->second.open_transactions.erase(topic);
    }
  }
  drop_if_empty(key.group);
}

void DurableState::add_open(const wire::OffsetCommitKey& key, ProducerId producer_id) {
  groups_[key.group].open_transactions[key.topic][key.partition].insert(producer_id);
}

void DurableState::remove_open(DurableGroup& group, const std::string& topic, std::int32_t partition,
                               ProducerId producer_id) {
  auto at = group.open_transactions.find(topic);
  CHECK(at != group.open_transactions.end());
  auto producers = at->second.find(partition);
  CHECK(producers != at->second.end());
  producers->second.erase(producer_id);
  if (producers->second.empty()) at->second.erase(producers);
  if (at->second.empty()) group.open_transactions.erase(at);
}

std::set<std::string> DurableState::replay_end_transaction(ProducerId producer_id, bool committed) {
  std::set<std::string> changed;
  auto at = pending_.find(producer_id);
  if (at == pending_.end()) return changed;
  auto pending = std::move(at->second);
  pending_.erase(at);
  for (auto& [group_id, topics] : pending) {
    changed.insert(group_id);
    DurableGroup& group = groups_[group_id];
    for (auto& [topic, partitions] : topics) {
      for (auto& [partition, value] : partitions) {
        remove_open(group, topic, partition, producer_id);
        if (!committed) continue;
        const CommittedOffset* present = group.find(topic, partition);
        if (present == nullptr || present->record_offset < value.record_offset) {
          group.offsets[topic][partition] = std::move(value);
        }
      }
    }
    drop_if_empty(group_id);
  }
  return changed;
}

void DurableState::for_each_pending(const std::string& group_id, std::string_view topic,
                                    const std::function<void(std::int32_t, const CommittedOffset&)>& visit) const {
  for (const auto& [producer_id, by_group] : pending_) {
    auto group = by_group.find(group_id);
    if (group == by_group.end()) continue;
    auto partitions = group->second.find(topic);
    if (partitions == group->second.end()) continue;
    for (const auto& [partition, offset] : partitions->second) visit(partition, offset);
  }
}

const DurableGroup* DurableState::find(std::string_view group_id) const {
  auto at = groups_.find(group_id);
  return at == groups_.end() ? nullptr : &at->second;
}

void DurableState::drop_if_empty(const std::string& group_id) {
  auto at = groups_.find(group_id);
  if (at != groups_.end() && at->second.empty()) groups_.erase(at);
}

namespace {

void dump_offsets(std::string& out, const TopicOffsets& topics) {
  for (const auto& [topic, partitions] : topics) {
    for (const auto& [partition, o] : partitions) {
      fmt::format_to(std::back_inserter(out), "  {}-{} offset={} epoch={} metadata={} commit={} expire={} id={}\n",
                     topic, partition, o.offset, o.leader_epoch, o.metadata, o.commit_timestamp,
                     o.expire_timestamp, o.topic_id.is_zero() ? "-" : o.topic_id.to_string());
    }
  }
}

void dump_metadata(std::string& out, const wire::GroupMetadataValue& value) {
  fmt::format_to(std::back_inserter(out), "  classic type={} generation={} protocol={} leader={} since={}\n",
                 value.protocol_type, value.generation, value.protocol.value_or("<null>"),
                 value.leader.value_or("<null>"), value.current_state_timestamp);
  for (const auto& m : value.members) {
    fmt::format_to(std::back_inserter(out), "    {} instance={} client={} host={} timeouts={},{} {} {}\n",
                   m.member_id, m.group_instance_id.value_or("<null>"), m.client_id, m.client_host,
                   m.rebalance_timeout, m.session_timeout, to_hex(m.subscription), to_hex(m.assignment));
  }
}

void dump_records(std::string& out, const std::map<std::string, GroupRecord>& records) {
  for (const auto& [key, record] : records) {
    std::string value = record.value.has_value() ? to_hex(*record.value) : "none";
    fmt::format_to(std::back_inserter(out), "  record {} = {}\n", to_hex(record.key), value);
  }
}

}  // namespace

std::string DurableState::dump() const {
  std::string out;
  for (const auto& [group_id, group] : groups_) {
    fmt::format_to(std::back_inserter(out), "group {} {}\n", group_id, name(group.type()));
    if (group.metadata) dump_metadata(out, *group.metadata);
    dump_records(out, group.other_records);
    dump_offsets(out, group.offsets);
  }
  for (const auto& [producer_id, groups] : pending_) {
    for (const auto& [group_id, topics] : groups) {
      fmt::format_to(std::back_inserter(out), "pending {} of {}\n", group_id, producer_id);
      dump_offsets(out, topics);
    }
  }
  if (!unknown_records_.empty()) out += "unknown\n";
  dump_records(out, unknown_records_);
  return out;
}

void DurableState::check_invariants() const {
  for (const auto& [group_id, group] : groups_) {
    CHECK(!group.empty(), "group {} holds nothing", group_id);
    for (const auto& [topic, partitions] : group.offsets) CHECK(!partitions.empty(), "{} {}", group_id, topic);
    for (const auto& [topic, partitions] : group.open_transactions) {
      for (const auto& [partition, producers] : partitions) {
        CHECK(!producers.empty());
        for (ProducerId producer_id : producers) {
          CHECK(pending_.at(producer_id).at(group_id).at(topic).contains(partition));
        }
      }
    }
  }
  for (const auto& [producer_id, groups] : pending_) {
    for (const auto& [group_id, topics] : groups) {
      for (const auto& [topic, partitions] : topics) {
        for (const auto& [partition, value] : partitions) {
          const DurableGroup* group = find(group_id);
          CHECK(group != nullptr && group->has_pending(topic, partition), "{} {}-{}", group_id, topic, partition);
        }
      }
    }
  }
}

}  // namespace milena::group
