#include "log/recovery.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/coverage.h"
#include "base/mutant.h"

namespace milena::log {

LogLoader::LogLoader(io::Disk& disk, OpenLog how)
    : how_(how), impl_(std::make_unique<Log::Impl>(disk, std::move(how))) {}

LogResult<std::unique_ptr<Log>> LogLoader::load(RecoveryReport* report) {
  Log::Impl& log = *impl_;
  TRY_ASSIGN(files_, clear_leftovers(log.context.disk, log.context.path, log.context.notes));
  if (!log.context.notes.empty()) ++log.context.directory_version;
  for (const auto& [base, size] : files_.logs) {
    log.segments.push_back(std::make_unique<Segment>(log.context, base, size, how_.now, log.draw_jitter()));
    log.segments.back()->synced_size = size;
  }
  if (log.segments.empty()) {
    TRY(log.add_empty(
        std::make_unique<Segment>(log.context, how_.log_start_offset, 0, how_.now, log.draw_jitter())));
  }
  log.snapshots = files_.snapshots;
  TRY_ASSIGN(std::size_t scan_start, choose_scan_start());
  log.log_start = std::max(how_.log_start_offset, log.segments.front()->base());
  TRY(load_epochs(scan_start));
  if (scan_start == log.segments.size()) {
    TRY(load_producers(expected_));
  } else {
    TRY(scan(scan_start));
    TRY(repair(scan_start));
  }
  TRY(finish());
  if (report != nullptr) {
    report->scanned_bytes = scanned_;
    report->scanned_records = scanned_records_;
    report->truncated_bytes = truncated_;
    report->notes = std::move(log.context.notes);
  }
  log.context.notes.clear();
  return std::unique_ptr<Log>(new Log(std::move(impl_)));
}

LogResult<std::size_t> LogLoader::choose_scan_start() {
  Log::Impl& log = *impl_;
  std::size_t start = how_.clean ? log.segments.size() : log.floor(how_.recovery_point);
  for (std::size_t i = 0; i < start; ++i) {
    Segment& segment = *log.segments[i];
    if (!files_.txn_indexes.contains(segment.base())) continue;
    TRY_IO_ASSIGN(std::string content, log.context.disk.read_file(segment.path(".txnindex"), 2ULL << 30));
    auto parsed = parse_txn_index(content, segment.base());
    if (!parsed.failed()) continue;
    log.context.notes.push_back(
        fmt::format("{}: rebuilt: {}", segment.path(".txnindex"), parsed.error().message));
    start = i;
  }
  if (start < log.segments.size()) {
    use_known(start);
    return bound_ ? bound_->segment : start;
  }
  auto end = log.active().end_offset();
  if (!end.failed()) {
    expected_ = *end;
    return start;
  }
  if (end.error().kind != LogErrorKind::kCorrupt) return Err(std::move(end.error()));
  log.context.notes.push_back(end.error().message + ", after a clean stop");
  return start - 1;
}

void LogLoader::use_known(std::size_t scan_start) {
  Log::Impl& log = *impl_;
  if (!how_.known || how_.known->segments == 0 || !files_.epochs) return;
  const LogSummary& known = *how_.known;
  std::size_t i = log.floor(known.active_base);
  Segment& segment = *log.segments[i];
  if (i < scan_start || segment.base() != known.active_base || segment.size() < known.active_size) return;
  auto info = log.context.disk.stat(segment.path(".log"));
  if (info.failed() || info->inode != known.inode) return;
  auto file = segment.file();
  if (file.failed()) return;
  IndexSource source = segment.source();
  source.size = known.active_size;
  auto loaded = load_index(log.context.disk, source);
  if (loaded.failed() || !loaded->rebuilt.empty() || loaded->end_offset != known.log_end_offset) return;
  MILENA_REACHED("recovery.from_a_summary");
  bound_.emplace(Bound{i, known.active_size, known.log_end_offset, std::move(loaded->index)});
}

LogResult<void> LogLoader::load_epochs(std::size_t scan_start) {
  Log::Impl& log = *impl_;
  std::string why = "it is missing";
  if (files_.epochs) {
    TRY_IO_ASSIGN(std::string text,
                  log.context.disk.read_file(log.context.path + "/leader-epoch-checkpoint"));
    auto parsed = EpochCache::parse(text);
    if (!parsed.failed()) {
      log.epochs = std::move(*parsed);
      return {};
    }
    why = parsed.error().message;
  }
  bound_.reset();  // the epochs below it are to be read, too
  for (std::size_t i = 0; i < scan_start; ++i) {
    Segment& segment = *log.segments[i];
    TRY_ASSIGN(auto file, segment.file());
    EntryWalker walker(*file, 0, segment.size());
    while (true) {
      TRY_ASSIGN(auto header, walker.next());
      if (!header) break;
      auto latest = log.epochs.latest();
      if (!latest || header->leader_epoch > latest->epoch)
        log.assign_epoch(header->leader_epoch, header->base_offset);
    }
    if (&segment != &log.active()) segment.cool();
  }
  bool records = std::ranges::any_of(log.segments, [](const auto& segment) { return segment->size() > 0; });
  if (!records) return {};
  if (!files_.epochs && scan_start == 0) return {};  // nothing was flushed yet: the scan tells
  ++log.epoch_version;
  MILENA_REACHED("recovery.epochs_rebuilt");
  log.context.notes.push_back(fmt::format("{}/leader-epoch-checkpoint: rebuilt: {}", log.context.path, why));
  return {};
}

LogResult<void> LogLoader::load_producers(Offset end) {
  // Snapshots above `end` are not looked at; the log ends there for now.
  impl_->next_offset = end;
  return impl_->reload_producers(how_.now);
}

LogResult<void> LogLoader::scan(std::size_t scan_start) {
  Log::Impl& log = *impl_;
  scanned_any_ = true;
  expected_ = log.segments[scan_start]->base();
  if (bound_) {
    expected_ = bound_->offset;
    log.segments[scan_start]->set_index(bound_->index);
  }
  TRY(load_producers(expected_));
  for (std::size_t i = scan_start; i < log.segments.size() && !cut_; ++i) {
    Segment& segment = *log.segments[i];
    if (segment.base() < expected_ && !(bound_ && i == scan_start)) {
      // Two segments hold the same offsets: nobody can tell which ones count.
      return Err(LogError{
          LogErrorKind::kCorrupt,
          fmt::format("{}: begins below {}, the end of the one before", segment.path(".log"), expected_)});
    }
    if (i > scan_start && log.context.options.gapless && segment.base() > expected_) {
      TRY(judge(i - 1, log.segments[i - 1]->size(), "the file ends there, before the next one begins"));
      break;
    }
    if (!bound_ || i > scan_start) expected_ = segment.base();
    if (i > scan_start) new_snapshots_.emplace_back(segment.base(), log.producers.snapshot());
    TRY(scan_segment(i));
  }
  log.next_offset = expected_;
  return {};
}

LogResult<void> LogLoader::scan_segment(std::size_t i) {
  Segment& segment = *impl_->segments[i];
  TRY_ASSIGN(auto file, segment.file());
  bool bounded = bound_ && bound_->segment == i;
  SegmentIndex index = bounded ? std::move(bound_->index) : SegmentIndex(segment.base());
  std::uint64_t from = bounded ? bound_->position : 0;
  EntryScanner scanner(*file, from, segment.size());
  std::string misplaced;
  while (misplaced.empty()) {
    TRY_ASSIGN(auto entry, scanner.next());
    if (!entry) break;
    misplaced = why_misplaced(segment, *entry);
    if (misplaced.empty()) take(*entry, scanner.entry_position(), index);
  }
  scanned_ += scanner.position() - from;
  segment.set_index(std::move(index));
  if (!how_.synced) segment.synced_size = 0;
  if (misplaced.empty()) {
    if (scanner.finished()) return {};
    TRY_ASSIGN(bool room, is_room(i, scanner.position()));
    if (!room) return judge(i, scanner.position(), scanner.why());
    rooms_.emplace_back(i, scanner.position());
    return {};
  }
  // No checksum covers a batch's base offset: a power loss may keep all of a batch but that.
  std::uint64_t position = scanner.entry_position();
  TRY_ASSIGN(auto behind, scanner.next());
  if (behind) return Err(refusal(i, position, misplaced, i, scanner.entry_position()));
  return judge(i, position, misplaced);
}

std::string LogLoader::why_misplaced(const Segment& segment, const wire::LogEntryView& entry) const {
  Offset base = entry.base_offset().value_or(entry.last_offset());
  Offset last = entry.last_offset();
  if (base >= expected_ && last >= base && last - segment.base() <= 0x7fffffff) return "";
  return fmt::format("a batch of offsets {} to {} stands there", base, last);
}

void LogLoader::take(const wire::LogEntryView& entry, std::uint64_t position, SegmentIndex& index) {
  Log::Impl& log = *impl_;
  Offset base = entry.base_offset().value_or(entry.last_offset());
  Offset last = entry.last_offset();
  scanned_records_ += static_cast<std::uint64_t>(entry.is_batch() ? entry.batch().records_count()
                                                                  : last - std::min(expected_, last) + 1);
  index.add(last, position, entry.size(), entry.max_timestamp(), log.context.options.index_interval_bytes);
  auto latest = log.epochs.latest();
  if (!latest || entry.leader_epoch() > latest->epoch) log.assign_epoch(entry.leader_epoch(), base);
  if (entry.is_batch() && entry.batch().has_producer()) {
    auto txn = log.producers.apply(entry.batch());
    if (txn) {
      if (txn->aborted) {
        index.add_aborted(
            {txn->producer_id, txn->first_offset, txn->last_offset, log.producers.stable_offset_after(*txn)});
      }
      log.producers.complete_txn(*txn);
    }
  }
  expected_ = last + 1;
}

std::string LogLoader::where(std::size_t i, std::uint64_t position, std::string_view why) const {
  return fmt::format("{}: no valid batch at position {} (offset {}): {}", impl_->segments[i]->path(".log"),
                     position, expected_, why);
}

LogError LogLoader::refusal(std::size_t i, std::uint64_t position, std::string_view why,
                            std::size_t next_segment, std::uint64_t next_position) const {
  return {LogErrorKind::kCorrupt,
          fmt::format("{}; a valid batch follows in {} at position {}{}", where(i, position, why),
                      impl_->segments[next_segment]->path(".log"), next_position, next_step(i, position))};
}

LogResult<bool> LogLoader::is_room(std::size_t i, std::uint64_t position) {
  Log::Impl& log = *impl_;
  if (expected_ < how_.recovery_point) return false;
  bool last = i + 1 == log.segments.size();
  if (last ? !log.context.options.preallocate : log.segments[i + 1]->base() != expected_) return false;
  TRY_ASSIGN(auto file, log.segments[i]->file());
  return only_zeros(*file, position, log.segments[i]->size());
}

LogResult<void> LogLoader::judge(std::size_t i, std::uint64_t position, std::string_view why) {
  Log::Impl& log = *impl_;
  const bool looks = !MILENA_MUTANT("cut-anywhere");
  if (expected_ < how_.recovery_point && looks) {
    return Err(LogError{LogErrorKind::kCorrupt,
                        fmt::format("{}; it lies below the recovery point {}{}", where(i, position, why),
                                    how_.recovery_point, next_step(i, position))});
  }
  for (std::size_t j = i; j < log.segments.size() && looks; ++j) {
    TRY_ASSIGN(auto file, log.segments[j]->file());
    std::uint64_t from = j == i ? position : 0;
    Offset expected = std::max(expected_, log.segments[j]->base());
    TRY_ASSIGN(auto follows, find_valid_batch(*file, from, log.segments[j]->size(), expected));
    if (follows) MILENA_REACHED("recovery.hole_refused");
    if (follows) return Err(refusal(i, position, why, j, *follows));
  }
  MILENA_REACHED("recovery.tail_cut");
  cut_ = true;
  cut_segment_ = i;
  cut_position_ = position;
  log.context.notes.push_back(where(i, position, why) + ": cut there");
  return {};
}

std::string LogLoader::next_step(std::size_t i, std::uint64_t position) const {
  const auto& segments = impl_->segments;
  std::string step = fmt::format(
      ". The partition is left as it is. To accept the loss of its records from offset {} on: stop the "
      "server, copy "
      "the directory aside, then run: truncate -s {} {}",
      expected_, position, segments[i]->path(".log"));
  for (std::size_t j = i + 1; j < segments.size(); ++j) {
    step += fmt::format("{}{}", j == i + 1 ? " && rm -f " : " ", segments[j]->path(".*"));
  }
  return step + " and start the server again";
}

LogResult<void> LogLoader::repair(std::size_t scan_start) {
  Log::Impl& log = *impl_;
  for (const auto& [i, position] : rooms_) {
    Offset behind = i + 1 == log.segments.size() ? log.next_offset : log.segments[i + 1]->base();
    TRY_ASSIGN([[maybe_unused]] Offset end, log.segments[i]->cut(position, behind));
    log.context.notes.push_back(
        fmt::format("{}: nothing behind position {}: cut there", log.segments[i]->path(".log"), position));
  }
  if (cut_) {
    while (log.segments.size() > cut_segment_ + 1) {
      truncated_ += log.active().size();
      TRY(log.drop_segment(log.segments.size() - 1));
    }
    std::uint64_t tail = log.active().size() - cut_position_;
    truncated_ += tail;
    TRY_ASSIGN([[maybe_unused]] Offset end, log.active().cut(cut_position_, log.next_offset));
  }
  for (std::size_t i = scan_start; i + 1 < log.segments.size(); ++i) {
    log.context.unsaved.insert(log.segments[i]->base());
  }
  bool changed = cut_ || !rooms_.empty() || !how_.synced || !log.context.unsaved.empty() || !new_snapshots_.empty();
  Offset good = bound_ ? bound_->offset : log.segments[scan_start]->base();
  for (auto it = log.snapshots.upper_bound(good); it != log.snapshots.end();) {
    changed = true;
    TRY_IO(log.context.disk.remove_file(log.context.path + "/" + segment_file_name(*it, ".snapshot")));
    it = log.snapshots.erase(it);
  }
  for (auto& [offset, content] : new_snapshots_) {
    if (offset <= log.active().base()) log.unsaved_snapshots[offset] = std::move(content);
  }
  // A full disk does not keep the log from being served: what has no room is written later.
  log.save_unsaved();
  if (!log.offline.empty()) return Err(LogError{LogErrorKind::kIo, log.offline});
  if (log.unsaved())
    log.context.notes.push_back(log.context.path + ": no room to write all rebuilt indexes yet");
  if (changed) ++log.context.directory_version;
  return {};
}

LogResult<void> LogLoader::remove_stray_snapshots() {
  Log::Impl& log = *impl_;
  TRY(log.drop_snapshots_above(log.next_offset));
  Offset newest = log.snapshots.empty() ? kNoOffset : *log.snapshots.rbegin();
  for (auto it = log.snapshots.begin(); it != log.snapshots.end();) {
    if (*it == newest || log.segments[log.floor(*it)]->base() == *it) {
      ++it;
      continue;
    }
    TRY_IO(log.context.disk.remove_file(log.context.path + "/" + segment_file_name(*it, ".snapshot")));
    it = log.snapshots.erase(it);
    ++log.context.directory_version;
  }
  return {};
}

LogResult<void> LogLoader::finish() {
  Log::Impl& log = *impl_;
  if (log.next_offset < log.log_start) {
    // Records below the log start are nobody's; there are no others.
    log.context.notes.push_back(fmt::format("{}: ends at {}, below its start {}: begun anew there",
                                            log.context.path, log.next_offset, log.log_start));
    return log.truncate_fully(log.log_start, how_.now);
  }
  if (log.next_offset < how_.recovery_point) {
    log.context.notes.push_back(fmt::format("{}: ends at {}, below its recovery point {}", log.context.path,
                                            log.next_offset, how_.recovery_point));
  }
  // An epoch that begins at the log end has no records yet, but it counts.
  if (log.epochs.truncate_from_end(log.next_offset + 1)) ++log.epoch_version;
  if (log.epochs.truncate_from_start(log.log_start)) ++log.epoch_version;
  TRY(remove_stray_snapshots());
  log.recovery_point = std::min(how_.recovery_point, log.next_offset);
  if (how_.clean && !scanned_any_) log.recovery_point = log.next_offset;
  log.flushed = how_.synced && !cut_ ? log.next_offset : log.recovery_point;
  log.high_watermark = log.log_start;
  log.producers.high_watermark_moved(log.high_watermark);
  return {};
}

}  // namespace milena::log
