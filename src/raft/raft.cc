#include "raft/raft.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace milena::raft {

std::string_view name(Role role) {
  switch (role) {
    case Role::kUnattached: return "Unattached";
    case Role::kFollower: return "Follower";
    case Role::kCandidate: return "Candidate";
    case Role::kLeader: return "Leader";
    case Role::kResigned: return "Resigned";
  }
  return "";
}

Raft::Raft(Config config, Recovered recovered)
    : config_(std::move(config)),
      voters_(recovered.voters.has_value() ? *std::move(recovered.voters) : config_.static_voters),
      voters_offset_(recovered.voters_offset),
      state_(recovered.quorum_state.value_or(QuorumState{})),
      log_start_(recovered.log_start),
      log_end_(recovered.log_end),
      synced_end_(recovered.log_end),
      last_epoch_(recovered.last_epoch),
      latest_snapshot_(recovered.latest_snapshot) {
  if (latest_snapshot_.has_value()) high_watermark_ = latest_snapshot_->end_offset;
  state_.leader_epoch = std::max(state_.leader_epoch, last_epoch_);
}

Effects Raft::step(const Now& now, const Event& event) {
  return std::visit([&](const auto& e) { return on(now, e); }, event);
}

Effects Raft::on(const Now& now, const Start&) {
  Effects effects;
  if (voters_.is_only_voter(config_.node_id, config_.directory_id)) become_leader(now, effects);
  return effects;
}

void Raft::become_leader(const Now& now, Effects& effects) {
  Epoch epoch = state_.leader_epoch + 1;
  state_ = QuorumState{};
  state_.leader_epoch = epoch;
  state_.leader_id = config_.node_id;
  state_.data_version = voters_.kraft_version >= 1 ? 1 : 0;
  wire::LeaderChangeMessage change;
  change.leader_id = config_.node_id.value();
  for (const Voter& voter : voters_.voters) {
    if (state_.data_version == 0) state_.current_voters.push_back(voter.id);
    change.voters.emplace_back().voter_id = voter.id.value();
  }
  change.granting_voters.emplace_back().voter_id = config_.node_id.value();

  std::vector<ControlRecord> records = {change};
  if (voters_.kraft_version >= 1 && voters_offset_ < Offset(0)) {
    wire::KRaftVersionRecord version;
    version.k_raft_version = voters_.kraft_version;
    records.emplace_back(version);
    records.emplace_back(to_record(voters_));
    voters_offset_ = log_end_ + 2;
  }
  Append append;
  append.base_offset = log_end_;
  append.last_offset = log_end_ + static_cast<std::int64_t>(records.size()) - 1;
  append.epoch = epoch;
  append.timestamp = now.timestamp;
  append.control = true;
  append.batch = encode_control_batch(log_end_, epoch, now.timestamp, records);
  epoch_start_ = log_end_;
  log_end_ = append.last_offset + 1;
  last_epoch_ = epoch;
  role_ = Role::kLeader;
  effects.write_quorum_state = state_;
  effects.append.push_back(std::move(append));
  effects.sync_log = true;
  effects.new_role = role_;
}

Effects Raft::on(const Now&, const Tick&) { return {}; }

Effects Raft::on(const Now& now, const Propose& event) {
  CHECK(!event.values.empty());
  Effects effects;
  if (role_ != Role::kLeader) {
    effects.rejected = Rejection::kNotLeader;
    return effects;
  }
  constexpr std::size_t kRecordOverhead = 32;  // at most: lengths and deltas of a record
  constexpr std::size_t kSplitBytes = 1024UL * 1024;
  std::size_t total = 0;
  for (const Bytes& value : event.values) total += value.size() + kRecordOverhead;
  if (event.atomic && total > kBatchBytesMax) {
    effects.rejected = Rejection::kTooLarge;
    return effects;
  }
  std::size_t limit = event.atomic ? total : kSplitBytes;
  std::span<const Bytes> rest(event.values);
  while (!rest.empty()) {
    std::size_t count = 0;
    std::size_t bytes = 0;
    while (count < rest.size() && (count == 0 || bytes + rest[count].size() + kRecordOverhead <= limit))
      bytes += rest[count++].size() + kRecordOverhead;
    Append append;
    append.base_offset = log_end_;
    append.last_offset = log_end_ + static_cast<std::int64_t>(count) - 1;
    append.epoch = state_.leader_epoch;
    append.timestamp = now.timestamp;
    append.batch = encode_data_batch(log_end_, append.epoch, now.timestamp, rest.first(count));
    append.values.assign(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(count));
    log_end_ = append.last_offset + 1;
    effects.append.push_back(std::move(append));
    rest = rest.subspan(count);
  }
  effects.sync_log = true;
  return effects;
}

Effects Raft::on(const Now&, const LogSynced& event) {
  CHECK(event.end_offset <= log_end_, "synced to {}, the log ends at {}", event.end_offset, log_end_);
  Effects effects;
  synced_end_ = std::max(synced_end_, event.end_offset);
  bool alone = voters_.is_only_voter(config_.node_id, config_.directory_id);
  if (role_ == Role::kLeader && alone && synced_end_ > epoch_start_ && synced_end_ > high_watermark_) {
    high_watermark_ = synced_end_;
    effects.high_watermark = high_watermark_;
  }
  return effects;
}

Effects Raft::on(const Now&, const SnapshotCreated& event) {
  CHECK(event.id.end_offset <= high_watermark_, "snapshot up to {}, committed is {}", event.id.end_offset,
        high_watermark_);
  if (!latest_snapshot_.has_value() || *latest_snapshot_ < event.id) latest_snapshot_ = event.id;
  return {};
}

Effects Raft::on(const Now&, const LogStartMoved& event) {
  CHECK(latest_snapshot_.has_value() && event.log_start <= latest_snapshot_->end_offset,
        "the log may not start at {} without a snapshot", event.log_start);
  log_start_ = std::max(log_start_, event.log_start);
  return {};
}

Effects Raft::on(const Now&, const Resign&) {
  Effects effects;
  if (role_ != Role::kLeader) return effects;
  role_ = Role::kResigned;
  observers_.clear();
  effects.new_role = role_;
  return effects;
}

Effects Raft::on(const Now& now, const ReplicaFetched& event) {
  CHECK(event.id != config_.node_id, "a node does not follow itself");
  if (role_ != Role::kLeader || voters_.is_voter(event.id, event.directory_id)) return {};
  std::erase_if(observers_, [&](const auto& entry) {
    return now.timestamp.value() - entry.second.last_fetch.value() > kObserverSessionMs;
  });
  auto [it, added] = observers_.try_emplace(ReplicaKey{event.id, event.directory_id});
  Observer& observer = it->second;
  if (event.offset >= log_end_) observer.last_caught_up = now.timestamp;
  else if (!added && event.offset >= observer.leader_end) observer.last_caught_up = observer.last_fetch;
  observer.log_end = event.offset;
  observer.last_fetch = now.timestamp;
  observer.leader_end = log_end_;
  return {};
}

void Raft::check_invariants() const {
  CHECK(high_watermark_ <= std::max(synced_end_, latest_snapshot_.value_or(SnapshotId{}).end_offset));
  CHECK(synced_end_ <= log_end_);
  CHECK(log_start_ <= log_end_);
  CHECK(last_epoch_ <= state_.leader_epoch);
  if (role_ == Role::kLeader) {
    CHECK(state_.leader_id == config_.node_id);
    CHECK(last_epoch_ == state_.leader_epoch);
    CHECK(epoch_start_ < log_end_);
  }
}

}  // namespace milena::raft
