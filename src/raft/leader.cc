// The leader: what it appends, what it tells those who fetch, and when that is committed.
#include <algorithm>
#include <functional>
#include <span>
#include <utility>

#include "base/check.h"
#include "base/mutant.h"
#include "raft/raft.h"

namespace milena::raft {

using wire::ErrorCode;

void Raft::become_leader(const Now& now, Effects& effects) {
  wire::LeaderChangeMessage change;
  change.leader_id = config_.node_id.value();
  for (const Voter& voter : voters().voters) {
    change.voters.emplace_back().voter_id = voter.id.value();
    auto vote = votes_.find(voter.id);
    if (vote != votes_.end() && vote->second)
      change.granting_voters.emplace_back().voter_id = voter.id.value();
  }
  leave_role(effects);
  state_.leader_id = config_.node_id;
  state_.voted_id = kNoBroker;  // whoever asks for a vote in this epoch is told of the leader
  state_.voted_directory_id = Uuid{};
  role_ = Role::kLeader;
  deadline_ = now.instant + config_.timeouts.fetch * 3 / 2;
  leading_ = {};
  leading_.epoch_start = log_end_;
  leading_.begin_deadline = now.instant + config_.timeouts.fetch / 2;

  std::vector<ControlRecord> records = {change};
  if (voters().kraft_version >= 1 &&
      voters_offset() < Offset(0)) {  // so far they are only where a format put them
    wire::KRaftVersionRecord version;
    version.k_raft_version = voters().kraft_version;
    records.emplace_back(version);
    records.emplace_back(to_record(voters()));
    history_.add(log_end_ + 2, voters());
  }
  append_control(now, records, effects);
}

void Raft::append_control(const Now& now, const std::vector<ControlRecord>& records, Effects& effects) {
  Append append;
  append.base_offset = log_end_;
  append.last_offset = log_end_ + static_cast<std::int64_t>(records.size()) - 1;
  append.epoch = state_.leader_epoch;
  append.timestamp = now.timestamp;
  append.control = true;
  append.batch = encode_control_batch(log_end_, append.epoch, now.timestamp, records);
  epochs_.add(append.epoch, log_end_);
  log_end_ = append.last_offset + 1;
  effects.append.push_back(std::move(append));
  effects.sync_log = true;
}

void Raft::on(const Now& now, const Propose& event, Effects& effects) {
  CHECK(!event.values.empty());
  if (role_ != Role::kLeader) {
    effects.rejected = Rejection::kNotLeader;
    return;
  }
  constexpr std::size_t kRecordOverhead = 32;  // at most: lengths and deltas of a record
  constexpr std::size_t kSplitBytes = 1024UL * 1024;
  std::size_t total = 0;
  for (const Bytes& value : event.values) total += value.size() + kRecordOverhead;
  if (event.atomic && total > kBatchBytesMax) {
    effects.rejected = Rejection::kTooLarge;
    return;
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
}

// What a majority of the newest voters has on disk is committed, once it reaches into this epoch: an older
// epoch's records that a majority has may still be replaced (Raft, figure 8).
void Raft::advance_high_watermark(const Now& now, Effects& effects) {
  std::vector<Offset> ends;
  for (const Voter& voter : voters().voters) {
    if (voter.id == config_.node_id && voters().is_voter(key())) {
      ends.push_back(MILENA_MUTANT("raft-unsynced-commit") ? log_end_ : synced_end_);
      continue;
    }
    auto known = leading_.replicas.find(voter.key());
    ends.push_back(known == leading_.replicas.end() ? kNoOffset : known->second.log_end);
  }
  std::ranges::sort(ends, std::greater<>());
  std::size_t index = voters().majority() - 1;
  if (MILENA_MUTANT("raft-minority-commit") && index > 0) --index;
  Offset committed = ends[index];
  bool own_epoch = committed > leading_.epoch_start || MILENA_MUTANT("raft-old-epoch-commit");
  if (!own_epoch || committed <= high_watermark_) return;
  high_watermark_ = committed;
  effects.high_watermark = high_watermark_;
  if (leading_.change.has_value() && leading_.change->offset < high_watermark_)
    end_change(ErrorCode::NONE, "", effects);
  if (voters_offset() < high_watermark_ && !is_voter()) resign(now, effects);
}

void Raft::on(const Now& now, const Resign&, Effects& effects) {
  stopping_ = true;
  if (role_ == Role::kLeader) resign(now, effects);
}

void Raft::resign(const Now& now, Effects& effects) {
  std::vector<std::pair<Offset, ReplicaKey>> others;
  for (const Voter& voter : voters().voters) {
    if (voter.id == config_.node_id) continue;
    auto known = leading_.replicas.find(voter.key());
    others.emplace_back(known == leading_.replicas.end() ? kNoOffset : known->second.log_end, voter.key());
  }
  std::ranges::sort(others, [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  });
  leave_role(effects);
  role_ = Role::kResigned;
  resigned_ = {};
  for (auto& [end, voter] : others) resigned_.preferred.push_back(voter);
  deadline_ = election_deadline(now);
}

ErrorCode Raft::check_leader(Epoch epoch) const {
  if (epoch < state_.leader_epoch) return ErrorCode::FENCED_LEADER_EPOCH;
  if (epoch > state_.leader_epoch) return ErrorCode::UNKNOWN_LEADER_EPOCH;
  return role_ == Role::kLeader ? ErrorCode::NONE : ErrorCode::NOT_LEADER_OR_FOLLOWER;
}

void Raft::on(const Now& now, const ReplicaFetched& event, Effects& effects) {
  CHECK(event.id != config_.node_id, "a node does not follow itself");
  if (role_ == Role::kLeader) note_fetch(now, {event.id, event.directory_id}, event.offset, effects);
}

void Raft::note_fetch(const Now& now, ReplicaKey replica, Offset offset, Effects& effects) {
  std::erase_if(leading_.replicas, [&](const auto& entry) {
    return !voters().is_voter(entry.first) &&
           now.timestamp.value() - entry.second.last_fetch.value() > kObserverSessionMs;
  });
  if (voters().is_voter(replica)) replica = voters().find(replica.id)->key();
  auto [it, added] = leading_.replicas.try_emplace(replica);
  ReplicaProgress& progress = it->second;
  if (offset >= log_end_)
    progress.last_caught_up = now.timestamp;
  else if (!added && offset >= progress.leader_end)
    progress.last_caught_up = progress.last_fetch;
  progress.log_end = offset;
  progress.last_fetch = now.timestamp;
  progress.leader_end = log_end_;
  note_contact(now, replica);
  advance_high_watermark(now, effects);
}

// Check-quorum: the deadline moves when a majority, this node with it, has fetched since it moved last.
void Raft::note_contact(const Now& now, const ReplicaKey& replica) {
  if (!voters().is_voter(replica)) return;
  leading_.heard.insert(replica.id);
  leading_.reached.insert(replica.id);
  std::size_t there = is_voter() ? 1 : 0;
  for (const Voter& voter : voters().voters)
    if (voter.id != config_.node_id && leading_.heard.contains(voter.id)) ++there;
  if (there < voters().majority()) return;
  leading_.heard.clear();
  deadline_ = now.instant + config_.timeouts.fetch * 3 / 2;
}

void Raft::on_fetch(const Now& now, std::uint64_t id, const FetchRequest& request, Effects& effects) {
  ErrorCode error = check_leader(request.epoch);
  bool nonsense =
      request.offset < Offset(0) || request.last_epoch < Epoch(0) || request.last_epoch > request.epoch;
  if (nonsense) error = ErrorCode::INVALID_REQUEST;
  if (error == ErrorCode::NONE && request.replica.id == config_.node_id)
    error = ErrorCode::UNKNOWN_SERVER_ERROR;
  if (error != ErrorCode::NONE) {
    effects.replies.push_back({id, response(error), std::nullopt, false});
    return;
  }
  FetchResponse turned;
  if (turn_back(request, turned))
    note_contact(now, request.replica);
  else if (request.replica.id >= BrokerId(0))
    note_fetch(now, request.replica, request.offset, effects);
  if (role_ != Role::kLeader) {  // it resigned over what this fetch has committed
    effects.replies.push_back({id, response(ErrorCode::NOT_LEADER_OR_FOLLOWER), std::nullopt, false});
    return;
  }
  auto wait =
      std::min<std::int64_t>(std::max(request.max_wait_ms, 0), to_ms(config_.timeouts.fetch_max_wait));
  leading_.parked.push_back({id, request, now.instant + from_ms(wait)});  // serve_parked may answer at once
}

// What a follower needs instead of records: where the logs part, or a snapshot.
bool Raft::turn_back(const FetchRequest& request, FetchResponse& out) const {
  bool useful_snapshot = latest_snapshot_.has_value() && latest_snapshot_->end_offset > Offset(0);
  if (request.offset == Offset(0) && useful_snapshot) {
    out.snapshot = latest_snapshot_;
    return true;
  }
  if (request.offset == Offset(0) && log_start_ == Offset(0)) return false;
  if (log_start_ > Offset(0) && useful_snapshot) {
    Epoch start_epoch = epochs_.at(log_start_ - 1);
    bool before = request.offset < log_start_ ||
                  (request.offset == log_start_ && request.last_epoch != start_epoch) ||
                  request.last_epoch < start_epoch;
    if (before) {
      out.snapshot = latest_snapshot_;
      return true;
    }
  }
  EpochEnd end = epochs_.end_of(request.last_epoch, log_start_, log_end_);
  if (MILENA_MUTANT("raft-blind-fetch")) end = {request.last_epoch, log_end_};
  if (end.epoch == request.last_epoch && end.end >= request.offset) return false;
  out.diverging = end;
  return true;
}

// The answer that a fetch can have now; nothing: it had better wait.
std::optional<Reply> Raft::serve(const FetchRequest& request, std::uint64_t id, bool waited) const {
  Reply reply;
  reply.id = id;
  reply.response = response(ErrorCode::NONE);
  FetchResponse out;
  out.log_start = log_start_;
  // What an older leader committed is not known to be all of it before this epoch's own first commit.
  if (high_watermark_ > leading_.epoch_start) out.high_watermark = high_watermark_;
  bool turned = turn_back(request, out);
  bool news = turned || request.offset < log_end_ || request.high_watermark < out.high_watermark;
  if (!news && !waited) return std::nullopt;
  if (!turned && request.offset < log_end_) reply.read_from = request.offset;
  reply.response.body = std::move(out);
  return reply;
}

void Raft::serve_parked(const Now& now, Effects& effects) {
  std::erase_if(leading_.parked, [&](const Parked& parked) {
    auto reply = serve(parked.request, parked.id, parked.deadline <= now.instant);
    if (!reply.has_value()) return false;
    effects.replies.push_back(*std::move(reply));
    return true;
  });
}

Reply Raft::answer_snapshot(const Now& now, std::uint64_t id, const FetchSnapshotRequest& request) {
  ErrorCode error = check_leader(request.epoch);
  if (error == ErrorCode::NONE && request.id.end_offset <= Offset(0)) error = ErrorCode::SNAPSHOT_NOT_FOUND;
  if (error == ErrorCode::NONE && request.position < 0) error = ErrorCode::POSITION_OUT_OF_RANGE;
  Reply reply{id, response(error), std::nullopt, error == ErrorCode::NONE};
  if (error != ErrorCode::NONE) return reply;
  note_contact(now, request.replica);
  FetchSnapshotResponse out;
  out.id = request.id;
  out.position = request.position;
  reply.response.body = std::move(out);
  return reply;
}

}  // namespace milena::raft
