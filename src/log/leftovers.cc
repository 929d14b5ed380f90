#include "log/leftovers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "log/entry_walker.h"
#include "log/segment.h"

namespace milena::log {
namespace {

constexpr std::array<std::string_view, 5> kSuffixes{".log", ".index", ".timeindex", ".txnindex", ".snapshot"};

/// The offset in "<20 digits><one of kSuffixes><tail>".
std::optional<Offset> segment_file(std::string_view name, std::string_view tail = "") {
  if (!name.ends_with(tail)) return std::nullopt;
  name.remove_suffix(tail.size());
  for (std::string_view suffix : kSuffixes) {
    if (auto offset = parse_segment_file_name(name, suffix)) return offset;
  }
  return std::nullopt;
}

class Sweeper {
 public:
  Sweeper(io::Disk& disk, const std::string& directory, std::vector<std::string>& notes)
      : disk_(disk), directory_(directory), notes_(notes) {}

  LogResult<LogFiles> run() {
    TRY(remove_unfinished());
    TRY(finish_swaps());
    return inventory();
  }

 private:
  std::string path(std::string_view name) const { return directory_ + "/" + std::string(name); }

  LogResult<void> list() {
    if (!std::exchange(stale_, false)) return {};
    TRY_IO_ASSIGN(auto entries, disk_.list(directory_));
    names_.clear();
    for (const io::DirectoryEntry& entry : entries) {
      if (!entry.is_directory) names_.push_back(entry.name);
    }
    return {};
  }

  LogResult<void> remove(std::string_view name, std::string_view why) {
    TRY_IO(disk_.remove_file(path(name)));
    stale_ = true;
    notes_.push_back(fmt::format("{}: removed: {}", path(name), why));
    return {};
  }

  LogResult<void> remove_unfinished() {
    TRY(list());
    std::optional<Offset> lowest_cleaned;
    for (const std::string& name : names_) {
      auto offset = segment_file(name, ".cleaned");
      if (offset) lowest_cleaned = std::min(lowest_cleaned.value_or(*offset), *offset);
    }
    for (const std::string& name : names_) {
      if (segment_file(name, ".deleted")) TRY(remove(name, "its deletion had begun"));
      if (segment_file(name, ".tmp") || name == "leader-epoch-checkpoint.tmp")
        TRY(remove(name, "not finished"));
      if (segment_file(name, ".cleaned")) TRY(remove(name, "its compaction was not finished"));
      auto swap = segment_file(name, ".swap");
      if (swap && lowest_cleaned && *swap >= *lowest_cleaned) TRY(remove(name, "its split was not finished"));
    }
    return {};
  }

  LogResult<void> finish_swaps() {
    TRY(list());
    std::optional<Offset> low;
    Offset high{0};
    for (const std::string& name : names_) {
      if (!name.ends_with(".log.swap")) continue;
      auto base = segment_file(name, ".swap");
      if (!base) continue;
      low = std::min(low.value_or(*base), *base);
      TRY_IO_ASSIGN(auto file, disk_.open(path(name), io::OpenMode::kRead));
      TRY_IO_ASSIGN(std::uint64_t size, file->size());
      EntryWalker walker(*file, 0, size);
      while (true) {
        TRY_ASSIGN(auto header, walker.next());
        if (!header) break;
        high = std::max(high, header->last_offset + 1);
      }
    }
    if (low) {
      for (const std::string& name : names_) {
        auto offset = segment_file(name);
        if (offset && *offset >= *low && *offset < high) TRY(remove(name, "compaction has replaced it"));
      }
    }
    for (const std::string& name : names_) {
      if (!segment_file(name, ".swap")) continue;
      std::string target = name.substr(0, name.size() - std::string_view(".swap").size());
      TRY_IO(disk_.rename(path(name), path(target)));
      stale_ = true;
      notes_.push_back(fmt::format("{}: compaction finished by renaming", path(target)));
    }
    return {};
  }

  LogResult<LogFiles> inventory() {
    TRY(list());
    LogFiles files;
    for (const std::string& name : names_) {
      if (auto base = parse_segment_file_name(name, ".log")) {
        TRY_IO_ASSIGN(io::FileInfo info, disk_.stat(path(name)));
        files.logs[*base] = info.size;
      }
    }
    for (const std::string& name : names_) {
      files.epochs |= name == "leader-epoch-checkpoint";
      auto offset = segment_file(name);
      if (!offset || name.ends_with(".log")) continue;
      if (name.ends_with(".snapshot")) {
        files.snapshots.insert(*offset);
      } else if (!files.logs.contains(*offset)) {
        TRY(remove(name, "an index without its segment"));
      } else if (name.ends_with(".txnindex")) {
        files.txn_indexes.insert(*offset);
      }
    }
    return files;
  }

  io::Disk& disk_;
  const std::string& directory_;
  std::vector<std::string>& notes_;
  std::vector<std::string> names_;
  bool stale_ = true;  // names_ is not what the directory holds
};

}  // namespace

LogResult<LogFiles> clear_leftovers(io::Disk& disk, const std::string& directory,
                                    std::vector<std::string>& notes) {
  return Sweeper(disk, directory, notes).run();
}

}  // namespace milena::log
