#include "disk.h"

#include <algorithm>

#include "base/check.h"
#include "base/random.h"

namespace milena::raft_sim {
namespace {

std::uint64_t hash_of(std::uint64_t state, ByteView bytes) {
  std::uint64_t hash = state ^ 0xcbf29ce484222325ULL;
  for (std::uint8_t byte : bytes) hash = (hash ^ byte) * 0x100000001b3ULL;
  return splitmix64(hash);
}

}  // namespace

std::optional<std::uint64_t> SimDisk::prefix_at(Offset end, bool only_synced) const {
  if (end == start) return start_prefix;
  auto found = std::ranges::lower_bound(log, end, {}, &Entry::end);
  if (found == log.end() || found->end != end) return std::nullopt;
  if (only_synced && static_cast<std::size_t>(found - log.begin()) >= synced) return std::nullopt;
  return found->prefix;
}

void SimDisk::append(const Append& batch) {
  CHECK(batch.base_offset == end(), "append at {}, the log ends at {}", batch.base_offset, end());
  Entry entry{batch.base_offset,
              batch.last_offset + 1,
              batch.epoch,
              batch.batch,
              hash_of(last_prefix(), batch.batch.view()),
              std::nullopt};
  if (batch.control) {
    auto decoded = decode_batch(batch.batch);
    CHECK(decoded.has_value());
    std::int16_t version = 1;
    for (std::size_t i = 0; i < decoded->control.size(); ++i)
      if (const auto* record = std::get_if<wire::VotersRecord>(&decoded->control[i]))
        entry.voters = {batch.base_offset + static_cast<std::int64_t>(i), from_record(*record, version)};
  }
  log.push_back(std::move(entry));
}

void SimDisk::truncate(Offset to) {
  while (!log.empty() && log.back().end > to) {
    CHECK(log.back().base >= to, "cut at {} within a batch", to);
    log.pop_back();
  }
  synced = std::min(synced, log.size());
}

void SimDisk::trim(Offset to) {
  while (!log.empty() && log.front().end <= to) {
    start = log.front().end;
    start_prefix = log.front().prefix;
    log.erase(log.begin());
    if (synced > 0) --synced;
  }
  CHECK(start == to, "trimmed to {}, not {}", start, to);
}

void SimDisk::install(const SnapshotId& id, Snapshot snapshot) {
  log.clear();
  synced = 0;
  start = id.end_offset;
  start_prefix = snapshot.prefix;
  snapshots[id] = std::move(snapshot);
}

void SimDisk::lose_power(std::size_t kept) {
  log.resize(std::min(log.size(), synced + kept));
  synced = log.size();
  // Others had on disk what this node had not, and it made a snapshot of it: that is what there is then.
  if (snapshots.empty() || snapshots.rbegin()->first.end_offset <= end()) return;
  auto [id, snapshot] = *snapshots.rbegin();
  install(id, std::move(snapshot));
}

Recovered SimDisk::recover() const {
  Recovered out;
  out.quorum_state = state;
  out.log_start = start;
  out.log_end = end();
  std::vector<VoterHistory::Entry> voters;
  if (!snapshots.empty()) out.latest_snapshot = snapshots.rbegin()->first;
  for (const auto& [id, snapshot] : snapshots) {
    if (id.end_offset != start) continue;
    if (start > Offset(0)) out.epochs.push_back({id.epoch, start - 1});
    out.last_epoch = id.epoch;
    if (snapshot.voters.has_value()) voters.push_back({start - 1, *snapshot.voters});
  }
  for (const Entry& entry : log) {
    if (entry.epoch > out.last_epoch || out.epochs.empty()) out.epochs.push_back({entry.epoch, entry.base});
    out.last_epoch = entry.epoch;
    if (entry.voters.has_value()) voters.push_back(*entry.voters);
  }
  if (voters.empty()) return out;
  out.voters = voters.back().voters;
  out.voters_offset = voters.back().offset;
  voters.pop_back();
  out.older_voters = std::move(voters);
  return out;
}

Snapshot make_snapshot(std::uint64_t prefix, std::optional<VoterSet> voters, Epoch epoch) {
  SnapshotContents contents;
  contents.voters = voters;
  contents.values.push_back(Bytes::copy(fmt::format("{:016x}", prefix)));
  return {encode_snapshot(contents, epoch, Timestamp(0)), prefix, std::move(voters)};
}

std::optional<Snapshot> read_snapshot(const Bytes& file) {
  auto contents = decode_snapshot(file);
  if (contents.failed() || contents->values.size() != 1) return std::nullopt;
  std::uint64_t prefix = std::strtoull(std::string(contents->values[0].text()).c_str(), nullptr, 16);
  return Snapshot{file, prefix, contents->voters};
}

}  // namespace milena::raft_sim
