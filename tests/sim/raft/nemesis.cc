#include "nemesis.h"

#include <algorithm>

#include <fmt/format.h>

namespace milena::raft_sim {
namespace {

class Run {
 public:
  Run(std::uint64_t seed, bool verbose) : world_(seed, verbose), random_(seed ^ 0x9e3779b97f4a7c15ULL) {}

  void all() {
    Duration chaos = from_ms(random_.between(15'000, 40'000));
    plan_proposals();
    plan_trouble();
    plan_changes();
    plan_snapshots();
    world_.run_until(chaos);
    peace_ = true;
    heal();
    if (!settles("after the faults")) return;
    quiet_rejoin();
    if (!world_.failed()) lost_leader();
    if (!world_.failed()) stopped_leader();
  }
  World& world() { return world_; }

 private:
  void plan_proposals() {
    world_.after(from_ms(random_.between(20, peace_ ? 400 : 150)), [this] {
      if (!hold_) world_.propose();
      plan_proposals();
    });
  }
  void plan_trouble() {
    world_.after(from_ms(random_.between(100, 2500)), [this] {
      if (peace_) return;
      trouble();
      plan_trouble();
    });
  }
  void plan_changes() {
    world_.after(from_ms(random_.between(300, 4000)), [this] {
      if (peace_) return;
      change_voters();
      plan_changes();
    });
  }
  void plan_snapshots() {
    world_.after(from_ms(random_.between(500, 6000)), [this] {
      Node& node = any();
      if (!hold_) world_.snapshot(node, random_.one_in(2));
      plan_snapshots();
    });
  }
  Node& any() {
    auto it = world_.nodes().begin();
    std::advance(it, static_cast<std::ptrdiff_t>(random_.below(world_.nodes().size())));
    return it->second;
  }
  void later(std::int64_t from, std::int64_t to, std::function<void()> what) {
    world_.after(from_ms(random_.between(from, to)), [this, what = std::move(what)] {
      if (!peace_) what();
    });
  }

  void trouble() {
    Node& node = any();
    Node& other = any();
    BrokerId id = node.id;
    switch (random_.below(13)) {
      case 0:
      case 1:
        crash_for_a_while(node);
        break;
      case 2:
        if (Node* leader = world_.leader(); leader != nullptr) crash_for_a_while(*leader);
        break;
      case 3:
        for (auto& [_, one] : world_.nodes()) crash_for_a_while(one);
        world_.mark("all crash");
        break;
      case 4:
        world_.pause(node, true);
        later(50, 5000, [this, id] { world_.pause(world_.nodes()[id], false); });
        break;
      case 5:
        world_.cut(node.id, other.id);
        world_.mark("one-way cut");
        later(500, 6000, [this] { world_.heal(); });
        break;
      case 6:
        world_.isolate(node.id);
        world_.mark("node cut off");
        later(500, 8000, [this, id] { world_.join(id); });
        break;
      case 7:
        if (Node* leader = world_.leader(); leader != nullptr) {
          BrokerId cut = leader->id;
          world_.isolate(cut);
          later(500, 8000, [this, cut] { world_.join(cut); });
        }
        break;
      case 8:
        swizzle();
        break;
      case 9:
        node.slow_until = world_.now() + from_ms(random_.between(500, 8000));
        break;
      case 10:
        world_.set_network(random_.below(40), from_ms(random_.between(2, 400)), random_.below(30));
        later(500, 6000, [this] { world_.set_network(random_.below(3), 5ms, 1); });
        break;
      case 11:
        maybe_wipe(node);
        break;
      case 12:
        stop_cleanly(node);
        break;
      default:
        break;
    }
  }

  void crash_for_a_while(Node& node) {
    world_.crash(node);
    if (random_.one_in(4)) ++node.rename;  // it comes back on another port
    BrokerId id = node.id;
    later(20, 5000, [this, id] { world_.start(world_.nodes()[id]); });
  }
  // Cuts all off one by one and lets them come back in another order (FoundationDB's swizzle).
  void swizzle() {
    world_.mark("swizzle");
    for (auto& [id, _] : world_.nodes()) {
      BrokerId one = id;
      later(0, 2500, [this, one] { world_.isolate(one); });
      later(3000, 6000, [this, one] { world_.join(one); });
    }
  }
  void stop_cleanly(Node& node) {
    if (node.raft == nullptr || node.busy || node.paused) return;
    if (node.raft->is_leader()) world_.mark("leader stopped cleanly");
    world_.step(node, Resign{});
    BrokerId id = node.id;
    std::uint64_t life = node.life;
    later(50, 800, [this, id, life] {
      Node& at = world_.nodes()[id];
      if (at.life == life) crash_for_a_while(at);
    });
  }

  // At most one voter's disk is lost until it has been replaced, and never while the voters are changing:
  // more than a minority may not be lost.
  void maybe_wipe(Node& node) {
    if (!world_.dynamic()) return;
    const VoterSet* same = nullptr;
    for (auto& [id, one] : world_.nodes()) {
      Recovered found = one.disk.recover();
      if (!found.voters.has_value() || found.voters->voters.empty()) continue;
      if (found.voters_offset >= world_.oracle().committed_end()) return;
      if (one.raft != nullptr && one.raft->voters() != *found.voters) return;
      for (const Voter& voter : found.voters->voters)
        if (world_.lost_disks().contains(voter.key())) return;
      if (voters_seen_.empty() || same == nullptr)
        voters_seen_.assign(1, *found.voters);
      else if (*found.voters != voters_seen_.front())
        return;
      same = &voters_seen_.front();
    }
    if (same == nullptr) return;
    bool voter = same->is_voter({node.id, node.disk.directory});
    if (voter && same->voters.size() < 3) return;
    world_.wipe(node);
    if (voter) world_.mark("voter's disk wiped");
    BrokerId id = node.id;
    later(20, 3000, [this, id] { world_.start(world_.nodes()[id]); });
  }

  void change_voters() {
    Node* leader = world_.leader();
    if (leader == nullptr || leader->busy || leader->paused || !world_.dynamic()) return;
    const VoterSet& voters = leader->raft->voters();
    for (const Voter& voter : voters.voters) {
      if (!world_.lost_disks().contains(voter.key())) continue;
      world_.mark("lost voter removed");
      return world_.step(*leader, RemoveVoter{world_.next_change(), voter.key()});
    }
    Node& node = any();
    const Voter* known = voters.find(node.id);
    if (known == nullptr && voters.voters.size() < 5) {
      Voter voter{node.id, node.disk.directory, {{"CONTROLLER", "host", 9000}}, 0, 1};
      world_.mark("voter added");
      return world_.step(*leader, AddVoter{world_.next_change(), voter, !random_.one_in(4)});
    }
    if (known == nullptr || voters.voters.size() < 2 || random_.one_in(2)) return;
    if (node.id == leader->id)
      world_.mark("leader removed");
    else
      world_.mark("voter removed");
    world_.step(*leader, RemoveVoter{world_.next_change(), known->key()});
  }

  void heal() {
    world_.heal();
    world_.set_network(0, 5ms, 0);
    world_.note("peace");
    for (auto& [id, node] : world_.nodes()) {
      node.slow_until = Duration(0);
      world_.pause(node, false);
      world_.crash_stopped(node);
      world_.start(node);
    }
  }

  // True: there is a leader that all follow, and all have all that is committed.
  bool settled() {
    Node* leader = world_.leader();
    if (leader == nullptr) return false;
    Offset committed = world_.oracle().committed_end();
    if (committed <= leader->raft->epoch_start()) return false;
    for (const Voter& voter : leader->raft->voters().voters)
      if (world_.lost_disks().contains(voter.key())) return false;
    for (auto& [id, node] : world_.nodes()) {
      const Raft& raft = *node.raft;
      bool right = raft.epoch() == leader->raft->epoch() && raft.leader_id() == leader->id &&
                   raft.high_watermark() == committed && raft.log_end() == leader->raft->log_end();
      if (!right) return false;
    }
    return true;
  }
  // An operator removes a voter whose disk is gone.
  void replace_lost() {
    Node* leader = world_.leader();
    if (leader == nullptr || leader->busy) return;
    for (const Voter& voter : leader->raft->voters().voters)
      if (world_.lost_disks().contains(voter.key()))
        return world_.step(*leader, RemoveVoter{world_.next_change(), voter.key()});
  }
  // While nothing is proposed, the quorum comes to rest.
  bool settles(const std::string& when) {
    Duration end = world_.now() + 60s;
    world_.run_until(world_.now() + 3s);  // proposals go on, so that something must be committed
    hold_ = true;
    while (!world_.failed() && world_.now() < end && !settled()) {
      replace_lost();
      world_.run_until(world_.now() + 200ms);
    }
    if (!world_.failed() && !settled())
      world_.violation("no leader that all follow, with all committed, " + when + state());
    hold_ = false;
    return !world_.failed();
  }
  std::string state() {
    std::string text;
    for (auto& [id, node] : world_.nodes()) {
      if (node.raft == nullptr) continue;
      const Raft& raft = *node.raft;
      text += fmt::format("; {}: {} epoch {} leader {} log {} synced {} committed {} voters", id,
                          name(raft.role()), raft.epoch(), raft.leader_id(), raft.log_end(),
                          raft.synced_end(), raft.high_watermark());
      for (const Voter& voter : raft.voters().voters) text += fmt::format(" {}", voter.id);
    }
    return text;
  }
  // A voter other than the leader; nothing: fewer than three voters.
  std::optional<BrokerId> follower() {
    Node* leader = world_.leader();
    const auto& voters = leader->raft->voters().voters;
    if (voters.size() < 3) return std::nullopt;
    std::vector<BrokerId> others;
    for (const Voter& voter : voters)
      if (voter.id != leader->id) others.push_back(voter.id);
    return others[random_.below(others.size())];
  }

  void quiet_rejoin() {
    auto id = follower();
    if (!id.has_value()) return;
    Epoch epoch = world_.leader()->raft->epoch();
    world_.isolate(*id);
    world_.run_until(world_.now() + from_ms(random_.between(4000, 12'000)));
    world_.join(*id);
    if (!settles("after a follower came back")) return;
    world_.run_until(world_.now() + 5s);
    if (world_.failed()) return;
    if (world_.leader() == nullptr || world_.leader()->raft->epoch() != epoch)
      world_.violation(
          fmt::format("node {} was cut off, came back, and the epoch {} did not last", *id, epoch) + state());
    else
      world_.mark("quiet rejoin");
  }

  void lost_leader() {
    Node* leader = world_.leader();
    if (leader == nullptr || leader->raft->voters().voters.size() < 3) return;
    BrokerId id = leader->id;
    Epoch epoch = leader->raft->epoch();
    world_.isolate(id);
    // One and a half fetch timeouts by a clock that may be slow, behind the last fetch, which may have
    // waited.
    world_.run_until(world_.now() + 4s);
    if (world_.failed()) return;
    const Raft& old = *world_.nodes()[id].raft;
    if (old.is_leader() && old.epoch() == epoch)
      return world_.violation(fmt::format("node {} was cut off and did not resign", id) + state());
    world_.mark("lost leader resigned");
    Duration end = world_.now() + 30s;
    auto replaced = [&] {
      Node* now = world_.leader();
      return now != nullptr && now->raft->epoch() > epoch &&
             now->raft->high_watermark() > now->raft->epoch_start();
    };
    while (!world_.failed() && world_.now() < end && !replaced()) world_.run_until(world_.now() + 200ms);
    if (!world_.failed() && !replaced())
      world_.violation("nobody replaced a leader that was cut off" + state());
    world_.join(id);
    settles("after a leader came back");
  }

  // A leader that stops cleanly hands over at once, not after a fetch timeout.
  void stopped_leader() {
    Node* leader = world_.leader();
    if (leader == nullptr || leader->busy || leader->raft->voters().voters.size() < 2) return;
    BrokerId id = leader->id;
    Epoch epoch = leader->raft->epoch();
    hold_ = true;
    world_.step(*leader, Resign{});
    world_.run_until(world_.now() + 1500ms);
    if (world_.failed()) return;
    Node* next = world_.leader();
    if (next != nullptr && next->raft->epoch() > epoch) world_.mark("quick succession");
    world_.crash(world_.nodes()[id]);
    world_.start(world_.nodes()[id]);
    hold_ = false;
    settles("after a leader stopped");
  }

  World world_;
  Random random_;
  bool peace_ = false;
  bool hold_ = false;
  std::vector<VoterSet> voters_seen_;
};

}  // namespace

RunResult run(std::uint64_t seed, bool verbose) {
  Run one(seed, verbose);
  one.all();
  World& world = one.world();
  return {seed,          world.trace(),     world.steps(), static_cast<double>(world.now().count()) / 1e9,
          world.marks(), world.violations()};
}

const std::vector<std::string>& all_marks() {
  static const std::vector<std::string> all = {"role Unattached",
                                               "role Voted",
                                               "role Prospective",
                                               "role Candidate",
                                               "role Leader",
                                               "role Follower",
                                               "role Resigned",
                                               "pre-vote granted",
                                               "pre-vote refused",
                                               "vote granted",
                                               "vote refused",
                                               "check-quorum resignation",
                                               "leader restarted",
                                               "leader stopped cleanly",
                                               "quick succession",
                                               "crash",
                                               "all crash",
                                               "unsynced records lost",
                                               "crash while quorum-state was written",
                                               "slow sync",
                                               "log truncated",
                                               "diverging epoch told",
                                               "log trimmed",
                                               "snapshot fetched",
                                               "damaged snapshot",
                                               "snapshot gone",
                                               "disk wiped",
                                               "voter's disk wiped",
                                               "lost voter removed",
                                               "voter added",
                                               "voter removed",
                                               "leader removed",
                                               "removed leader resigned",
                                               "voter updated",
                                               "voter change committed",
                                               "voter change refused",
                                               "pause",
                                               "one-way cut",
                                               "node cut off",
                                               "swizzle",
                                               "drifting clock",
                                               "request lost",
                                               "response lost",
                                               "request twice",
                                               "quiet rejoin",
                                               "lost leader resigned"};
  return all;
}

}  // namespace milena::raft_sim
