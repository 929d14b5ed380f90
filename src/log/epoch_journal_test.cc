#include "log/epoch_journal.h"

#include <gmock/gmock.h>

#include "log/log_fixture.h"

namespace milena::log {
namespace {

std::vector<EpochStart> three() {
  return {{{"a", PartitionId(0)}, TopicId{1, 2}, {Epoch(3), Offset(40)}},
          {{"long-name", PartitionId(7)}, TopicId{5, 6}, {Epoch(0), Offset(0)}},
          {{"a", PartitionId(0)}, TopicId{1, 2}, {Epoch(4), Offset(41)}}};
}

TEST(EpochJournal, gives_back_what_was_appended) {
  Machine machine;
  ASSERT_TRUE(append_epoch_starts(machine.disk, "/data", {three()[0]}).has_value());
  ASSERT_TRUE(append_epoch_starts(machine.disk, "/data", {three()[1], three()[2]}).has_value());
  ASSERT_TRUE(machine.disk.sync_directory("/data").has_value());
  machine.power_cycle();
  EXPECT_EQ(parse_epoch_starts(machine.disk.read_file("/data/.milena-epochs").value_or("")), three());
}

TEST(EpochJournal, ends_at_the_first_damage) {
  std::string content = format_epoch_starts(three());
  std::size_t first = format_epoch_starts({three()[0]}).size();
  for (std::size_t size = 0; size < content.size(); ++size) {
    auto found = parse_epoch_starts(std::string_view(content).substr(0, size));
    EXPECT_LT(found.size(), 3U);
    EXPECT_EQ(found.empty(), size < first);
  }
  for (std::size_t bit = 0; bit < content.size() * 8; ++bit) {
    std::string rotten = content;
    rotten[bit / 8] = static_cast<char>(rotten[bit / 8] ^ (1 << (bit % 8)));
    auto found = parse_epoch_starts(rotten);
    ASSERT_LT(found.size(), 3U) << bit;
    for (std::size_t i = 0; i < found.size(); ++i) EXPECT_EQ(found[i], three()[i]);
  }
}

TEST(EpochJournal, a_full_disk_leaves_it_as_it_was) {
  Machine machine;
  ASSERT_TRUE(append_epoch_starts(machine.disk, "/data", three()).has_value());
  machine.disk.faults().capacity = machine.disk.used() + 20;
  auto full = append_epoch_starts(machine.disk, "/data", three());
  ASSERT_TRUE(full.failed());
  EXPECT_EQ(full.error().kind, LogErrorKind::kNoSpace);
  EXPECT_EQ(parse_epoch_starts(machine.disk.read_file("/data/.milena-epochs").value_or("")), three());
}

}  // namespace
}  // namespace milena::log
