#include "raft/epoch_history.h"

#include <algorithm>
#include <iterator>

namespace milena::raft {

EpochHistory::EpochHistory(const std::vector<EpochStart>& entries) {
  for (const EpochStart& entry : entries) add(entry.epoch, entry.start);
}

Epoch EpochHistory::at(Offset offset) const {
  auto above = std::ranges::upper_bound(entries_, offset, {}, &EpochStart::start);
  return above == entries_.begin() ? Epoch(0) : std::prev(above)->epoch;
}

EpochEnd EpochHistory::end_of(Epoch epoch, Offset log_start, Offset log_end) const {
  auto above = std::ranges::upper_bound(entries_, epoch, {}, &EpochStart::epoch);
  if (above == entries_.begin()) return {epoch, log_start};
  Epoch floor = std::prev(above)->epoch;
  return {floor, above == entries_.end() ? log_end : above->start};
}

void EpochHistory::add(Epoch epoch, Offset start) {
  if (!entries_.empty() && entries_.back().epoch >= epoch) return;
  while (!entries_.empty() && entries_.back().start >= start) entries_.pop_back();
  entries_.push_back({epoch, start});
}

void EpochHistory::truncate(Offset end) {
  while (!entries_.empty() && entries_.back().start >= end && entries_.size() > 1) entries_.pop_back();
  if (entries_.size() == 1 && entries_[0].start >= end && end == Offset(0)) entries_.clear();
}

void EpochHistory::trim(Offset log_start) {
  if (log_start == Offset(0) || entries_.empty()) return;
  while (entries_.size() > 1 && entries_[1].start < log_start) entries_.erase(entries_.begin());
}

void EpochHistory::reset(Epoch epoch, Offset log_start) {
  entries_.assign(1, EpochStart{epoch, log_start - 1});
}

}  // namespace milena::raft
