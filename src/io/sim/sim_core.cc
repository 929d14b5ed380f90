#include "io/sim/sim_core.h"

#include <algorithm>
#include <cstdio>

#include "base/bytes.h"
#include "base/crc32c.h"

namespace milena::io {

namespace {
constexpr std::size_t kLogLinesKept = 20'000;
}  // namespace

Random SimCore::stream(std::string_view subsystem, std::uint64_t index) const {
  std::uint64_t state = seed_;
  for (char c : subsystem) state = splitmix64(state) ^ static_cast<std::uint8_t>(c);
  state = splitmix64(state) ^ index;
  return Random(splitmix64(state));
}

void SimCore::at(Instant when, Owner owner, Action action) {
  std::size_t place = actions_.size();
  if (free_actions_.empty()) {
    actions_.push_back(std::move(action));
  } else {
    place = free_actions_.back();
    free_actions_.pop_back();
    actions_[place] = std::move(action);
  }
  heap_.push_back({std::max(when, now_), ++sequence_, owner, place});
  std::push_heap(heap_.begin(), heap_.end(), later);
}

void SimCore::forget(Owner owner) {
  // Destroying an action may add events, so they leave the heap before they are destroyed.
  std::vector<Event> dropped;
  auto kept = std::partition(heap_.begin(), heap_.end(), [owner](const Event& e) { return e.owner != owner; });
  std::move(kept, heap_.end(), std::back_inserter(dropped));
  heap_.erase(kept, heap_.end());
  std::make_heap(heap_.begin(), heap_.end(), later);
  std::sort(dropped.begin(), dropped.end(), [](const Event& a, const Event& b) { return later(b, a); });
  for (Event& event : dropped) {
    Action action = std::move(actions_[event.action]);
    actions_[event.action] = nullptr;
    free_actions_.push_back(event.action);
  }
}

bool SimCore::step(Instant limit) {
  if (heap_.empty() || heap_.front().time > limit) {
    if (limit != Instant::never()) now_ = std::max(now_, limit);
    return false;
  }
  std::pop_heap(heap_.begin(), heap_.end(), later);
  Event event = heap_.back();
  heap_.pop_back();
  Action action = std::move(actions_[event.action]);
  actions_[event.action] = nullptr;
  free_actions_.push_back(event.action);
  now_ = event.time;
  ++events_;
  trace(static_cast<std::uint64_t>(now_.since_start().count()));
  trace(event.sequence);
  action();
  return true;
}

void SimCore::mark(std::string_view name) {
  auto found = marks_.find(name);
  if (found == marks_.end()) found = marks_.emplace(std::string(name), 0).first;
  ++found->second;
}

std::uint64_t SimCore::mark_count(std::string_view name) const {
  auto found = marks_.find(name);
  return found == marks_.end() ? 0 : found->second;
}

void SimCore::log_line(std::string line) {
  trace(crc32c(as_bytes(line)));
  if (log_to_stderr) std::fprintf(stderr, "%s\n", line.c_str());
  if (log_lines_.size() == kLogLinesKept) log_lines_.pop_front();
  log_lines_.push_back(std::move(line));
}

}  // namespace milena::io
