// LogLoader: the rules of recovery.h, one by one.
#include "log/recovery.h"

#include <gmock/gmock.h>

#include <sstream>

#include "base/endian.h"
#include "log/log_fixture.h"

namespace milena::log {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kFirst = "00000000000000000000.log";

LogOptions small_segments() {
  LogOptions options;
  options.segment_bytes = 600;
  options.index_interval_bytes = 100;
  return options;
}

/// A log of `count` batches of 2 records each, killed; what it held.
std::string killed_log(Machine& machine, int count, const LogOptions& options = {}) {
  auto log = must_open(machine, open_how(options));
  for (int i = 0; i < count; ++i) {
    must_append(*log, {.count = 2, .timestamp = Timestamp(1000 + i), .producer_id = 9, .sequence = 2 * i},
                Epoch(i / 4));
  }
  std::string all = read_all(*log, Offset(0));
  machine.restart();
  return all;
}

std::map<std::string, std::string> everything(Machine& machine) {
  std::map<std::string, std::string> files;
  auto entries = machine.disk.list(kDirectory);
  EXPECT_TRUE(entries.has_value());
  for (const auto& entry : *entries) files[entry.name] = machine.read(entry.name);
  return files;
}

TEST(Recovery, a_kill_loses_nothing_and_all_is_built_anew) {
  Machine machine;
  std::string all = killed_log(machine, 30, small_segments());
  RecoveryReport report;
  auto log = must_open(machine, open_how(small_segments()), &report);
  EXPECT_EQ(report.scanned_bytes, all.size());
  EXPECT_EQ(report.scanned_records, 60U);
  EXPECT_EQ(log->log_end_offset(), Offset(60));
  EXPECT_EQ(read_all(*log, Offset(0)), all);
  EXPECT_EQ(log->epochs().size(), 8U);
  EXPECT_EQ(log->producers().find(ProducerId(9))->last_sequence(), 59);
  EXPECT_EQ((*log->offset_for_timestamp(Timestamp(1020)))->offset, Offset(39));
  AppendResult again = must_append(*log, {.count = 2, .producer_id = 9, .sequence = 58});
  EXPECT_TRUE(again.duplicate) << "the window came back";
  again = must_append(*log, {.count = 2, .producer_id = 9, .sequence = 50});
  EXPECT_TRUE(again.duplicate);
}

TEST(Recovery, a_torn_last_batch_is_cut_at_any_length) {
  std::size_t one = make_batch({.count = 2, .producer_id = 9}).size();
  for (std::size_t cut = 1; cut < one; ++cut) {
    Machine machine;
    std::string all = killed_log(machine, 3);
    machine.write(kFirst, all.substr(0, all.size() - cut));
    RecoveryReport report;
    auto log = must_open(machine, open_how(), &report);
    ASSERT_EQ(log->log_end_offset(), Offset(4)) << cut;
    EXPECT_EQ(report.truncated_bytes, one - cut);
    EXPECT_EQ(machine.read(kFirst), all.substr(0, 2 * one));
    EXPECT_EQ(log->producers().find(ProducerId(9))->last_sequence(), 3);
    EXPECT_EQ(must_append(*log, {.count = 2, .producer_id = 9, .sequence = 4}).first_offset, Offset(4));
  }
}

TEST(Recovery, zeros_behind_the_end_are_cut) {
  Machine machine;
  std::string all = killed_log(machine, 3);
  machine.write(kFirst, all + std::string(5000, '\0'));
  auto log = must_open(machine, open_how());
  EXPECT_EQ(log->log_end_offset(), Offset(6));
  EXPECT_EQ(machine.read(kFirst), all);
}

TEST(Recovery, zeros_between_two_segments_are_cut_where_no_offset_is_missing) {
  Machine machine;
  std::string all = killed_log(machine, 30, small_segments());
  std::string first = machine.read(kFirst);
  machine.write(kFirst, first + std::string(900, '\0'));
  OpenLog how = open_how(small_segments());
  how.options.gapless = true;
  auto log = must_open(machine, how);
  EXPECT_EQ(read_all(*log, Offset(0)), all) << "its end was preallocated, and cut too late";
  EXPECT_EQ(machine.read(kFirst), first);
  log.reset();
  // With a batch less there is something missing.
  std::size_t one = make_batch({.count = 2, .producer_id = 9}).size();
  machine.write(kFirst, first.substr(0, first.size() - one) + std::string(900, '\0'));
  EXPECT_TRUE(Log::open(machine.disk, how).failed());
}

TEST(Recovery, a_preallocated_segment_is_cut_to_its_records) {
  Machine machine;
  LogOptions options = small_segments();
  options.preallocate = true;
  std::string all = killed_log(machine, 20, options);
  auto before = everything(machine);
  std::erase_if(before, [](const auto& file) { return !file.first.ends_with(".log"); });
  ASSERT_GT(before.size(), 2U);
  for (const auto& [name, content] : before) {
    bool last = name == before.rbegin()->first;
    EXPECT_EQ(content.size() == 600, last) << name << ": only the active one may be longer than its records";
  }
  RecoveryReport report;
  auto log = must_open(machine, open_how(options), &report);
  EXPECT_EQ(report.truncated_bytes, 0U) << "that is no loss";
  EXPECT_EQ(read_all(*log, Offset(0)), all);
  EXPECT_LT(machine.read(before.rbegin()->first).size(), 600U);
  for (int i = 20; i < 25; ++i) must_append(*log, {.count = 2, .producer_id = 9, .sequence = 2 * i}, Epoch(5));
  all = read_all(*log, Offset(0));
  OpenLog how = close_cleanly(machine, std::move(log));
  std::string files;
  for (const auto& [name, content] : everything(machine)) files += name.ends_with(".log") ? content : "";
  EXPECT_EQ(files, all) << "a clean stop gives back the rest";
  log = must_open(machine, how, &report);
  EXPECT_EQ(report.scanned_bytes, 0U);
  EXPECT_EQ(read_all(*log, Offset(0)), all);
}

TEST(Recovery, a_rotten_last_batch_is_cut_above_the_recovery_point_only) {
  for (std::int64_t recovery_point : {0, 4, 5, 6}) {
    Machine machine;
    std::string all = killed_log(machine, 3);
    all[all.size() - 5] ^= 1;
    machine.write(kFirst, all);
    auto before = everything(machine);
    OpenLog how = open_how();
    how.recovery_point = Offset(recovery_point);
    auto log = Log::open(machine.disk, how);
    if (recovery_point <= 4) {
      ASSERT_TRUE(log.has_value()) << log.error().message;
      EXPECT_EQ((*log)->log_end_offset(), Offset(4));
    } else {
      ASSERT_TRUE(log.failed());
      EXPECT_EQ(log.error().kind, LogErrorKind::kCorrupt);
      EXPECT_THAT(log.error().message, HasSubstr("below the recovery point"));
      EXPECT_THAT(log.error().message, HasSubstr(kFirst));
      EXPECT_EQ(everything(machine), before) << "nothing was touched";
    }
  }
}

/// Does what the error tells the operator to run: `truncate -s POSITION FILE [&& rm -f DIRECTORY/BASE.*
/// ...]`.
void follow_advice(Machine& machine, const std::string& message) {
  std::size_t begin = message.find("truncate -s ");
  std::size_t end = message.find(" and start the server again");
  ASSERT_TRUE(begin != std::string::npos && end != std::string::npos) << message;
  std::istringstream words(message.substr(begin, end - begin));
  std::string word;
  std::uint64_t position = 0;
  words >> word >> word >> position >> word;
  auto file = machine.disk.open(word, io::OpenMode::kWrite);
  ASSERT_TRUE(file.has_value()) << word;
  ASSERT_TRUE((*file)->truncate(position).has_value());
  if (!(words >> word)) return;
  words >> word >> word;  // && rm -f
  while (words >> word) {
    ASSERT_TRUE(word.ends_with(".*")) << word;
    std::string stem = word.substr(kDirectory.size() + 1, word.size() - kDirectory.size() - 2);
    for (const auto& [name, content] : everything(machine)) {
      if (!name.starts_with(stem)) continue;
      ASSERT_TRUE(machine.disk.remove_file(kDirectory + "/" + name).has_value());
    }
  }
}

TEST(Recovery, a_refused_log_is_served_again_after_what_its_error_advises) {
  struct Case {
    std::size_t segment;
    std::size_t batch;
    bool below_recovery_point;
  };
  for (const Case& one :
       {Case{0, 0, false}, Case{0, 2, false}, Case{2, 1, false}, Case{2, 1, true}, Case{4, 0, true}}) {
    Machine machine;
    std::string all = killed_log(machine, 30, small_segments());
    std::vector<std::string> logs;
    for (const auto& [name, content] : everything(machine)) {
      if (name.ends_with(".log")) logs.push_back(name);
    }
    std::string content = machine.read(logs.at(one.segment));
    std::size_t size = make_batch({.count = 2, .producer_id = 9}).size();
    std::size_t position = one.batch * size;
    content[position + 50] ^= 1;
    machine.write(logs[one.segment], content);
    OpenLog how = open_how(small_segments());
    how.options.gapless = true;
    Offset base = *parse_segment_file_name(logs[one.segment], ".log");
    Offset lost = base + static_cast<std::int64_t>(2 * one.batch);
    if (one.below_recovery_point) how.recovery_point = lost + 1;
    auto log = Log::open(machine.disk, how);
    ASSERT_TRUE(log.failed());
    std::string where =
        kDirectory + "/" + logs[one.segment] + ": no valid batch at position " + std::to_string(position);
    EXPECT_THAT(log.error().message, HasSubstr(where));
    follow_advice(machine, log.error().message);
    ASSERT_FALSE(HasFatalFailure());
    auto again = must_open(machine, how);
    ASSERT_NE(again, nullptr);
    std::string left = read_all(*again, Offset(0));
    EXPECT_TRUE(all.starts_with(left));
    EXPECT_EQ(left.size(), static_cast<std::size_t>(lost.value()) / 2 * size);
    EXPECT_EQ(must_append(*again, {}, Epoch(9)).first_offset, lost);
  }
}

TEST(Recovery, a_rotten_batch_before_valid_ones_fails_the_partition) {
  Machine machine;
  killed_log(machine, 30, small_segments());
  std::string first = machine.read(kFirst);
  first[first.size() / 4 + 45] ^= 1;  // under a checksum
  machine.write(kFirst, first);
  auto before = everything(machine);
  auto log = Log::open(machine.disk, open_how(small_segments()));
  ASSERT_TRUE(log.failed());
  EXPECT_EQ(log.error().kind, LogErrorKind::kCorrupt);
  EXPECT_THAT(log.error().message, HasSubstr("a valid batch follows"));
  EXPECT_EQ(everything(machine), before);
  // Above the scanned part it is not looked at: reading it is the reader's business.
  OpenLog how = open_how(small_segments());
  how.recovery_point = Offset(40);
  EXPECT_TRUE(Log::open(machine.disk, how).has_value());
}

TEST(Recovery, a_valid_batch_in_a_later_segment_counts_too) {
  Machine machine;
  killed_log(machine, 30, small_segments());
  std::string first = machine.read(kFirst);
  machine.write(kFirst, first.substr(0, first.size() - 3));
  auto log = Log::open(machine.disk, open_how(small_segments()));
  ASSERT_TRUE(log.failed());
  EXPECT_THAT(log.error().message, HasSubstr("a valid batch follows"));
}

// A power loss kept the beginning of a segment and lost the end of the one before.
TEST(Recovery, a_gap_between_segments_is_a_lost_tail_where_nothing_is_compacted) {
  for (bool next_has_batches : {false, true}) {
    Machine machine;
    LogOptions options = small_segments();
    options.gapless = true;
    killed_log(machine, 30, options);
    std::string first = machine.read(kFirst);
    std::size_t one = make_batch({.count = 2, .producer_id = 9}).size();
    std::size_t batches = first.size() / one;
    machine.write(kFirst, first.substr(0, (batches - 1) * one));
    if (!next_has_batches) {
      for (const auto& [name, content] : everything(machine)) {
        if (name.ends_with(".log") && name != kFirst) machine.write(name, "torn");
      }
    }
    auto log = Log::open(machine.disk, open_how(options));
    if (next_has_batches) {
      ASSERT_TRUE(log.failed());
      EXPECT_THAT(log.error().message, HasSubstr("a valid batch follows"));
    } else {
      ASSERT_TRUE(log.has_value()) << log.error().message;
      EXPECT_EQ((*log)->log_end_offset(), Offset(static_cast<std::int64_t>(2 * (batches - 1))));
    }
  }
}

// The first sector of a batch was lost, the rest kept: the checksum does not cover the base offset.
TEST(Recovery, a_batch_without_its_base_offset_is_no_valid_batch) {
  std::size_t one = make_batch({.count = 2, .producer_id = 9}).size();
  for (std::size_t which : {1, 2}) {
    Machine machine;
    std::string all = killed_log(machine, 3);
    all.replace(which * one, 8, std::string(8, '\0'));
    machine.write(kFirst, all);
    auto log = Log::open(machine.disk, open_how());
    if (which == 2) {
      ASSERT_TRUE(log.has_value()) << log.error().message;
      EXPECT_EQ((*log)->log_end_offset(), Offset(4));
      EXPECT_EQ(machine.read(kFirst), all.substr(0, 2 * one));
    } else {
      ASSERT_TRUE(log.failed());
      EXPECT_THAT(log.error().message, HasSubstr("no valid batch at position " + std::to_string(one)));
      EXPECT_THAT(log.error().message, HasSubstr("a valid batch follows"));
      EXPECT_EQ(machine.read(kFirst), all);
    }
  }
}

TEST(Recovery, later_segments_without_a_valid_batch_go_with_the_tail) {
  Machine machine;
  std::string all = killed_log(machine, 4);
  std::size_t one = all.size() / 4;
  machine.write(kFirst, all.substr(0, 2 * one + 10));
  machine.write("00000000000000000006.log", std::string(100, '\0'));
  auto log = must_open(machine, open_how());
  EXPECT_EQ(log->log_end_offset(), Offset(4));
  EXPECT_EQ(log->segment_count(), 1U);
  EXPECT_FALSE(machine.has("00000000000000000006.log"));
  EXPECT_THAT(log->take_deleted_files(), Contains(kDirectory + "/00000000000000000006.log.deleted"));
}

TEST(Recovery, a_clean_stop_is_trusted_and_complete) {
  Machine machine;
  auto log = must_open(machine, open_how(small_segments()));
  for (int i = 0; i < 30; ++i)
    must_append(*log, {.count = 2, .timestamp = Timestamp(1000 + i), .producer_id = 9, .sequence = 2 * i});
  log->assign_epoch(Epoch(5), log->log_end_offset());
  std::string all = read_all(*log, Offset(0));
  OpenLog how = close_cleanly(machine, std::move(log));
  EXPECT_TRUE(machine.has("00000000000000000060.snapshot"));
  for (const auto& [name, content] : everything(machine)) {
    if (!name.ends_with(".log")) continue;
    std::string stem = name.substr(0, name.size() - 4);
    EXPECT_TRUE(machine.has(stem + ".index") && machine.has(stem + ".timeindex")) << stem;
    EXPECT_EQ(machine.read(stem + ".timeindex").size() % 12, 0U);
    EXPECT_GT(machine.read(stem + ".timeindex").size(), 0U) << "an empty one would be trusted by Kafka";
  }
  machine.power_cycle();
  RecoveryReport report;
  log = must_open(machine, how, &report);
  EXPECT_EQ(report.scanned_bytes, 0U);
  EXPECT_THAT(report.notes, ElementsAre());
  EXPECT_EQ(log->log_end_offset(), Offset(60));
  EXPECT_EQ(log->recovery_point(), Offset(60));
  EXPECT_EQ(log->epochs().back().epoch, Epoch(5)) << "an epoch without records survives";
  EXPECT_EQ(read_all(*log, Offset(0)), all);
  EXPECT_EQ((*log->offset_for_timestamp(Timestamp(1020)))->offset, Offset(39));
  EXPECT_TRUE(must_append(*log, {.count = 2, .producer_id = 9, .sequence = 58}).duplicate);
  EXPECT_EQ(must_append(*log, {.count = 2, .producer_id = 9, .sequence = 60}).first_offset, Offset(60));
}

TEST(Recovery, missing_corrupt_and_short_indexes_are_rebuilt) {
  Machine machine;
  auto log = must_open(machine, open_how(small_segments()));
  for (int i = 0; i < 30; ++i) must_append(*log, {.count = 2, .timestamp = Timestamp(1000 + 2 * i)});
  OpenLog how = close_cleanly(machine, std::move(log));
  std::vector<std::string> names;
  std::map<std::string, std::string> good = everything(machine);
  for (const auto& [name, content] : good) {
    if (name.ends_with("index")) names.push_back(name);
  }
  ASSERT_GT(names.size(), 6U);
  for (int damage = 0; damage < 4; ++damage) {
    for (const std::string& name : names) {
      std::string content = good[name];
      if (damage == 0) {
        ASSERT_TRUE(machine.disk.remove_file(kDirectory + "/" + name).has_value());
      }
      if (damage == 1) machine.write(name, "");
      if (damage == 2) machine.write(name, content + "x");
      if (damage == 3) machine.write(name, std::string(content.size() + 24, '\0'));
    }
    log = must_open(machine, how);
    ASSERT_EQ(log->log_end_offset(), Offset(60));
    for (int i = 0; i < 30; ++i) {
      EXPECT_EQ((*log->offset_for_timestamp(Timestamp(1000 + 2 * i)))->offset, Offset(2 * i)) << damage;
    }
    EXPECT_THAT(log->take_notes(), Contains(HasSubstr("index rebuilt"))) << "those of the first reads";
    EXPECT_THAT(log->take_notes(), IsEmpty()) << "told once";
    for (const std::string& name : names) {
      EXPECT_EQ(machine.read(name), good[name]) << damage << " " << name << ": rebuilt as it was";
    }
    machine.restart();
  }
}

TEST(Recovery, a_corrupt_transaction_index_is_rebuilt) {
  Machine machine;
  auto log = must_open(machine, open_how());
  for (int i = 0; i < 3; ++i) {
    must_append(*log, {.producer_id = i, .transactional = true});
    ASSERT_TRUE(
        log->append_as_leader(make_marker(i, i == 1), Epoch(0), Timestamp(1), AppendOrigin::kCoordinator)
            .has_value());
  }
  ASSERT_TRUE(log->roll(Timestamp(1)).has_value());
  must_append(*log, {});
  auto aborted = *log->aborted_transactions(Offset(0), Offset(7));
  ASSERT_EQ(aborted.size(), 2U);
  OpenLog how = close_cleanly(machine, std::move(log));
  std::string good = machine.read("00000000000000000000.txnindex");
  ASSERT_EQ(good.size(), 68U);
  machine.write("00000000000000000000.txnindex", good.substr(0, 40));
  log = must_open(machine, how);
  EXPECT_EQ(*log->aborted_transactions(Offset(0), Offset(7)), aborted);
  EXPECT_EQ(machine.read("00000000000000000000.txnindex"), good);
}

TEST(Recovery, producer_state_is_rebuilt_without_snapshots_even_after_a_clean_stop) {
  for (bool corrupt : {false, true}) {
    Machine machine;
    auto log = must_open(machine, open_how(small_segments()));
    for (int i = 0; i < 20; ++i)
      must_append(*log, {.count = 2, .producer_id = 9, .sequence = 2 * i, .transactional = true});
    Offset unstable = *log->first_unstable_offset();
    OpenLog how = close_cleanly(machine, std::move(log));
    for (const auto& [name, content] : everything(machine)) {
      if (!name.ends_with(".snapshot")) continue;
      if (corrupt) machine.write(name, "no snapshot");
      if (!corrupt) {
        ASSERT_TRUE(machine.disk.remove_file(kDirectory + "/" + name).has_value());
      }
    }
    log = must_open(machine, how);
    ASSERT_NE(log->producers().find(ProducerId(9)), nullptr);
    EXPECT_EQ(log->producers().find(ProducerId(9))->last_sequence(), 39);
    EXPECT_EQ(log->first_unstable_offset(), unstable);
  }
}

TEST(Recovery, missing_epochs_are_read_from_the_batches) {
  for (bool clean : {true, false}) {
    Machine machine;
    auto log = must_open(machine, open_how(small_segments()));
    for (int i = 0; i < 20; ++i) must_append(*log, {.count = 2}, Epoch(i / 3));
    auto epochs = log->epochs();
    OpenLog how = close_cleanly(machine, std::move(log));
    how.clean = clean;
    ASSERT_TRUE(machine.disk.remove_file(kDirectory + "/leader-epoch-checkpoint").has_value());
    log = must_open(machine, how);
    EXPECT_EQ(log->epochs(), epochs);
    EXPECT_TRUE(log->wants_flush());
    machine.restart();
    machine.write("leader-epoch-checkpoint", "garbage");
    log = must_open(machine, how);
    EXPECT_EQ(log->epochs(), epochs);
  }
}

TEST(Recovery, what_interrupted_deletions_and_compactions_left_is_cleared) {
  Machine machine;
  auto log = must_open(machine, open_how(small_segments()));
  for (int i = 0; i < 10; ++i) must_append(*log, {.count = 2});
  OpenLog how = close_cleanly(machine, std::move(log));
  std::string first = machine.read(kFirst);
  std::size_t one = make_batch({.count = 2}).size();
  machine.write("00000000000000000500.log.deleted", "x");
  machine.write("00000000000000000500.snapshot.deleted", "x");
  machine.write("00000000000000000010.log.cleaned", "x");
  machine.write("00000000000000000010.index.cleaned", "x");
  machine.write("00000000000000000020.log.swap", "x");                   // of an unfinished split
  machine.write("00000000000000000000.log.swap", first.substr(0, one));  // a finished compaction of 0 to 1
  machine.write("00000000000000000700.index", "orphan");
  machine.write("00000000000000000000-0000000001.checkpoint.deleted", "a raft snapshot's");
  machine.write("quorum-state", "{}");
  RecoveryReport report;
  log = must_open(machine, how, &report);
  EXPECT_EQ(report.notes.size(), 10U) << ::testing::PrintToString(report.notes);
  EXPECT_EQ(machine.read(kFirst), first.substr(0, one));
  EXPECT_TRUE(machine.has("00000000000000000000-0000000001.checkpoint.deleted"));
  EXPECT_TRUE(machine.has("quorum-state"));
  for (const auto& [name, content] : everything(machine)) {
    EXPECT_TRUE(!name.ends_with(".swap") && !name.ends_with(".cleaned") && !name.ends_with(".log.deleted"))
        << name;
  }
  EXPECT_EQ(log->log_end_offset(), Offset(20));
}

TEST(Recovery, a_log_that_ends_below_its_start_begins_anew) {
  Machine machine;
  killed_log(machine, 3);
  OpenLog how = open_how();
  how.log_start_offset = Offset(100);
  auto log = must_open(machine, how);
  EXPECT_EQ(log->log_start_offset(), Offset(100));
  EXPECT_EQ(log->log_end_offset(), Offset(100));
}

TEST(Recovery, overlapping_segments_are_refused) {
  Machine machine;
  killed_log(machine, 3);
  machine.write("00000000000000000002.log", make_batch({.base = Offset(2)}).text());
  auto log = Log::open(machine.disk, open_how());
  EXPECT_EQ(log.error().kind, LogErrorKind::kCorrupt);
}

TEST(Recovery, old_message_formats_are_scanned_indexed_and_read) {
  // Magic 0 and 1 messages, by hand: offset, size, crc, magic, attributes, [timestamp], key -1, value.
  auto message = [](std::int64_t offset, int magic, std::int64_t timestamp) {
    std::string m(magic == 0 ? 26 + 4 : 34 + 4, '\0');
    auto* at = reinterpret_cast<std::uint8_t*>(m.data());
    store_be<std::int64_t>(at, offset);
    store_be<std::int32_t>(at + 8, static_cast<std::int32_t>(m.size() - 12));
    at[16] = static_cast<std::uint8_t>(magic);
    std::size_t body = 18;
    if (magic == 1) {
      store_be<std::int64_t>(at + 18, timestamp);
      body = 26;
    }
    store_be<std::int32_t>(at + body, -1);
    store_be<std::int32_t>(at + body + 4, 4);
    std::memcpy(at + body + 8, "data", 4);  // NOLINT(bugprone-not-null-terminated-result) bytes, no string
    std::uint32_t crc = 0xffffffff;  // CRC-32 of IEEE 802.3, bit by bit
    for (std::size_t i = 16; i < m.size(); ++i) {
      crc ^= at[i];
      for (int k = 0; k < 8; ++k) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xedb88320U : 0);
    }
    store_be<std::uint32_t>(at + 12, ~crc);
    return m;
  };
  Machine machine;
  std::string all;
  for (int i = 0; i < 10; ++i) all += message(i, i < 5 ? 0 : 1, 1000 + i);
  machine.write(kFirst, all + message(10, 1, 5000).substr(0, 20));
  LogOptions options;
  options.index_interval_bytes = 60;
  auto log = must_open(machine, open_how(options));
  EXPECT_EQ(log->log_end_offset(), Offset(10));
  EXPECT_EQ(machine.read(kFirst), all);
  EXPECT_EQ((*log->offset_for_timestamp(Timestamp(1007)))->offset, Offset(7));
  auto plan = log->plan_read(Offset(6), 1000, true, Offset(9));
  ASSERT_TRUE(plan.has_value());
  EXPECT_EQ(plan->load()->text(), all.substr(5 * 30 + 38, 3 * 38));
  EXPECT_EQ(must_append(*log, {}).first_offset, Offset(10)) << "new batches follow them";
  EXPECT_TRUE(log->epoch_at(Offset(10)).has_value());
}

}  // namespace
}  // namespace milena::log
