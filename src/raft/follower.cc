// The follower: it pulls the leader's log, cuts its own where they part, and takes a snapshot when it is too
// far behind.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"
#include "base/mutant.h"
#include "raft/raft.h"

namespace milena::raft {

using wire::ErrorCode;

Response Raft::answer(const Now& now, const BeginQuorumEpochRequest& request, Effects& effects) {
  if (request.epoch < state_.leader_epoch) return response(ErrorCode::FENCED_LEADER_EPOCH);
  if (request.leader_id < BrokerId(0)) return response(ErrorCode::INVALID_REQUEST);
  if (!learn_leader(now, request.epoch, request.leader_id, effects))
    return response(ErrorCode::INVALID_REQUEST);
  bool other_disk =
      !request.voter.directory_id.is_zero() && request.voter.directory_id != config_.directory_id;
  if (request.voter.id != kNoBroker && (request.voter.id != config_.node_id || other_disk))
    return response(ErrorCode::INVALID_VOTER_KEY);
  return response(ErrorCode::NONE);
}

// The followers try to succeed one after the other, the best first.
Response Raft::answer(const Now& now, const EndQuorumEpochRequest& request, Effects& effects) {
  if (request.epoch < state_.leader_epoch) return response(ErrorCode::FENCED_LEADER_EPOCH);
  if (request.leader_id < BrokerId(0)) return response(ErrorCode::INVALID_REQUEST);
  if (!learn_leader(now, request.epoch, request.leader_id, effects))
    return response(ErrorCode::INVALID_REQUEST);
  if (role_ != Role::kFollower || state_.leader_id != request.leader_id) return response(ErrorCode::NONE);
  const auto& preferred = request.preferred_candidates;
  auto place = std::ranges::find_if(preferred, [&](const ReplicaKey& one) {
    return one.id == config_.node_id &&
           (one.directory_id.is_zero() || one.directory_id == config_.directory_id);
  });
  auto position = place - preferred.begin();
  Duration wait = 0ms;
  if (position > 0) {
    auto halvings = std::min<std::ptrdiff_t>(std::ssize(preferred) - position, 30);
    wait = config_.timeouts.election_backoff_max / (1LL << halvings);
  }
  deadline_ = std::min(deadline_, now.instant + wait);
  return response(ErrorCode::NONE);
}

void Raft::on_fetch_response(const Now& now, BrokerId from, const FetchResponse& fetched, Effects& effects) {
  if (role_ != Role::kFollower || from != state_.leader_id) return;
  following_.has_fetched = true;
  deadline_ = now.instant + config_.timeouts.fetch;
  bool useful = true;
  if (fetched.diverging.has_value()) {
    truncate(*fetched.diverging, effects);
  } else if (fetched.snapshot.has_value()) {
    useful = fetched.snapshot->end_offset > high_watermark_;
    if (useful) following_.snapshot = SnapshotFetch{*fetched.snapshot, 0};
  } else {
    useful = append_fetched(fetched, effects);
    if (fetched.high_watermark > following_.leader_high_watermark && useful)
      following_.leader_high_watermark = fetched.high_watermark;
  }
  if (!useful) peers_[from].not_before = now.instant + config_.timeouts.retry_backoff;
  advance_follower(effects);
}

// Both logs are the same up to where the epoch that they share ends in the shorter of them (KIP-279).
void Raft::truncate(const EpochEnd& diverging, Effects& effects) {
  EpochEnd mine = epochs_.end_of(diverging.epoch, log_start_, log_end_);
  Offset to = mine.epoch == diverging.epoch ? std::min(mine.end, diverging.end) : mine.end;
  if (MILENA_MUTANT("raft-cut-to-watermark")) to = high_watermark_;
  to = std::min(to, log_end_);
  if (to < high_watermark_) {
    effects.fatal = fmt::format("the leader of epoch {} asks to cut the log at {}, and {} is committed",
                                state_.leader_epoch, to, high_watermark_);
    return;
  }
  log_end_ = to;
  synced_end_ = std::min(synced_end_, to);
  epochs_.truncate(to);
  history_.truncate(to);
  ++truncations_;
  effects.truncate_to = to;
  effects.sync_log = synced_end_ < log_end_;  // a sync that is under way does not count any more
}

// False: these are not the records that were asked for.
bool Raft::append_fetched(const FetchResponse& fetched, Effects& effects) {
  std::size_t at = 0;
  while (at < fetched.records.size()) {
    Bytes rest = fetched.records.slice(at, fetched.records.size() - at);
    auto batch = decode_batch(rest);
    if (batch.failed()) return batch.error().incomplete && at > 0;
    bool fits = batch->base_offset == log_end_ && batch->last_offset >= batch->base_offset &&
                batch->epoch >= epochs_.last() && batch->epoch <= state_.leader_epoch;
    if (!fits) return false;
    Append append;
    append.base_offset = batch->base_offset;
    append.last_offset = batch->last_offset;
    append.epoch = batch->epoch;
    append.timestamp = batch->timestamp;
    append.control = !batch->control.empty();
    append.batch = rest.slice(0, batch->size_in_bytes);
    at += batch->size_in_bytes;
    take_voters(*batch);
    append.values = std::move(batch->values);
    epochs_.add(append.epoch, append.base_offset);
    log_end_ = append.last_offset + 1;
    effects.append.push_back(std::move(append));
    effects.sync_log = true;
  }
  return true;
}

void Raft::advance_follower(Effects& effects) {
  Offset committed = std::min(following_.leader_high_watermark, synced_end_);
  if (role_ != Role::kFollower || committed <= high_watermark_) return;
  high_watermark_ = committed;
  effects.high_watermark = high_watermark_;
}

void Raft::on_snapshot_response(const Now& now, BrokerId from, const Response& response, Effects& effects) {
  if (role_ != Role::kFollower || from != state_.leader_id || !following_.snapshot.has_value()) return;
  SnapshotFetch& fetch = *following_.snapshot;
  const auto* piece = std::get_if<FetchSnapshotResponse>(&response.body);
  bool next = piece != nullptr && piece->id == fetch.id && piece->position == fetch.position &&
              !piece->bytes.empty() &&
              static_cast<std::int64_t>(piece->bytes.size()) <= piece->size - piece->position;
  if (!next) {  // start over with a fetch: the leader may have another one by now
    following_.snapshot.reset();
    peers_[from].not_before = now.instant + config_.timeouts.retry_backoff;
    return;
  }
  following_.has_fetched = true;
  deadline_ = now.instant + config_.timeouts.fetch;
  fetch.position += static_cast<std::int64_t>(piece->bytes.size());
  bool last = fetch.position == piece->size;
  effects.snapshot_piece = SnapshotPiece{fetch.id, piece->position, piece->bytes, last};
  if (!last) return;
  installing_ = fetch.id;
  following_.snapshot.reset();
}

void Raft::on(const Now& now, const SnapshotInstalled& event, Effects& effects) {
  CHECK(installing_ == event.id, "no such snapshot was complete");
  installing_.reset();
  CHECK(event.id.end_offset >= high_watermark_, "a snapshot up to {} replaces {}", event.id.end_offset,
        high_watermark_);
  log_start_ = log_end_ = synced_end_ = event.id.end_offset;
  ++truncations_;
  epochs_.reset(event.id.epoch, log_start_);
  if (event.voters.has_value()) history_ = VoterHistory({log_start_ - 1, *event.voters});
  latest_snapshot_ = event.id;
  if (log_end_ > high_watermark_) {
    high_watermark_ = log_end_;
    effects.high_watermark = high_watermark_;
  }
  deadline_ = std::max(deadline_, now.instant + config_.timeouts.fetch);
}

void Raft::on(const Now&, const SnapshotRefused& event, Effects&) {
  CHECK(installing_ == event.id, "no such snapshot was complete");
  installing_.reset();
}

}  // namespace milena::raft
