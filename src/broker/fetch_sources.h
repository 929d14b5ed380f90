/// FetchSources: where the partitions of a fetch are read: a replica::FetchSet per loop that has some, seen from
/// the fetch's side. Keeps what is to be changed there until the next visit, and waits for news.
/// Threads: one loop, the fetch's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/time.h"
#include "io/signal.h"
#include "replica/fetch_set.h"
#include "replica/partitions.h"

namespace milena::broker {

struct FetchPartition;

/// A partition's number among those of its loop.
struct FetchPlace {
  static constexpr std::uint32_t kNowhere = UINT32_MAX;
  std::uint32_t loop = kNowhere;
  std::uint32_t number = 0;
  bool nowhere() const { return loop == kNowhere; }
};

class FetchSources {
 public:
  FetchSources(io::Loop& loop, replica::Partitions& partitions);
  /// Lets the sets go on their loops.
  ~FetchSources();
  FetchSources(const FetchSources&) = delete;
  FetchSources& operator=(const FetchSources&) = delete;

  /// Reads `partition` from now on as `read` says; its place is noted in it.
  void put(FetchPartition& partition, const replica::ReadRequest& read);
  void forget(FetchPartition& partition);
  /// Its news was not told: it is ready again. A place that was forgotten since is none.
  void again(FetchPlace place);
  /// Forgets all, for another use.
  void clear();
  /// Partitions that the sets hold memory for.
  std::size_t places() const;

  std::size_t loops() const { return shares_.size(); }
  /// Whether there is something to read on a loop: ready or changed (`first`), or news since the last visit.
  bool due(std::size_t loop, bool first) const;
  bool any_news() const;
  static io::Task<std::vector<replica::FetchFound>> visit(FetchSources* self, std::size_t loop,
                                                          replica::FetchBudget budget);
  /// The partition at a place; null: it was forgotten.
  FetchPartition* at(FetchPlace place) const;
  /// Until there is news that ends a wait, wake() or the deadline.
  static io::Task<void> wait(FetchSources* self, Instant deadline);
  void wake() { waker_->signal.notify_all(); }

  /// One request at a time reads from here: the next one waits on `freed`.
  bool busy = false;
  io::Signal freed;

 private:
  struct Share {
    std::shared_ptr<replica::FetchSet> set;  // null: no partition of that loop was put yet
    std::vector<replica::FetchChange> changes;
    std::vector<FetchPartition*> at;  // by number; null: free
    std::vector<std::uint32_t> free;
    std::size_t places = 0;  // ever, at a time
    bool left = false;       // ready ones, at the last visit's end
    bool idle() const { return at.empty(); }  // at most a clear() waits to be done
  };
  replica::Partitions& partitions_;
  std::shared_ptr<replica::FetchWaker> waker_;
  std::vector<Share> shares_;
};

}  // namespace milena::broker
