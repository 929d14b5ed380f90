#include "base/coverage.h"

namespace milena {
namespace {
constinit std::atomic<ReachedMark*> first{nullptr};
}  // namespace

void ReachedMark::note_first() {
  if (reached_.exchange(true)) return;
  next_ = first.load();
  while (!first.compare_exchange_weak(next_, this)) {
  }
}

std::vector<std::string> reached_marks() {
  std::vector<std::string> names;
  for (ReachedMark* mark = first.load(); mark != nullptr; mark = mark->next_) names.emplace_back(mark->name_);
  return names;
}

}  // namespace milena
