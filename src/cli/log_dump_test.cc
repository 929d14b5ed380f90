// What `milena log dump` takes files for, and how it walks them.
#include "cli/log_dump.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
  for (const char* other : {"x.log", "0.log", "core", ".lock", "0000000000000000004x.log"})
    EXPECT_EQ(dump_file_of(other), DumpFile::kOther) << other;
  EXPECT_EQ(base_offset_of("00000000000000000042.index"), 42);
  EXPECT_EQ(decoder_for_directory("__cluster_metadata-0"), Decoder::kMetadata);
  EXPECT_EQ(decoder_for_directory("orders-0"), Decoder::kNone);
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
