// What a manifest and its marks tell is what was written, or an error: never something else.
#include "log/manifest.h"

#include <gmock/gmock.h>

#include "log/log_fixture.h"

namespace milena::log {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Manifest example() {
  Manifest manifest;
  manifest.kind = Manifest::Kind::kRunning;
  manifest.mark_files = 2;
  manifest.broker_epoch = 77;
  manifest.quorum_epoch = Epoch(4);
  manifest.incarnation = Uuid{5, 6};
  manifest.identity = {"boot", 9};
  for (int i = 0; i < 3; ++i) {
    ManifestEntry entry;
    entry.name = {"topic", PartitionId(i)};
    entry.topic_id = TopicId{1, 2};
    if (i > 0) {
      entry.summary = {Offset(3), Offset(40), Offset(7), 5000, 2, Timestamp(99), Offset(20), 11, 1200, 123456789};
      entry.epochs = {{Epoch(0), Offset(0)}, {Epoch(3), Offset(30)}};
    }
    manifest.entries.push_back(std::move(entry));
  }
  return manifest;
}

TEST(ManifestFile, comes_back_as_it_was_written) {
  std::uint32_t written = 0;
  std::uint32_t read = 1;
  auto parsed = parse_manifest(format_manifest(example(), &written), &read);
  ASSERT_TRUE(parsed.has_value()) << parsed.error().message;
  EXPECT_EQ(read, written);
  Manifest expected = example();
  EXPECT_EQ(parsed->kind, expected.kind);
  EXPECT_EQ(parsed->mark_files, 2);
  EXPECT_EQ(parsed->broker_epoch, 77);
  EXPECT_EQ(parsed->quorum_epoch, Epoch(4));
  EXPECT_EQ(parsed->incarnation, expected.incarnation);
  EXPECT_EQ(parsed->identity, expected.identity);
  EXPECT_EQ(parsed->entries, expected.entries);
}

TEST(ManifestFile, of_which_any_bit_or_any_end_is_lost_is_none) {
  std::string content = format_manifest(example());
  for (std::size_t bit = 0; bit < content.size() * 8; ++bit) {
    std::string rotten = content;
    rotten[bit / 8] = static_cast<char>(rotten[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_TRUE(parse_manifest(rotten).failed()) << bit;
  }
  for (std::size_t size = 0; size < content.size(); ++size) {
    EXPECT_TRUE(parse_manifest(content.substr(0, size)).failed()) << size;
  }
  EXPECT_TRUE(parse_manifest(content + "x").failed());
}

TEST(ManifestFile, that_tells_what_cannot_be_is_none) {
  auto refused = [](auto change) {
    Manifest manifest = example();
    change(manifest.entries[1]);
    return parse_manifest(format_manifest(manifest)).failed();
  };
  EXPECT_TRUE(refused([](ManifestEntry& entry) { entry.summary.log_start_offset = Offset(41); }));
  EXPECT_TRUE(refused([](ManifestEntry& entry) { entry.summary.log_start_offset = Offset(-1); }));
  EXPECT_TRUE(refused([](ManifestEntry& entry) { entry.summary.active_base = Offset(41); }));
  EXPECT_TRUE(refused([](ManifestEntry& entry) { entry.summary.segments = 0; }));
  EXPECT_TRUE(refused([](ManifestEntry& entry) { entry.summary.active_size = 5001; }));
  EXPECT_TRUE(refused([](ManifestEntry& entry) { entry.epochs[1].epoch = Epoch(0); }));
  EXPECT_FALSE(refused([](ManifestEntry&) {}));
}

TEST(ManifestMarks, are_those_that_were_made) {
  Machine machine;
  auto marks = MarkFile::create(machine.disk, "/data/marks", 42);
  ASSERT_TRUE(marks.has_value());
  auto content = [&] { return machine.disk.read_file("/data/marks").value_or(""); };
  EXPECT_THAT(parse_marks(content(), 42).value_or(std::vector<std::uint32_t>{99}), IsEmpty());
  ASSERT_TRUE((*marks)->mark(7).has_value());
  ASSERT_TRUE((*marks)->mark(3).has_value());
  EXPECT_THAT(*parse_marks(content(), 42), ElementsAre(7, 3));
  EXPECT_TRUE(parse_marks(content(), 43).failed()) << "of another manifest";
  std::string whole = content();
  EXPECT_THAT(*parse_marks(whole.substr(0, whole.size() - 1), 42), ElementsAre(7)) << "a kill tore it";
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    std::string rotten = whole;
    rotten[bit / 8] = static_cast<char>(rotten[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_TRUE(parse_marks(rotten, 42).failed()) << bit;
  }
}

}  // namespace
}  // namespace milena::log
