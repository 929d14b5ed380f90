#include "log/epoch_cache.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/mutant.h"
#include "log/text_file.h"

namespace milena::log {

LogResult<EpochCache> EpochCache::parse(std::string_view checkpoint) {
  TRY_ASSIGN(auto lines, parse_checkpoint_lines(checkpoint, "leader-epoch-checkpoint"));
  EpochCache cache;
  for (std::string_view line : lines) {
    auto space = line.find(' ');
    std::int32_t epoch = 0;
    std::int64_t start = 0;
    if (space == line.npos || !parse_number(line.substr(0, space), epoch) ||
        !parse_number(line.substr(space + 1), start) || epoch < 0 || start < 0) {
      return Err(
          LogError{LogErrorKind::kCorrupt, fmt::format("leader-epoch-checkpoint: not an entry: {}", line)});
    }
    if (!cache.assign(Epoch(epoch), Offset(start)) || cache.entries_.back().epoch != Epoch(epoch)) {
      return Err(
          LogError{LogErrorKind::kCorrupt, fmt::format("leader-epoch-checkpoint: out of order: {}", line)});
    }
  }
  if (cache.entries_.size() != lines.size()) {
    return Err(LogError{LogErrorKind::kCorrupt, "leader-epoch-checkpoint: entries do not ascend"});
  }
  return cache;
}

std::string EpochCache::format() const {
  std::string text = fmt::format("0\n{}\n", entries_.size());
  for (const EpochEntry& entry : entries_) text += fmt::format("{} {}\n", entry.epoch, entry.start_offset);
  return text;
}

bool EpochCache::assign(Epoch epoch, Offset start_offset) {
  CHECK(epoch.value() >= 0 && start_offset.value() >= 0, "epoch {} start {}", epoch, start_offset);
  if (!entries_.empty() && entries_.back().epoch == epoch && start_offset >= entries_.back().start_offset) {
    return false;
  }
  while (!entries_.empty() &&
         (entries_.back().epoch >= epoch || entries_.back().start_offset >= start_offset)) {
    entries_.pop_back();
  }
  entries_.push_back({epoch, start_offset});
  return true;
}

EpochEnd EpochCache::end_offset_for(Epoch epoch, Offset log_end_offset) const {
  if (epoch == kNoEpoch || entries_.empty()) return {};
  if (entries_.back().epoch == epoch) return {epoch, log_end_offset};
  auto higher = std::ranges::upper_bound(entries_, epoch, {}, &EpochEntry::epoch);
  if (higher == entries_.end() && MILENA_MUTANT("clairvoyant-epochs")) return {entries_.back().epoch, log_end_offset};
  if (higher == entries_.end()) return {};
  if (higher == entries_.begin()) return {epoch, higher->start_offset};
  return {std::prev(higher)->epoch, higher->start_offset};
}

std::optional<Epoch> EpochCache::epoch_at(Offset offset) const {
  auto next = std::ranges::upper_bound(entries_, offset, {}, &EpochEntry::start_offset);
  if (next == entries_.begin()) return std::nullopt;
  return std::prev(next)->epoch;
}

bool EpochCache::truncate_from_end(Offset end_offset) {
  std::size_t before = entries_.size();
  while (!entries_.empty() && entries_.back().start_offset >= end_offset) entries_.pop_back();
  return entries_.size() != before;
}

bool EpochCache::truncate_from_start(Offset start_offset) {
  auto next = std::ranges::upper_bound(entries_, start_offset, {}, &EpochEntry::start_offset);
  if (next == entries_.begin()) return false;
  auto in_force = std::prev(next);
  if (in_force == entries_.begin() && in_force->start_offset == start_offset) return false;
  in_force->start_offset = start_offset;
  entries_.erase(entries_.begin(), in_force);
  return true;
}

bool EpochCache::clear() {
  bool had = !entries_.empty();
  entries_.clear();
  return had;
}

std::optional<EpochEntry> EpochCache::latest() const {
  if (entries_.empty()) return std::nullopt;
  return entries_.back();
}

std::optional<EpochEntry> EpochCache::earliest() const {
  if (entries_.empty()) return std::nullopt;
  return entries_.front();
}

}  // namespace milena::log
