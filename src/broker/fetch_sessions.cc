#include "broker/fetch_sessions.h"

#include <algorithm>
#include <utility>

#include "base/mutant.h"

namespace milena::broker {
namespace {

constexpr std::int32_t kFinalEpoch = -1;   // a full fetch that closes the session
constexpr std::int32_t kInitialEpoch = 0;  // a full fetch that asks for a new one
constexpr Duration kMinEvictionIdle = 2min;
constexpr std::int16_t kTopicIdVersion = 13;

FetchKey key_of(const wire::FetchRequest::FetchTopic& topic, std::int32_t partition, bool ids) {
  return {ids ? topic.topic_id : kZeroUuid, ids ? std::string() : topic.topic, PartitionId(partition)};
}

std::list<FetchPartition> requested(const wire::FetchRequest& request, bool ids) {
  std::list<FetchPartition> result;
  for (const auto& topic : request.topics) {
    for (const auto& asked : topic.partitions) {
      FetchPartition partition;
      partition.key = key_of(topic, asked.partition, ids);
      partition.fetch_offset = Offset(asked.fetch_offset);
      partition.max_bytes = asked.partition_max_bytes;
      partition.current_leader_epoch = Epoch(asked.current_leader_epoch);
      partition.last_fetched_epoch = Epoch(asked.last_fetched_epoch);
      partition.log_start_offset = Offset(asked.log_start_offset);
      result.push_back(std::move(partition));
    }
  }
  return result;
}

}  // namespace

void FetchSession::put(FetchPartition partition) {
  auto it = id != 0 ? by_key.find(partition.key) : by_key.end();
  if (it == by_key.end()) {
    partitions.push_back(std::move(partition));
    FetchPartition& added = partitions.back();
    added.turn = next_turn++;
    if (id != 0) by_key.emplace(added.key, std::prev(partitions.end()));
    look_again(added);
    return;
  }
  FetchPartition& known = *it->second;
  known.fetch_offset = partition.fetch_offset;
  known.max_bytes = partition.max_bytes;
  known.current_leader_epoch = partition.current_leader_epoch;
  known.last_fetched_epoch = partition.last_fetched_epoch;
  known.log_start_offset = partition.log_start_offset;
  look_again(known);
}

void FetchSession::look_again(FetchPartition& partition) {
  if (!std::exchange(partition.changed, true)) pending.push_back(&partition);
}

void FetchSession::forget(const FetchKey& key) {
  auto it = by_key.find(key);
  if (it == by_key.end()) return;
  FetchPartition& partition = *it->second;
  if (partition.changed) std::erase(pending, &partition);
  if (sources != nullptr) sources->forget(partition);
  partitions.erase(it->second);
  by_key.erase(it);
}

bool FetchPlan::tell(const FetchKey& key, const FetchNews& news) {
  if (session->id == 0) return true;
  auto it = session->by_key.find(key);
  if (it == session->by_key.end()) return true;
  FetchPartition& known = *it->second;
  bool changed = news.data || news.error || news.diverging || known.told_error ||
                 known.told_high_watermark != news.high_watermark || known.told_log_start != news.log_start;
  if (MILENA_MUTANT("deaf-session") && incremental && known.fetch_offset.value() % 8 == 0) return false;
  known.told_high_watermark = news.high_watermark;
  known.told_log_start = news.log_start;
  known.told_error = news.error;
  // Fairness: who was served goes behind those that were not.
  if (news.data) {
    session->partitions.splice(session->partitions.end(), session->partitions, it->second);
    known.turn = session->next_turn++;
  }
  return changed || !incremental;
}

std::shared_ptr<FetchSession> FetchSessions::create(bool topic_ids, Instant now, Random& random) {
  if (sessions_.size() >= slots_) {
    auto oldest = std::ranges::min_element(sessions_, {}, [](const auto& entry) { return entry.second->last_used; });
    if (oldest == sessions_.end() || now - oldest->second->last_used < kMinEvictionIdle) return nullptr;
    sessions_.erase(oldest);
  }
  auto session = std::make_shared<FetchSession>();
  do {
    session->id = static_cast<std::int32_t>(random.next() & 0x7fffffff);
  } while (session->id == 0 || sessions_.contains(session->id));
  session->uses_topic_ids = topic_ids;
  session->last_used = now;
  session->epoch = 1;
  sessions_.emplace(session->id, session);
  return session;
}

FetchPlan FetchSessions::plan(const wire::FetchRequest& request, std::int16_t version, Instant now,
                              Random& random) {
  bool ids = version >= kTopicIdVersion;
  FetchPlan plan;
  if (request.session_epoch == kFinalEpoch || request.session_epoch == kInitialEpoch) {
    if (request.session_id != 0) sessions_.erase(request.session_id);
    std::list<FetchPartition> partitions = requested(request, ids);
    if (request.session_epoch == kInitialEpoch) plan.session = create(ids, now, random);
    if (plan.session == nullptr) plan.session = std::make_shared<FetchSession>();
    for (FetchPartition& partition : partitions) plan.session->put(std::move(partition));
    plan.session_epoch = plan.session->epoch;
    return plan;
  }
  auto it = sessions_.find(request.session_id);
  if (it == sessions_.end()) {
    plan.error = wire::ErrorCode::FETCH_SESSION_ID_NOT_FOUND;
    return plan;
  }
  FetchSession& session = *it->second;
  if (session.epoch != request.session_epoch) {
    plan.error = wire::ErrorCode::INVALID_FETCH_SESSION_EPOCH;
    return plan;
  }
  if (session.uses_topic_ids != ids) {
    plan.error = wire::ErrorCode::FETCH_SESSION_TOPIC_ID_ERROR;
    return plan;
  }
  session.last_used = now;
  session.epoch = session.epoch == INT32_MAX ? 1 : session.epoch + 1;
  if (session.sources != nullptr && session.sources->busy) session.sources->wake();  // the one before is over
  for (const auto& topic : request.forgotten_topics_data) {
    for (std::int32_t partition : topic.partitions) {
      session.forget({ids ? topic.topic_id : kZeroUuid, ids ? std::string() : topic.topic, PartitionId(partition)});
    }
  }
  for (FetchPartition& partition : requested(request, ids)) session.put(std::move(partition));
  if (session.partitions.empty()) {
    sessions_.erase(it);  // nothing left to fetch: the session ends
    plan.session = std::make_shared<FetchSession>();
    return plan;
  }
  plan.session = it->second;
  plan.session_epoch = session.epoch;
  plan.incremental = true;
  return plan;
}

std::unique_ptr<FetchSources> FetchSessions::take_sources(io::Loop& loop, replica::Partitions& partitions) {
  if (idle_.empty()) return std::make_unique<FetchSources>(loop, partitions);
  std::unique_ptr<FetchSources> taken = std::move(idle_.back());
  idle_.pop_back();
  idle_places_ -= taken->places();
  return taken;
}

void FetchSessions::give_back(std::unique_ptr<FetchSources> sources) {
  if (sources == nullptr) return;
  sources->clear();
  if (idle_.size() >= kIdleSources || idle_places_ + sources->places() > kIdlePlaces) return;
  idle_places_ += sources->places();
  idle_.push_back(std::move(sources));
}

}  // namespace milena::broker
