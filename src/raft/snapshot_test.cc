#include "raft/snapshot.h"

#include <gtest/gtest.h>

#include <string>

#include "raft/batch.h"
#include "raft/format.h"

namespace milena::raft {
namespace {

TEST(SnapshotName, FormsAndReads) {
  SnapshotId id{Offset(118), Epoch(1)};
  EXPECT_EQ(snapshot_file_name(id), "00000000000000000118-0000000001.checkpoint");
  EXPECT_EQ(parse_snapshot_file_name("00000000000000000118-0000000001.checkpoint"), id);
  for (const char* name :
       {"bootstrap.checkpoint", "00000000000000000118-0000000001.checkpoint.part",
        "00000000000000000118-0000000001.checkpoint.deleted", "-0000000000000000118-0000000001.checkpoint",
        "99999999999999999999-0000000001.checkpoint", "00000000000000000118.log"})
    EXPECT_FALSE(parse_snapshot_file_name(name).has_value()) << name;
}

SnapshotContents sample() {
  SnapshotContents contents;
  contents.last_contained_log_timestamp = Timestamp(77);
  contents.voters = VoterSet{1, {Voter{BrokerId(1), Uuid{1, 2}, {{"CONTROLLER", "h", 9093}}, 0, 1}}};
  for (int i = 0; i < 3; ++i) contents.values.push_back(Bytes::copy(std::string(700'000, 'x')));
  return contents;
}

TEST(Snapshot, ReadsWhatItWrites) {
  Bytes file = encode_snapshot(sample(), Epoch(4), Timestamp(99));
  auto batches = decode_batches(file);
  ASSERT_TRUE(batches.has_value());
  EXPECT_EQ(batches->size(), 5U);  // header, three (no two fit into one), footer
  EXPECT_EQ(batches->front().control.size(), 3U);
  EXPECT_EQ(batches->back().base_offset, Offset(6));
  EXPECT_EQ(batches->back().epoch, Epoch(4));
  EXPECT_EQ(snapshot_timestamp(file.slice(0, 4096)), Timestamp(77));
  EXPECT_EQ(snapshot_timestamp(file.slice(0, 64)), std::nullopt);
  auto contents = decode_snapshot(file);
  ASSERT_TRUE(contents.has_value()) << contents.error().message;
  EXPECT_EQ(contents->voters, sample().voters);
  EXPECT_EQ(contents->values, sample().values);
  EXPECT_EQ(contents->last_contained_log_timestamp, Timestamp(77));
}

TEST(Snapshot, RefusesWhatIsNotWhole) {
  SnapshotContents small = sample();
  small.values = {Bytes::copy("a")};
  Bytes file = encode_snapshot(small, Epoch(0), Timestamp(0));
  for (std::size_t size = 0; size < file.size(); ++size)
    EXPECT_TRUE(decode_snapshot(file.slice(0, size)).failed()) << size;
  Buffer twice;
  twice.append(file.view());
  twice.append(file.view());
  EXPECT_TRUE(decode_snapshot(twice.freeze()).failed());
  Buffer flipped;
  flipped.append(file.view());
  flipped.data()[file.size() / 2] ^= 1;
  EXPECT_TRUE(decode_snapshot(flipped.freeze()).failed());
}

TEST(Retention, KeepsTheNewestSnapshot) {
  RetentionInput input;
  input.now = Timestamp(1000);
  input.max_retention_ms = 10'000;
  input.max_retention_bytes = 100;
  input.log_size_bytes = 60;
  input.snapshots = {{{Offset(0), Epoch(0)}, 30, Timestamp(990)}, {{Offset(10), Epoch(1)}, 30, Timestamp(995)}};
  RetentionPlan plan = plan_retention(input);
  ASSERT_EQ(plan.remove.size(), 1U);
  EXPECT_EQ(plan.log_start, Offset(10));
  input.log_size_bytes = 1000;
  input.snapshots.erase(input.snapshots.begin());
  EXPECT_TRUE(plan_retention(input).remove.empty());
  input.log_size_bytes = 0;
  input.max_retention_bytes = 1000;
  input.snapshots.insert(input.snapshots.begin(), {{Offset(0), Epoch(0)}, 1, Timestamp(-20'000)});
  EXPECT_EQ(plan_retention(input).remove.size(), 1U);
}

FormatOptions options() {
  FormatOptions options;
  options.cluster_id = "IZb-bWljTxusWWb85hb0Tw";
  options.node_id = BrokerId(1);
  options.directories = {{"/d", Uuid{3, 4}}, {"/e", Uuid{5, 600}}};
  options.metadata_directory = "/d";
  options.initial_voters = {Voter{BrokerId(1), Uuid{3, 4}, {{"CONTROLLER", "127.0.0.1", 17112}}, 0, 1}};
  options.now = Timestamp(1795375101000);
  return options;
}

TEST(Format, WritesWhatKafkaWrites) {
  auto files = format_files(options());
  ASSERT_TRUE(files.has_value()) << files.error().message;
  std::vector<std::string> paths;
  for (const FormatFile& file : *files) paths.push_back(file.path);
  EXPECT_EQ(paths, (std::vector<std::string>{
                       "/d/__cluster_metadata-0/00000000000000000000-0000000000.checkpoint", "/d/bootstrap.checkpoint",
                       "/d/meta.properties", "/e/bootstrap.checkpoint", "/e/meta.properties"}));
  EXPECT_EQ((*files)[0].contents.size(), 241U);  // sizes of Kafka's own
  EXPECT_EQ((*files)[1].contents.size(), 411U);
  EXPECT_EQ((*files)[2].contents.text(),
            "#\n#Sun Nov 22 19:18:21 UTC 2026\nnode.id=1\ndirectory.id=AAAAAAAAAAMAAAAAAAAABA\nversion=1\n"
            "cluster.id=IZb-bWljTxusWWb85hb0Tw\n");
  auto meta = parse_meta_properties((*files)[2].contents.text());
  ASSERT_TRUE(meta.has_value()) << meta.error().message;
  EXPECT_EQ(meta->directory_id, (Uuid{3, 4}));
}

TEST(Format, RefusesWhatItCannotDo) {
  FormatOptions unknown = options();
  unknown.features["nope"] = 1;
  EXPECT_TRUE(format_files(unknown).failed());
  FormatOptions level = options();
  level.features["metadata.version"] = 31;
  EXPECT_TRUE(format_files(level).failed());
  FormatOptions cluster = options();
  cluster.cluster_id = "";
  EXPECT_TRUE(format_files(cluster).failed());
}

TEST(MetaProperties, ReadsOldAndNewAndRefusesTheRest) {
  EXPECT_EQ(parse_meta_properties("version=0\nbroker.id=3\ncluster.id=x\n")->node_id, BrokerId(3));
  EXPECT_TRUE(parse_meta_properties("version=1\nnode.id=3\n").failed());
  MetaProperties odd{1, "x\nversion=2", BrokerId(3), std::nullopt};
  EXPECT_EQ(*parse_meta_properties(format_meta_properties(odd, Timestamp(0))), odd);
  EXPECT_TRUE(parse_meta_properties("version=2\nnode.id=3\ncluster.id=x\n").failed());
  EXPECT_TRUE(parse_meta_properties("version=1\nnode.id=x\ncluster.id=x\n").failed());
  EXPECT_TRUE(parse_meta_properties("version=1\nnode.id=1\ncluster.id=x\ndirectory.id=AAAAAAAAAAAAAAAAAAAAAA\n").failed());
}

}  // namespace
}  // namespace milena::raft
