/// when_all: runs several tasks of one loop at the same time and ends when all have ended.
#pragma once

#include <utility>
#include <vector>

#include "io/signal.h"

namespace milena::io {

namespace detail {

struct Gathering {
  explicit Gathering(Loop& loop, std::size_t tasks) : left(tasks), done(loop) {}
  std::size_t left;
  Signal done;
};

inline Task<void> run_counted(Task<void> task, Gathering* gathering) {
  co_await std::move(task);
  if (--gathering->left == 0) gathering->done.notify_all();
}

}  // namespace detail

/// REQUIRES: the tasks belong to `loop`, the current one. The awaiting task is not destroyed while they run,
/// unless all tasks of the loop are.
inline Task<void> when_all(Loop& loop, std::vector<Task<void>> tasks) {
  if (tasks.empty()) co_return;
  // A single one takes the way of many: two calls in a row begin their tasks in that order, however many each has.
  detail::Gathering gathering(loop, tasks.size());
  for (Task<void>& task : tasks) loop.spawn(detail::run_counted(std::move(task), &gathering));
  while (gathering.left > 0) co_await gathering.done.wait();
}

}  // namespace milena::io
