#include "io/sim/sim_inode.h"

#include <algorithm>

namespace milena::io {

namespace {

void apply_change(SimEntries& entries, const SimInode::Change& change) {
  if (!change.erased.empty()) entries.erase(change.erased);
  if (!change.set.empty()) entries[change.set] = change.inode;
}

// Copies [begin, end) of `from` over `to`, zeros where `from` has ended. Neither changes its size.
void copy_range(const std::string& from, std::string& to, std::uint64_t begin, std::uint64_t end) {
  end = std::min<std::uint64_t>(end, to.size());
  for (std::uint64_t at = begin; at < end;) {
    if (at >= from.size()) {
      std::fill(to.begin() + static_cast<std::ptrdiff_t>(at), to.begin() + static_cast<std::ptrdiff_t>(end), '\0');
      return;
    }
    std::uint64_t count = std::min<std::uint64_t>(end, from.size()) - at;
    from.copy(to.data() + at, count, at);
    at += count;
  }
}

}  // namespace

void SimInode::write(std::uint64_t offset, std::string_view bytes) {
  if (bytes.empty()) return;
  std::uint64_t end = offset + bytes.size();
  std::uint64_t begin = std::min<std::uint64_t>(offset, content.size());  // a hole is written with zeros
  if (end > content.size()) content.resize(end);
  bytes.copy(content.data() + offset, bytes.size());
  if (!dirty.empty() && dirty.back().second == begin) {
    dirty.back().second = end;
  } else {
    dirty.emplace_back(begin, end);
  }
}

void SimInode::resize(std::uint64_t size) {
  if (size > content.size()) dirty.emplace_back(content.size(), size);
  content.resize(size);
  shortest = std::min(shortest, size);
}

void SimInode::sync() {
  durable.resize(std::min<std::uint64_t>(shortest, durable.size()));
  durable.resize(content.size());
  for (auto [begin, end] : dirty) copy_range(content, durable, begin, end);
  dirty.clear();
  shortest = content.size();
}

void SimInode::drop_dirty() {
  durable.resize(std::min<std::uint64_t>(shortest, durable.size()));
  for (auto [begin, end] : dirty) copy_range(durable, content, begin, end);
  durable = content;
  dirty.clear();
  shortest = content.size();
}

void SimInode::change(Change change) {
  apply_change(entries, change);
  changes.push_back(std::move(change));
}

void SimInode::sync_directory() {
  for (const Change& change : changes) apply_change(durable_entries, change);
  changes.clear();
}

void SimInode::sync_all(bool failed) {
  if (!is_directory) {
    failed ? drop_dirty() : sync();
    return;
  }
  if (!failed) sync_directory();
  for (auto& [name, child] : entries) child->sync_all(failed);
}

void SimInode::lose_file(Random& random, SimCore& core) {
  bool size_changed = content.size() != durable.size() || shortest < durable.size();
  if (dirty.empty() && !size_changed) return;
  std::uint64_t size = durable.size();
  if (size_changed) {
    std::uint64_t low = std::min<std::uint64_t>(durable.size(), content.size());
    std::uint64_t high = std::max<std::uint64_t>(durable.size(), content.size());
    switch (random.below(3)) {
      case 0: break;  // the old size
      case 1: size = content.size(); break;
      default: size = low + random.below(high - low + 1);
    }
    if (size != durable.size()) durable.resize(std::min<std::uint64_t>(shortest, durable.size()));
    core.mark(size == content.size() ? "disk.power_loss.size_kept" : "disk.power_loss.size_lost");
  }
  durable.resize(size);
  // All, none, or each sector by itself.
  std::uint64_t mode = random.below(4);
  for (auto [begin, end] : dirty) {
    for (std::uint64_t sector = begin / kSimSector; sector * kSimSector < std::min(end, size); ++sector) {
      bool kept = mode == 0 || (mode != 1 && random.one_in(2));
      core.mark(kept ? "disk.power_loss.sector_kept" : "disk.power_loss.sector_lost");
      if (kept) copy_range(content, durable, sector * kSimSector, (sector + 1) * kSimSector);
    }
  }
  content = durable;
  dirty.clear();
  shortest = content.size();
}

void SimInode::lose_power(Random& random, SimCore& core) {
  handles = 0;
  links = 0;
  if (!is_directory) {
    lose_file(random, core);
    return;
  }
  std::uint64_t kept = changes.empty() ? 0 : random.below(changes.size() + 1);
  for (std::uint64_t i = 0; i < changes.size(); ++i) {
    if (i < kept) apply_change(durable_entries, changes[i]);
    core.mark(i < kept ? "disk.power_loss.name_kept" : "disk.power_loss.name_lost");
  }
  changes.clear();
  entries = durable_entries;
  for (auto& [name, child] : entries) child->lose_power(random, core);
  for (auto& [name, child] : entries) child->links = 1;
}

}  // namespace milena::io
