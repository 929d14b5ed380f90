/// DurableState: what the records of one partition of `__consumer_offsets` add up to. A pure fold: equal
/// records in equal order make equal states, whoever reads them. Internal to the room.
///
/// A transactional offset commit stays pending under its producer until the transaction's end marker; a
/// commit that was logged later than the one in place wins, so that markers may come in any order.
///
/// Threads: one loop.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/time.h"
#include "group/record.h"

namespace milena::group {

struct CommittedOffset {
  std::int64_t offset = 0;
  std::int32_t leader_epoch = -1;
  std::string metadata;
  std::int64_t commit_timestamp = 0;
  std::int64_t expire_timestamp = -1;  // -1: offsets.retention.minutes decides
  Uuid topic_id;                       // zero: not known when it was committed
  Offset record_offset{-1};            // where in the log
};

using PartitionOffsets = std::map<std::int32_t, CommittedOffset>;
using TopicOffsets = std::map<std::string, PartitionOffsets, std::less<>>;

struct DurableGroup {
  /// A classic group that was stored (a simple group has offsets alone).
  std::optional<wire::GroupMetadataValue> metadata;
  /// Records of other protocols, by key. Not empty: the group is not classic.
  std::map<std::string, GroupRecord> other_records;
  TopicOffsets offsets;
  /// Partitions with pending offsets, and of which producers.
  std::map<std::string, std::map<std::int32_t, std::set<ProducerId>>, std::less<>> open_transactions;

  bool empty() const {
    return !metadata && other_records.empty() && offsets.empty() && open_transactions.empty();
  }
  GroupType type() const;
  /// Members of a group of another protocol, as far as its records tell.
  bool other_has_members() const;
  bool has_pending(std::string_view topic, std::int32_t partition) const;
  const CommittedOffset* find(std::string_view topic, std::int32_t partition) const;
};

class DurableState {
 public:
  using GroupMap = std::map<std::string, DurableGroup, std::less<>>;

  /// The id of the group that the record changed; empty for a record of a type this release does not know.
  Result<std::string, RecordError> replay(const GroupRecord& record, Offset offset, ProducerId producer_id);
  /// The ids of the groups whose offsets were pending.
  std::set<std::string> replay_end_transaction(ProducerId producer_id, bool committed);

  const DurableGroup* find(std::string_view group_id) const;
  /// The offsets of a group's topic that wait for the end of a transaction, of every producer.
  void for_each_pending(const std::string& group_id, std::string_view topic,
                        const std::function<void(std::int32_t, const CommittedOffset&)>& visit) const;
  const GroupMap& groups() const { return groups_; }
  std::string dump() const;
  void check_invariants() const;

 private:
  void replay_offset_tombstone(const wire::OffsetCommitKey& key);
  void add_open(const wire::OffsetCommitKey& key, ProducerId producer_id);
  void remove_open(DurableGroup& group, const std::string& topic, std::int32_t partition, ProducerId producer_id);
  void drop_if_empty(const std::string& group_id);

  GroupMap groups_;
  std::map<ProducerId, std::map<std::string, TopicOffsets>> pending_;
  std::map<std::string, GroupRecord> unknown_records_;
};

}  // namespace milena::group
