#include "world.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "base/check.h"

namespace milena::raft_sim {
namespace {

constexpr std::size_t kPieceBytes = 24;  // of a snapshot

Voter voter_of(const Node& node, bool with_directory) {
  auto port =
      static_cast<std::uint16_t>(9000 + node.id.value() + static_cast<std::int32_t>(node.rename) * 100);
  return Voter{node.id, with_directory ? node.disk.directory : Uuid{}, {{"CONTROLLER", "host", port}}, 0, 1};
}

}  // namespace

World::World(std::uint64_t seed, bool verbose)
    : verbose_(verbose),
      random_(seed),
      oracle_([this](const ReplicaKey& key) { return disk_of(key); },
              [this](std::string what) { violation(std::move(what)); }) {
  auto count = static_cast<int>(random_.between(1, 5));
  if (count < 3 && random_.one_in(2)) count = 3;
  auto observers = static_cast<int>(random_.between(0, 2));
  voters_.kraft_version = random_.one_in(4) ? 0 : 1;
  for (int i = 1; i <= count + observers; ++i) {
    Node& node = nodes_[BrokerId(i)];
    node.id = BrokerId(i);
    node.disk.directory = Uuid{7, random_.next() | 1};
    node.skew = from_ms(random_.between(0, 100'000));
    node.drift_ppm = random_.one_in(2) ? random_.between(-30'000, 30'000) : 0;
    if (node.drift_ppm != 0) mark("drifting clock");
    if (i <= count) voters_.voters.push_back(voter_of(node, dynamic()));
  }
  for (const Voter& voter : voters_.voters)
    if (dynamic()) nodes_[voter.id].disk.snapshots[SnapshotId{}] = make_snapshot(0, voters_, Epoch(0));
  for (auto& [id, node] : nodes_) start(node);
}

void World::violation(std::string what) {
  violations_.push_back(fmt::format("at {:.3f} s: {}", static_cast<double>(now_.count()) / 1e9, what));
}

void World::note(const std::string& what) const {
  if (verbose_) fmt::print(stderr, "{:9.4f} {}\n", static_cast<double>(now_.count()) / 1e9, what);
}

void World::after(Duration wait, std::function<void()> what) {
  queue_.push({now_ + wait, ++sequence_, std::move(what)});
}

void World::run_until(Duration end) {
  while (!failed() && !queue_.empty() && queue_.top().at <= end) {
    auto next = std::move(const_cast<Planned&>(queue_.top()));
    queue_.pop();
    now_ = next.at;
    next.what();
  }
  now_ = std::max(now_, end);
}

const SimDisk* World::disk_of(const ReplicaKey& key) const {
  auto node = nodes_.find(key.id);
  if (node != nodes_.end() && (key.directory_id.is_zero() || node->second.disk.directory == key.directory_id))
    return &node->second.disk;
  auto lost = lost_.find(key);
  return lost == lost_.end() ? nullptr : &lost->second;
}

Node* World::leader() {
  Node* best = nullptr;
  for (auto& [id, node] : nodes_)
    if (node.raft != nullptr && node.raft->is_leader() &&
        (best == nullptr || node.raft->epoch() > best->raft->epoch()))
      best = &node;
  return best;
}

Now World::local(const Node& node) const {
  Duration since =
      now_ +
      Duration(static_cast<std::int64_t>(static_cast<__int128>(now_.count()) * node.drift_ppm / 1'000'000)) +
      node.skew;
  return {Instant(since), Timestamp(1'000'000'000'000 + to_ms(since))};
}

Config World::config_of(const Node& node) {
  Config config;
  config.node_id = node.id;
  config.directory_id = node.disk.directory;
  if (!dynamic()) config.static_voters = voters_;
  config.seed = random_.next();
  for (const auto& [id, other] : nodes_)
    if (id != node.id && id <= BrokerId(3)) config.bootstrap.push_back(id);
  config.endpoints = voter_of(node, true).endpoints;
  return config;
}

void World::start(Node& node) {
  if (node.raft != nullptr) return;
  Recovered recovered = node.disk.recover();
  if (recovered.quorum_state.has_value() && recovered.quorum_state->leader_id == node.id)
    mark("leader restarted");
  node.raft = std::make_unique<Raft>(config_of(node), std::move(recovered));
  step(node, Start{});
}

void World::crash(Node& node) {
  if (node.raft == nullptr) return;
  std::size_t open = node.disk.log.size() - node.disk.synced;
  if (open > 0) mark("unsynced records lost");
  node.disk.lose_power(open == 0 ? 0 : random_.below(open + 1));
  node.raft.reset();
  ++node.life;
  node.stopped = node.busy = node.paused = node.syncing = node.sync_again = false;
  node.inbox.clear();
  node.waiting.clear();
  node.received = Buffer();
  mark("crash");
  note(fmt::format("node {} crashes", node.id));
}

void World::wipe(Node& node) {
  crash(node);
  lost_[{node.id, node.disk.directory}] = std::move(node.disk);
  node.disk = SimDisk();
  node.disk.directory = Uuid{7, random_.next() | 1};
  mark("disk wiped");
}

void World::pause(Node& node, bool paused) {
  if (node.raft == nullptr || node.paused == paused) return;
  node.paused = paused;
  if (paused) {
    mark("pause");
    return;
  }
  auto inbox = std::exchange(node.inbox, {});
  for (Event& event : inbox) deliver(node, std::move(event));
}

void World::isolate(BrokerId id) {
  note(fmt::format("node {} is cut off", id));
  for (const auto& [other, node] : nodes_) {
    if (other == id) continue;
    cut(id, other);
    cut(other, id);
  }
}

void World::join(BrokerId id) {
  note(fmt::format("node {} comes back", id));
  std::erase_if(cuts_, [&](const auto& link) { return link.first == id || link.second == id; });
}

// An event for a node that is up; it waits while the node cannot look.
void World::deliver(Node& node, Event event) {
  if (node.raft == nullptr) return;
  if (node.busy || node.paused)
    node.inbox.push_back(std::move(event));
  else
    step(node, event);
}

void World::step(Node& node, const Event& event) {
  if (failed()) return;
  if (std::holds_alternative<Resign>(event)) node.stopped = true;
  Raft& raft = *node.raft;
  Role role = raft.role();
  Offset high_watermark = raft.high_watermark();
  Epoch epoch = raft.epoch();
  Effects effects = raft.step(local(node), event);
  ++steps_;
  std::uint64_t mix = trace_ ^ static_cast<std::uint64_t>(now_.count()) ^
                      (static_cast<std::uint64_t>(node.id.value()) << 56) ^ (event.index() << 48) ^
                      (static_cast<std::uint64_t>(raft.role()) << 40) ^
                      (static_cast<std::uint64_t>(raft.epoch().value()) << 20) ^
                      static_cast<std::uint64_t>(raft.log_end().value() + raft.high_watermark().value() * 7);
  trace_ = splitmix64(mix);
  if (verbose_ && (effects.new_role.has_value() || raft.epoch() != epoch))
    fmt::print(stderr, "{:9.4f} node {} {} epoch {} leader {} log {} committed {} after event {}\n",
               static_cast<double>(now_.count()) / 1e9, node.id, name(raft.role()), raft.epoch(),
               raft.leader_id(), raft.log_end(), raft.high_watermark(), event.index());
  if (effects.new_role.has_value()) mark(fmt::format("role {}", name(*effects.new_role)));
  if (role == Role::kLeader && raft.role() == Role::kResigned && std::holds_alternative<Tick>(event))
    mark("check-quorum resignation");
  if (role == Role::kLeader && raft.role() == Role::kResigned && !raft.is_voter())
    mark("removed leader resigned");
  const auto* got = std::get_if<RequestReceived>(&event);
  if (got != nullptr && std::holds_alternative<UpdateVoterRequest>(got->request) && !effects.append.empty())
    mark("voter updated");
  if (effects.fatal.has_value()) violation(fmt::format("node {} is broken: {}", node.id, *effects.fatal));
  oracle_.stepped(raft, node.disk, role, high_watermark, epoch);
  perform(node, std::move(effects), role == Role::kLeader || raft.is_leader());
}

void World::perform(Node& node, Effects effects, bool led) {
  if (!effects.write_quorum_state.has_value()) return perform_rest(node, effects, led);
  node.busy = true;
  Duration time = from_us(random_.between(100, 2000));
  if (node.slow_until > now_) time = from_ms(random_.between(10, 1500));
  auto shared = std::make_shared<Effects>(std::move(effects));
  // A power loss while it is written leaves the old one or the new one.
  auto write = [this, shared](Node& at) {
    oracle_.state_written({at.id, at.disk.directory}, at.disk.state, *shared->write_quorum_state);
    at.disk.state = shared->write_quorum_state;
  };
  bool early = random_.one_in(2);
  BrokerId id = node.id;
  std::uint64_t life = node.life;
  if (early) {
    after(time / 2, [this, id, life, write] {
      if (nodes_[id].life == life) write(nodes_[id]);
    });
  }
  after(time, [this, id, life, shared, write, early, led] {
    Node& at = nodes_[id];
    if (at.life != life) return mark("crash while quorum-state was written");
    if (!early) write(at);
    at.busy = false;
    perform_rest(at, *shared, led);
    if (at.paused) return;
    auto inbox = std::exchange(at.inbox, {});
    for (Event& event : inbox) deliver(at, std::move(event));
  });
}

void World::perform_rest(Node& node, Effects& effects, bool led) {
  ReplicaKey key = node.raft->key();
  if (effects.truncate_to.has_value()) {
    oracle_.truncated(key, node.disk, *effects.truncate_to);
    node.disk.truncate(*effects.truncate_to);
    mark("log truncated");
  }
  for (const Append& batch : effects.append) {
    node.disk.append(batch);
    oracle_.appended(key, node.disk, node.disk.log.back());
  }
  if (effects.sync_log) start_sync(node);
  if (effects.high_watermark.has_value())
    oracle_.committed(*node.raft, node.disk, *effects.high_watermark, led);
  if (effects.snapshot_piece.has_value()) take_piece(node, *effects.snapshot_piece);
  for (const Reply& one : effects.replies) reply(node, one);
  for (const OutgoingRequest& one : effects.requests) send(node, one);
  for (const VoterChangeResult& one : effects.changes)
    mark(one.error == wire::ErrorCode::NONE ? "voter change committed" : "voter change refused");
  plan_tick(node);
}

void World::plan_tick(Node& node) {
  Instant next = node.raft->next_deadline();
  std::uint64_t tick = ++node.tick;
  if (next == Instant::never()) return;
  Duration local_wait = next - local(node).instant;
  Duration wait = std::max(local_wait - local_wait / 1'000'000 * node.drift_ppm, Duration(0)) + from_us(60);
  BrokerId id = node.id;
  std::uint64_t life = node.life;
  after(wait, [this, id, life, tick] {
    Node& at = nodes_[id];
    if (at.life == life && at.tick == tick && at.raft != nullptr) deliver(at, Tick{});
  });
}

void World::start_sync(Node& node) {
  if (node.syncing) {
    node.sync_again = true;
    return;
  }
  node.syncing = true;
  std::uint64_t truncations = node.raft->truncations();
  Offset end = node.disk.end();
  std::size_t count = node.disk.log.size();
  Offset start = node.disk.start;
  Duration time = from_us(random_.between(100, 5000));
  if (node.slow_until > now_) {
    time = from_ms(random_.between(10, 3000));
    mark("slow sync");
  }
  BrokerId id = node.id;
  std::uint64_t life = node.life;
  after(time, [this, id, life, truncations, end, count, start] {
    Node& at = nodes_[id];
    if (at.life != life) return;
    at.syncing = false;
    if (at.raft->truncations() == truncations) {
      auto trimmed = count;  // entries that went away at the start meanwhile were among them
      if (at.disk.start != start) {
        trimmed = 0;
        while (trimmed < at.disk.log.size() && at.disk.log[trimmed].end <= end) ++trimmed;
      }
      at.disk.synced = std::max(at.disk.synced, trimmed);
    } else {
      mark("sync of a log that was cut");
    }
    if (std::exchange(at.sync_again, false)) start_sync(at);
    deliver(at, LogSynced{end, truncations});
  });
}

void World::take_piece(Node& node, const SnapshotPiece& piece) {
  if (piece.position == 0) node.received = Buffer();
  CHECK(static_cast<std::size_t>(piece.position) == node.received.size());
  node.received.append(piece.bytes.view());
  if (!piece.last) return;
  Bytes file = node.received.share(0, node.received.size());
  node.received = Buffer();
  bool damaged = random_.one_in(10);
  BrokerId id = node.id;
  std::uint64_t life = node.life;
  SnapshotId snapshot_id = piece.id;
  Duration time = from_ms(random_.between(1, node.slow_until > now_ ? 4000 : 20));
  after(time, [this, id, life, snapshot_id, file, damaged] {
    Node& at = nodes_[id];
    if (at.life != life) return;
    auto snapshot = read_snapshot(damaged ? file.slice(0, file.size() / 2) : file);
    if (!snapshot.has_value()) {
      mark("damaged snapshot");
      return deliver(at, SnapshotRefused{snapshot_id});
    }
    std::optional<VoterSet> voters = snapshot->voters;
    at.disk.install(snapshot_id, *std::move(snapshot));
    mark("snapshot fetched");
    deliver(at, SnapshotInstalled{snapshot_id, voters});
  });
}

void World::send(Node& node, const OutgoingRequest& out) {
  BrokerId from = node.id;
  std::uint64_t life = node.life;
  auto fail = [this, from, life, out] {
    after(delay(), [this, from, life, out] {
      Node& at = nodes_[from];
      if (at.life == life) deliver(at, RequestFailed{out.to, out.correlation});
    });
  };
  auto to = nodes_.find(out.to);
  if (to == nodes_.end() || (to->second.raft == nullptr && random_.one_in(2))) return fail();
  bool lost = is_cut(from, out.to) || random_.below(100) < loss_percent_;
  if (lost) {
    mark("request lost");
    if (random_.one_in(3)) fail();
    return;
  }
  std::uint64_t copies = random_.below(100) < double_percent_ ? 2 : 1;
  if (copies == 2) mark("request twice");
  for (std::uint64_t i = 0; i < copies; ++i) {
    Duration late = i == 0 ? delay() : delay() + from_ms(random_.between(0, 3000));
    after(late, [this, from, life, out] { arrive(from, life, out.to, out.correlation, out.request); });
  }
}

void World::arrive(BrokerId from, std::uint64_t life, BrokerId to, std::uint64_t correlation,
                   const Request& request) {
  Node& node = nodes_[to];
  if (node.raft == nullptr) return;
  std::uint64_t id = ++node.next_request;
  const auto* vote = std::get_if<VoteRequest>(&request);
  std::optional<VoteRequest> asked = vote == nullptr ? std::nullopt : std::optional(*vote);
  node.waiting[id] = [this, from, life, to, correlation, asked](Response response) {
    const auto* answer = std::get_if<VoteResponse>(&response.body);
    if (asked.has_value() && answer != nullptr) {
      mark(fmt::format("{} {}", asked->pre_vote ? "pre-vote" : "vote",
                       answer->granted ? "granted" : "refused"));
      if (answer->granted) oracle_.voted(*nodes_[to].raft, nodes_[to].disk, *asked);
    }
    if (is_cut(to, from) || random_.below(100) < loss_percent_) return mark("response lost");
    after(delay(), [this, from, life, to, correlation, response = std::move(response)] {
      Node& at = nodes_[from];
      if (at.life == life) deliver(at, ResponseReceived{to, correlation, response});
    });
  };
  deliver(node, RequestReceived{id, request});
}

void World::reply(Node& node, const Reply& out) {
  auto waiting = node.waiting.find(out.id);
  if (waiting == node.waiting.end())
    return violation(fmt::format("node {} answers a request twice", node.id));
  auto answer = std::move(waiting->second);
  node.waiting.erase(waiting);
  Response response = out.response;
  if (out.read_from.has_value()) {
    Buffer records;
    std::uint64_t most = random_.below(6) + 1;
    for (const Entry& entry : node.disk.log) {
      if (entry.base < *out.read_from || most == 0) continue;
      records.append(entry.bytes.view());
      --most;
    }
    std::get<FetchResponse>(response.body).records = records.share(0, records.size());
  }
  if (const auto* fetched = std::get_if<FetchResponse>(&response.body))
    if (fetched->diverging.has_value()) mark("diverging epoch told");
  if (out.read_snapshot) {
    auto& piece = std::get<FetchSnapshotResponse>(response.body);
    auto found = node.disk.snapshots.find(piece.id);
    auto position = static_cast<std::size_t>(piece.position);
    if (found == node.disk.snapshots.end() || position >= found->second.file.size()) {
      response.error = wire::ErrorCode::SNAPSHOT_NOT_FOUND;
      response.body = Done{};
      mark("snapshot gone");
    } else {
      const Bytes& file = found->second.file;
      piece.size = static_cast<std::int64_t>(file.size());
      piece.bytes = file.slice(position, std::min(kPieceBytes, file.size() - position));
    }
  }
  answer(std::move(response));
}

void World::propose() {
  std::vector<Node*> up;
  for (auto& [id, node] : nodes_)
    if (node.raft != nullptr && !node.busy && !node.paused && node.raft->is_leader()) up.push_back(&node);
  if (up.empty()) return;
  Propose proposal;
  std::uint64_t count = random_.below(3) + 1;
  for (std::uint64_t i = 0; i < count; ++i)
    proposal.values.push_back(Bytes::copy(fmt::format("value {}", ++proposals_)));
  step(*up[random_.below(up.size())], proposal);
}

void World::snapshot(Node& node, bool trim) {
  if (node.raft == nullptr || node.busy || node.paused) return;
  Raft& raft = *node.raft;
  Offset end = raft.high_watermark();
  auto prefix = node.disk.prefix_at(end, false);
  if (end <= node.disk.start || !prefix.has_value()) return;
  SnapshotId id{end, raft.epochs().at(end - 1)};
  std::optional<VoterSet> voters;
  if (dynamic()) voters = raft.voter_history().at(end);
  if (voters.has_value() && voters->voters.empty()) return;
  node.disk.snapshots[id] = make_snapshot(*prefix, voters, id.epoch);
  step(node, SnapshotCreated{id});
  if (!trim || node.raft == nullptr || node.busy) return;
  node.disk.trim(end);
  std::erase_if(node.disk.snapshots, [&](const auto& entry) { return entry.first < id; });
  mark("log trimmed");
  step(node, LogStartMoved{end});
}

}  // namespace milena::raft_sim
