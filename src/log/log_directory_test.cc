// LogDirectory: the files of a log directory, as Kafka has them.
#include "log/log_directory.h"

#include <gmock/gmock.h>

#include "log/log_fixture.h"

namespace milena::log {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const Uuid kTopic{0x0123456789abcdef, 0xfedcba9876543210};

struct Directory : ::testing::Test {
  Directory() {
    auto opened = LogDirectory::open(machine.disk, "/logs");
    EXPECT_TRUE(opened.has_value());
    directory = std::move(*opened);
  }
  std::string read(const std::string& name) {
    return machine.disk.read_file("/logs/" + name).value_or("<none>");
  }
  Machine machine;
  std::unique_ptr<LogDirectory> directory;
};

TEST_F(Directory, is_locked_by_one_process) {
  EXPECT_EQ(LogDirectory::open(machine.disk, "/logs").error().kind, LogErrorKind::kLocked);
}

TEST_F(Directory, meta_properties_are_version_1_and_kept) {
  EXPECT_EQ(directory->meta(), nullptr);
  MetaProperties meta{3, "AAAAAAAAAAAAAAAAAAAAAQ", kTopic, {{"extra", "kept"}}};
  ASSERT_TRUE(directory->format(meta).has_value());
  EXPECT_EQ(directory->format({4, meta.cluster_id, kTopic, {}}).error().kind, LogErrorKind::kInvalid);
  directory.reset();
  auto again = LogDirectory::open(machine.disk, "/logs");
  ASSERT_TRUE(again.has_value());
  ASSERT_NE((*again)->meta(), nullptr);
  EXPECT_EQ((*again)->meta()->node_id, 3);
  EXPECT_EQ((*again)->meta()->cluster_id, meta.cluster_id);
  EXPECT_EQ((*again)->meta()->directory_id, kTopic);
  EXPECT_EQ((*again)->meta()->other.at("extra"), "kept");
}

TEST_F(Directory, refuses_meta_properties_it_does_not_understand) {
  directory.reset();
  for (const char* bad : {"version=0\nbroker.id=1\n", "version=1\nnode.id=x\ncluster.id=a\n",
                          "version=1\nnode.id=1\n", "version=1\nnode.id=1\ncluster.id=a\ndirectory.id=b\n"}) {
    ASSERT_TRUE(machine.disk.write_file("/logs/meta.properties", bad).has_value());
    EXPECT_EQ(LogDirectory::open(machine.disk, "/logs").error().kind, LogErrorKind::kCorrupt) << bad;
  }
}

TEST_F(Directory, a_partition_has_its_metadata_before_any_record) {
  PartitionName name{"a.b-c", PartitionId(7)};
  ASSERT_TRUE(directory->create_partition(name, kTopic).has_value());
  machine.power_cycle();
  EXPECT_EQ(read("a.b-c-7/partition.metadata"), "version: 0\ntopic_id: " + kTopic.to_string());
  EXPECT_TRUE(directory->create_partition(name, kTopic).has_value());
  EXPECT_EQ(directory->create_partition(name, Uuid{1, 1000}).error().kind, LogErrorKind::kInvalid);
  EXPECT_EQ(directory->create_partition({std::string(250, 'x'), PartitionId(0)}, kTopic).error().kind,
            LogErrorKind::kInvalid);
  EXPECT_EQ(directory->create_partition({"../x", PartitionId(0)}, kTopic).error().kind,
            LogErrorKind::kInvalid);
}

TEST_F(Directory, lists_partitions_deletions_strays_and_what_is_unknown) {
  ASSERT_TRUE(directory->create_partition({"t", PartitionId(0)}, kTopic).has_value());
  ASSERT_TRUE(directory->create_partition({"t", PartitionId(1)}, kTopic).has_value());
  auto deleted = directory->mark_deleted({"t", PartitionId(1)}, Uuid{0x11, 0x22});
  ASSERT_TRUE(deleted.has_value());
  EXPECT_EQ(*deleted, "/logs/t-1.00000000000000110000000000000022-delete");
  for (const char* name : {"lost+found", ".milena-x", "what", "t-2", "t-3"}) {
    ASSERT_TRUE(machine.disk.create_directories(std::string("/logs/") + name).has_value());
  }
  ASSERT_TRUE(machine.disk.write_file("/logs/t-2/00000000000000000000.log", "records").has_value());
  auto listing = directory->list();
  ASSERT_TRUE(listing.has_value());
  EXPECT_THAT(listing->unknown, ElementsAre("/logs/what"));
  ASSERT_EQ(listing->partitions.size(), 4U);
  EXPECT_EQ(listing->partitions[0].topic_id, kTopic);
  EXPECT_EQ(listing->partitions[1].kind, PartitionDirectoryKind::kDelete);
  EXPECT_EQ(listing->partitions[1].name, (PartitionName{"t", PartitionId(1)}));
  EXPECT_THAT(listing->partitions[2].refusal, HasSubstr("no partition.metadata"))
      << "data that Kafka would call stray";
  EXPECT_EQ(directory->create_partition({"t", PartitionId(2)}, kTopic).error().kind, LogErrorKind::kCorrupt);
  EXPECT_EQ(listing->partitions[3].refusal, "") << "empty: to be created again";
}

TEST_F(Directory, long_names_are_cut_for_deletion) {
  PartitionName name{std::string(249, 'x'), PartitionId(123)};
  ASSERT_TRUE(directory->create_partition(name, kTopic).has_value());
  auto deleted = directory->mark_deleted(name, kTopic);
  ASSERT_TRUE(deleted.has_value());
  EXPECT_EQ(deleted->size(), std::string("/logs/").size() + 255);
}

TEST_F(Directory, checkpoints_are_text_and_replaced_whole) {
  EXPECT_TRUE(directory->read_checkpoint(CheckpointFile::kRecoveryPoint)->empty());
  OffsetCheckpoint offsets{{{"a", PartitionId(1)}, Offset(5)}, {{"b", PartitionId(0)}, Offset(0)}};
  ASSERT_TRUE(directory->write_checkpoint(CheckpointFile::kRecoveryPoint, offsets).has_value());
  EXPECT_EQ(read("recovery-point-offset-checkpoint"), "0\n2\na 1 5\nb 0 0\n");
  EXPECT_EQ(*directory->read_checkpoint(CheckpointFile::kRecoveryPoint), offsets);
  EXPECT_TRUE(parse_offset_checkpoint("")->empty()) << "as Kafka creates it";
  for (const char* bad :
       {"\n", "0\n", "0\n1\n", "0\n1\na 1\n", "0\n1\na x 5\n", "0\n1\na 1 -5\n", "0\n0\na 1 5\n"}) {
    EXPECT_TRUE(parse_offset_checkpoint(bad).failed()) << bad;
  }
}

TEST_F(Directory, a_clean_stop_is_believed_once) {
  EXPECT_FALSE(directory->take_clean_shutdown()->clean);
  ASSERT_TRUE(directory->write_clean_shutdown(42).has_value());
  EXPECT_EQ(read(".kafka_cleanshutdown"), "{\"version\":0,\"brokerEpoch\":42}");
  auto first = directory->take_clean_shutdown();
  EXPECT_TRUE(first->clean);
  EXPECT_EQ(first->broker_epoch, 42);
  machine.power_cycle();
  EXPECT_FALSE(directory->take_clean_shutdown()->clean);
  ASSERT_TRUE(machine.disk.write_file("/logs/.kafka_cleanshutdown", "").has_value());
  auto old = directory->take_clean_shutdown();
  EXPECT_TRUE(old->clean);
  EXPECT_EQ(old->broker_epoch, -1);
}

TEST(PartitionName, is_read_from_the_last_dash) {
  EXPECT_EQ(PartitionName::parse("a-b-12"), (PartitionName{"a-b", PartitionId(12)}));
  for (const char* bad : {"a", "-1", "a-", "a-x", "a-01", "a--1", "a-99999999999"}) {
    auto name = PartitionName::parse(bad);
    EXPECT_TRUE(!name || name->topic == "a-") << bad;
  }
}

}  // namespace
}  // namespace milena::log
