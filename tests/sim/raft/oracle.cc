#include "oracle.h"

#include <algorithm>

#include <fmt/format.h>

namespace milena::raft_sim {
namespace {

std::string text(const ReplicaKey& key) {
  return fmt::format("{}/{:x}", key.id, key.directory_id.low);
}

}  // namespace

void Oracle::stepped(const Raft& raft, const SimDisk& disk, Role role_before, Offset hw_before,
                     Epoch epoch_before) {
  raft.check_invariants();
  if (raft.high_watermark() < hw_before)
    violation_(fmt::format("{}: the high watermark went back from {} to {}", text(raft.key()), hw_before,
                           raft.high_watermark()));
  if (raft.epoch() < epoch_before)
    violation_(
        fmt::format("{}: the epoch went back from {} to {}", text(raft.key()), epoch_before, raft.epoch()));
  std::int64_t open = 0;
  for (const auto& entry : raft.voter_history().entries())
    if (entry.offset >= committed_end()) ++open;
  if (open > 1)
    violation_(fmt::format("{}: {} changes of the voters are uncommitted", text(raft.key()), open));
  bool elected = raft.is_leader() && (role_before != Role::kLeader || raft.epoch() != epoch_before);
  if (elected) check_leader(raft, disk);
}

void Oracle::check_leader(const Raft& raft, const SimDisk& disk) {
  auto [it, first] = leaders_.try_emplace(raft.epoch(), raft.key());
  if (!first && it->second != raft.key())
    violation_(
        fmt::format("epoch {} has two leaders: {} and {}", raft.epoch(), text(it->second), text(raft.key())));
  for (auto known = committed_.rbegin(); known != committed_.rend(); ++known) {
    if (known->second.by >= raft.epoch()) continue;
    if (disk.start > known->first) return;  // in its snapshot
    auto prefix = disk.prefix_at(known->first, false);
    if (prefix != known->second.prefix)
      violation_(fmt::format("{} leads epoch {} without what epoch {} has committed up to {}",
                             text(raft.key()), raft.epoch(), known->second.by, known->first));
    return;
  }
}

void Oracle::appended(const ReplicaKey& node, const SimDisk& disk, const Entry& entry) {
  auto [it, first] = logs_.try_emplace({entry.end, entry.epoch}, entry.prefix);
  if (!first && it->second != entry.prefix)
    violation_(fmt::format("{}: the log up to {} of epoch {} is not the one that another node has",
                           text(node), entry.end, entry.epoch));
  if (!entry.voters.has_value()) return;
  const VoterSet* before = nullptr;
  for (const Entry& older : disk.log)
    if (older.voters.has_value() && older.end < entry.end) before = &older.voters->voters;
  if (before == nullptr) return;
  std::vector<ReplicaKey> a;
  std::vector<ReplicaKey> b;
  for (const Voter& voter : before->voters) a.push_back(voter.key());
  for (const Voter& voter : entry.voters->voters.voters) b.push_back(voter.key());
  std::vector<ReplicaKey> changed;
  std::ranges::set_symmetric_difference(a, b, std::back_inserter(changed));
  if (changed.size() > 1)
    violation_(fmt::format("{}: {} voters changed at once", text(node), changed.size()));
}

void Oracle::truncated(const ReplicaKey& node, const SimDisk& disk, Offset to) {
  auto next = committed_.upper_bound(to);
  if (next != committed_.end() && disk.prefix_at(next->first, true) == next->second.prefix)
    violation_(fmt::format("{}: cuts its log at {}, and has what is committed up to {}", text(node), to,
                           next->first));
}

void Oracle::state_written(const ReplicaKey& node, const std::optional<QuorumState>& before,
                           const QuorumState& after) {
  if (!before.has_value()) return;
  if (after.leader_epoch < before->leader_epoch)
    violation_(fmt::format("{}: quorum-state went back from epoch {} to {}", text(node), before->leader_epoch,
                           after.leader_epoch));
  bool same = after.leader_epoch == before->leader_epoch;
  bool both = after.voted_id != kNoBroker && before->voted_id != kNoBroker;
  if (same && both && after.voted_id != before->voted_id)
    violation_(fmt::format("{}: quorum-state changed the vote of epoch {}", text(node), after.leader_epoch));
  if (same && before->leader_id != kNoBroker && after.leader_id != before->leader_id)
    violation_(
        fmt::format("{}: quorum-state changed the leader of epoch {}", text(node), after.leader_epoch));
}

void Oracle::voted(const Raft& voter, const SimDisk& disk, const VoteRequest& request) {
  bool dir = request.voter.directory_id.is_zero() || request.voter.directory_id == voter.key().directory_id;
  if (request.voter.id != voter.key().id || !dir)
    violation_(fmt::format("{} voted as {}", text(voter.key()), text(request.voter)));
  if (request.pre_vote) return;
  bool on_disk = disk.state.has_value() &&
                 (disk.state->leader_epoch > request.epoch || (disk.state->leader_epoch == request.epoch &&
                                                               disk.state->voted_id == request.candidate.id));
  if (!on_disk)
    violation_(
        fmt::format("{} told a vote of epoch {} that is not on disk", text(voter.key()), request.epoch));
  auto [it, first] = votes_.try_emplace({voter.key(), request.epoch}, request.candidate);
  if (!first && it->second != request.candidate)
    violation_(fmt::format("{} voted twice in epoch {}: for {} and {}", text(voter.key()), request.epoch,
                           text(it->second), text(request.candidate)));
}

void Oracle::committed(const Raft& raft, const SimDisk& disk, Offset high_watermark, bool led) {
  auto prefix = disk.prefix_at(high_watermark, false);
  if (!prefix.has_value()) {
    violation_(fmt::format("{}: committed up to {}, where no batch ends", text(raft.key()), high_watermark));
    return;
  }
  if (high_watermark <= committed_end()) {
    auto known = committed_.find(high_watermark);
    if (known == committed_.end() || known->second.prefix != *prefix)
      violation_(
          fmt::format("{}: takes another log up to {} for committed", text(raft.key()), high_watermark));
    return;
  }
  if (!led) {
    violation_(fmt::format("{}: takes {} for committed, and that is {}", text(raft.key()), high_watermark,
                           committed_end()));
    return;
  }
  if (raft.is_leader() && high_watermark <= raft.epoch_start())
    violation_(fmt::format("{}: committed up to {} by counting, and its epoch begins at {}", text(raft.key()),
                           high_watermark, raft.epoch_start()));
  std::size_t copies = 0;
  for (const Voter& voter : raft.voters().voters) {
    const SimDisk* holder = disk_of_(voter.key());
    if (holder == nullptr) continue;
    if (holder->start > high_watermark || holder->prefix_at(high_watermark, true) == prefix) ++copies;
  }
  if (copies < raft.voters().majority())
    violation_(fmt::format("{}: committed up to {} with {} of {} voters having it on disk", text(raft.key()),
                           high_watermark, copies, raft.voters().voters.size()));
  // Everything below becomes committed with it, and must go on from what was.
  Offset from = committed_end();
  auto before = committed_.empty() ? std::optional<std::uint64_t>(0)
                                   : std::optional(committed_.rbegin()->second.prefix);
  if (disk.start <= from && disk.prefix_at(from, false) != before)
    violation_(fmt::format("{}: commits up to {} a log that is not the one committed up to {}",
                           text(raft.key()), high_watermark, from));
  for (const Entry& entry : disk.log) {
    if (entry.end <= from || entry.end > high_watermark) continue;
    committed_[entry.end] = {entry.prefix, raft.epoch()};
    auto epoch = entry.epoch;
    if (epoch > raft.epoch()) violation_(fmt::format("{}: holds epoch {}", text(raft.key()), epoch));
  }
}

}  // namespace milena::raft_sim
