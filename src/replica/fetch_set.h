/// FetchSet: the partitions of one loop that a fetch session reads, and which of them are ready: an epoll set. A
/// partition is ready when it is new or changed by its reader; when what its reader may read has grown (high watermark,
/// last stable offset or log end), or its log start, leadership, epoch or log have changed; and as long as it has
/// records, an error or a divergence to tell of. A visit reads the ready ones and looks at no other.
///
/// The fetch that a set serves runs on another loop, or on the same. It visits by a message, and learns without one
/// whether there is news: of news that ends its wait it is woken.
///
/// Ownership: shared by the fetch's side, a visit under way and what wakes the fetch; the last reference is let go on
/// the partitions' loop, or where no loop runs any more. Threads: the partitions' loop, but for has_news, begin_wait
/// and end_wait, which are the fetch's.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "io/signal.h"
#include "replica/partition.h"
#include "replica/partitions.h"

namespace milena::replica {

/// What wakes a fetch; lives on its loop.
struct FetchWaker {
  explicit FetchWaker(io::Loop& home) : loop(home), signal(home) {}
  io::Loop& loop;
  io::Signal signal;
};

/// What a reader changes of its set, by the number that it has given to a partition.
struct FetchChange {
  enum class Kind : std::uint8_t {
    kPut,     // a new one, or another request for it
    kAgain,   // ready once more: what was read of it was not told
    kForget,  // the number may be given to another one
    kClear,   // forget all
  };
  Kind kind = Kind::kPut;
  std::uint32_t place = 0;
  ReadRequest read;  // kPut
  FetchChange() = default;
  FetchChange(Kind what, std::uint32_t where) : kind(what), place(where) {}
};

struct FetchBudget {
  std::size_t max_bytes = 0;  // of all partitions of the fetch
  std::size_t held = 0;       // by what it has read so far
  bool first = true;          // its first visit here: all that is ready; else only what has news since the last
};

struct FetchFound {
  std::uint32_t place = 0;
  ReadResult result;
};

struct FetchVisited {
  std::vector<FetchFound> found;  // one for each that was ready, in the order in which they were read
  bool left = false;              // some stay ready
};

class FetchSet {
 public:
  FetchSet(LoopPartitions& there, std::shared_ptr<FetchWaker> waker);
  ~FetchSet();
  FetchSet(const FetchSet&) = delete;
  FetchSet& operator=(const FetchSet&) = delete;

  /// Reads what is ready, after the changes. Who had to wait for room comes first, who was served last: nobody
  /// starves. Only the first batch of a fetch may exceed max_bytes. REQUIRES: no other visit is under way.
  static io::Task<FetchVisited> visit(std::shared_ptr<FetchSet> self, std::vector<FetchChange> changes,
                                      FetchBudget budget);

  /// Something has become ready since the last visit.
  bool has_news() const { return (flags_.load() & kFresh) != 0; }
  /// False: do not wait, there is news that ends the wait. Else the waker is notified once there is some.
  bool begin_wait() { return (flags_.fetch_or(kWaiting) & kWoken) == 0; }
  void end_wait() { flags_.fetch_and(static_cast<std::uint8_t>(~kWaiting)); }

 private:
  class Entry;
  // Of entries; first in, first out.
  struct List {
    Entry* first = nullptr;
    Entry* last = nullptr;
    bool empty() const { return first == nullptr; }
    void push_back(Entry& entry);
    void remove(Entry& entry);
    void append(List& other);
  };
  static constexpr std::uint8_t kFresh = 1;
  static constexpr std::uint8_t kWoken = 2;
  static constexpr std::uint8_t kWaiting = 4;

  void apply(const FetchChange& change);
  void on_news(Entry& entry, bool wakes);
  void clear();

  LoopPartitions& there_;
  std::shared_ptr<FetchWaker> waker_;
  std::vector<std::unique_ptr<Entry>> entries_;  // by place
  List unserved_;  // ready, and had no room in the last fetch
  List fresh_;     // ready, with news since the last visit
  List served_;    // ready, told of in the last fetch
  List due_;       // of the visit under way
  std::atomic<std::uint8_t> flags_{0};
};

}  // namespace milena::replica
