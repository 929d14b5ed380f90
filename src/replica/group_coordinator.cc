#include "replica/group_coordinator.h"

#include <algorithm>
#include <utility>

#include "group/partition.h"
#include "io/mutex.h"
#include "replica/group_replay.h"
#include "wire/batch_builder.h"

namespace milena::replica {
namespace {

using wire::ErrorCode;

constexpr std::string_view kOffsetsTopic = "__consumer_offsets";
constexpr std::int32_t kLoadChunkBytes = 1 << 20;
constexpr Duration kLoadRetry = 20ms;
constexpr std::size_t kTombstonesPerBatch = 2000;

}  // namespace

struct GroupCoordinator::Shard {
  Shard(io::Loop& loop, TopicIdPartition partition, Epoch epoch, const group::GroupOptions& options)
      : id(partition),
        leader_epoch(epoch),
        groups(options, [&loop] { return loop.entropy().random_uuid(); }),
        turn(loop),
        changed(loop) {}

  TopicIdPartition id;
  Epoch leader_epoch;
  group::Groups groups;
  io::Mutex turn;      // one step at a time, its append included
  io::Signal changed;  // deadlines may have moved, or the shard was dropped
  bool loaded = false;
  bool unreadable = false;  // its disk gives nothing: not a matter of waiting
  bool dropped = false;
  Offset end{0};  // behind the last record that was replayed
  Offset committed{0};
  std::map<group::RequestToken, Parked*> parked;
  std::map<TopicId, std::string> deleted_topics;  // whose offsets are still to go
};

// A request that waits for its reply; lives in the frame of the task that waits.
struct GroupCoordinator::Parked {
  explicit Parked(io::Loop& loop) : answered(loop) {}
  std::optional<group::ReplyBody> body;
  io::Signal answered;  // or the shard was dropped
};

GroupCoordinator::GroupCoordinator(io::Loop& control, Partitions& partitions, GroupCoordinatorOptions options)
    : loop_(control), partitions_(partitions), options_(options) {}
GroupCoordinator::~GroupCoordinator() = default;

group::Now GroupCoordinator::now() const { return {loop_.now(), loop_.wall_now()}; }

void GroupCoordinator::on_image(const image::Image& image, BrokerId self,
                                const std::set<TopicIdPartition>& unserved) {
  if (stopping_) return;
  const image::Topic* topic = image.topic(kOffsetsTopic);
  partition_count_ = topic == nullptr ? 0 : static_cast<std::int32_t>(topic->partitions.size());
  for (auto it = shards_.begin(); it != shards_.end();) {
    Shard& shard = *it->second;
    const image::Partition* state = topic == nullptr ? nullptr : topic->partition(it->first);
    bool kept = state != nullptr && state->leader == self && shard.id.topic_id == topic->id &&
                shard.leader_epoch == state->leader_epoch && !unserved.contains(shard.id);
    if (kept) {
      ++it;
      continue;
    }
    drop(shard);
    it = shards_.erase(it);
  }
  if (topic == nullptr) return;
  for (const auto& [index, state] : topic->partitions) {
    TopicIdPartition id{topic->id, index};
    if (state->leader != self || shards_.contains(index) || unserved.contains(id)) continue;
    auto shard = std::make_shared<Shard>(loop_, id, state->leader_epoch, options_.groups);
    shards_.emplace(index, shard);
    loop_.spawn(load(this, std::move(shard)));
  }
}

void GroupCoordinator::topics_deleted(const std::map<TopicId, std::string>& topics) {
  if (topics.empty()) return;
  for (auto& [index, shard] : shards_) {
    bool idle = shard->deleted_topics.empty();
    shard->deleted_topics.insert(topics.begin(), topics.end());
    // A shard that is being loaded does it at the end of that.
    if (idle && shard->loaded) loop_.spawn(remove_deleted_topics(this, shard));
  }
}

io::Task<void> GroupCoordinator::remove_deleted_topics(GroupCoordinator* self, std::shared_ptr<Shard> shard) {
  auto turn = co_await shard->turn.lock();
  if (shard->dropped || shard->deleted_topics.empty()) co_return;
  std::map<TopicId, std::string> topics = std::exchange(shard->deleted_topics, {});
  group::Effects tombstones = shard->groups.topics_deleted(topics);
  co_await self->perform_in_parts(shard, std::move(tombstones));
}

io::Task<void> GroupCoordinator::wait_loaded(Instant limit) {
  std::vector<std::shared_ptr<Shard>> loading;
  loading.reserve(shards_.size());
  for (const auto& [index, shard] : shards_) loading.push_back(shard);
  for (const auto& shard : loading) {
    while (!shard->loaded && !shard->dropped && loop_.now() < limit) co_await shard->changed.wait(limit);
  }
}

void GroupCoordinator::drop(Shard& shard) {
  shard.dropped = true;
  group::Effects effects = shard.groups.unload();
  for (group::Reply& reply : effects.replies) send(shard, std::move(reply));
  // The machine knows of those that wait for others; those whose reply waits for its commit are known here alone.
  for (auto& [token, parked] : shard.parked) parked->answered.notify_all();
  shard.changed.notify_all();
}

void GroupCoordinator::stop() {
  stopping_ = true;
  for (auto& [index, shard] : shards_) drop(*shard);
  shards_.clear();
}

std::optional<PartitionId> GroupCoordinator::partition_of(const std::string& group_id) const {
  if (partition_count_ == 0) return std::nullopt;
  return group::partition_for(group_id, partition_count_);
}

ErrorCode GroupCoordinator::check(const std::string& group_id) const {
  if (stopping_) return ErrorCode::NOT_COORDINATOR;
  auto index = partition_of(group_id);
  if (!index.has_value()) return ErrorCode::COORDINATOR_NOT_AVAILABLE;
  auto it = shards_.find(*index);
  if (it == shards_.end()) return ErrorCode::NOT_COORDINATOR;
  if (it->second->loaded) return ErrorCode::NONE;
  return it->second->unreadable ? ErrorCode::COORDINATOR_NOT_AVAILABLE : ErrorCode::COORDINATOR_LOAD_IN_PROGRESS;
}

io::Task<GroupCoordinator::Outcome> GroupCoordinator::request(std::string group_id, group::RequestInfo info,
                                                              Step step) {
  ErrorCode error = check(group_id);
  if (error != ErrorCode::NONE) co_return Outcome(error);
  // NOLINTNEXTLINE(bugprone-unchecked-optional-access) checked
  std::shared_ptr<Shard> shard = shards_.at(*partition_of(group_id));
  Parked parked(loop_);
  info.token = next_token_++;
  shard->parked.emplace(info.token, &parked);
  {
    auto turn = co_await shard->turn.lock();
    if (!shard->dropped) {
      group::Effects effects = step(shard->groups, info, now());
      co_await perform(shard, std::move(effects));
    }
  }
  while (!parked.body.has_value() && !shard->dropped) co_await parked.answered.wait();
  shard->parked.erase(info.token);
  Outcome outcome;
  if (parked.body.has_value()) outcome.body = std::move(parked.body);
  else outcome.error = ErrorCode::NOT_COORDINATOR;
  co_return std::move(outcome);
}

io::Task<void> GroupCoordinator::settle(std::string group_id) {
  if (check(group_id) != ErrorCode::NONE) co_return;
  // NOLINTNEXTLINE(bugprone-unchecked-optional-access) checked
  std::shared_ptr<Shard> shard = shards_.at(*partition_of(group_id));
  if (loop_.now() < shard->groups.next_deadline()) co_return;
  auto turn = co_await shard->turn.lock();
  if (shard->dropped) co_return;
  group::Effects effects = shard->groups.advance(now());
  co_await perform(shard, std::move(effects));
}

void GroupCoordinator::send(Shard& shard, group::Reply reply) {
  auto it = shard.parked.find(reply.token);
  if (it == shard.parked.end()) return;  // answered NOT_COORDINATOR already
  it->second->body = std::move(reply.body);
  it->second->answered.notify_all();
}

// One batch for all records. False: nothing was replayed and *error says why.
io::Task<bool> GroupCoordinator::append(std::shared_ptr<Shard> shard, const group::Effects* effects,
                                        ErrorCode* error) {
  wire::BatchBuilder builder{wire::BatchOptions{}};
  Timestamp stamp = loop_.wall_now();
  for (const group::GroupRecord& record : effects->records) {
    wire::BatchBuilder::Field value;
    if (record.value.has_value()) value = record.value->view();
    builder.append(stamp, record.key.view(), value);
  }
  AppendOptions options;
  options.origin = Origin::kCoordinator;
  Appended appended = co_await partitions_.append(shard->id, builder.build(), options);
  if (appended.error != ErrorCode::NONE) {
    loop_.log().warn("group", "cannot append to {}-{}: {} {}", kOffsetsTopic, shard->id.partition,
                     wire::name(appended.error), appended.message);
    *error = appended.error;
    co_return false;
  }
  Offset offset = appended.base_offset;
  for (const group::GroupRecord& record : effects->records) {
    auto replayed = shard->groups.replay(record, offset);
    CHECK(replayed.has_value(), "a record of our own does not replay");
    ++offset;
  }
  shard->end = offset;
  shard->committed = std::max(shard->committed, appended.high_watermark);
  co_return true;
}

// REQUIRES: the shard's turn is held.
io::Task<void> GroupCoordinator::perform(std::shared_ptr<Shard> shard, group::Effects effects) {
  while (!effects.records.empty()) {
    ErrorCode error = ErrorCode::NONE;
    bool appended = co_await append(shard, &effects, &error);
    if (appended) break;
    effects = shard->groups.append_failed(std::move(effects), error, now());
    if (shard->dropped) break;
  }
  std::vector<group::Reply> later;
  for (group::Reply& reply : effects.replies) {
    if (reply.after_commit && shard->committed < shard->end) later.push_back(std::move(reply));
    else send(*shard, std::move(reply));
  }
  if (!later.empty()) loop_.spawn(reply_when_committed(this, shard, shard->end, std::move(later)));
  shard->changed.notify_all();
}

// For tombstones, each of which stands for itself and answers nobody: as many as there are must not make a batch
// that fits into no segment. What cannot be appended is left to the next look. REQUIRES: the shard's turn is held.
io::Task<void> GroupCoordinator::perform_in_parts(std::shared_ptr<Shard> shard, group::Effects effects) {
  std::vector<group::GroupRecord> records = std::exchange(effects.records, {});
  for (std::size_t at = 0; at < records.size() && !shard->dropped; at += kTombstonesPerBatch) {
    group::Effects part;
    std::size_t end = std::min(at + kTombstonesPerBatch, records.size());
    for (std::size_t i = at; i < end; ++i) part.records.push_back(std::move(records[i]));
    ErrorCode error = ErrorCode::NONE;
    bool appended = co_await append(shard, &part, &error);
    if (!appended) break;
  }
  shard->changed.notify_all();
}

io::Task<void> GroupCoordinator::reply_when_committed(GroupCoordinator* self, std::shared_ptr<Shard> shard,
                                                      Offset end, std::vector<group::Reply> replies) {
  Offset reached = co_await self->partitions_.wait_committed(shard->id, end);
  if (reached < end) co_return;  // the partition was lost: drop() has answered
  shard->committed = std::max(shard->committed, reached);
  for (group::Reply& reply : replies) self->send(*shard, std::move(reply));
}

io::Task<void> GroupCoordinator::load(GroupCoordinator* self, std::shared_ptr<Shard> shard) {
  wire::CompressionScratch scratch;
  Offset at{0};
  while (!shard->dropped) {
    ReadRequest read;
    read.id = shard->id;
    read.fetch_offset = at;
    read.max_bytes = kLoadChunkBytes;
    read.at_least_one = true;
    ReadResult result = co_await self->partitions_.read(read);
    if (result.error == ErrorCode::OFFSET_OUT_OF_RANGE && at < result.log_start_offset) {
      at = result.log_start_offset;
      continue;
    }
    shard->unreadable = result.error == ErrorCode::KAFKA_STORAGE_ERROR;
    if (result.error != ErrorCode::NONE) {
      // Its log is being opened, or its disk has failed: look again until the metadata says otherwise.
      co_await io::sleep_for(self->loop_, kLoadRetry);
      continue;
    }
    if (result.records.empty()) break;
    at = replay_group_records(self->loop_.log(), shard->groups, result.records.block(), at, scratch);
  }
  if (shard->dropped) co_return;
  auto turn = co_await shard->turn.lock();
  shard->end = shard->committed = at;
  shard->loaded = true;
  shard->changed.notify_all();
  group::Effects effects = shard->groups.loaded(self->now());
  co_await self->perform(shard, std::move(effects));
  if (!shard->deleted_topics.empty()) self->loop_.spawn(remove_deleted_topics(self, shard));
  self->loop_.spawn(run_timers(self, shard));
}

io::Task<void> GroupCoordinator::run_timers(GroupCoordinator* self, std::shared_ptr<Shard> shard) {
  Duration interval = self->options_.offsets_retention_check_interval;
  Instant next_expiry = self->loop_.now() + interval;
  while (!shard->dropped) {
    Instant deadline = std::min(shard->groups.next_deadline(), next_expiry);
    if (self->loop_.now() < deadline) {
      co_await shard->changed.wait(deadline);
      continue;
    }
    auto turn = co_await shard->turn.lock();
    if (shard->dropped) break;
    group::Effects effects = shard->groups.advance(self->now());
    co_await self->perform(shard, std::move(effects));
    if (shard->dropped || self->loop_.now() < next_expiry) continue;
    group::Effects expired = shard->groups.expire_offsets(self->now());
    co_await self->perform_in_parts(shard, std::move(expired));
    next_expiry = self->loop_.now() + interval;
  }
}

io::Task<ErrorCode> GroupCoordinator::read(std::string group_id, Read read) {
  ErrorCode error = check(group_id);
  if (error != ErrorCode::NONE) co_return error;
  // NOLINTNEXTLINE(bugprone-unchecked-optional-access) checked
  co_return co_await read_shard(shards_.at(*partition_of(group_id)), &read);
}

io::Task<ErrorCode> GroupCoordinator::read_partition(PartitionId partition, Read read) {
  auto it = shards_.find(partition);
  if (it == shards_.end()) co_return ErrorCode::NOT_COORDINATOR;
  if (!it->second->loaded) co_return ErrorCode::COORDINATOR_LOAD_IN_PROGRESS;
  co_return co_await read_shard(it->second, &read);
}

// First the read, then the wait: what comes in between is not in the answer and need not be committed.
io::Task<ErrorCode> GroupCoordinator::read_shard(std::shared_ptr<Shard> shard, const Read* read) {
  (*read)(shard->groups);
  Offset end = shard->end;
  if (shard->committed < end) {
    Offset reached = co_await partitions_.wait_committed(shard->id, end);
    shard->committed = std::max(shard->committed, reached);
    if (reached < end) co_return ErrorCode::NOT_COORDINATOR;
  }
  co_return shard->dropped ? ErrorCode::NOT_COORDINATOR : ErrorCode::NONE;
}

Result<std::vector<PartitionId>, ErrorCode> GroupCoordinator::partitions() const {
  if (stopping_) return Err(ErrorCode::COORDINATOR_NOT_AVAILABLE);
  std::vector<PartitionId> result;
  result.reserve(shards_.size());
  for (const auto& [index, shard] : shards_) result.push_back(index);
  return result;
}

bool GroupCoordinator::inspect_partition(PartitionId partition, const Read& read) const {
  auto found = shards_.find(partition);
  if (found == shards_.end() || !found->second->loaded) return false;
  read(found->second->groups);
  return true;
}

bool GroupCoordinator::inspect(const Read& read) const {
  bool complete = true;
  for (const auto& [index, shard] : shards_) {
    if (shard->loaded) read(shard->groups);
    else complete = false;
  }
  return complete;
}

}  // namespace milena::replica
