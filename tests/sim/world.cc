#include "world.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdio>

#include "directory_admin.h"
#include "mutants.h"
#include "reader.h"
#include "replica/testing/metadata_check.h"

namespace milena::sim {
namespace {

Overrides draw_config(Random random) {
  auto number = [&random](std::int64_t low, std::int64_t high) {
    return std::to_string(random.between(low, high));
  };
  return {
      {"log.flush.offset.checkpoint.interval.ms", number(500, 5000)},
      {"log.retention.check.interval.ms", number(1000, 5000)},
      {"replica.high.watermark.checkpoint.interval.ms", number(500, 5000)},
      {"offsets.topic.segment.bytes", "1048576"},
      {"metadata.log.max.record.bytes.between.snapshots", number(500, 5000)},
      {"internal.metadata.log.segment.bytes", std::to_string(8192 << random.below(3))},
      {"metadata.max.idle.interval.ms", number(200, 2000)},
      {"metadata.max.retention.bytes", number(5000, 100000)},
      {"metadata.max.retention.ms", number(5000, 200000)},
      {"group.min.session.timeout.ms", "500"},
      {"max.incremental.fetch.session.cache.slots", number(2, 20)},
      // The nemesis moves the broker's clock by hours, the clients stamp records by their own.
      {"log.message.timestamp.after.max.ms", "9223372036854775807"},
  };
}

io::SimOptions world_options(bool verbose) {
  io::SimOptions options;
  options.log_level = io::Level::kInfo;
  options.log_to_stderr = verbose;
  return options;
}

io::Task<void> run_read_back(World* world, bool* done) {
  Clients* clients = world->clients.get();
  History& history = world->history;
  std::vector<PartitionRef> left;
  for (std::size_t i = 0; i < history.topics.size(); ++i) {
    for (std::int32_t p = 0; p < history.topics[i].partitions; ++p) left.push_back({i, p});
  }
  while (!left.empty()) {
    PartitionRef where = left.back();
    auto log = co_await read_log(clients, where);
    if (log.has_value()) {
      history.check_log(where, *log);
      if (world->at_rest) history.check_retention(where, *log);
      left.pop_back();
    } else {
      co_await io::sleep_for(clients->loop, 50ms);
    }
  }
  while (true) {
    auto topics = co_await list_topics(clients);
    if (topics.has_value()) {
      history.check_topics(*topics);
      break;
    }
    co_await io::sleep_for(clients->loop, 50ms);
  }
  for (const std::string& group : world->groups) {
    while (true) {
      auto offsets = co_await committed_offsets(clients, group);
      if (offsets.has_value()) {
        for (const auto& [where, offset] : *offsets) history.check_committed(group, where, offset);
        break;
      }
      co_await io::sleep_for(clients->loop, 50ms);
    }
  }
  *done = true;
}

}  // namespace

World::World(std::uint64_t seed, bool verbose, const std::string& mutant)
    : sim(seed, world_options(verbose)), verbose_(verbose) {
  directories.push_back(kDataDirectory);
  for (std::uint64_t more = sim.stream("directories").below(3); more > 0; --more)
    directories.push_back(fmt::format("{}{}", kDataDirectory, directories.size() + 1));
  Overrides config = draw_config(sim.stream("config"));
  config.emplace_back("log.dirs", fmt::format("{}", fmt::join(directories, ",")));
  for (const auto& [key, value] : config) say(key + "=" + value);
  BrokerConfig made = make_config(config);
  if (sim.stream("files").one_in(3)) made.open_files_limit = 8;
  io::SimNodeOptions machine;
  machine.name = kBrokerHost;
  machine.program = broker_program(made, [this](const std::string& why) {
    sim.mark("sim.gave_up");
    last_words_ = why;
    sim.crash(*broker, io::SimCrash::kKill);
  });
  broker = &sim.add_node(std::move(machine));
  io::SimNodeOptions other;
  other.name = "clients";
  other.data_loops = 1;
  other.perfect_clock = true;
  client = &sim.add_node(std::move(other));
  clients = std::make_unique<Clients>(client->runtime().control_loop(), history, sim.stream("clients"));
  plant_in_disk(mutant, broker->disk());
}

World::~World() {
  // The actors hold on to `clients`: they go first.
  sim.crash(*client, io::SimCrash::kKill);
}

bool World::ready() const {
  return broker->running() && program_of(*broker)->ready;
}

void World::say(const std::string& what) const {
  if (verbose_)
    std::fprintf(stderr, "== %.3f s: %s\n", std::chrono::duration<double>(sim.now().since_start()).count(),
                 what.c_str());
}

void World::crash(io::SimCrash how) {
  clients->set_open(false);
  std::shared_ptr<const image::Image> live;
  if (ready()) live = program_of(*broker)->node->metadata().committed();
  if (how == io::SimCrash::kPowerLoss) lose_cache();
  if (broker->running()) {
    sim.crash(*broker, how);
  } else if (how == io::SimCrash::kPowerLoss) {
    sim.mark("sim.power_loss_after_death");
    broker->disk().lose_power();
  }
  if (live != nullptr) check_replay(live);
  // Until answers that are on their way have arrived.
  sim.run_for(100ms);
}

std::vector<std::string> World::files() const {
  io::SimDisk& disk = broker->disk();
  std::vector<std::string> found;
  disk.revive();
  std::vector<std::string> left = directories;
  while (!left.empty()) {
    std::string path = std::move(left.back());
    left.pop_back();
    auto entries = disk.list(path);
    if (entries.failed()) continue;
    for (const io::DirectoryEntry& entry : *entries)
      (entry.is_directory ? left : found).push_back(path + "/" + entry.name);
  }
  disk.kill();
  return found;
}

void World::lose_cache() {
  history.cache_lost();
  cache_lost_ = true;
}

void World::check_replay(const std::shared_ptr<const image::Image>& live) {
  io::SimDisk& disk = broker->disk();
  disk.revive();
  std::string wrong = replica::replay_difference(disk, kDataDirectory, broker->clock().wall_now(), *live);
  if (!wrong.empty()) history.violation("metadata log: " + wrong);
  if (auto entries = disk.list(std::string(kDataDirectory) + "/__cluster_metadata-0"); entries.has_value()) {
    for (const io::DirectoryEntry& entry : *entries) {
      if (entry.name.ends_with(".checkpoint")) sim.mark("sim.metadata_snapshot");
    }
  }
  disk.kill();
  sim.mark("sim.replay_checked");
}

bool World::cut_refused_log(const std::string& message) {
  static constexpr std::string_view kPosition = ".log: no valid batch at position ";
  std::size_t middle = message.find(kPosition);
  if (middle == std::string::npos) return false;
  std::size_t begin = message.rfind(' ', middle);
  begin = begin == std::string::npos ? 0 : begin + 1;
  if (message.find("a valid batch follows") == std::string::npos) return false;
  std::string path = message.substr(begin, middle - begin);
  if (!cache_lost_) {
    history.violation("a log is refused though nothing was lost: " + message);
    return false;
  }
  io::SimDisk& disk = broker->disk();
  disk.revive();
  std::string directory = io::parent_path(path);
  std::string base = path.substr(directory.size() + 1);
  if (auto entries = disk.list(directory); entries.has_value()) {
    for (const io::DirectoryEntry& entry : *entries) {
      bool numbered =
          entry.name.size() > base.size() && entry.name.find_first_not_of("0123456789") == base.size();
      if (numbered && entry.name.substr(0, base.size()) > base &&
          disk.remove_file(directory + "/" + entry.name).failed()) {
        history.violation("cannot remove " + entry.name);
      }
    }
  }
  auto file = disk.open(path + ".log", io::OpenMode::kWrite);
  if (file.failed() || (*file)->truncate(std::stoull(message.substr(middle + kPosition.size()))).failed()) {
    history.violation("cannot cut " + path);
  }
  if (file.has_value()) file->reset();
  disk.kill();
  sim.mark("sim.refused_log");
  say("cut by the operator: " + message);
  return true;
}

bool World::cut_refused_partitions() {
  std::vector<std::string> refused;
  for (std::size_t i = log_lines_before_; i < sim.log_lines().size(); ++i) {
    const std::string& line = sim.log_lines()[i];
    if (line.find(" is not served: ") != std::string::npos) refused.push_back(line);
  }
  if (refused.empty()) return false;
  sim.crash(*broker, io::SimCrash::kKill);
  for (const std::string& line : refused) {
    if (!cut_refused_log(line)) history.violation("a partition is not served: " + line);
  }
  return true;
}

bool World::bring_up() {
  for (int attempt = 0; attempt < 5 && !failed(); ++attempt) {
    log_lines_before_ = sim.log_lines().size();
    last_words_.clear();
    sim.restart(*broker);
    sim.run_until([this] { return ready() || !broker->running(); }, 60s);
    if (ready()) {
      sim.mark(fmt::format("sim.loops_{}", broker->runtime().data_loops()));
      if (cut_refused_partitions()) continue;
      ++clients->lives;
      if (cache_lost_) {
        ++clients->losses;
        history.generations_lost();
      }
      cache_lost_ = false;
      return true;
    }
    if (broker->running()) {
      history.violation("the broker does not start within 60 s");
      return false;
    }
    if (!cut_refused_log(last_words_)) sim.run_for(100ms);
  }
  history.violation("the broker does not start; its last words: " + last_words_);
  return false;
}

void World::read_back() {
  bool done = false;
  client->spawn(run_read_back(this, &done));
  if (!sim.run_until([&] { return done || !broker->running(); }, 60s)) {
    history.violation("reading everything back takes more than 60 s: " + clients->trouble);
  } else if (!done) {
    history.violation("the broker died while everything was read back");
  }
  sim.mark("sim.read_back");
}

void World::recover() {
  clients->set_open(false);
  if (bring_up()) {
    read_back();
    history.commits_settled();
  }
  clients->set_open(true);
}

bool World::groups_loaded() const {
  auto seen = [](const group::Groups&) {};
  return program_of(*broker)->node->services().groups.inspect(seen);
}

std::vector<std::string> World::dump_groups() const {
  std::vector<std::string> dumps;
  program_of(*broker)->node->services().groups.inspect(
      [&](const group::Groups& groups) { dumps.push_back(groups.dump_durable()); });
  return dumps;
}

void World::check_moves_ended() {
  std::optional<int> unfinished;
  bool done = false;
  auto ask = [](World* self, std::optional<int>* into, bool* ended) -> io::Task<void> {
    *into = co_await count_unfinished_moves(self->clients.get());
    *ended = true;
  };
  client->spawn(ask(this, &unfinished, &done));
  if (!sim.run_until([&] { return done; }, 30s))
    history.violation("DescribeLogDirs is not answered within 30 s");
  if (unfinished.value_or(0) != 0)
    history.violation(fmt::format("{} logs are still on their way to other directories", *unfinished));
}

void World::finish() {
  say("the end");
  if (!ready()) recover();
  if (failed()) return;
  clients->stop();
  if (!sim.run_until([this] { return clients->running == 0; }, 120s)) {
    history.violation(fmt::format("{} clients do not come to an end", clients->running));
    return;
  }
  read_back();
  sim.run_for(12s);  // the sessions of members that could not leave end, and retention is looked at twice
  at_rest = true;
  read_back();
  check_moves_ended();
  if (failed()) return;
  std::vector<std::string> before = dump_groups();
  if (sim.stream("end").one_in(2)) {
    crash(io::SimCrash::kKill);
  } else {
    begin_stop(*broker);
    auto program = program_of(*broker);
    if (!sim.run_until([&] { return program->stopped || !broker->running(); }, 60s))
      history.violation("a clean stop takes more than 60 s");
    before = program->stopped ? before : std::vector<std::string>();
    program.reset();
    sim.mark("sim.clean_stop");
    sim.crash(*broker, io::SimCrash::kKill);
  }
  if (failed() || !bring_up()) return;
  if (!sim.run_until([this] { return groups_loaded(); }, 30s))
    history.violation("the groups are not loaded after 30 s");
  if (dump_groups() != before) history.violation("replay gives other groups than those that were served");
  read_back();
}

}  // namespace milena::sim
