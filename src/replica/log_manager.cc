#include "replica/log_manager.h"

#include <algorithm>
#include <utility>

#include "io/when_all.h"
#include "replica/partition_settings.h"

namespace milena::replica {
namespace {

StoreError from_log(const log::LogError& error) { return {error.message}; }
constexpr std::size_t kOpenChunks = 2;  // as many as the pool has threads

}  // namespace

LogManager::LogManager(io::Runtime& runtime, Partitions& partitions, LogManagerOptions options, OnFatal on_fatal)
    : runtime_(runtime),
      loop_(runtime.control_loop()),
      partitions_(partitions),
      options_(std::move(options)),
      on_fatal_(std::move(on_fatal)),
      applying_(loop_),
      stop_signal_(loop_) {}
LogManager::~LogManager() = default;

// ---- opening -----------------------------------------------------------------------------------------------

Result<void, StoreError> LogManager::open_all(LogManager* self) {
  for (const std::string& path : self->options_.log_dirs) {
    auto directory = log::LogDirectory::open(self->loop_.disk(), path);
    if (directory.failed()) return Err(from_log(directory.error()));
    self->directories_.push_back(std::move(*directory));
  }
  self->states_.resize(self->directories_.size());
  return {};
}

io::Task<Result<void, StoreError>> LogManager::open_directories() {
  auto job = [this] { return open_all(this); };
  co_return co_await io::offload(loop_, std::move(job));
}

log::LogDirectory* LogManager::directory(const std::string& path) const {
  for (const auto& directory : directories_) {
    if (directory->path() == path) return directory.get();
  }
  return nullptr;
}

// What stands in one directory: partitions to open, leftovers to remove, strays to put aside.
Result<void, StoreError> LogManager::check_found(LogManager* self, std::size_t directory,
                                                 const log::PartitionDirectory& found, const image::Image& image,
                                                 std::vector<Work>& work) {
  log::LogDirectory& dir = *self->directories_[directory];
  switch (found.kind) {
    case log::PartitionDirectoryKind::kDelete: {
      auto removed = dir.disk().remove_tree(found.path);
      if (removed.failed()) self->loop_.log().warn("log", "{}", removed.error().what);
      return {};
    }
    case log::PartitionDirectoryKind::kFuture:
    case log::PartitionDirectoryKind::kStray:
      return {};  // a move between directories that was under way, or put aside earlier: left alone
    case log::PartitionDirectoryKind::kPartition: break;
  }
  if (found.name.topic == "__cluster_metadata") return {};
  if (!found.refusal.empty()) {
    self->loop_.log().error("log", "{}: {}", found.path, found.refusal);
    return {};
  }
  if (!found.topic_id.has_value()) return {};  // empty: made again when the partition is needed
  TopicIdPartition id{*found.topic_id, found.name.partition};
  const image::Partition* state = image.partition(id);
  if (state == nullptr || !state->is_replica(self->self_)) {
    Uuid unique = self->loop_.entropy().random_uuid();
    auto moved = dir.mark_stray(found.name, unique);
    if (moved.failed()) return Err(from_log(moved.error()));
    self->loop_.log().warn("log", "{} belongs to no topic of this cluster; it was put aside as {}", found.path, *moved);
    return {};
  }
  Work one;
  one.id = id;
  one.place = {directory, found.name};
  work.push_back(std::move(one));
  return {};
}

Result<std::vector<LogManager::Work>, StoreError> LogManager::plan_load(LogManager* self, const image::Image& image,
                                                                       BrokerId broker, Timestamp now) {
  std::vector<Work> work;
  self->self_ = broker;
  bool all_clean = true;
  std::int64_t epoch = -1;
  for (std::size_t i = 0; i < self->directories_.size(); ++i) {
    log::LogDirectory& dir = *self->directories_[i];
    DirectoryState& state = self->states_[i];
    auto mark = dir.take_clean_shutdown();
    if (mark.failed()) return Err(from_log(mark.error()));
    state.clean = mark->clean;
    all_clean = all_clean && mark->clean && (epoch == -1 || epoch == mark->broker_epoch);
    epoch = mark->broker_epoch;
    auto recovery = dir.read_checkpoint(log::CheckpointFile::kRecoveryPoint);
    auto starts = dir.read_checkpoint(log::CheckpointFile::kLogStart);
    auto marks = dir.read_checkpoint(log::CheckpointFile::kReplication);
    if (recovery.failed()) return Err(from_log(recovery.error()));
    if (starts.failed()) return Err(from_log(starts.error()));
    if (marks.failed()) return Err(from_log(marks.error()));
    state.recovery_points = std::move(*recovery);
    state.log_starts = std::move(*starts);
    state.high_watermarks = std::move(*marks);
    auto listing = dir.list();
    if (listing.failed()) return Err(from_log(listing.error()));
    for (const std::string& unknown : listing->unknown) {
      self->loop_.log().warn("log", "{} is no partition; Apache Kafka would refuse to start on this directory", unknown);
    }
    for (const log::PartitionDirectory& found : listing->partitions) {
      TRY(check_found(self, i, found, image, work));
    }
  }
  self->previous_broker_epoch_ = all_clean ? epoch : -1;
  for (Work& one : work) one.how = self->how_to_open(one, now);
  return work;
}

log::OpenLog LogManager::how_to_open(const Work& work, Timestamp now) const {
  const DirectoryState& state = states_[work.place.directory];
  log::OpenLog how;
  how.path = directories_[work.place.directory]->partition_path(work.place.name);
  how.clean = state.clean;
  how.now = now;
  how.seed = work.id.topic_id.low + static_cast<std::uint64_t>(work.id.partition.value());
  if (auto it = state.recovery_points.find(work.place.name); it != state.recovery_points.end()) {
    how.recovery_point = it->second;
  }
  if (auto it = state.log_starts.find(work.place.name); it != state.log_starts.end()) {
    how.log_start_offset = it->second;
  }
  return how;
}

LogManager::Opened LogManager::open_one(LogManager* self, Work work) {
  Opened result;
  result.id = work.id;
  result.place = work.place;
  log::LogDirectory& dir = *self->directories_[work.place.directory];
  if (work.create) {
    auto created = dir.create_partition(work.place.name, work.id.topic_id);
    if (created.failed()) {
      result.error = created.error().message;
      return result;
    }
  }
  log::RecoveryReport report;
  auto opened = log::Log::open(dir.disk(), std::move(work.how), &report);
  if (opened.failed()) result.error = opened.error().message;
  else result.log = std::move(*opened);
  result.notes = std::move(report.notes);
  return result;
}

io::Task<Result<void, StoreError>> LogManager::load(std::shared_ptr<const image::Image> image, BrokerId self,
                                                    std::shared_ptr<const config::KafkaConfig> config) {
  config_ = std::move(config);
  Timestamp now = loop_.wall_now();
  auto job = [this, image, self, now] { return plan_load(this, *image, self, now); };
  auto work = co_await io::offload(loop_, std::move(job));
  if (work.failed()) co_return Err(work.error());
  // What the metadata assigns to this broker and no directory holds is created empty.
  std::map<TopicIdPartition, bool> found;
  for (const Work& one : *work) found[one.id] = true;
  for (const auto& [topic_id, topic] : image->topics) {
    for (const auto& [index, state] : topic->partitions) {
      TopicIdPartition id{topic_id, index};
      if (!state->is_replica(self) || found.contains(id)) continue;
      Work one;
      one.id = id;
      one.place = {least_loaded_directory(), log::PartitionName{topic->name, index}};
      one.create = true;
      one.how = how_to_open(one, now);
      work->push_back(std::move(one));
    }
  }
  co_await open_and_hand_over(std::move(*work), image);
  co_return Result<void, StoreError>();
}

io::Task<void> LogManager::open_and_hand_over(std::vector<Work> work, std::shared_ptr<const image::Image> image) {
  if (work.empty()) co_return;
  for (const Work& one : work) places_[one.id] = one.place;
  auto all = std::make_shared<std::vector<Work>>(std::move(work));
  auto opened = std::make_shared<std::vector<Opened>>(all->size());
  std::vector<io::Task<void>> chunks;
  for (std::size_t chunk = 0; chunk < kOpenChunks; ++chunk) {
    auto job = [this, all, opened, chunk] {
      for (std::size_t i = chunk; i < all->size(); i += kOpenChunks) {
        (*opened)[i] = open_one(this, std::move((*all)[i]));
      }
    };
    chunks.push_back(io::offload(loop_, std::move(job)));
  }
  co_await io::when_all(loop_, std::move(chunks));
  co_await hand_over(std::move(*opened), image.get());
}

namespace {

io::Task<void> add_there(LoopPartitions* there, std::shared_ptr<std::vector<std::shared_ptr<Partition>>> partitions) {
  for (auto& partition : *partitions) there->add(std::move(partition));
  co_return;
}

struct Leadership {
  TopicIdPartition id;
  bool leads = false;
  Epoch epoch = kNoEpoch;
  std::optional<PartitionSettings> settings;
};

io::Task<void> lead_there(LoopPartitions* there, std::shared_ptr<std::vector<Leadership>> changes) {
  for (const Leadership& change : *changes) {
    auto partition = there->find(change.id);
    if (partition == nullptr) continue;
    if (change.settings.has_value()) partition->set_settings(*change.settings);
    if (change.leads) partition->lead(change.epoch);
    else partition->stand_down();
  }
  co_return;
}

}  // namespace

io::Task<void> LogManager::hand_over(std::vector<Opened> opened, const image::Image* image) {
  std::vector<std::vector<std::shared_ptr<Partition>>> by_loop(partitions_.loops());
  std::vector<TopicIdPartition> ids;
  for (Opened& one : opened) {
    std::string name = one.place.name.to_string();
    for (const std::string& note : one.notes) loop_.log().info("log", "{}: {}", name, note);
    if (one.log == nullptr) {
      loop_.log().error("log", "{} is not served: {}", name, one.error);
      continue;
    }
    PartitionSettings settings = partition_settings(*config_, *image, one.place.name.topic);
    std::size_t directory = one.place.directory;
    io::Loop* control = &loop_;
    auto offline = [this, directory, control](const Partition& partition) {
      control->post([this, directory, why = partition.log().offline_reason()] { directory_failed(directory, why); });
    };
    io::Loop& home = partitions_.owning(one.id).loop();
    by_loop[partitions_.owner(one.id)].push_back(std::make_shared<Partition>(
        home, one.id, one.place.name.topic, std::move(one.log), std::move(settings), std::move(offline)));
    ids.push_back(one.id);
  }
  for (std::size_t i = 0; i < by_loop.size(); ++i) {
    LoopPartitions* there = &partitions_.on_loop(i);
    auto list = std::make_shared<std::vector<std::shared_ptr<Partition>>>(std::move(by_loop[i]));
    auto work = [there, list] { return add_there(there, list); };
    co_await io::run_on(there->loop(), std::move(work));
  }
  co_await update_leadership(image, std::move(ids));
}

// ---- following the metadata --------------------------------------------------------------------------------

io::Task<void> LogManager::update_leadership(const image::Image* image, std::vector<TopicIdPartition> changed) {
  std::vector<std::shared_ptr<std::vector<Leadership>>> by_loop;
  for (std::size_t i = 0; i < partitions_.loops(); ++i) by_loop.push_back(std::make_shared<std::vector<Leadership>>());
  for (const TopicIdPartition& id : changed) {
    const image::Partition* state = image->partition(id);
    if (state == nullptr) continue;
    Leadership change;
    change.id = id;
    change.leads = state->leader == self_;
    change.epoch = state->leader_epoch;
    by_loop[partitions_.owner(id)]->push_back(std::move(change));
  }
  for (std::size_t i = 0; i < by_loop.size(); ++i) {
    if (by_loop[i]->empty()) continue;
    LoopPartitions* there = &partitions_.on_loop(i);
    auto work = [there, list = by_loop[i]] { return lead_there(there, list); };
    co_await io::run_on(there->loop(), std::move(work));
  }
}

io::Task<void> LogManager::apply(std::shared_ptr<const image::Image> image, image::Delta delta) {
  auto turn = co_await applying_.lock();
  if (stopping_) co_return;
  for (const auto& [topic, name] : delta.deleted_topics) co_await delete_topic(topic, image->topic(name) != nullptr);
  std::vector<Work> create;
  std::vector<TopicIdPartition> changed;
  for (const TopicIdPartition& id : delta.partitions) {
    const image::Partition* state = image->partition(id);
    if (state == nullptr || !state->is_replica(self_)) continue;
    if (places_.contains(id)) {
      changed.push_back(id);
      continue;
    }
    Work one;
    one.id = id;
    one.place = {least_loaded_directory(), log::PartitionName{image->topic(id.topic_id)->name, id.partition}};
    one.create = true;
    one.how = how_to_open(one, loop_.wall_now());
    create.push_back(std::move(one));
  }
  co_await update_leadership(image.get(), std::move(changed));
  co_await open_and_hand_over(std::move(create), image);
  std::vector<TopicIdPartition> reconfigured;
  bool everything = false;
  for (const image::ConfigResource& resource : delta.configs) {
    if (resource.type == static_cast<std::int8_t>(image::ResourceType::kBroker)) everything = true;
  }
  std::vector<std::shared_ptr<std::vector<Leadership>>> by_loop(partitions_.loops());
  for (auto& list : by_loop) list = std::make_shared<std::vector<Leadership>>();
  for (const auto& [id, place] : places_) {
    image::ConfigResource resource{static_cast<std::int8_t>(image::ResourceType::kTopic), place.name.topic};
    if (!everything && !delta.configs.contains(resource)) continue;
    const image::Partition* state = image->partition(id);
    if (state == nullptr) continue;
    Leadership change;
    change.id = id;
    change.leads = state->leader == self_;
    change.epoch = state->leader_epoch;
    change.settings = partition_settings(*config_, *image, place.name.topic);
    by_loop[partitions_.owner(id)]->push_back(std::move(change));
  }
  for (std::size_t i = 0; i < by_loop.size(); ++i) {
    if (by_loop[i]->empty()) continue;
    LoopPartitions* there = &partitions_.on_loop(i);
    auto work = [there, list = by_loop[i]] { return lead_there(there, list); };
    co_await io::run_on(there->loop(), std::move(work));
  }
}

io::Task<void> LogManager::delete_topic(TopicId topic, bool recreated) {
  (void)recreated;
  std::vector<std::pair<TopicIdPartition, Place>> gone;
  for (auto it = places_.lower_bound({topic, PartitionId(0)}); it != places_.end() && it->first.topic_id == topic;) {
    gone.emplace_back(it->first, it->second);
    it = places_.erase(it);
  }
  for (auto& [id, place] : gone) co_await remove_one(id, place);
}

namespace {

io::Task<Duration> drop_there(LoopPartitions* there, TopicIdPartition id) {
  auto partition = there->remove(id);
  if (partition == nullptr) co_return Duration::zero();
  partition->stand_down();
  co_return from_ms(partition->settings().file_delete_delay_ms);
}

}  // namespace

io::Task<void> LogManager::remove_one(TopicIdPartition id, Place place) {
  LoopPartitions* there = &partitions_.owning(id);
  auto work = [there, id] { return drop_there(there, id); };
  Duration delay = co_await io::run_on(there->loop(), std::move(work));
  log::LogDirectory* dir = directories_[place.directory].get();
  Uuid unique = loop_.entropy().random_uuid();
  auto job = [dir, name = place.name, unique] { return dir->mark_deleted(name, unique); };
  auto renamed = co_await io::offload(loop_, std::move(job));
  if (renamed.failed()) {
    loop_.log().error("log", "deleting {}: {}", place.name.to_string(), renamed.error().message);
    co_return;
  }
  std::vector<std::string> paths;
  paths.push_back(*renamed);
  loop_.spawn(remove_later(&loop_, std::move(paths), delay));
}

io::Task<void> LogManager::remove_later(io::Loop* loop, std::vector<std::string> paths, Duration delay) {
  co_await io::sleep_for(*loop, delay);
  auto list = std::make_shared<std::vector<std::string>>(std::move(paths));
  io::Disk* disk = &loop->disk();
  auto job = [disk, list] {
    io::IoResult<void> result;
    for (const std::string& path : *list) {
      auto one = disk->remove_tree(path);
      if (one.failed()) result = std::move(one);
    }
    return result;
  };
  auto removed = co_await io::offload(*loop, std::move(job));
  if (removed.failed()) loop->log().warn("log", "{}", removed.error().what);
}

std::size_t LogManager::least_loaded_directory() const {
  std::vector<std::size_t> counts(directories_.size(), 0);
  for (const auto& [id, place] : places_) ++counts[place.directory];
  std::size_t best = 0;
  for (std::size_t i = 1; i < counts.size(); ++i) {
    bool better = states_[best].failed || counts[i] < counts[best];
    if (!states_[i].failed && better) best = i;
  }
  return best;
}

Uuid LogManager::directory_of(const TopicIdPartition& id) const {
  auto it = places_.find(id);
  if (it == places_.end()) return kZeroUuid;
  const log::MetaProperties* meta = directories_[it->second.directory]->meta();
  return meta != nullptr ? meta->directory_id.value_or(kZeroUuid) : kZeroUuid;
}

namespace {

io::Task<void> fail_there(LoopPartitions* there, std::shared_ptr<std::vector<TopicIdPartition>> ids, std::string why) {
  for (const TopicIdPartition& id : *ids) {
    auto partition = there->find(id);
    if (partition != nullptr) partition->go_offline(why);
  }
  co_return;
}

}  // namespace

void LogManager::directory_failed(std::size_t directory, std::string why) {
  if (std::exchange(states_[directory].failed, true)) return;
  loop_.log().error("log", "log directory {} has failed: {}", directories_[directory]->path(), why);
  bool any_left = std::ranges::any_of(states_, [](const DirectoryState& state) { return !state.failed; });
  if (!any_left) {
    on_fatal_("all log directories have failed; the last one, " + directories_[directory]->path() + ", with: " + why);
    return;
  }
  for (std::size_t i = 0; i < partitions_.loops(); ++i) {
    auto ids = std::make_shared<std::vector<TopicIdPartition>>();
    for (const auto& [id, place] : places_) {
      if (place.directory == directory && partitions_.owner(id) == i) ids->push_back(id);
    }
    LoopPartitions* there = &partitions_.on_loop(i);
    there->loop().post([there, ids, why] { there->loop().spawn(fail_there(there, ids, why)); });
  }
}

// ---- checkpoints and retention -----------------------------------------------------------------------------

namespace {

struct LogState {
  TopicIdPartition id;
  Offset recovery_point{0};
  Offset log_start{0};
  Offset high_watermark{0};
};

io::Task<std::vector<LogState>> states_there(LoopPartitions* there) {
  std::vector<LogState> states;
  for (const auto& [id, partition] : there->all()) {
    const log::Log& log = partition->log();
    if (log.offline()) continue;
    states.push_back({id, log.recovery_point(), log.log_start_offset(), log.high_watermark()});
  }
  co_return std::move(states);
}

}  // namespace

io::Task<std::shared_ptr<LogManager::Checkpoints>> LogManager::collect() {
  auto checkpoints = std::make_shared<Checkpoints>();
  checkpoints->recovery_points.resize(directories_.size());
  checkpoints->log_starts.resize(directories_.size());
  checkpoints->high_watermarks.resize(directories_.size());
  for (std::size_t i = 0; i < partitions_.loops(); ++i) {
    LoopPartitions* there = &partitions_.on_loop(i);
    auto work = [there] { return states_there(there); };
    std::vector<LogState> states = co_await io::run_on(there->loop(), std::move(work));
    for (const LogState& state : states) {
      auto it = places_.find(state.id);
      if (it == places_.end()) continue;
      std::size_t directory = it->second.directory;
      const log::PartitionName& name = it->second.name;
      checkpoints->recovery_points[directory][name] = state.recovery_point;
      checkpoints->high_watermarks[directory][name] = state.high_watermark;
      if (state.log_start > Offset(0)) checkpoints->log_starts[directory][name] = state.log_start;
    }
  }
  co_return checkpoints;
}

io::Task<void> LogManager::write_checkpoints(bool all) {
  auto now = co_await collect();
  for (std::size_t i = 0; i < directories_.size(); ++i) {
    DirectoryState& state = states_[i];
    if (state.failed) continue;
    bool recovery = all && now->recovery_points[i] != state.recovery_points;
    bool starts = all && now->log_starts[i] != state.log_starts;
    bool marks = now->high_watermarks[i] != state.high_watermarks;
    if (!recovery && !starts && !marks) continue;
    log::LogDirectory* dir = directories_[i].get();
    auto job = [dir, now, i, recovery, starts, marks]() -> log::LogResult<void> {
      if (recovery) TRY(dir->write_checkpoint(log::CheckpointFile::kRecoveryPoint, now->recovery_points[i]));
      if (starts) TRY(dir->write_checkpoint(log::CheckpointFile::kLogStart, now->log_starts[i]));
      if (marks) TRY(dir->write_checkpoint(log::CheckpointFile::kReplication, now->high_watermarks[i]));
      return {};
    };
    auto written = co_await io::offload(loop_, std::move(job));
    if (written.failed()) {
      // A full disk passes; anything else is for the next append or flush to find out.
      loop_.log().warn("log", "{}: checkpoints were not written: {}", dir->path(), written.error().message);
      continue;
    }
    if (recovery) state.recovery_points = now->recovery_points[i];
    if (starts) state.log_starts = now->log_starts[i];
    if (marks) state.high_watermarks = now->high_watermarks[i];
  }
}

void LogManager::start_background() {
  loop_.spawn(run_checkpoints(this));
  for (std::size_t i = 0; i < partitions_.loops(); ++i) {
    LoopPartitions* there = &partitions_.on_loop(i);
    there->loop().post([this, there] { there->loop().spawn(run_retention(this, there)); });
  }
}

io::Task<void> LogManager::run_checkpoints(LogManager* self) {
  Instant next_all = self->loop_.now() + self->options_.checkpoint_interval;
  while (!self->stopping_) {
    co_await self->stop_signal_.wait(self->loop_.now() + self->options_.high_watermark_interval);
    if (self->stopping_) break;
    auto turn = co_await self->applying_.lock();
    bool all = self->loop_.now() >= next_all;
    if (all) next_all = self->loop_.now() + self->options_.checkpoint_interval;
    co_await self->write_checkpoints(all);
  }
}

io::Task<void> LogManager::run_retention(LogManager* self, LoopPartitions* there) {
  io::Loop& loop = there->loop();
  Duration interval = self->options_.retention_check_interval;
  while (true) {
    co_await io::sleep_for(loop, interval);
    std::vector<std::shared_ptr<Partition>> partitions;
    for (const auto& [id, partition] : there->all()) partitions.push_back(partition);
    for (const auto& partition : partitions) {
      std::vector<std::string> paths = partition->retain(loop.wall_now());
      Duration delay = from_ms(partition->settings().file_delete_delay_ms);
      if (!paths.empty()) loop.spawn(remove_later(&loop, std::move(paths), delay));
    }
  }
}

// ---- stopping ----------------------------------------------------------------------------------------------

io::Task<void> LogManager::close_loop(LoopPartitions* there) {
  std::vector<std::shared_ptr<Partition>> partitions;
  for (const auto& [id, partition] : there->all()) partitions.push_back(partition);
  io::Disk* disk = &there->loop().disk();
  for (const auto& partition : partitions) {
    partition->stand_down();
    if (partition->log().offline()) continue;
    co_await partition->flushes_done();
    auto plan = partition->log().begin_close();
    if (plan.failed()) {
      partition->go_offline(plan.error().message);
      continue;
    }
    auto shared = std::make_shared<log::FlushPlan>(std::move(*plan));
    auto job = [shared, disk] { return shared->run(*disk); };
    auto synced = co_await io::offload(there->loop(), std::move(job));
    if (synced.failed()) partition->go_offline(synced.error().what);
    else partition->log().complete_flush(*shared);
  }
}

io::Task<void> LogManager::stop(std::int64_t broker_epoch) {
  stopping_ = true;
  stop_signal_.notify_all();
  auto turn = co_await applying_.lock();
  bool sound = true;
  std::vector<io::Task<void>> closing;
  for (std::size_t i = 0; i < partitions_.loops(); ++i) {
    LoopPartitions* there = &partitions_.on_loop(i);
    auto work = [there] { return close_loop(there); };
    closing.push_back(io::run_on(there->loop(), std::move(work)));
  }
  co_await io::when_all(loop_, std::move(closing));
  co_await write_checkpoints(true);
  for (std::size_t i = 0; i < directories_.size(); ++i) {
    if (states_[i].failed || !sound) continue;
    log::LogDirectory* dir = directories_[i].get();
    auto job = [dir, broker_epoch] { return dir->write_clean_shutdown(broker_epoch); };
    auto written = co_await io::offload(loop_, std::move(job));
    if (written.failed()) loop_.log().warn("log", "{}: {}", dir->path(), written.error().message);
  }
}

}  // namespace milena::replica
