// AlterReplicaLogDirs: a partition's log moves to another directory of this node while it is in use. A copy grows
// there; when it has caught up the controller is told, and then it takes the log's place. What a crash leaves:
// the copy is begun anew by the next start, or, where the log had made way for it already, takes the place then.
#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>

#include "replica/future_replica.h"
#include "replica/log_manager.h"
#include "replica/partition_settings.h"

namespace milena::replica {

using Step = FutureReplica::Step;
using wire::ErrorCode;

namespace {

constexpr Duration kTryAgain = 1s;
constexpr Duration kOldLogDelay = 60s;  // reads may be under way: file.delete.delay.ms
constexpr std::size_t kFutureNameMax = 255;       // of a directory
constexpr std::size_t kFutureSuffix = 1 + 32 + 7;  // .<uuid>-future
constexpr std::size_t kPreferencesMax = 10'000;

io::Task<Step> catch_up_there(LoopPartitions* there, TopicIdPartition id, std::shared_ptr<FutureReplica> future) {
  auto partition = there->find(id);
  if (partition == nullptr) co_return Step::kEnded;
  co_return co_await FutureReplica::catch_up(future, partition, false);
}

io::Task<Step> finish_there(LoopPartitions* there, TopicIdPartition id, std::shared_ptr<FutureReplica> future) {
  auto partition = there->find(id);
  if (partition == nullptr) co_return Step::kEnded;
  co_return co_await FutureReplica::finish(future, partition);
}

io::Task<void> enter_there(LoopPartitions* there, TopicIdPartition id, std::shared_ptr<FutureReplica> future) {
  there->futures()[id] = std::move(future);
  co_return;
}

io::Task<void> end_there(LoopPartitions* there, TopicIdPartition id) {
  auto it = there->futures().find(id);
  if (it == there->futures().end()) co_return;
  it->second->end();
  there->futures().erase(it);
}

// Without a log the old one goes on, and so does the copy.
io::Task<void> replace_there(LoopPartitions* there, TopicIdPartition id,
                             std::shared_ptr<std::unique_ptr<log::Log>> log) {
  if (log != nullptr) there->futures().erase(id);
  auto partition = there->find(id);
  if (partition == nullptr) co_return;
  if (log != nullptr) partition->replace_log(std::move(*log));
  partition->set_gate(Partition::Gate::kOpen);
}

io::Task<void> drop_there(LoopPartitions* there, TopicIdPartition id) {
  there->futures().erase(id);
  auto partition = there->remove(id);
  if (partition != nullptr) partition->retire();
  co_return;
}

// Of UTF-8 as Kafka counts it, in UTF-16.
std::size_t java_length(std::string_view text) {
  std::size_t length = 0;
  for (char c : text) {
    auto byte = static_cast<std::uint8_t>(c);
    if ((byte & 0xC0) != 0x80) length += byte >= 0xF0 ? 2 : 1;
  }
  return length;
}

}  // namespace

io::Task<ErrorCode> LogManager::move_replica(log::PartitionName name, std::string path) {
  if (java_length(name.to_string()) + kFutureSuffix > kFutureNameMax) co_return ErrorCode::INVALID_TOPIC_EXCEPTION;
  auto is_target = [&](const DirectoryState& state) { return state.holds_partitions && state.absolute_path == path; };
  auto found = std::ranges::find_if(states_, is_target);
  if (found == states_.end()) co_return ErrorCode::LOG_DIR_NOT_FOUND;
  auto target = static_cast<std::size_t>(found - states_.begin());
  auto turn = co_await applying_.lock();
  if (states_[target].failed || stopping_) co_return ErrorCode::KAFKA_STORAGE_ERROR;
  const image::Topic* topic = image_->topic(name.topic);
  bool known = topic != nullptr && topic->partition(name.partition) != nullptr;
  TopicIdPartition id = known ? TopicIdPartition{topic->id, name.partition} : TopicIdPartition{};
  auto place = places_.find(id);
  if (!known || place == places_.end()) {
    if (preferred_.size() < kPreferencesMax || preferred_.contains(name)) preferred_[name] = target;
    co_return known ? ErrorCode::REPLICA_NOT_AVAILABLE : ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
  }
  if (unserved_.contains(id) || no_room_.contains(id)) co_return ErrorCode::KAFKA_STORAGE_ERROR;
  if (auto move = moves_.find(id); move != moves_.end()) {
    if (move->second->target == target) co_return ErrorCode::NONE;
    co_await end_move(id, true);
  }
  if (place->second.directory == target) co_return ErrorCode::NONE;
  // As Kafka: with a directory out of sight there may be a copy in it already.
  if (std::ranges::any_of(states_, [](const auto& state) { return state.failed; })) {
    co_return ErrorCode::KAFKA_STORAGE_ERROR;
  }
  co_return co_await begin_move(id, place->second.name, target);
}

io::Task<ErrorCode> LogManager::begin_move(TopicIdPartition id, log::PartitionName name, std::size_t target) {
  log::LogDirectory* dir = directories_[target].get();
  Uuid unique = loop_.entropy().random_uuid();
  auto job = [dir, name, topic = id.topic_id, unique] { return dir->create_future(name, topic, unique); };
  auto created = co_await io::offload(loop_, std::move(job));
  if (created.failed()) {
    loop_.log().warn("log", "moving {} to {}: {}", name.to_string(), dir->path(), created.error().message);
    if (created.error().kind == log::LogErrorKind::kIo) directory_failed(target, created.error().message);
    co_return ErrorCode::KAFKA_STORAGE_ERROR;
  }
  LoopPartitions* there = &partitions_.owning(id);
  auto move = std::make_shared<Move>();
  move->target = target;
  move->name = std::move(name);
  move->future = std::make_shared<FutureReplica>(there->loop(), *created, seed_of(id), copy_throttle_);
  moves_[id] = move;
  auto enter = [there, id, future = move->future] { return enter_there(there, id, future); };
  co_await io::run_on(there->loop(), std::move(enter));
  loop_.log().info("log", "{} moves to {}", move->name.to_string(), dir->path());
  loop_.spawn(run_move(this, id, move));
  co_return ErrorCode::NONE;
}

// What the start found of moves that were under way.
io::Task<void> LogManager::begin_leftover_moves() {
  auto turn = co_await applying_.lock();
  std::vector<Leftover> leftovers = std::exchange(leftovers_, {});
  for (Leftover& one : leftovers) {
    std::vector<std::string> paths;
    paths.push_back(one.path);
    co_await remove_later(&loop_, std::move(paths), Duration::zero());
    auto place = places_.find(one.id);
    bool movable = place != places_.end() && place->second.directory != one.directory && !moves_.contains(one.id) &&
                   !unserved_.contains(one.id) && !no_room_.contains(one.id);
    if (movable) (void)co_await begin_move(one.id, one.name, one.directory);
  }
}

std::uint64_t LogManager::seed_of(const TopicIdPartition& id) {
  return id.topic_id.low + static_cast<std::uint64_t>(id.partition.value());
}

// REQUIRES: applying_ is held.
io::Task<void> LogManager::end_move(TopicIdPartition id, bool remove) {
  auto it = moves_.find(id);
  if (it == moves_.end()) co_return;
  std::shared_ptr<Move> move = it->second;
  moves_.erase(it);
  move->ended = true;
  LoopPartitions* there = &partitions_.owning(id);
  auto end = [there, id] { return end_there(there, id); };
  co_await io::run_on(there->loop(), std::move(end));
  if (!remove) co_return;
  std::vector<std::string> paths;
  paths.push_back(move->future->path());
  co_await remove_later(&loop_, std::move(paths), Duration::zero());
}

io::Task<void> LogManager::run_move(LogManager* self, TopicIdPartition id, std::shared_ptr<Move> move) {
  LoopPartitions* there = &self->partitions_.owning(id);
  Step step = Step::kLater;
  while (!move->ended && !self->stopping_) {
    auto copy = [there, id, move] { return catch_up_there(there, id, move->future); };
    step = co_await io::run_on(there->loop(), std::move(copy));
    if (move->ended || self->stopping_) break;
    if (step == Step::kCaughtUp && !move->told) {
      // The controller first: were the names changed before, it could take another directory's failure for this one's.
      move->told = true;
      move->told = co_await self->tell_assigned(id);
      if (!move->told) step = Step::kLater;
      else continue;
    }
    if (step == Step::kCaughtUp) step = co_await self->take_place(id, move);
    if (step == Step::kCaughtUp) co_return;
    if (step == Step::kLater) co_await self->stop_signal_.wait(self->loop_.now() + kTryAgain);
    else break;
  }
  if (self->stopping_) co_return;  // the next start begins anew
  if (!move->ended) {
    std::string to = self->directories_[move->target]->path();
    if (step == Step::kFailed && move->why.empty()) move->why = move->future->failure();
    self->loop_.log().warn("log", "{} stays where it is, and does not move to {}: {}", move->name.to_string(), to,
                           move->why.empty() ? "its log cannot be read" : move->why);
    auto turn = co_await self->applying_.lock();
    auto known = self->moves_.find(id);
    auto place = self->places_.find(id);
    if (known != self->moves_.end() && known->second == move && place != self->places_.end()) {
      // Where a directory has failed in the middle, the copy may be all that there is.
      bool sound = !self->states_[move->target].failed && !self->states_[place->second.directory].failed;
      co_await self->end_move(id, sound);
    }
  }
  if (move->told) (void)co_await self->tell_assigned(id);
}

io::Task<bool> LogManager::tell_assigned(TopicIdPartition id) {
  if (!assign_) co_return true;
  Uuid directory = directory_of(id);
  if (directory.is_zero()) co_return true;
  co_return co_await assign_(id, directory);
}

// The copy takes the log's place. After anything but kCaughtUp the old log goes on.
io::Task<Step> LogManager::take_place(TopicIdPartition id, std::shared_ptr<Move> move) {
  auto turn = co_await applying_.lock();
  auto place = places_.find(id);
  if (move->ended || stopping_ || place == places_.end()) co_return Step::kEnded;
  std::size_t source = place->second.directory;
  if (states_[source].failed || states_[move->target].failed) co_return Step::kEnded;
  LoopPartitions* there = &partitions_.owning(id);
  auto finish = [there, id, move] { return finish_there(there, id, move->future); };
  Step step = co_await io::run_on(there->loop(), std::move(finish));
  if (step != Step::kCaughtUp) co_return step;

  auto swap = std::make_shared<Swap>(prepare_swap(id, *move, source));
  auto job = [swap] { run_swap(*swap); };
  co_await io::offload(loop_, std::move(job));
  std::shared_ptr<std::unique_ptr<log::Log>> log;
  if (swap->log != nullptr) log = std::make_shared<std::unique_ptr<log::Log>>(std::move(swap->log));
  if (swap->moved) {
    place->second.directory = move->target;
    moves_.erase(id);
    if (unserved_.erase(id) > 0) publish_unserved();
  }
  if (swap->moved && log == nullptr) {
    // It has the place, and cannot be opened there (yet).
    auto drop = [there, id] { return drop_there(there, id); };
    co_await io::run_on(there->loop(), std::move(drop));
    Opened unopened;
    unopened.id = id;
    unopened.place = place->second;
    unopened.error = swap->error;
    unopened.no_room = !swap->target_failed;
    refuse(unopened);
  } else {
    auto replace = [there, id, log] { return replace_there(there, id, log); };
    co_await io::run_on(there->loop(), std::move(replace));
  }
  if (swap->source_failed) directory_failed(source, swap->error);
  if (swap->target_failed) directory_failed(move->target, swap->error);
  if (!swap->moved) {
    move->why = swap->error;
    co_return swap->source_failed || swap->target_failed ? Step::kFailed : Step::kLater;
  }
  DirectoryState& state = states_[move->target];
  state.log_starts = std::move(swap->log_starts);
  state.recovery_points = std::move(swap->recovery_points);
  state.high_watermarks = std::move(swap->high_watermarks);
  forget_checkpoints({source, move->name});
  loop_.log().info("log", "{} has moved from {} to {}", move->name.to_string(), directories_[source]->path(),
                   directories_[move->target]->path());
  deleted_.insert(swap->old_path);
  loop_.spawn(remove_deleted(this, swap->old_path, kOldLogDelay));
  co_await write_checkpoints(true);
  co_return Step::kCaughtUp;
}

LogManager::Swap LogManager::prepare_swap(TopicIdPartition id, const Move& move, std::size_t source) {
  const DirectoryState& state = states_[move.target];
  const FutureReplica::Closed& closed = move.future->closed();
  Swap swap;
  swap.from = directories_[source].get();
  swap.to = directories_[move.target].get();
  swap.name = move.name;
  swap.copy = move.future->path();
  swap.unique = loop_.entropy().random_uuid();
  swap.log_starts = state.log_starts;
  swap.recovery_points = state.recovery_points;
  swap.high_watermarks = state.high_watermarks;
  swap.log_starts.erase(move.name);
  if (closed.log_start > Offset(0)) swap.log_starts[move.name] = closed.log_start;
  swap.recovery_points[move.name] = closed.log_end;
  swap.high_watermarks[move.name] = closed.log_end;
  swap.how.path = swap.to->partition_path(move.name);
  swap.how.clean = true;
  swap.how.recovery_point = closed.log_end;
  swap.how.log_start_offset = closed.log_start;
  swap.how.now = loop_.wall_now();
  swap.how.seed = seed_of(id);
  swap.how.options = partition_settings(*config_, *image_, move.name.topic).log;
  return swap;
}

// In the pool. The order of the steps is what a crash between them needs: first the checkpoints that the copy is to be
// opened with, then the old name goes, then the copy takes it. At no time do two directories hold the partition; where
// none does, the metadata names the copy's directory.
void LogManager::run_swap(Swap& swap) {
  auto fail = [&](bool* directory, const log::LogError& error) {
    swap.error = error.message;
    if (error.kind != log::LogErrorKind::kNoSpace) *directory = true;
  };
  auto write = [&]() -> log::LogResult<void> {
    TRY(swap.to->write_checkpoint(log::CheckpointFile::kLogStart, swap.log_starts));
    TRY(swap.to->write_checkpoint(log::CheckpointFile::kRecoveryPoint, swap.recovery_points));
    return swap.to->write_checkpoint(log::CheckpointFile::kReplication, swap.high_watermarks);
  };
  if (auto written = write(); written.failed()) return fail(&swap.target_failed, written.error());
  auto old_path = swap.from->mark_deleted(swap.name, swap.unique);
  if (old_path.failed()) return fail(&swap.source_failed, old_path.error());
  swap.old_path = *old_path;
  if (auto named = swap.to->promote_future(swap.copy, swap.name); named.failed()) {
    fail(&swap.target_failed, named.error());
    if (auto back = swap.from->promote_future(swap.old_path, swap.name); back.failed()) {
      fail(&swap.source_failed, back.error());
    }
    return;
  }
  swap.moved = true;
  auto opened = log::Log::open(swap.to->disk(), swap.how);
  if (opened.failed()) fail(&swap.target_failed, opened.error());
  else swap.log = std::move(*opened);
}

}  // namespace milena::replica
