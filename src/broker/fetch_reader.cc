#include "broker/fetch_reader.h"

#include <algorithm>
#include <utility>

#include "broker/topics.h"

namespace milena::broker {
namespace {

using wire::ErrorCode;

constexpr std::int16_t kTopicIdVersion = 13;

// Which partition of this node is meant, or why none.
ErrorCode resolve(const RequestContext& context, const FetchKey& key, bool follower, TopicIdPartition& id) {
  bool by_id = context.api_version >= kTopicIdVersion;
  const image::Topic* topic = find_topic(*context.image, key.topic_id, key.topic);
  if (topic == nullptr) return by_id ? ErrorCode::UNKNOWN_TOPIC_ID : ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
  id = {topic->id, key.partition};
  const image::Partition* partition = topic->partition(key.partition);
  if (partition == nullptr) return ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
  if (partition->leader != context.services().broker.node_id) {
    // One in a directory that has failed has lost its leader over it.
    return context.local->partitions.unserved(id) ? ErrorCode::KAFKA_STORAGE_ERROR : ErrorCode::NOT_LEADER_OR_FOLLOWER;
  }
  // One node replicates to nobody: whoever asks as a follower has the wrong cluster or the wrong intent.
  if (follower) return ErrorCode::NOT_LEADER_OR_FOLLOWER;
  return ErrorCode::NONE;
}

// One fetch under way.
struct Reading {
  RequestContext context;
  FetchPlan* plan = nullptr;
  FetchSession* session = nullptr;
  FetchSources* sources = nullptr;
  FetchLimits limits;
  std::vector<FetchSlot>* slots = nullptr;
  std::size_t bytes = 0;
  bool urgent = false;  // an error or a divergence: no wait

  void note(FetchPartition& partition, FetchPlace place, replica::ReadResult result);
  void put_pending();
  bool moved_elsewhere(FetchPartition& partition, replica::ReadResult& result);
  void take(FetchPlace place, replica::ReadResult& result);
};

void Reading::note(FetchPartition& partition, FetchPlace place, replica::ReadResult result) {
  if (partition.slot == SIZE_MAX) {
    partition.slot = slots->size();
    slots->emplace_back().partition = &partition;
  }
  FetchSlot& slot = (*slots)[partition.slot];
  bytes += result.records.size();
  bytes -= slot.result.records.size();
  urgent = urgent || result.error != ErrorCode::NONE || result.diverging.has_value();
  slot.place = place;
  slot.result = std::move(result);
}

// What is new, was changed or was refused the last time: where it is to be read, or why it is not.
void Reading::put_pending() {
  for (FetchPartition* partition : std::exchange(session->pending, {})) {
    partition->changed = false;
    partition->refused = resolve(context, partition->key, limits.follower, partition->id);
    if (partition->refused != ErrorCode::NONE) {
      sources->forget(*partition);
      note(*partition, {}, replica::ReadResult(partition->refused));
      session->look_again(*partition);
      continue;
    }
    replica::ReadRequest read;
    read.id = partition->id;
    read.fetch_offset = partition->fetch_offset;
    read.max_bytes = partition->max_bytes;
    read.current_leader_epoch = partition->current_leader_epoch;
    read.last_fetched_epoch = partition->last_fetched_epoch;
    read.read_committed = limits.read_committed;
    read.form = replica::Records::Form::kPiecesOrFile;
    sources->put(*partition, read);
  }
}

// What its loop refused may be unknown to the metadata by now, or be another partition of that name.
bool Reading::moved_elsewhere(FetchPartition& partition, replica::ReadResult& result) {
  if (result.error != ErrorCode::NOT_LEADER_OR_FOLLOWER) return false;
  TopicIdPartition id;
  partition.refused = resolve(context, partition.key, limits.follower, id);
  if (partition.refused != ErrorCode::NONE) {
    result.error = partition.refused;
    session->look_again(partition);
    return false;
  }
  if (id == partition.id) return false;
  sources->forget(partition);
  session->look_again(partition);
  return true;
}

void Reading::take(FetchPlace place, replica::ReadResult& result) {
  FetchPartition* partition = sources->at(place);
  if (partition == nullptr || moved_elsewhere(*partition, result)) return;
  note(*partition, place, std::move(result));
}

// Reads what is due, one loop after the other, so that each knows what is left. Which loop comes first is drawn anew
// each time: the first one's backlog may fill the whole answer, and none is to starve behind it.
io::Task<void> read_due(Reading* reading, bool first) {
  FetchSources& sources = *reading->sources;
  std::size_t loops = sources.loops();
  std::size_t begin = reading->context.local->random.below(loops);
  for (std::size_t i = 0; i < loops && reading->plan->is_current(); ++i) {
    std::size_t loop = (begin + i) % loops;
    if (!sources.due(loop, first)) continue;
    replica::FetchBudget budget;
    budget.max_bytes = reading->limits.max_bytes;
    budget.held = reading->bytes;
    budget.first = first;
    std::vector<replica::FetchFound> found = co_await FetchSources::visit(&sources, loop, budget);
    bool current = reading->plan->is_current();
    for (replica::FetchFound& one : found) {
      FetchPlace place{static_cast<std::uint32_t>(loop), one.place};
      if (current) reading->take(place, one.result);
      else sources.again(place);
    }
  }
}

bool enough(const Reading& reading) {
  return reading.urgent || reading.bytes >= reading.limits.min_bytes ||
         reading.context.loop().now() >= reading.limits.deadline || reading.context.connection_closing();
}

io::Task<void> read_and_wait(Reading* reading) {
  FetchSources& sources = *reading->sources;
  for (bool first = true; reading->plan->is_current(); first = false) {
    reading->put_pending();
    co_await read_due(reading, first);
    // A topic that was made anew is read where it is now, at once.
    if (std::ranges::any_of(reading->session->pending,
                            [](const FetchPartition* one) { return one->refused == ErrorCode::NONE; }))
      continue;
    if (enough(*reading) || !reading->plan->is_current()) co_return;
    co_await FetchSources::wait(&sources, reading->limits.deadline);
    // Nothing has moved; a wake-up that was meant for the request before is none.
    if (!sources.any_news() && reading->context.loop().now() >= reading->limits.deadline) co_return;
  }
}

// Holds a session's sources, and lets the next request have them.
class Busy {
 public:
  explicit Busy(FetchSources& sources) : sources_(sources) { sources_.busy = true; }
  ~Busy() {
    sources_.busy = false;
    sources_.freed.notify_all();
  }
  Busy(const Busy&) = delete;
  Busy& operator=(const Busy&) = delete;

 private:
  FetchSources& sources_;
};

}  // namespace

io::Task<void> read_until_enough(RequestContext context, FetchPlan* plan, FetchLimits limits,
                                 std::vector<FetchSlot>* slots) {
  FetchSession& session = *plan->session;
  if (session.partitions.empty()) co_return;
  if (session.sources == nullptr) {
    session.sources = context.local->fetch_sessions.take_sources(context.loop(), context.services().partitions);
  }
  FetchSources& sources = *session.sources;
  while (sources.busy && plan->is_current()) {
    sources.wake();
    co_await sources.freed.wait();
  }
  if (!plan->is_current()) co_return;
  Busy busy(sources);
  if (session.read_committed != limits.read_committed) {
    session.read_committed = limits.read_committed;
    for (FetchPartition& partition : session.partitions) session.look_again(partition);
  }
  if (!plan->incremental) slots->reserve(session.partitions.size());
  Reading reading{std::move(context), plan, &session, &sources, limits, slots};
  co_await read_and_wait(&reading);
  if (plan->is_current()) {
    for (FetchSlot& slot : *slots) slot.partition->slot = SIZE_MAX;
    co_return;
  }
  for (const FetchSlot& slot : *slots) sources.again(slot.place);
  for (FetchPartition& partition : session.partitions) partition.slot = SIZE_MAX;
  slots->clear();
}

}  // namespace milena::broker
