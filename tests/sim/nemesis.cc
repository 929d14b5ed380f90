#include "nemesis.h"

#include <algorithm>
#include <limits>

namespace milena::sim {

using io::SimCrash;

namespace {
constexpr int kQuietPace = 50;
}  // namespace

const std::vector<CountedFault>& counted_faults() {
  static const std::vector<CountedFault> all = {
      {"kill", "node.killed"},
      {"power loss", "node.lost_power"},
      {"power loss behind an answer", "sim.loss_behind_answer"},
      {"crash at a disk call", "disk.crash_at_call"},
      {"crash in recovery", "sim.crash_in_recovery"},
      {"torn write", "disk.power_loss.sector_lost"},
      {"lost tail", "disk.power_loss.size_lost"},
      {"lost name", "disk.power_loss.name_lost"},
      {"full disk", "disk.full"},
      {"failed sync", "disk.sync_failed"},
      {"failed directory", "sim.directory_failed"},
      {"broken directory", "disk.broken"},
      {"rotten cache", "sim.cache_rotten"},
      {"cache cut short", "sim.cache_cut"},
      {"missing cache", "sim.cache_removed"},
      {"rotten metadata snapshot", "sim.snapshot_rotten"},
      {"metadata snapshot", "sim.metadata_snapshot"},
      {"one loop", "sim.loops_1"},
      {"two loops", "sim.loops_2"},
      {"three loops", "sim.loops_3"},
      {"cold read", "disk.cold_read"},
      {"slow disk", "sim.slow_disk"},
      {"clock jump", "sim.clock_jump"},
      {"cut connection", "net.cut"},
      {"half-cut connection", "net.cut_half"},
      {"blocked link", "net.blocked"},
      {"late bytes", "net.late"},
      {"pause", "node.paused"},
      {"clean stop", "sim.clean_stop"},
      {"no room for a name", "disk.full_name"},
      {"stop on a full disk", "sim.stop_on_full_disk"},
      {"start on a full disk", "sim.start_on_full_disk"},
      {"log put back from a copy", "sim.log_put_back"},
  };
  return all;
}

const std::vector<CountedFault>& counted_paths() {
  static const std::vector<CountedFault> all = {
      {"batch with acks=1", "client.acks_one"},
      {"fetch in a session", "client.session_fetch"},
      {"session compared", "client.session_checked"},
      {"record expired", "history.expired"},
      {"retention compared", "history.retention_checked"},
      {"retention changed", "client.retention_altered"},
      {"size limit tried", "client.limit_checked"},
      {"configuration described", "client.config_described"},
      {"member left", "client.member_left"},
      {"static member came back", "client.static_return"},
      {"former member fenced", "client.fenced"},
      {"topic made again", "client.topic_again"},
      {"partitions added", "client.partitions_added"},
      {"several partitions in a request", "client.several_partitions"},
      {"overlapping requests", "client.overlapping_requests"},
      {"records deleted", "client.records_deleted"},
      {"log moved", "client.log_moved"},
      {"group deleted", "client.group_deleted"},
      {"offset of a group without members compared", "client.lone_checked"},
  };
  return all;
}

Nemesis::Nemesis(World& world, Duration quiet_limit)
    : world_(world), quiet_limit_(quiet_limit), random_(world.sim.stream("nemesis")) {
  faults_ = {
      {"kill", &Nemesis::kill, 10},
      {"power loss", &Nemesis::power_loss, 20},
      {"power loss behind an answer", &Nemesis::power_loss_behind_answer, 6},
      {"crash at a disk call", &Nemesis::crash_at_call, 15},
      {"full disk", &Nemesis::disk_full, 8},
      {"failed sync", &Nemesis::failed_sync, 8},
      {"failed directory", &Nemesis::failed_directory, 8},
      {"rot", &Nemesis::rot, 10},
      {"clock jump", &Nemesis::clock_jump, 5},
      {"cut", &Nemesis::cut, 8},
      {"isolate", &Nemesis::isolate, 5},
      {"slow disk", &Nemesis::slow_disk, 5},
      {"cold reads", &Nemesis::cold_reads, 3},
      {"pause", &Nemesis::pause, 4},
      {"clean restart", &Nemesis::clean_restart, 6},
  };
  // Each run leaves some faults out and has favourites among the others.
  for (Fault& fault : faults_) {
    fault.weight = random_.one_in(4) ? 0 : fault.weight * random_.below(5);
    weights_ += fault.weight;
  }
  if (weights_ == 0) weights_ = faults_[0].weight = 1;
}

void Nemesis::run_up_to(Duration limit) {
  world_.sim.run_for(Duration(random_.between(0, limit.count())));
}

void Nemesis::quiet() {
  world_.clients->pace = kQuietPace;
  run_up_to(quiet_limit_);
  world_.clients->pace = 1;
}

void Nemesis::rest_until(Instant when) {
  world_.clients->pace = kQuietPace;
  if (world_.sim.now() < when) world_.sim.run_for(when - world_.sim.now());
  world_.clients->pace = 1;
}

void Nemesis::round() {
  quiet();
  run_up_to(3s);
  std::uint64_t at = random_.below(weights_);
  for (const Fault& fault : faults_) {
    if (at < fault.weight) {
      world_.say(fault.name);
      (this->*fault.act)();
      break;
    }
    at -= fault.weight;
  }
  if (!world_.failed() && !world_.ready()) restart();
}

void Nemesis::restart() {
  if (random_.one_in(4)) put_back_a_log();
  for (int i = 0; i < 3 && random_.one_in(4); ++i) {
    world_.clients->set_open(false);
    io::SimDisk& disk = world_.broker->disk();
    world_.sim.restart(*world_.broker);
    disk.crash_at_call(disk.calls() + random_.below(300));
    world_.sim.run_until([this] { return world_.ready() || !world_.broker->running(); }, 30s);
    disk.crash_at_call(0);
    if (!world_.broker->running()) world_.sim.mark("sim.crash_in_recovery");
    world_.crash(random_.one_in(2) ? SimCrash::kKill : SimCrash::kPowerLoss);
  }
  world_.recover();
}

// As an operator does who copied it aside: the same bytes in another file than the manifest knows.
void Nemesis::put_back_a_log() {
  std::vector<std::string> logs = world_.files();
  std::erase_if(logs, [](const std::string& path) {
    return !path.ends_with(".log") || path.find("/__cluster_metadata-0/") != std::string::npos;
  });
  if (logs.empty()) return;
  io::SimDisk& disk = world_.broker->disk();
  disk.revive();
  for (std::uint64_t i = random_.between(1, 5); i > 0; --i) {
    const std::string& path = logs[random_.below(logs.size())];
    auto content = disk.read_file(path);
    if (content.has_value() && disk.write_file(path, *content).has_value()) world_.sim.mark("sim.log_put_back");
  }
  disk.kill();
}

void Nemesis::kill() {
  world_.crash(SimCrash::kKill);
  run_up_to(1s);
}

void Nemesis::power_loss() {
  world_.crash(SimCrash::kPowerLoss);
  run_up_to(1s);
}

// To acks=1, where it must stand for a sync: while syncs take long, what was answered too early is lost for
// sure.
void Nemesis::power_loss_behind_answer() {
  world_.broker->disk().faults().slow = Duration(random_.between(50'000'000, 300'000'000));
  auto answers = [this] { return world_.history.counted("client.acks_one_durable"); };
  std::uint64_t before = answers();
  if (world_.sim.run_until([&] { return answers() > before; }, 5s)) world_.sim.mark("sim.loss_behind_answer");
  world_.crash(SimCrash::kPowerLoss);
  world_.broker->disk().faults().slow = Duration::zero();
}

void Nemesis::crash_at_call() {
  io::SimDisk& disk = world_.broker->disk();
  disk.crash_at_call(disk.calls() + 1 + random_.below(500));
  world_.sim.run_until([this] { return !world_.broker->running(); }, 10s);
  disk.crash_at_call(0);
  world_.crash(random_.one_in(2) ? SimCrash::kKill : SimCrash::kPowerLoss);
}

void Nemesis::disk_full() {
  io::SimDisk& disk = world_.broker->disk();
  disk.faults().capacity = disk.used() + (random_.one_in(3) ? 0 : random_.below(20'000));
  run_up_to(6s);
  if (random_.one_in(3)) {
    start_on_full_disk();
    return;
  }
  if (random_.one_in(4) && world_.ready()) {
    world_.sim.mark("sim.stop_on_full_disk");
    clean_restart();
    disk.faults().capacity = std::numeric_limits<std::uint64_t>::max();
    world_.history.deletions_unsure();
    return;
  }
  disk.faults().capacity = std::numeric_limits<std::uint64_t>::max();
  world_.history.deletions_unsure();
  if (!world_.broker->running()) world_.history.violation("the broker died of a full disk");
  std::uint64_t before = world_.history.acknowledged_count();
  if (!world_.sim.run_until([&] { return world_.history.acknowledged_count() > before; }, 10s)) {
    world_.history.violation("nothing is acknowledged within 10 s after the disk has room again");
  }
}

// It may start, wait for room with some partitions, or give up; never harm what is there.
void Nemesis::start_on_full_disk() {
  io::SimDisk& disk = world_.broker->disk();
  world_.crash(random_.one_in(2) ? SimCrash::kKill : SimCrash::kPowerLoss);
  world_.clients->set_open(false);
  world_.sim.restart(*world_.broker);
  world_.sim.mark("sim.start_on_full_disk");
  world_.sim.run_until([this] { return !world_.broker->running(); }, 5s);
  disk.faults().capacity = std::numeric_limits<std::uint64_t>::max();
  world_.history.deletions_unsure();
  run_up_to(6s);
  world_.crash(SimCrash::kKill);
}

void Nemesis::failed_sync() {
  static const char* const kParts[] = {"durable-",           "plain-",     "short-",   "__cluster_metadata",
                                       "__consumer_offsets", "checkpoint", "snapshot", "/data"};
  world_.lose_cache();  // what the failed sync would have written is dropped
  world_.broker->disk().fail_next_sync(kParts[random_.below(std::size(kParts))]);
  world_.sim.run_until([this] { return !world_.broker->running(); }, 3s);
  world_.broker->disk().fail_next_sync("");
  world_.lose_cache();  // what came meanwhile was dropped, too
  world_.crash(random_.one_in(2) ? SimCrash::kKill : SimCrash::kPowerLoss);
}

// One of several log directories has a sync that fails, or breaks altogether: the others go on.
void Nemesis::failed_directory() {
  if (world_.directories.size() < 2) return kill();
  io::SimDisk& disk = world_.broker->disk();
  const std::string& directory = world_.directories[1 + random_.below(world_.directories.size() - 1)];
  bool broken = random_.one_in(2);
  if (broken) {
    disk.faults().broken = directory + "/";
  } else {
    world_.lose_cache();
    disk.fail_next_sync(directory + "/");
  }
  std::string words = "log directory " + directory + " has failed";
  auto failed = [&, seen = world_.sim.log_lines().size()]() mutable {
    for (; seen < world_.sim.log_lines().size(); ++seen) {
      if (world_.sim.log_lines()[seen].find(words) != std::string::npos) return true;
    }
    return !world_.ready();
  };
  if (world_.sim.run_until(failed, 6s)) {
    if (!world_.ready()) {
      world_.history.violation("the broker died of one log directory of several");
      return;
    }
    world_.sim.mark("sim.directory_failed");
    run_up_to(6s);
  }
  disk.fail_next_sync("");
  if (!broken) world_.lose_cache();
  if (random_.one_in(3))
    clean_restart();
  else
    world_.crash(random_.one_in(2) ? SimCrash::kKill : SimCrash::kPowerLoss);
  disk.faults().broken.clear();
}

namespace {

bool is_text(const std::string& path) {
  return path.ends_with("leader-epoch-checkpoint");
}

// Files that can be made again from the logs. Bits flip where a checksum, or a comparison with the log, can
// tell.
bool is_cache(const std::string& path) {
  static const char* const kEnds[] = {".index", ".timeindex", ".txnindex", ".snapshot"};
  for (const char* end : kEnds) {
    if (path.ends_with(end)) return true;
  }
  return is_text(path) || path.find("/.milena-") != std::string::npos;
}

}  // namespace

void Nemesis::damage_caches() {
  io::SimDisk& disk = world_.broker->disk();
  std::vector<std::string> caches = world_.files();
  std::erase_if(caches, [](const std::string& path) { return !is_cache(path); });
  disk.revive();
  for (std::uint64_t i = random_.between(1, 20); i > 0 && !caches.empty(); --i) {
    const std::string& path = caches[random_.below(caches.size())];
    switch (random_.below(4)) {
      case 0:
        if (disk.remove_file(path).has_value()) world_.sim.mark("sim.cache_removed");
        break;
      case 1:
        if (auto file = disk.open(path, io::OpenMode::kWrite); file.has_value()) {
          std::uint64_t size = (*file)->size().value_or(0);
          if ((*file)->truncate(random_.below(size + 1)).has_value()) world_.sim.mark("sim.cache_cut");
        }
        break;
      default:
        if (is_text(path)) break;
        if (disk.rot(path)) world_.sim.mark("sim.cache_rotten");
    }
  }
  // Of the metadata's snapshots the newest, where there is an older one: the log has what lies between.
  std::vector<std::string> snapshots = world_.files();
  std::erase_if(snapshots, [](const std::string& path) {
    return !path.ends_with(".checkpoint") || path.find("/__cluster_metadata-0/") == std::string::npos;
  });
  disk.revive();
  if (snapshots.size() > 1 && random_.one_in(2) && disk.rot(*std::ranges::max_element(snapshots)))
    world_.sim.mark("sim.snapshot_rotten");
  disk.kill();
}

// Of caches, while the broker is down.
void Nemesis::rot() {
  switch (random_.below(3)) {
    case 0:
      kill();
      break;
    case 1:
      power_loss();
      break;
    default:
      clean_restart();
  }
  if (!world_.failed()) damage_caches();
}

void Nemesis::clock_jump() {
  // Less than producer.id.expiration.ms and retention.ms over a run.
  auto by = std::chrono::minutes(random_.between(-150, 150));
  world_.broker->clock().jump_wall(by);
  world_.sim.mark("sim.clock_jump");
}

void Nemesis::cut() {
  for (std::uint64_t i = 1 + random_.below(3); i > 0; --i) {
    std::uint64_t broker = world_.broker->index();
    std::uint64_t client = world_.client->index();
    switch (random_.below(3)) {
      case 0:
        world_.sim.net().cut(broker, client);
        break;
      case 1:
        world_.sim.net().cut_half(broker, client);
        break;
      default:
        world_.sim.net().cut_half(client, broker);
    }
    run_up_to(300ms);
  }
}

void Nemesis::isolate() {
  std::uint64_t broker = world_.broker->index();
  std::uint64_t client = world_.client->index();
  if (random_.one_in(2))
    world_.sim.net().block(broker, client);
  else if (random_.one_in(2))
    world_.sim.net().block(client, broker);
  else
    world_.sim.net().isolate(broker);
  run_up_to(6s);
  world_.sim.net().heal();
  world_.sim.run_for(100ms);
}

void Nemesis::slow_disk() {
  world_.sim.mark("sim.slow_disk");
  world_.broker->disk().faults().slow = Duration(random_.between(1'000'000, 300'000'000));
  run_up_to(4s);
  if (random_.one_in(2)) world_.crash(SimCrash::kPowerLoss);
  world_.broker->disk().faults().slow = Duration::zero();
}

void Nemesis::cold_reads() {
  world_.broker->disk().faults().cold_read_one_in = 1 + random_.below(2);
  run_up_to(4s);
  world_.broker->disk().faults().cold_read_one_in = 16;
}

void Nemesis::pause() {
  Duration length(random_.between(50'000'000, 5'000'000'000));
  world_.sim.pause(*world_.broker, length);
  world_.sim.run_for(length);
}

void Nemesis::clean_restart() {
  world_.sim.mark("sim.clean_stop");
  begin_stop(*world_.broker);
  auto program = program_of(*world_.broker);
  bool stopped = world_.sim.run_until([&] { return program->stopped || !world_.broker->running(); }, 60s);
  program.reset();
  if (!stopped) world_.history.violation("a clean stop takes more than 60 s");
  world_.crash(SimCrash::kKill);
}

}  // namespace milena::sim
