// Milena's side of the comparison of partition logs; golden_log.py is the whole test.
//
//   golden_log make LOGS DIR SCRIPT ANSWERS   random operations on LOGS logs in DIR, written down with their
//                                             answers
//   golden_log open DIR NAMES...              opens the cleanly closed logs of DIR and describes them
//   golden_log read DIR NAMES...              opens logs as after a crash, looks up times and reads from everywhere
//
// One operation a line, fields separated by spaces; GoldenLog.java plays the same script. Time stands still.

#include <fmt/format.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <map>
#include <optional>

#include "base/crc32c.h"
#include "base/random.h"
#include "io/asio/posix_disk.h"
#include "log/log.h"
#include "log/log_directory.h"
#include "wire/batch_builder.h"
#include "wire/control_record.h"

namespace milena::log {
namespace {

constexpr Timestamp kNow{1'000'000};
const Uuid kTopic{0x1234567890abcdef, 0x0fedcba987654321};
constexpr std::int64_t kMetaLines = 80;  // operations on a log

LogOptions options(bool append_time) {
  LogOptions o;
  o.segment_bytes = 4000;
  o.index_interval_bytes = 200;
  o.retention_ms = -1;
  if (append_time) o.message_timestamp_type = wire::TimestampType::kLogAppendTime;
  return o;
}

template <class T>
T must(LogResult<T> result) {
  if (result.failed()) {
    fmt::print(stderr, "golden_log: {}: {}\n", name(result.error().kind), result.error().message);
    std::exit(2);  // NOLINT(concurrency-mt-unsafe) it has one thread
  }
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

std::string describe(const Log& log) {
  // Kafka's last stable offset may lag behind a log start that has moved.
  std::string text = fmt::format("log {} to {} stable {}", log.log_start_offset(), log.log_end_offset(),
                                 log.last_stable_offset());
  text += " epochs";
  for (const EpochEntry& entry : log.epochs()) text += fmt::format(" {}@{}", entry.epoch, entry.start_offset);
  text += " producers";
  for (const ProducerEntry& p : log.producers().producers()) {
    text +=
        fmt::format(" {}/{}/{}/{}/{}/{}", p.producer_id, p.producer_epoch, p.last_sequence(),
                    p.last_timestamp.value(), p.coordinator_epoch, p.txn_first_offset.value_or(kNoOffset));
  }
  return text;
}

class Maker {
 public:
  Maker(io::Disk& disk, std::string root, std::uint64_t seed, std::ofstream& script, std::ofstream& answers)
      : disk_(disk),
        random_(seed),
        script_(script),
        answers_(answers),
        directory_(must(LogDirectory::open(disk, std::move(root)))) {}

  void run(int number) {
    name_ = fmt::format("g{}", number);
    bool append_time = number % 4 == 3;
    changing_ = number % 3 == 2;
    truncated_ = false;
    how_ = OpenLog();
    how_.options = options(append_time);
    how_.now = kNow;
    must(directory_->create_partition({name_, PartitionId(0)}, kTopic));
    how_.path = directory_->partition_path({name_, PartitionId(0)});
    op(fmt::format("log {} {} {}", name_, append_time ? 1 : 0, changing_ ? "changing" : "growing"));
    log_ = must(Log::open(disk_, how_));
    ends_ = {Offset(0)};
    next_sequence_.clear();
    epoch_ = Epoch(0);
    answer(describe(*log_));
    for (int i = 0; i < kMetaLines; ++i) step();
    reopen();
    close();
    op("close");
    answer("closed");
  }

 private:
  void op(std::string_view line) { script_ << line << '\n'; }
  void answer(std::string_view line) { answers_ << line << '\n'; }

  void append(Bytes records, AppendOrigin origin, std::int16_t marker_version = 0) {
    op(fmt::format("append {} {} {} {}", origin == AppendOrigin::kClient ? "client" : "coordinator", epoch_,
                   to_hex(records.view()), marker_version));
    auto result = log_->append_as_leader(std::move(records), epoch_, kNow, origin, marker_version);
    if (result.failed()) return answer(std::string(wire::name(error_code(result.error().kind))));
    if (!result->duplicate) ends_.push_back(log_->log_end_offset());
    answer(
        fmt::format("{} {} {}", result->first_offset, result->last_offset, result->log_append_time.value()));
  }

  void append_batch() {
    wire::BatchOptions o;
    o.codec = static_cast<wire::Codec>(random_.below(5));
    int count = static_cast<int>(random_.between(1, 6));
    if (random_.one_in(2)) {
      std::int64_t id = random_.between(1, 5);
      auto& [epoch, sequence] = next_sequence_[id];
      if (random_.one_in(10)) {
        ++epoch;
        sequence = 0;
      }
      o.producer_id = ProducerId(id);
      o.producer_epoch = epoch;
      o.base_sequence = sequence;
      o.transactional = id >= 4;
      if (random_.one_in(12)) o.base_sequence += 3;  // a gap
      if (random_.one_in(12) && epoch > 0)
        o.producer_epoch = static_cast<std::int16_t>(epoch - 1);  // a zombie
      if (random_.one_in(20)) o.transactional = !o.transactional;
    }
    wire::BatchBuilder builder(o);
    std::string value(random_.below(300), static_cast<char>('a' + random_.below(26)));
    Timestamp timestamp(random_.between(900'000, 999'000));
    for (int i = 0; i < count; ++i)
      builder.append(timestamp + random_.between(0, 500), as_bytes(name_), as_bytes(value));
    Bytes batch = builder.build();
    Offset before = log_->log_end_offset();
    append(Bytes::copy(batch.view()), AppendOrigin::kClient);
    bool appended = log_->log_end_offset() > before;
    if (appended && o.producer_id != kNoProducer) {
      next_sequence_[o.producer_id.value()] = {o.producer_epoch, o.base_sequence + count};
    }
    if (random_.one_in(6)) append(Bytes::copy(batch.view()), AppendOrigin::kClient);  // sent again
  }

  void append_plain() {
    wire::BatchBuilder builder(wire::BatchOptions{});
    builder.append(Timestamp(random_.between(900'000, 999'000)), std::nullopt, as_bytes(name_));
    append(builder.build(), AppendOrigin::kClient);
  }

  void end_transaction() {
    std::int64_t id = random_.between(4, 5);
    auto epoch = static_cast<std::int16_t>(next_sequence_[id].first - (random_.one_in(8) ? 1 : 0));
    if (epoch < 0) return;
    auto coordinator = static_cast<std::int32_t>(random_.between(0, 1));
    append(wire::make_end_txn_batch({random_.one_in(2), coordinator, ProducerId(id), epoch}, Offset(0),
                                    kNoEpoch, Timestamp(999'500)),
           AppendOrigin::kCoordinator, static_cast<std::int16_t>(random_.between(0, 2)));
  }

  void truncate() {
    if (!changing_) return;
    std::size_t keep = ends_.size() - 1 - random_.below(std::min<std::size_t>(ends_.size(), 5));
    if (ends_[keep] < log_->log_start_offset()) return;
    op(fmt::format("truncate {}", ends_[keep]));
    must(log_->truncate_to(ends_[keep], kNow));
    truncated_ = true;
    ends_.resize(keep + 1);
    answer(describe(*log_));
    for (auto& [id, next] : next_sequence_) {
      const ProducerEntry* entry = log_->producers().find(ProducerId(id));
      next = entry == nullptr ? std::pair<std::int16_t, std::int32_t>{0, 0}
                              : std::pair{entry->producer_epoch, entry->last_sequence() + 1};
    }
    remove_deleted();
  }

  void remove_deleted() {
    for (const std::string& path : log_->take_deleted_files()) {
      if (disk_.remove_file(path).failed()) fmt::print(stderr, "golden_log: cannot remove {}\n", path);
    }
  }

  void look_up_time() {
    // Kafka forgets the timestamps behind the last index entry when it truncates, and gives up where the only
    // record in the first segment that is new enough lies below the log start.
    if (truncated_ || log_->log_start_offset() > Offset(0)) return;
    std::int64_t target = random_.between(899'000, 1'001'000);
    op(fmt::format("time {}", target));
    auto found = must(log_->offset_for_timestamp(Timestamp(target)));
    answer(found ? fmt::format("{} {} {}", found->offset, found->timestamp.value(), found->leader_epoch)
                 : "none");
  }

  void list_aborted() {
    Offset from(random_.between(log_->log_start_offset().value(), log_->log_end_offset().value()));
    Offset upper(random_.between(from.value(), log_->log_end_offset().value()));
    op(fmt::format("aborted {} {}", from, upper));
    std::string text = "aborted";
    for (const AbortedTransaction& txn : must(log_->aborted_transactions(from, upper))) {
      text += fmt::format(" {}/{}/{}/{}", txn.producer_id, txn.first_offset, txn.last_offset,
                          txn.last_stable_offset);
    }
    answer(text);
  }

  void advance() {
    if (changing_) return;  // Kafka forgets producers and epochs when it reopens a log that was emptied
    Offset start(std::min(log_->log_start_offset().value() + random_.between(0, 40),
                          log_->log_end_offset().value() - 1));
    if (start < log_->log_start_offset()) return;  // Kafka makes no snapshot where an emptied log is rolled
    log_->set_high_watermark(log_->log_end_offset());
    op(fmt::format("start {}", start));
    must(log_->advance_log_start_offset(start));
    must(log_->delete_old_segments(kNow));
    remove_deleted();
    answer(describe(*log_));
  }

  void close() {
    FlushPlan plan = must(log_->begin_close());
    if (plan.run(disk_).failed()) std::exit(2);  // NOLINT(concurrency-mt-unsafe) as above
    log_->complete_flush(plan);
    how_.clean = true;
    how_.recovery_point = log_->recovery_point();
    how_.log_start_offset = log_->log_start_offset();
    log_.reset();
  }

  void reopen() {
    if (!changing_) return;
    op("reopen");
    close();
    RecoveryReport report;
    log_ = must(Log::open(disk_, how_, &report));
    for (const std::string& note : report.notes) fmt::print("golden_log: {}\n", note);
    answer(describe(*log_));
  }

  void step() {
    switch (random_.below(24)) {
      case 0:
        return truncate();
      case 1:
        return advance();
      case 2:
        return reopen();
      case 3:
        op("roll");
        must(log_->roll(kNow));
        return answer("rolled");
      case 4:
        epoch_ = epoch_ + static_cast<std::int32_t>(random_.between(1, 2));
        op(fmt::format("epoch {}", epoch_));
        log_->assign_epoch(epoch_, log_->log_end_offset());
        answer(describe(*log_));
        return append_plain();  // an epoch without records is lost when Kafka reopens the log, not here
      case 5: {
        auto asked = static_cast<std::int32_t>(random_.between(0, epoch_.value() + 2));
        op(fmt::format("epochend {}", asked));
        EpochEnd end = log_->end_offset_for(Epoch(asked));
        return answer(fmt::format("{} {}", end.epoch, end.end_offset));
      }
      case 6:
        log_->set_high_watermark(log_->log_end_offset());
        op("watermark");
        return answer(describe(*log_));
      case 7:
      case 8:
        return look_up_time();
      case 9:
        return list_aborted();
      case 10:
      case 11:
        return end_transaction();
      default:
        return append_batch();
    }
  }

  io::Disk& disk_;
  Random random_;
  std::ofstream& script_;
  std::ofstream& answers_;
  std::unique_ptr<LogDirectory> directory_;
  std::string name_;
  OpenLog how_;
  std::unique_ptr<Log> log_;
  std::vector<Offset> ends_;  // of the batches: where truncation may cut
  std::map<std::int64_t, std::pair<std::int16_t, std::int32_t>> next_sequence_;
  Epoch epoch_{0};
  /// Is truncated and reopened: Kafka begins anew there to count the bytes between index entries, so that its
  /// indexes have other entries than ours.
  bool changing_ = false;
  bool truncated_ = false;
};

int make(int logs, const std::string& root, const std::string& script_path, const std::string& answers_path) {
  io::PosixDisk disk;
  std::ofstream script(script_path);
  std::ofstream answers(answers_path);
  Maker maker(disk, root, 42, script, answers);
  for (int i = 0; i < logs; ++i) maker.run(i);
  return script.good() && answers.good() ? 0 : 1;
}

OpenLog how_to_open(const std::string& root, const std::string& name, bool clean) {
  OpenLog how;
  how.path = root + "/" + name + "-0";
  how.options = options(false);
  how.clean = clean;
  how.now = kNow;
  return how;
}

int open(const std::string& root, int count, char** names) {
  io::PosixDisk disk;
  for (int i = 0; i < count; ++i) {
    OpenLog how = how_to_open(root, names[i], true);
    RecoveryReport report;
    auto log = must(Log::open(disk, how, &report));
    fmt::print("{} notes {}\n", describe(*log), report.notes.size());
  }
  return 0;
}

std::string find(Log& log, std::int64_t time) {
  auto found = must(time == -3 ? log.offset_of_max_timestamp() : log.offset_for_timestamp(Timestamp(time)));
  if (!found.has_value()) return fmt::format("{}: none", time);
  return fmt::format("{}: {} {}", time, found->offset, found->timestamp);
}

std::string read_from(Log& log, Offset offset) {
  ReadPlan plan = must(log.plan_read(offset, 400, true, log.log_end_offset()));
  auto bytes = plan.load();
  if (bytes.failed()) return bytes.error().what;
  return fmt::format("{}: {} {}", offset, bytes->size(), crc32c(bytes->view()));
}

int read(const std::string& root, int count, char** names) {
  constexpr std::int64_t kFirstTime = 5000;
  constexpr std::int64_t kRecords = 60;
  io::PosixDisk disk;
  for (int i = 0; i < count; ++i) {
    OpenLog how = how_to_open(root, names[i], false);
    auto log = must(Log::open(disk, how));
    fmt::print("{} {}\n", names[i], describe(*log));
    for (std::int64_t time = kFirstTime - 100; time < kFirstTime + kRecords * 40; time += 7) {
      fmt::print("{}\n", find(*log, time));
    }
    fmt::print("{}\n", find(*log, -3));
    for (Offset at{0}; at < log->log_end_offset(); at = at + 1) fmt::print("{}\n", read_from(*log, at));
    FlushPlan plan = must(log->begin_close());
    if (plan.run(disk).failed()) return 2;
    log->complete_flush(plan);
  }
  return 0;
}

}  // namespace
}  // namespace milena::log

int main(int argc, char** argv) {
  if (argc == 6 && std::strcmp(argv[1], "make") == 0) {
    return milena::log::make(std::atoi(argv[2]), argv[3], argv[4], argv[5]);
  }
  if (argc >= 4 && std::strcmp(argv[1], "open") == 0) return milena::log::open(argv[2], argc - 3, argv + 3);
  if (argc >= 4 && std::strcmp(argv[1], "read") == 0) return milena::log::read(argv[2], argc - 3, argv + 3);
  fmt::print(stderr, "golden_log make LOGS DIR SCRIPT ANSWERS | open DIR NAMES... | read DIR NAMES...\n");
  return 2;
}
