/// TailCache: what was appended last to the logs of one loop, kept in memory for readers that follow the ends. What
/// they get are slices of the blocks in which the records came, or of blocks that many small appends share.
///
/// Only logs that somebody follows are kept: whose end was read since the last time that something of them was thrown
/// out unread. The oldest goes first. What a block holds in memory is charged, not what the slice shows, and small
/// slices of big blocks are copied. What readers still hold of it when it is thrown out counts to their connections.
///
/// Ownership: shared by the loop's partitions. Threads: one loop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>

#include "base/bytes.h"
#include "base/ids.h"
#include "replica/records.h"

namespace milena::replica {

class TailCache {
 public:
  /// Of a node, in bytes; each data loop has its share.
  static constexpr std::size_t kNodeBudget = 32 << 20;

  explicit TailCache(std::size_t budget) : budget_(budget) {}
  TailCache(const TailCache&) = delete;
  TailCache& operator=(const TailCache&) = delete;

  /// Bytes of the blocks that are held.
  std::size_t charged() const { return charged_; }
  class Tail;

 private:
  static constexpr std::size_t kCompactBlock = 64 << 10;
  static constexpr std::size_t kCopyBelow = 8;        // copied if the block has this many times the slice's size
  static constexpr std::size_t kEntryBytes = 160;     // what an entry itself takes
  static constexpr std::size_t kSpareEntries = 4096;  // kept for reuse

  struct Entry {
    Tail* tail = nullptr;
    Offset first{0};
    Offset end{0};  // behind its last record
    Bytes records;
    std::size_t charge = 0;  // of a block: on the youngest of the entries in a row that are slices of it
    bool read = false;
  };
  using Entries = std::list<Entry>;

  Bytes compact(Bytes records);
  Entries::iterator insert(Entry entry);
  void remove(Entries::iterator entry);
  void make_room();

  std::size_t budget_;
  std::size_t charged_ = 0;
  Entries entries_;  // the oldest first
  Entries spare_;
  Buffer compact_;
};

/// One log's part: its last batches, without a gap. What is not at its end any more is cleared by whoever finds out:
/// `end` must be where the log ends.
class TailCache::Tail {
 public:
  explicit Tail(std::shared_ptr<TailCache> cache) : cache_(std::move(cache)) {}
  ~Tail() { clear(); }
  Tail(const Tail&) = delete;
  Tail& operator=(const Tail&) = delete;

  /// Somebody has read to the end.
  void follow() { followed_ = true; }
  bool followed() const { return followed_; }
  /// Keeps a batch that was appended. REQUIRES: nobody changes it any more.
  void add(Offset first, Offset end, Bytes batch);
  /// The batches from the one with `from` on that end at or before `bound`, the last one cut at max_bytes, except where it
  /// is the first and may be larger. False: the batch with `from` is not here, or too large.
  bool read(Offset from, Offset bound, std::size_t max_bytes, bool at_least_one, Records& out);
  /// Behind the last batch; kNoOffset: there is none.
  Offset end() const { return held_.empty() ? kNoOffset : held_.back()->end; }
  /// Lets go of what ends at or before `offset`.
  void drop_below(Offset offset);
  void clear();

 private:
  friend class TailCache;
  std::shared_ptr<TailCache> cache_;
  std::deque<Entries::iterator> held_;  // by offset
  bool followed_ = false;
};

}  // namespace milena::replica
