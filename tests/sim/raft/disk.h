/// What a simulated node of the quorum has on its disk, and what of it survives a power loss.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "raft/raft.h"

namespace milena::raft_sim {

using namespace milena::raft;

struct Entry {
  Offset base;
  Offset end;  // behind the last record
  Epoch epoch;
  Bytes bytes;
  std::uint64_t prefix = 0;  // a hash over the whole log up to `end`
  std::optional<VoterHistory::Entry> voters;
};

struct Snapshot {
  Bytes file;
  std::uint64_t prefix = 0;
  std::optional<VoterSet> voters;
};

struct SimDisk {
  Uuid directory;
  std::optional<QuorumState> state;
  Offset start{0};
  std::uint64_t start_prefix = 0;
  std::vector<Entry> log;
  std::size_t synced = 0;  // so many entries of the log are safe
  std::map<SnapshotId, Snapshot> snapshots;

  Offset end() const { return log.empty() ? start : log.back().end; }
  std::uint64_t last_prefix() const { return log.empty() ? start_prefix : log.back().prefix; }
  /// The hash over the log up to `end`; nothing: no batch ends there, or it was trimmed away.
  std::optional<std::uint64_t> prefix_at(Offset end, bool only_synced) const;

  void append(const Append& batch);
  void truncate(Offset end);
  void trim(Offset start);
  /// A snapshot takes the place of the log.
  void install(const SnapshotId& id, Snapshot snapshot);
  /// Keeps `kept` of the entries that are not synced.
  void lose_power(std::size_t kept);
  Recovered recover() const;
};

/// The content of the snapshot at `end`, which is the hash over all before it, and the voters.
Snapshot make_snapshot(std::uint64_t prefix, std::optional<VoterSet> voters, Epoch epoch);
/// Empty result: not valid.
std::optional<Snapshot> read_snapshot(const Bytes& file);

}  // namespace milena::raft_sim
