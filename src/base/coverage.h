/// MILENA_REACHED("room.path"): a path that only rare circumstances lead to. It notes that this process came
/// by, so that the simulator can say which of these paths no seed has taken (tests/sim lists them all;
/// tools/check_layers.py compares). Costs a load where it was reached before; it stays in the product. In .cc
/// files only. Threads: any.
#pragma once

#include <atomic>
#include <string>
#include <vector>

namespace milena {

class ReachedMark {
 public:
  explicit constexpr ReachedMark(const char* name) : name_(name) {}
  void note() {
    if (!reached_.load(std::memory_order_relaxed)) note_first();
  }

 private:
  friend std::vector<std::string> reached_marks();
  void note_first();

  const char* name_;
  std::atomic<bool> reached_{false};
  ReachedMark* next_ = nullptr;
};

/// The names of those that this process has reached, in no order; one that stands in several places once for
/// each.
std::vector<std::string> reached_marks();

}  // namespace milena

#define MILENA_REACHED(name)                                          \
  do {                                                                \
    static constinit ::milena::ReachedMark milena_reached_mark{name}; \
    milena_reached_mark.note();                                       \
  } while (false)
