/// ThreadPool: a few threads for what may block: fsync, cold reads, name resolution, removing trees.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "io/loop.h"

namespace milena::io {

class ThreadPool {
 public:
  explicit ThreadPool(std::size_t threads);
  /// Runs what was submitted, then joins.
  ~ThreadPool();
  /// Any thread. Work starts in the order of submission.
  void submit(Callback work);

 private:
  void run();
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Callback> queue_;
  bool stopping_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace milena::io
