// What `milena log dump` takes files for, and how it walks them.
#include "cli/log_dump.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/sim/sim_disk.h"
#include "log/epoch_journal.h"
#include "log/manifest.h"
#include "wire/batch_builder.h"
#include "wire/json/record_json.h"

namespace milena::cli {
namespace {

using ::testing::HasSubstr;

class MemoryFile final : public io::File {
 public:
  explicit MemoryFile(std::string content) : content_(std::move(content)) {}
  io::IoResult<std::size_t> read_at(std::uint64_t offset, MutableByteView into) override {
    if (offset >= content_.size()) return 0;
    std::size_t count = std::min<std::size_t>(into.size(), content_.size() - offset);
    std::copy_n(content_.begin() + static_cast<std::ptrdiff_t>(offset), count, into.begin());
    return count;
  }
  io::IoResult<std::size_t> read_cached(std::uint64_t offset, MutableByteView into) override {
    return read_at(offset, into);
  }
  io::IoResult<void> write_at(std::uint64_t, std::span<const ByteView>) override { return {}; }
  io::IoResult<void> truncate(std::uint64_t) override { return {}; }
  io::IoResult<void> sync() override { return {}; }
  io::IoResult<std::uint64_t> size() override { return content_.size(); }

 private:
  std::string content_;
};

std::string batch_at(std::int64_t offset, std::size_t value_size) {
  wire::BatchOptions options;
  options.base_offset = Offset(offset);
  wire::BatchBuilder builder(options);
  std::string value(value_size, 'v');
  builder.append(Timestamp(5), std::nullopt, as_bytes(std::string_view(value)));
  return std::string(builder.build().text());
}

TEST(DumpFileOf, names) {
  EXPECT_EQ(dump_file_of("00000000000000000042.log"), DumpFile::kSegment);
  EXPECT_EQ(dump_file_of("00000000000000000042.log.deleted"), DumpFile::kSegment);
  EXPECT_EQ(dump_file_of("00000000000000000042-0000000001.checkpoint"), DumpFile::kSegment);
  EXPECT_EQ(dump_file_of("bootstrap.checkpoint"), DumpFile::kSegment);
  EXPECT_EQ(dump_file_of("00000000000000000042.index"), DumpFile::kOffsetIndex);
  EXPECT_EQ(dump_file_of("00000000000000000042.timeindex"), DumpFile::kTimeIndex);
  EXPECT_EQ(dump_file_of("00000000000000000042.txnindex"), DumpFile::kTransactionIndex);
  EXPECT_EQ(dump_file_of("00000000000000000042.snapshot"), DumpFile::kProducerSnapshot);
  EXPECT_EQ(dump_file_of("leader-epoch-checkpoint"), DumpFile::kCheckpoint);
  EXPECT_EQ(dump_file_of("partition.metadata"), DumpFile::kText);
  EXPECT_EQ(dump_file_of(".milena-manifest"), DumpFile::kManifest);
  EXPECT_EQ(dump_file_of(".milena-marks-3"), DumpFile::kMarks);
  EXPECT_EQ(dump_file_of(".milena-epochs"), DumpFile::kEpochJournal);
  for (const char* other : {"x.log", "0.log", "core", ".lock", "0000000000000000004x.log"})
    EXPECT_EQ(dump_file_of(other), DumpFile::kOther) << other;
  EXPECT_EQ(base_offset_of("00000000000000000042.index"), 42);
  EXPECT_EQ(decoder_for_directory("__cluster_metadata-0"), Decoder::kMetadata);
  EXPECT_EQ(decoder_for_directory("orders-0"), Decoder::kNone);
}

// What `dump` prints of the content, as lines of JSON; and whether it called it damaged.
template <class Dump>
std::vector<Json> items_of(Dump dump, bool* damaged) {
  Host host;
  Context context(host);
  DumpPrinter printer(context, true);
  ::testing::internal::CaptureStdout();
  dump(printer);
  context.terminal.flush();
  std::string text = ::testing::internal::GetCapturedStdout();
  *damaged = printer.damaged();
  std::vector<Json> items;
  for (std::size_t begin = 0; begin < text.size();) {
    std::size_t end = text.find('\n', begin);
    items.push_back(Json::parse(text.substr(begin, end - begin)));
    begin = end + 1;
  }
  return items;
}

std::string manifest_of_two(std::uint32_t* checksum) {
  log::Manifest manifest;
  manifest.mark_files = 1;
  manifest.broker_epoch = 77;
  manifest.identity = {"boot\n", 9};
  for (int i = 0; i < 2; ++i) {
    auto& entry = manifest.entries.emplace_back();
    entry.name = {"orders", PartitionId(i)};
    entry.topic_id = TopicId{1, 2};
  }
  manifest.entries[1].summary = {Offset(3), Offset(40), Offset(7), 5000, 2, Timestamp(99), Offset(20), 11, 1200, 5};
  manifest.entries[1].epochs = {{Epoch(0), Offset(3)}, {Epoch(3), Offset(30)}};
  return log::format_manifest(manifest, checksum);
}

TEST(DumpManifest, shows_what_is_known_of_each_log) {
  std::string content = manifest_of_two(nullptr);
  bool damaged = true;
  auto items = items_of([&](DumpPrinter& printer) { dump_manifest(printer, content); }, &damaged);
  EXPECT_FALSE(damaged);
  ASSERT_EQ(items.size(), 3u);
  EXPECT_EQ(items[0]["kind"], "manifest");
  EXPECT_EQ(items[0]["written"], "running");
  EXPECT_EQ(items[0]["broker_epoch"], 77);
  EXPECT_EQ(items[0]["boot"], "boot");
  EXPECT_EQ(items[1]["segments"], 0);
  EXPECT_TRUE(items[1]["first_unstable_offset"].is_null());
  EXPECT_EQ(items[2]["topic"], "orders");
  EXPECT_EQ(items[2]["partition"], 1);
  EXPECT_EQ(items[2]["log_end_offset"], 40);
  EXPECT_EQ(items[2]["first_unstable_offset"], 7);
  EXPECT_EQ(items[2]["epochs"][1], Json::parse(R"({"epoch": 3, "start_offset": 30})"));
  content.back() = static_cast<char>(content.back() ^ 1);
  items = items_of([&](DumpPrinter& printer) { dump_manifest(printer, content); }, &damaged);
  EXPECT_TRUE(damaged);
  EXPECT_EQ(items.at(0)["kind"], "damage");
}

TEST(DumpMarks, names_logs_by_the_manifest_beside_and_stops_at_damage) {
  std::uint32_t checksum = 0;
  std::string manifest = manifest_of_two(&checksum);
  io::SimCore core(1);
  io::SimDisk disk(core, 0, [] { return std::int64_t{0}; }, [] {});
  auto marks = log::MarkFile::create(disk, "/marks", checksum);
  ASSERT_TRUE(marks.has_value()) << marks.error().message;
  ASSERT_TRUE((*marks)->mark(1).has_value());
  ASSERT_TRUE((*marks)->mark(0).has_value());
  std::string content = disk.read_file("/marks").value_or("");
  bool damaged = true;
  auto items = items_of([&](DumpPrinter& printer) { dump_marks(printer, content, manifest); }, &damaged);
  EXPECT_FALSE(damaged);
  ASSERT_EQ(items.size(), 3u);
  EXPECT_EQ(items[0]["manifest_beside"], true);
  EXPECT_EQ(items[1]["index"], 1);
  EXPECT_EQ(items[1]["partition"], 1);
  EXPECT_EQ(items[2]["index"], 0);
  for (std::size_t cut : {1u, 8u, 9u, 17u}) {
    std::string torn = content.substr(0, content.size() - cut);
    items = items_of([&](DumpPrinter& printer) { dump_marks(printer, torn, ""); }, &damaged);
    EXPECT_EQ(damaged, cut != 8) << cut;
    EXPECT_EQ(items[0]["kind"], cut > 16 ? "damage" : "marks") << cut;
    EXPECT_FALSE(items.back().contains("topic"));
  }
  content.back() = static_cast<char>(content.back() ^ 1);
  items = items_of([&](DumpPrinter& printer) { dump_marks(printer, content, manifest); }, &damaged);
  EXPECT_TRUE(damaged);
  ASSERT_EQ(items.size(), 3u);
  EXPECT_EQ(items[2]["position"], content.size() - 8);
}

TEST(DumpEpochJournal, shows_starts_up_to_the_first_damage) {
  std::string content = log::format_epoch_starts({{{"a", PartitionId(0)}, TopicId{1, 2}, {Epoch(3), Offset(40)}},
                                                  {{"b", PartitionId(7)}, TopicId{5, 6}, {Epoch(0), Offset(0)}}});
  bool damaged = true;
  auto items = items_of([&](DumpPrinter& printer) { dump_epoch_journal(printer, content); }, &damaged);
  EXPECT_FALSE(damaged);
  ASSERT_EQ(items.size(), 2u);
  EXPECT_EQ(items[0]["epoch"], 3);
  EXPECT_EQ(items[0]["start_offset"], 40);
  EXPECT_EQ(items[1]["topic"], "b");
  content.pop_back();
  items = items_of([&](DumpPrinter& printer) { dump_epoch_journal(printer, content); }, &damaged);
  EXPECT_TRUE(damaged);
  ASSERT_EQ(items.size(), 2u);
  EXPECT_EQ(items[1]["position"], (content.size() + 1) / 2);
}

TEST(EntryStream, walks_entries_larger_than_its_window_and_names_a_torn_end) {
  std::string content = batch_at(0, 10) + batch_at(1, 3 << 20) + batch_at(2, 10);
  std::string whole = content + batch_at(3, 100);
  for (std::size_t cut : {std::size_t{0}, std::size_t{1}, std::size_t{100}, whole.size() - content.size() - 5}) {
    std::string torn = whole.substr(0, whole.size() - cut);
    MemoryFile file(torn);
    EntryStream entries(file, torn.size());
    wire::LogEntryView entry;
    std::string error;
    std::int64_t next = 0;
    while (entries.next(entry, &error)) {
      EXPECT_EQ(entry.last_offset(), Offset(next++));
      EXPECT_TRUE(entry.crc_ok());
    }
    EXPECT_EQ(next, cut == 0 ? 4 : 3);
    EXPECT_EQ(error.empty(), cut == 0);
    if (cut > 0) {
      EXPECT_THAT(error, HasSubstr("unfinished"));
      EXPECT_EQ(entries.position(), content.size());
    }
  }
}

TEST(EntryStream, stops_at_what_is_no_entry) {
  std::vector<std::pair<std::string, const char*>> tails;
  tails.emplace_back(std::string(300, '\0'), "zeros");
  tails.emplace_back(std::string(300, '\x7f'), "");
  for (const auto& [tail, why] : tails) {
    MemoryFile file(batch_at(0, 10) + tail);
    EntryStream entries(file, batch_at(0, 10).size() + tail.size());
    wire::LogEntryView entry;
    std::string error;
    EXPECT_TRUE(entries.next(entry, &error));
    EXPECT_FALSE(entries.next(entry, &error));
    EXPECT_THAT(error, HasSubstr(why));
    EXPECT_FALSE(error.empty());
  }
}

TEST(RecordJson, names_what_it_decodes) {
  std::string error;
  const wire::RecordType* topic = wire::find_record_type("TopicRecord");
  ASSERT_NE(topic, nullptr);
  EXPECT_EQ(topic->family, "metadata");
  std::string frame = std::string("\x01\x02\x00", 3) + "\x02t" + std::string(15, '\0') + "\x01" + std::string(1, '\0');
  Json json = wire::metadata_record_json(Bytes::copy(frame), &error);
  EXPECT_EQ(error, "");
  EXPECT_EQ(json["type"], "TopicRecord");
  EXPECT_EQ(json["data"]["name"], "t");
  EXPECT_EQ(json["data"]["topicId"], "AAAAAAAAAAAAAAAAAAAAAQ");
  frame.back() = 'x';
  (void)wire::metadata_record_json(Bytes::copy(frame), &error);
  EXPECT_NE(error, "");
  error.clear();
  Json key = wire::coordinator_key_json("group", Bytes::copy(std::string("\x00\x02\x00\x01g", 5)), &error);
  EXPECT_EQ(error, "");
  EXPECT_EQ(key["type"], "GroupMetadataKey");
  EXPECT_EQ(key["data"]["group"], "g");
  for (const char* junk : {"", "\x00", "\x7f\x7fx"}) {
    error.clear();
    (void)wire::coordinator_key_json("group", Bytes::copy(std::string_view(junk)), &error);
    EXPECT_NE(error, "") << junk;
  }
}

TEST(ShownBytes, are_text_where_they_can_be) {
  EXPECT_EQ(shown_bytes(as_bytes(std::string_view("h\xc3\xa4"))), Json("h\xc3\xa4"));
  EXPECT_EQ(shown_bytes(as_bytes(std::string_view("\xff\x00", 2)))["base64"], "/wA=");
  EXPECT_EQ(shown_bytes(as_bytes(std::string_view("\x1b[2J")))["base64"], "G1sySg==");
  EXPECT_EQ(wire::base64(as_bytes(std::string_view("abcd"))), "YWJjZA==");
}

}  // namespace
}  // namespace milena::cli
