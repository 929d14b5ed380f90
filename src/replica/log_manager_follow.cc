// Following the metadata: partitions are handed to their loops, led, reconfigured, deleted.
#include "replica/log_manager.h"

#include <algorithm>
#include <utility>

#include "io/when_all.h"
#include "replica/partition_settings.h"

namespace milena::replica {

namespace {

constexpr Duration kRoomProbe = 1s;

io::Task<void> add_there(LoopPartitions* there,
                         std::shared_ptr<std::vector<std::shared_ptr<Partition>>> partitions) {
  for (auto& partition : *partitions) there->add(std::move(partition));
  co_return;
}

io::Task<std::vector<LogManager::Entered>> lead_there(LoopPartitions* there,
                                                      std::shared_ptr<std::vector<LogManager::Leadership>> changes) {
  std::vector<LogManager::Entered> entered;
  for (const LogManager::Leadership& change : *changes) {
    auto partition = there->find(change.id);
    if (partition == nullptr) continue;
    if (change.settings.has_value()) partition->set_settings(*change.settings);
    if (!change.leads) {
      partition->stand_down();
      continue;
    }
    log::Log& log = partition->log();
    Epoch before = log.epochs().empty() ? kNoEpoch : log.epochs().back().epoch;
    partition->set_replicas(change.in_sync, change.replicas);
    partition->lead(change.epoch);
    if (log.epochs().empty() || log.epochs().back().epoch == before) continue;
    log.epochs_journaled();
    entered.push_back({change.id, log.epochs().back()});
  }
  co_return std::move(entered);
}

}  // namespace

io::Task<void> LogManager::hand_over(std::vector<Opened> opened, const image::Image* image) {
  std::vector<std::vector<std::shared_ptr<Partition>>> by_loop(partitions_.loops());
  std::vector<TopicIdPartition> ids;
  for (Opened& one : opened) {
    std::string name = one.place.name.to_string();
    for (const std::string& note : one.report.notes) loop_.log().info("log", "{}: {}", name, note);
    if (one.log == nullptr) {
      refuse(one);
      continue;
    }
    if (no_room_.erase(one.id) > 0) loop_.log().info("log", "{} is served: the disk has room again", name);
    Recovered& recovered = states_[one.place.directory].recovered;
    if (!one.fresh) ++recovered.partitions;
    recovered.records += one.report.scanned_records;
    recovered.cut += one.report.truncated_bytes;
    PartitionSettings settings = partition_settings(*config_, *image, one.place.name.topic);
    io::Loop* control = &loop_;
    auto offline = [this, control](const Partition& partition) {
      control->post([this, id = partition.id(), why = partition.log().offline_reason(), damaged = partition.damaged()] {
        auto place = places_.find(id);
        if (place == places_.end()) return;
        if (damaged) give_up(id, place->second, why);
        else directory_failed(place->second.directory, why);
      });
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

void LogManager::refuse(const Opened& one) {
  std::string name = one.place.name.to_string();
  LoopPartitions* there = &partitions_.owning(one.id);
  there->loop().post([there, id = one.id] { there->refuse(id); });
  if (one.no_room) {
    bool first = no_room_.emplace(one.id, one.fresh).second;
    if (first) loop_.log().error("log", "{} waits for room on the disk: {}", name, one.error);
    if (!std::exchange(reopening_, true)) loop_.spawn(run_reopening(this));
    return;
  }
  give_up(one.id, one.place, one.error);
  if (one.broken && can_do_without(one.place.directory)) directory_failed(one.place.directory, one.error);
}

// The log is damaged: its partition is left as it is.
void LogManager::give_up(const TopicIdPartition& id, const Place& place, const std::string& why) {
  states_[place.directory].unclean = true;
  bool offsets = place.name.topic == "__consumer_offsets";
  loop_.log().error("log", "{} is not served: {}{}", place.name.to_string(), why,
                    offsets ? ". Until then its groups have no coordinator" : "");
  unserved_.insert(id);
  publish_unserved();
}

void LogManager::publish_unserved() {
  auto all = std::make_shared<const PartitionSet>(unserved_);
  for (std::size_t i = 0; i < partitions_.loops(); ++i) {
    LoopPartitions* there = &partitions_.on_loop(i);
    there->loop().post([there, all] { there->see_unserved(all); });
  }
  if (on_unserved_changed_) on_unserved_changed_();
}

io::Task<void> LogManager::run_reopening(LogManager* self) {
  while (!self->stopping_ && !self->no_room_.empty()) {
    co_await self->stop_signal_.wait(self->loop_.now() + kRoomProbe);
    auto turn = co_await self->applying_.lock();
    if (self->stopping_) break;
    std::vector<Work> work;
    for (const auto& [id, fresh] : self->no_room_) {
      auto place = self->places_.find(id);
      if (place == self->places_.end() || self->image_->partition(id) == nullptr) continue;
      Work one;
      one.id = id;
      one.place = place->second;
      one.create = true;
      one.fresh = fresh;
      one.how = self->how_to_open(one, self->loop_.wall_now());
      one.how.options = partition_settings(*self->config_, *self->image_, one.place.name.topic).log;
      work.push_back(std::move(one));
    }
    co_await self->open_and_hand_over(std::move(work), self->image_);
  }
  self->reopening_ = false;
}

LogManager::Leadership LogManager::leadership(const TopicIdPartition& id, const image::Partition& state) const {
  Leadership change;
  change.id = id;
  change.leads = state.leader == self_;
  change.epoch = state.leader_epoch;
  change.in_sync = static_cast<std::int32_t>(state.isr.size());
  change.replicas = static_cast<std::int32_t>(state.replicas.size());
  return change;
}

io::Task<void> LogManager::update_leadership(const image::Image* image,
                                             std::vector<TopicIdPartition> changed) {
  std::vector<std::shared_ptr<std::vector<Leadership>>> by_loop;
  by_loop.reserve(partitions_.loops());
  for (std::size_t i = 0; i < partitions_.loops(); ++i)
    by_loop.push_back(std::make_shared<std::vector<Leadership>>());
  for (const TopicIdPartition& id : changed) {
    const image::Partition* state = image->partition(id);
    if (state == nullptr) continue;
    Leadership change = leadership(id, *state);
    by_loop[partitions_.owner(id)]->push_back(std::move(change));
  }
  co_await send(std::move(by_loop));
}

io::Task<void> LogManager::apply(std::shared_ptr<const image::Image> image, image::Delta delta) {
  auto turn = co_await applying_.lock();
  if (stopping_) co_return;
  image_ = image;
  for (const auto& [topic, name] : delta.deleted_topics) co_await delete_topic(topic);
  std::vector<Work> create;
  std::vector<TopicIdPartition> changed;
  for (const TopicIdPartition& id : delta.partitions) {
    const image::Partition* state = image->partition(id);
    if (state == nullptr || !state->is_replica(self_)) continue;
    if (places_.contains(id)) {
      changed.push_back(id);
      continue;
    }
    if (unserved_.contains(id)) continue;  // it lies in a directory that does not work
    create.push_back(create_here(id, image->topic(id.topic_id)->name, loop_.wall_now()));
  }
  co_await update_leadership(image.get(), std::move(changed));
  co_await open_and_hand_over(std::move(create), image);
  if (!delta.configs.empty()) co_await reconfigure(image.get(), &delta.configs);
}

// Topics (or all of them, when a broker's configuration changed) whose partitions act on other settings now.
io::Task<void> LogManager::reconfigure(const image::Image* image,
                                       const std::set<image::ConfigResource>* changed) {
  bool everything = std::ranges::any_of(*changed, [](const image::ConfigResource& resource) {
    return resource.type == static_cast<std::int8_t>(image::ResourceType::kBroker);
  });
  std::vector<std::shared_ptr<std::vector<Leadership>>> by_loop(partitions_.loops());
  for (auto& list : by_loop) list = std::make_shared<std::vector<Leadership>>();
  for (const auto& [id, place] : places_) {
    image::ConfigResource resource{static_cast<std::int8_t>(image::ResourceType::kTopic), place.name.topic};
    if (!everything && !changed->contains(resource)) continue;
    const image::Partition* state = image->partition(id);
    if (state == nullptr) continue;
    Leadership change = leadership(id, *state);
    change.settings = partition_settings(*config_, *image, place.name.topic);
    by_loop[partitions_.owner(id)]->push_back(std::move(change));
  }
  co_await send(std::move(by_loop));
}

io::Task<void> LogManager::send(std::vector<std::shared_ptr<std::vector<Leadership>>> by_loop) {
  for (std::size_t i = 0; i < by_loop.size(); ++i) {
    if (by_loop[i]->empty()) continue;
    LoopPartitions* there = &partitions_.on_loop(i);
    auto work = [there, list = by_loop[i]] { return lead_there(there, list); };
    std::vector<Entered> entered = co_await io::run_on(there->loop(), std::move(work));
    journal(entered);
  }
}

io::Task<void> LogManager::delete_topic(TopicId topic) {
  std::vector<std::pair<TopicIdPartition, Place>> gone;
  auto of_topic = [&](const TopicIdPartition& id) { return id.topic_id == topic; };
  if (std::erase_if(unserved_, of_topic) > 0) publish_unserved();
  std::erase_if(no_room_, [&](const auto& entry) { return of_topic(entry.first); });
  for (auto it = places_.lower_bound({topic, PartitionId(0)});
       it != places_.end() && it->first.topic_id == topic;) {
    gone.emplace_back(it->first, it->second);
    it = places_.erase(it);
  }
  for (auto& [id, place] : gone) {
    forget_checkpoints(place);
    co_await end_move(id, true);
    co_await remove_one(id, place);
  }
}

namespace {

io::Task<Duration> drop_there(LoopPartitions* there, TopicIdPartition id) {
  auto partition = there->remove(id);
  if (partition == nullptr) co_return Duration::zero();
  partition->retire();
  co_await partition->flushes_done();  // a flush must not find its files renamed
  partition->log().close_files();      // lists may hold the partition for a while
  co_return from_ms(partition->settings().file_delete_delay_ms);
}

}  // namespace

io::Task<void> LogManager::remove_one(TopicIdPartition id, Place place) {
  LoopPartitions* there = &partitions_.owning(id);
  auto work = [there, id] { return drop_there(there, id); };
  Duration delay = co_await io::run_on(there->loop(), std::move(work));
  log::LogDirectory* dir = directories_[place.directory].get();
  Uuid unique = loop_.entropy().random_uuid();
  auto job = [dir, name = place.name, unique]() -> log::LogResult<std::string> {
    std::string path = dir->partition_path(name);
    if (!dir->disk().exists(path)) return std::string();  // the disk was too full for it
    auto renamed = dir->mark_deleted(name, unique);
    if (!renamed.failed() || renamed.error().kind != log::LogErrorKind::kNoSpace) return renamed;
    // A disk without room for another name: then at once.
    TRY_IO(dir->disk().remove_tree(path));
    return std::string();
  };
  auto renamed = co_await io::offload(loop_, std::move(job));
  if (renamed.has_value() && renamed->empty()) co_return;
  if (renamed.failed()) {
    loop_.log().error("log", "deleting {}: {}", place.name.to_string(), renamed.error().message);
    co_return;
  }
  deleted_.insert(*renamed);
  loop_.spawn(remove_deleted(this, *renamed, delay));
}

io::Task<void> LogManager::remove_deleted(LogManager* self, std::string path, Duration delay) {
  std::vector<std::string> paths;
  paths.push_back(path);
  co_await remove_later(&self->loop_, std::move(paths), delay);
  self->deleted_.erase(path);
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
  auto rank = [this](std::size_t i) {  // a cordoned one only where there is no other
    if (!states_[i].holds_partitions || states_[i].failed) return 2;
    return states_[i].cordoned ? 1 : 0;
  };
  for (std::size_t i = 1; i < counts.size(); ++i) {
    if (std::pair(rank(i), counts[i]) < std::pair(rank(best), counts[best])) best = i;
  }
  return best;
}

Uuid LogManager::directory_of(const TopicIdPartition& id) const {
  auto it = places_.find(id);
  if (it == places_.end()) return kZeroUuid;
  auto move = moves_.find(id);
  bool about_to_be = move != moves_.end() && move->second->told;
  const log::MetaProperties* meta = directories_[about_to_be ? move->second->target : it->second.directory]->meta();
  return meta != nullptr ? meta->directory_id.value_or(kZeroUuid) : kZeroUuid;
}

namespace {

io::Task<void> fail_there(LoopPartitions* there, std::shared_ptr<std::vector<TopicIdPartition>> ids,
                          std::string why) {
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
  if (directories_[directory]->path() == options_.metadata_dir) {
    on_fatal_("the log directory of the metadata, " + directories_[directory]->path() + ", has failed: " + why);
    return;
  }
  if (!can_do_without(directory)) {
    on_fatal_("all log directories have failed; the last one, " + directories_[directory]->path() +
              ", with: " + why);
    return;
  }
  for (const auto& [id, place] : places_) {
    if (place.directory == directory) unserved_.insert(id);
  }
  publish_unserved();
  for (std::size_t i = 0; i < partitions_.loops(); ++i) {
    auto ids = std::make_shared<std::vector<TopicIdPartition>>();
    for (const auto& [id, place] : places_) {
      if (place.directory == directory && partitions_.owner(id) == i) ids->push_back(id);
    }
    LoopPartitions* there = &partitions_.on_loop(i);
    there->loop().post([there, ids, why] { there->loop().spawn(fail_there(there, ids, why)); });
  }
}

}  // namespace milena::replica
