// Random operations on a log and on a plain list of batches; both must always tell the same.
#include <gmock/gmock.h>

#include <algorithm>

#include "base/random.h"
#include "log/log_fixture.h"

namespace milena::log {
namespace {

struct ModelBatch {
  std::int64_t base;
  std::int64_t last;
  std::int64_t first_timestamp;  // of its records: consecutive
  std::string bytes;
};

class Model : public ::testing::TestWithParam<std::uint64_t> {
 protected:
  void SetUp() override {
    machine = std::make_unique<Machine>(GetParam());
    options.segment_bytes = 2000;
    options.index_interval_bytes = 150;
    options.retention_ms = -1;
    log = must_open(*machine, open_how(options));
  }

  std::int64_t end() const { return batches.empty() ? floor_end : batches.back().last + 1; }

  void append() {
    BatchSpec spec{.count = static_cast<int>(1 + random.below(4)),
                   .timestamp = Timestamp(random.between(1000, 9000)),
                   .value_size = static_cast<std::size_t>(random.below(200)),
                   .base = Offset(end()),
                   .epoch = epoch,
                   .fill = static_cast<char>('a' + random.below(26))};
    if (random.one_in(3)) spec.codec = wire::Codec::kLz4;
    if (random.one_in(2)) {
      std::int64_t id = random.between(1, 3);
      spec.producer_id = id;
      spec.sequence = sequences[id];
      sequences[id] += spec.count;
    }
    Bytes batch = make_batch(spec);
    ModelBatch expected{end(), end() + spec.count - 1, spec.timestamp.value(), std::string(batch.text())};
    auto result = log->append_as_leader(Bytes::copy(batch.text()), epoch, Timestamp(1));
    ASSERT_TRUE(result.has_value()) << result.error().message;
    EXPECT_EQ(result->first_offset.value(), expected.base);
    batches.push_back(std::move(expected));
  }

  void read() {
    std::int64_t from = random.between(log->log_start_offset().value(), end());
    std::int64_t upper = random.between(from, end());
    std::size_t max = random.below(3000);
    auto plan = log->plan_read(Offset(from), max, true, Offset(upper));
    ASSERT_TRUE(plan.has_value()) << plan.error().message;
    std::string expected;
    for (const ModelBatch& batch : batches) {
      if (batch.last >= from && batch.last < upper) expected += batch.bytes;
    }
    if (expected.empty()) {
      EXPECT_TRUE(plan->empty()) << from << " to " << upper;
      return;
    }
    auto bytes = plan->load();
    ASSERT_TRUE(bytes.has_value());
    ASSERT_FALSE(bytes->empty());
    EXPECT_TRUE(expected.starts_with(bytes->text())) << from << " to " << upper << ", " << max;
  }

  void find_time() {
    std::int64_t target = random.between(900, 9100);
    std::int64_t start = log->log_start_offset().value();
    std::int64_t offset = -1;
    for (const ModelBatch& batch : batches) {
      for (std::int64_t o = batch.base; o <= batch.last && offset < 0; ++o) {
        if (o >= start && batch.first_timestamp + (o - batch.base) >= target) offset = o;
      }
    }
    auto found = log->offset_for_timestamp(Timestamp(target));
    ASSERT_TRUE(found.has_value()) << found.error().message;
    EXPECT_EQ(*found ? (*found)->offset.value() : -1, offset) << target;
  }

  void truncate() {
    if (batches.empty()) return;
    std::size_t keep = batches.size() - random.below(std::min<std::size_t>(batches.size(), 6));
    std::int64_t to = keep == batches.size() ? end() : batches[keep].base;
    if (to < log->log_start_offset().value()) return;
    auto result = log->truncate_to(Offset(to), Timestamp(1));
    ASSERT_TRUE(result.has_value()) << result.error().message;
    EXPECT_EQ(result->value(), to);
    floor_end = to;
    batches.resize(keep);
    for (auto& [id, sequence] : sequences) {
      const ProducerEntry* entry = log->producers().find(ProducerId(id));
      sequence = entry == nullptr ? 0 : entry->last_sequence() + 1;
    }
    checkpoint = std::min(checkpoint, log->recovery_point());
  }

  void advance() {
    log->set_high_watermark(Offset(end()));
    std::int64_t start = random.between(log->log_start_offset().value(), end());
    if (random.one_in(2)) start = std::min(start, log->log_start_offset().value() + 5);
    ASSERT_TRUE(log->advance_log_start_offset(Offset(start)).has_value());
    ASSERT_TRUE(log->delete_old_segments(Timestamp(1)).has_value());
    for (const std::string& path : log->take_deleted_files())
      ASSERT_TRUE(machine->disk.remove_file(path).has_value());
  }

  void reopen(bool clean) {
    OpenLog how = open_how(options);
    how.log_start_offset = log->log_start_offset();
    if (clean) {
      how = close_cleanly(*machine, std::move(log));
      checkpoint = how.recovery_point;
    } else {
      how.recovery_point = checkpoint;
      log.reset();
    }
    machine->restart();
    log = must_open(*machine, how);
    ASSERT_NE(log, nullptr);
    for (auto& [id, sequence] : sequences) {
      const ProducerEntry* entry = log->producers().find(ProducerId(id));
      EXPECT_EQ(sequence, entry == nullptr ? 0 : entry->last_sequence() + 1) << "producer " << id;
    }
  }

  void step() {
    switch (random.below(14)) {
      case 0:
        return truncate();
      case 1:
        return advance();
      case 2:
        return reopen(true);
      case 3:
        return reopen(false);
      case 4:
        ASSERT_TRUE(flush(*machine, *log).has_value());
        checkpoint = log->recovery_point();
        return;
      case 5:
        ASSERT_TRUE(log->roll(Timestamp(1)).has_value());
        return;
      case 6:
        epoch = epoch + 1;
        return log->assign_epoch(epoch, log->log_end_offset());
      case 7:
        return find_time();
      case 8:
      case 9:
      case 10:
        return read();
      default:
        return append();
    }
  }

  std::unique_ptr<Machine> machine;
  std::unique_ptr<Log> log;
  LogOptions options;
  Random random{GetParam()};
  std::vector<ModelBatch> batches;
  std::map<std::int64_t, std::int32_t> sequences;
  std::int64_t floor_end = 0;  // the end when there are no batches
  Offset checkpoint{0};
  Epoch epoch{0};
};

TEST_P(Model, log_and_list_agree) {
  for (int i = 0; i < 400 && !HasFailure(); ++i) {
    step();
    ASSERT_NE(log, nullptr);
    log->check_invariants();
    ASSERT_EQ(log->log_end_offset().value(), end()) << "step " << i;
  }
  std::string expected;
  for (const ModelBatch& batch : batches) {
    if (batch.last >= log->log_start_offset().value()) expected += batch.bytes;
  }
  EXPECT_EQ(read_all(*log, log->log_start_offset()), expected);
}

INSTANTIATE_TEST_SUITE_P(Seeds, Model, ::testing::Range<std::uint64_t>(1, 41));

}  // namespace
}  // namespace milena::log
