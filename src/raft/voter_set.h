/// Who votes in the metadata quorum, and how that is known.
///
/// kraft.version 0: the voters are those of `controller.quorum.voters`, fixed, known by id. kraft.version 1
/// (KIP-853): the log says who they are (KRaftVoters control records), known by id and directory id.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "wire/messages/voters_record.h"

namespace milena::raft {

/// A node's log, for good: a disk that was wiped and formatted again is another one (KIP-853).
struct ReplicaKey {
  BrokerId id = kNoBroker;
  Uuid directory_id;  // zero: not known
  friend auto operator<=>(const ReplicaKey&, const ReplicaKey&) = default;
};

struct Endpoint {
  std::string listener;
  std::string host;
  std::uint16_t port = 0;
  bool operator==(const Endpoint&) const = default;
};

struct Voter {
  BrokerId id = kNoBroker;
  Uuid directory_id;  // zero where it is not known (kraft.version 0)
  std::vector<Endpoint> endpoints;
  std::int16_t min_kraft_version = 0;
  std::int16_t max_kraft_version = 0;
  ReplicaKey key() const { return {id, directory_id}; }
  bool operator==(const Voter&) const = default;
};

struct VoterSet {
  std::int16_t kraft_version = 0;
  std::vector<Voter> voters;  // sorted by id
  bool operator==(const VoterSet&) const = default;

  const Voter* find(BrokerId id) const;
  /// `directory_id` counts where the set has one: who does not tell it is no voter then.
  bool is_voter(BrokerId id, const Uuid& directory_id) const;
  bool is_only_voter(BrokerId id, const Uuid& directory_id) const;
  bool is_voter(const ReplicaKey& key) const { return is_voter(key.id, key.directory_id); }
  std::size_t majority() const { return voters.size() / 2 + 1; }
};

/// The voter sets that the log holds, oldest first: the newest counts from the moment it is in the log, and
/// the one before it again if it is cut off.
class VoterHistory {
 public:
  struct Entry {
    Offset offset;  // of the record; below the log: in a snapshot, or configured
    VoterSet voters;
    bool operator==(const Entry&) const = default;
  };
  explicit VoterHistory(Entry base) : entries_{std::move(base)} {}
  const Entry& last() const { return entries_.back(); }
  const std::vector<Entry>& entries() const { return entries_; }
  /// REQUIRES: behind the last one.
  void add(Offset offset, VoterSet voters) { entries_.push_back({offset, std::move(voters)}); }
  /// Nothing at or behind `end` is in the log any more. The oldest entry stays.
  void truncate(Offset end);
  /// Entries that were replaced before `offset` are not needed again.
  void forget_before(Offset offset);
  /// The newest of those before `offset`, else the oldest.
  const VoterSet& at(Offset offset) const;

 private:
  std::vector<Entry> entries_;
};

wire::VotersRecord to_record(const VoterSet& voters);
VoterSet from_record(const wire::VotersRecord& record, std::int16_t kraft_version);

}  // namespace milena::raft
