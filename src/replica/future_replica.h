/// FutureReplica: the copy of a partition's log that grows in another log directory of this node until it takes the
/// log's place (KIP-113). It reads what is committed, as a follower would, while the partition goes on; at the end
/// appends are held for the moment that the last records, the sync and the change of names need.
///
/// Threads: the loop that owns the partition. Ownership: shared by that loop and by the mover's tasks.
#pragma once

#include <memory>
#include <string>

#include "io/loop.h"
#include "log/log.h"
#include "replica/copy_throttle.h"
#include "replica/partition.h"

namespace milena::replica {

class FutureReplica {
 public:
  enum class Step : std::uint8_t {
    kCaughtUp,
    kLater,  // no room on its disk, or nobody leads the partition: try again
    kEnded,  // it was given up, or the partition is gone
    kFailed,  // of its directory: see failure()
  };

  /// `path`: its directory, with partition.metadata and nothing else.
  /// `throttle`: shared by all moves.
  FutureReplica(io::Loop& loop, std::string path, std::uint64_t seed, std::shared_ptr<CopyThrottle> throttle);

  /// Copies until it has all that is committed, or, unless `to_the_end`, nearly all. A copy that was
  /// closed and did not take the log's place is opened again.
  static io::Task<Step> catch_up(std::shared_ptr<FutureReplica> self, std::shared_ptr<Partition> from,
                                 bool to_the_end);
  /// Holds the partition's appends, then its reads, and makes the copy complete, synced and closed. The caller opens
  /// the gate again, if this ends with kCaughtUp with the log that takes over; after anything else it is open.
  static io::Task<Step> finish(std::shared_ptr<FutureReplica> self, std::shared_ptr<Partition> from);
  /// Nothing here touches the files from now on, except for what the pool is at.
  void end() { ended_ = true; }

  const std::string& path() const { return path_; }
  const std::string& failure() const { return failure_; }
  std::uint64_t size_bytes() const { return log_ != nullptr ? log_->size_bytes() : 0; }
  Offset log_end_offset() const { return log_ != nullptr ? log_->log_end_offset() : Offset(0); }

  /// What finish() left behind.
  struct Closed {
    Offset log_start{0};
    Offset log_end{0};
  };
  const Closed& closed() const { return closed_; }

 private:
  io::Task<Step> begin(log::LogOptions options, Offset start);
  Step append(ReadResult read, bool throttled);
  io::Task<Step> flush();
  Step failed(std::string why);

  io::Loop& loop_;
  std::string path_;
  std::uint64_t seed_;
  std::shared_ptr<CopyThrottle> throttle_;
  std::unique_ptr<log::Log> log_;  // null: not begun, or closed
  Closed closed_;
  std::string failure_;
  bool ended_ = false;
};

}  // namespace milena::replica
