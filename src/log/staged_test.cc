// Appends in a group: one write for all, and what each of them is told.
#include <gmock/gmock.h>

#include <deque>

#include "base/random.h"
#include "log/log_fixture.h"

namespace milena::log {
namespace {

using Outcome = LogResult<AppendResult>;

/// Appends all in one group; the outcomes are in their order.
std::deque<Outcome> append_group(Log& log, const std::vector<BatchSpec>& specs) {
  std::deque<Outcome> outcomes;
  for (const BatchSpec& spec : specs)
    log.stage_as_leader(make_batch(spec), Epoch(0), Timestamp(1), AppendOrigin::kClient, outcomes.emplace_back());
  log.commit_staged();
  log.check_invariants();
  return outcomes;
}

std::vector<BatchSpec> numbered(std::int64_t producer, std::int32_t first, int count) {
  std::vector<BatchSpec> specs;
  for (int i = 0; i < count; ++i) specs.push_back({.producer_id = producer, .sequence = first + i});
  return specs;
}

TEST(Staged, a_group_goes_out_in_one_write) {
  Machine machine;
  auto log = must_open(machine, open_how());
  must_append(*log, {});
  std::uint64_t before = machine.disk.room_calls();
  auto outcomes = append_group(*log, std::vector<BatchSpec>(10, {.count = 2}));
  EXPECT_EQ(machine.disk.room_calls() - before, 1u);
  for (int i = 0; i < 10; ++i) {
    const Outcome& outcome = outcomes[static_cast<std::size_t>(i)];
    ASSERT_TRUE(outcome.has_value());
    EXPECT_EQ(outcome->first_offset, Offset(1 + 2 * i));
    EXPECT_EQ(outcome->last_offset, Offset(2 + 2 * i));
  }
  EXPECT_EQ(log->log_end_offset(), Offset(21));
}

TEST(Staged, a_producers_batches_follow_each_other_within_a_group) {
  Machine machine;
  auto log = must_open(machine, open_how());
  std::vector<BatchSpec> specs = numbered(7, 0, 3);
  specs.push_back(specs[1]);                              // again
  specs.push_back({.producer_id = 7, .sequence = 9});     // a gap
  specs.push_back({.producer_id = 7, .sequence = 3});
  auto outcomes = append_group(*log, specs);
  EXPECT_TRUE(outcomes[3].has_value() && outcomes[3]->duplicate);
  EXPECT_EQ(outcomes[3]->first_offset, outcomes[1]->first_offset);
  EXPECT_EQ(outcomes[4].error().kind, LogErrorKind::kOutOfOrderSequence);
  EXPECT_EQ(outcomes[5]->first_offset, Offset(3));
  EXPECT_EQ(log->log_end_offset(), Offset(4));
  EXPECT_EQ(log->producers().find(ProducerId(7))->last_sequence(), 3);
}

TEST(Staged, a_full_disk_fails_the_whole_group_and_forgets_it) {
  Machine machine;
  auto log = must_open(machine, open_how());
  auto known = append_group(*log, numbered(7, 0, 2));
  machine.disk.no_room_at(machine.disk.room_calls(), 1);
  std::vector<BatchSpec> specs = numbered(7, 2, 3);
  specs.push_back({.producer_id = 8, .sequence = 0});
  for (const Outcome& outcome : append_group(*log, specs)) {
    ASSERT_TRUE(outcome.failed());
    EXPECT_EQ(outcome.error().kind, LogErrorKind::kNoSpace);
  }
  EXPECT_EQ(log->log_end_offset(), Offset(2));
  EXPECT_EQ(log->producers().find(ProducerId(7))->last_sequence(), 1);
  EXPECT_EQ(log->producers().find(ProducerId(8)), nullptr);
  for (const Outcome& outcome : append_group(*log, specs)) EXPECT_TRUE(outcome.has_value() && !outcome->duplicate);
  EXPECT_EQ(log->log_end_offset(), Offset(6));
}

TEST(Staged, a_repetition_of_what_could_not_be_written_fails_with_it) {
  Machine machine;
  auto log = must_open(machine, open_how());
  must_append(*log, {});
  machine.disk.no_room_at(machine.disk.room_calls(), 1);
  auto outcomes = append_group(*log, {{.producer_id = 7, .sequence = 0}, {.producer_id = 7, .sequence = 0}});
  EXPECT_TRUE(outcomes[0].failed());
  EXPECT_TRUE(outcomes[1].failed());
  EXPECT_EQ(log->log_end_offset(), Offset(1));
}

TEST(Staged, a_new_producer_begins_with_the_batch_for_which_there_was_no_room) {
  Machine machine;
  auto log = must_open(machine, open_how());
  must_append(*log, {});
  machine.disk.no_room_at(machine.disk.room_calls(), 1);
  for (const Outcome& outcome : append_group(*log, numbered(7, 0, 2))) EXPECT_TRUE(outcome.failed());
  // What was in flight behind it: taken, it would keep the first ones out for good.
  auto behind = append_group(*log, numbered(7, 2, 1));
  EXPECT_EQ(behind[0].error().kind, LogErrorKind::kOutOfOrderSequence);
  for (const Outcome& outcome : append_group(*log, numbered(7, 0, 3))) EXPECT_TRUE(outcome.has_value());
  EXPECT_EQ(log->producers().find(ProducerId(7))->last_sequence(), 2);
  machine.disk.no_room_at(machine.disk.room_calls(), 1);
  EXPECT_TRUE(append_group(*log, numbered(8, 5, 1))[0].failed());
  EXPECT_TRUE(append_group(*log, {{.producer_id = 8, .producer_epoch = 1, .sequence = 0}})[0].has_value())
      << "in a new epoch it begins anew";
}

TEST(Staged, a_broken_disk_fails_the_group_and_takes_the_log_offline) {
  Machine machine;
  auto log = must_open(machine, open_how());
  must_append(*log, {});
  machine.disk.faults().write_error_one_in = 1;
  for (const Outcome& outcome : append_group(*log, std::vector<BatchSpec>(3))) {
    ASSERT_TRUE(outcome.failed());
    EXPECT_EQ(outcome.error().kind, LogErrorKind::kIo);
  }
  EXPECT_TRUE(log->offline());
}

TEST(Staged, a_group_may_open_a_transaction) {
  Machine machine;
  auto log = must_open(machine, open_how());
  auto outcomes = append_group(*log, {{.producer_id = 7, .sequence = 0},
                                      {.producer_id = 7, .sequence = 1, .transactional = true},
                                      {.producer_id = 7, .sequence = 2},
                                      {}});
  EXPECT_TRUE(outcomes[1].has_value());
  EXPECT_EQ(outcomes[2].error().kind, LogErrorKind::kInvalidTxnState) << "a plain batch inside the transaction";
  EXPECT_EQ(log->first_unstable_offset(), Offset(1));
  EXPECT_EQ(log->log_end_offset(), Offset(3));
}

// Whatever the groups, the files are those of appends one by one.
TEST(Staged, groups_leave_the_same_files_as_single_appends) {
  LogOptions options;
  options.segment_bytes = 900;
  options.index_interval_bytes = 100;
  options.segment_index_bytes = 64;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    Random random(seed);
    Machine singles(seed);
    Machine groups(seed);
    auto one = must_open(singles, open_how(options));
    auto other = must_open(groups, open_how(options));
    std::int32_t sequence = 0;
    for (int turn = 0; turn < 20; ++turn) {
      std::vector<BatchSpec> specs;
      for (std::uint64_t i = random.below(8) + 1; i > 0; --i) {
        BatchSpec spec{.count = static_cast<int>(random.below(3)) + 1,
                       .timestamp = Timestamp(random.between(1000, 5000)),
                       .value_size = random.below(120)};
        if (random.one_in(2)) {
          spec.producer_id = 3;
          spec.sequence = sequence;
          if (random.one_in(4)) spec.sequence += 5;  // a gap
          else sequence += spec.count;
        }
        specs.push_back(spec);
      }
      auto outcomes = append_group(*other, specs);
      for (std::size_t i = 0; i < specs.size(); ++i) {
        auto expected = one->append_as_leader(make_batch(specs[i]), Epoch(0), Timestamp(1));
        ASSERT_EQ(expected.has_value(), outcomes[i].has_value());
        if (expected.has_value()) {
          EXPECT_EQ(expected->first_offset, outcomes[i]->first_offset);
        }
      }
    }
    close_cleanly(singles, std::move(one));
    close_cleanly(groups, std::move(other));
    auto names = singles.disk.list(kDirectory);
    ASSERT_TRUE(names.has_value());
    EXPECT_GT(names->size(), 12u) << "several segments";
    EXPECT_EQ(groups.disk.list(kDirectory)->size(), names->size());
    for (const io::DirectoryEntry& entry : *names) EXPECT_EQ(groups.read(entry.name), singles.read(entry.name)) << entry.name;
  }
}

}  // namespace
}  // namespace milena::log
