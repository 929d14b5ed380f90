/// Partitions: all partitions of this node, each on one loop. Calls may come from any loop: they run where the
/// partition lives and come back to the caller. LoopPartitions is the part that lives on one loop.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <set>
#include <unordered_map>
#include <vector>

#include "io/loop.h"
#include "io/runtime.h"
#include "replica/partition.h"
#include "replica/types.h"

namespace milena::replica {

class FutureReplica;

/// The partitions of one loop; used on that loop only.
class LoopPartitions {
 public:
  LoopPartitions(io::Loop& loop, std::size_t files_max, std::size_t tail_bytes = TailCache::kNodeBudget)
      : loop_(loop),
        tails_(std::make_shared<TailCache>(tail_bytes)),
        files_(std::make_shared<log::OpenFiles>(files_max)) {}
  io::Loop& loop() const { return loop_; }
  /// Null: not here (not led by this node, or its log is still being opened).
  std::shared_ptr<Partition> find(const TopicIdPartition& id) const;
  void add(std::shared_ptr<Partition> partition);
  std::shared_ptr<Partition> remove(const TopicIdPartition& id);
  /// The partition is ours and its log cannot be opened: KAFKA_STORAGE_ERROR until it is added, or removed.
  void refuse(const TopicIdPartition& id) { refused_.insert(id); }
  /// Partitions of this node, on any loop, that are not served: see LogManager::unserved.
  void see_unserved(std::shared_ptr<const std::set<TopicIdPartition>> all) { unserved_ = std::move(all); }
  bool unserved(const TopicIdPartition& id) const { return unserved_ != nullptr && unserved_->contains(id); }
  /// What to answer for a partition that find() does not know.
  wire::ErrorCode why_missing(const TopicIdPartition& id) const {
    return refused_.contains(id) ? wire::ErrorCode::KAFKA_STORAGE_ERROR : wire::ErrorCode::NOT_LEADER_OR_FOLLOWER;
  }
  const std::unordered_map<TopicIdPartition, std::shared_ptr<Partition>>& all() const { return partitions_; }
  /// What the periodic work has to look at, so that idle partitions cost it nothing.
  ChangeLists& changes() { return changes_; }
  /// Those of the partitions' logs.
  log::OpenFiles& files() { return *files_; }
  /// Copies under way to other directories: LogManager::move_replica.
  std::map<TopicIdPartition, std::shared_ptr<FutureReplica>>& futures() { return futures_; }
  wire::CompressionScratch& scratch() { return scratch_; }
  const TailCache& tails() const { return *tails_; }

  io::Task<Appended> append(TopicIdPartition id, Bytes records, AppendOptions options);

 private:
  io::Loop& loop_;
  std::shared_ptr<TailCache> tails_;
  std::shared_ptr<log::OpenFiles> files_;
  std::unordered_map<TopicIdPartition, std::shared_ptr<Partition>> partitions_;
  std::map<TopicIdPartition, std::shared_ptr<FutureReplica>> futures_;
  std::set<TopicIdPartition> refused_;
  std::shared_ptr<const std::set<TopicIdPartition>> unserved_;
  wire::CompressionScratch scratch_;
  ChangeLists changes_;
};

class Partitions {
 public:
  /// `files_max`: how many files the logs of all partitions together may hold open between their uses.
  explicit Partitions(io::Runtime& runtime, std::size_t files_max = kFilesMax);
  static constexpr std::size_t kFilesMax = 10'000;

  std::size_t loops() const { return loops_.size(); }
  LoopPartitions& on_loop(std::size_t index) { return *loops_[index]; }
  /// The loop that owns a partition: fixed for the life of the process, neighbours on different loops.
  std::size_t owner(const TopicIdPartition& id) const;
  LoopPartitions& owning(const TopicIdPartition& id) { return *loops_[owner(id)]; }

  // From any loop. A partition that is not here: NOT_LEADER_OR_FOLLOWER.
  io::Task<Appended> append(TopicIdPartition id, Bytes records, AppendOptions options);
  io::Task<ReadResult> read(ReadRequest request);
  /// Less than `offset`: the partition is gone or no longer led.
  io::Task<Offset> wait_committed(TopicIdPartition id, Offset offset, Instant deadline = Instant::never());

 private:
  std::vector<std::unique_ptr<LoopPartitions>> loops_;
};

}  // namespace milena::replica
