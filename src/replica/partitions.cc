#include "replica/partitions.h"

#include <utility>

namespace milena::replica {
namespace {

using wire::ErrorCode;

io::Task<Appended> append_there(LoopPartitions* there, TopicIdPartition id, Bytes records, AppendOptions options) {
  co_return co_await there->append(id, std::move(records), options);
}

io::Task<ReadResult> read_there(LoopPartitions* there, ReadRequest request) {
  std::shared_ptr<Partition> partition = there->find(request.id);
  if (partition == nullptr) co_return ReadResult(there->why_missing(request.id));
  co_return co_await Partition::read(std::move(partition), request);
}

io::Task<Offset> wait_there(LoopPartitions* there, TopicIdPartition id, Offset offset, Instant deadline) {
  std::shared_ptr<Partition> partition = there->find(id);
  if (partition == nullptr) co_return kNoOffset;
  co_return co_await Partition::wait_committed(std::move(partition), offset, deadline);
}

}  // namespace

std::shared_ptr<Partition> LoopPartitions::find(const TopicIdPartition& id) const {
  auto it = partitions_.find(id);
  return it == partitions_.end() ? nullptr : it->second;
}

void LoopPartitions::add(std::shared_ptr<Partition> partition) {
  TopicIdPartition id = partition->id();
  partition->use_cache(tails_);
  Partition* raw = partition.get();
  bool added = partitions_.emplace(id, std::move(partition)).second;
  CHECK(added, "partition {}-{} was added twice", id.topic_id, id.partition);
  refused_.erase(id);
  raw->report_to(&changes_, files_);
}

std::shared_ptr<Partition> LoopPartitions::remove(const TopicIdPartition& id) {
  refused_.erase(id);
  auto it = partitions_.find(id);
  if (it == partitions_.end()) return nullptr;
  std::shared_ptr<Partition> partition = std::move(it->second);
  partitions_.erase(it);
  return partition;
}

io::Task<Appended> LoopPartitions::append(TopicIdPartition id, Bytes records, AppendOptions options) {
  std::shared_ptr<Partition> partition = find(id);
  if (partition == nullptr) co_return Appended(why_missing(id));
  co_return co_await Partition::append(std::move(partition), std::move(records), options, &scratch_);
}

Partitions::Partitions(io::Runtime& runtime, std::size_t files_max) {
  std::size_t loops = std::max<std::size_t>(runtime.data_loops(), 1);
  std::size_t files_each = std::max<std::size_t>(files_max / loops, 1);
  for (std::size_t i = 0; i < runtime.data_loops(); ++i) {
    loops_.push_back(
        std::make_unique<LoopPartitions>(runtime.data_loop(i), files_each, TailCache::kNodeBudget / loops));
  }
}

std::size_t Partitions::owner(const TopicIdPartition& id) const {
  auto spread = static_cast<std::size_t>(id.topic_id.high ^ id.topic_id.low);
  return (spread + static_cast<std::size_t>(id.partition.value())) % loops_.size();
}

io::Task<Appended> Partitions::append(TopicIdPartition id, Bytes records, AppendOptions options) {
  LoopPartitions* there = &owning(id);
  auto work = [there, id, records = std::move(records), options]() mutable {
    return append_there(there, id, std::move(records), options);
  };
  co_return co_await io::run_on(there->loop(), std::move(work));
}

io::Task<ReadResult> Partitions::read(ReadRequest request) {
  LoopPartitions* there = &owning(request.id);
  auto work = [there, request] { return read_there(there, request); };
  co_return co_await io::run_on(there->loop(), std::move(work));
}

io::Task<Offset> Partitions::wait_committed(TopicIdPartition id, Offset offset, Instant deadline) {
  LoopPartitions* there = &owning(id);
  auto work = [there, id, offset, deadline] { return wait_there(there, id, offset, deadline); };
  co_return co_await io::run_on(there->loop(), std::move(work));
}

}  // namespace milena::replica
