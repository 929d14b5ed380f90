// What a node finds in its metadata directory: after a clean end, a torn write, with snapshots of every kind.
#include "replica/metadata_store.h"

#include <gmock/gmock.h>

#include "image/builder.h"
#include "raft/batch.h"
#include "raft/snapshot.h"
#include "replica/testing/metadata_check.h"
#include "replica/testing/replica_world.h"

namespace milena::replica {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const std::string kPath = "/data/__cluster_metadata-0";
const std::string kLogFile = kPath + "/00000000000000000000.log";

Bytes topic_frame(const std::string& name) {
  wire::TopicRecord record;
  record.name = name;
  record.topic_id = Uuid{9, name.size()};
  return image::encode_record({record, 0});
}

std::string name_in(const image::MetadataRecord& record) { return std::get<wire::TopicRecord>(record.message).name; }
std::string name_in(const raft::LogBatch& batch) { return name_in(*image::decode_record(batch.values.at(0))); }

class Store : public ::testing::Test {
 protected:
  // As a start of the node. Returns the error, "" if there was none.
  std::string open() {
    store_.reset();
    directory_.reset();
    loaded_ = {};
    auto directory = log::LogDirectory::open(world_.disk(), "/data");
    if (directory.failed()) return directory.error().message;
    directory_ = std::move(*directory);
    log::LogOptions options;
    options.delete_old_segments = false;
    auto store = MetadataStore::open(world_.disk(), *directory_, options, world_.wall_now(), loaded_);
    if (store.failed()) return store.error().message;
    store_ = std::move(*store);
    return "";
  }
  // The process ends and a new one opens what it left.
  std::string open_again(io::SimCrash how = io::SimCrash::kKill) {
    store_.reset();
    directory_.reset();
    world_.restart(how);
    return open();
  }
  void append(const std::string& topic, Epoch epoch = Epoch(1)) {
    std::vector<Bytes> values{topic_frame(topic)};
    Bytes batch = raft::encode_data_batch(store_->log().log_end_offset(), epoch, Timestamp(1000), values);
    ASSERT_TRUE(store_->log().append_raw(std::move(batch), world_.wall_now()).has_value());
  }
  void write_snapshot(std::int64_t end, const std::string& topic, Timestamp of = Timestamp(1000)) {
    raft::SnapshotContents contents;
    contents.last_contained_log_timestamp = of;
    contents.values.push_back(topic_frame(topic));
    raft::SnapshotId id{Offset(end), Epoch(1)};
    Bytes file = raft::encode_snapshot(contents, id.epoch, of);
    ASSERT_TRUE(store_->write_snapshot(id, file).has_value());
    store_->add_snapshot({id, static_cast<std::int64_t>(file.size()), of});
  }

  ReplicaWorld world_;
  LoadedMetadata loaded_;
  std::unique_ptr<log::LogDirectory> directory_;
  std::unique_ptr<MetadataStore> store_;
};

TEST_F(Store, a_new_directory_has_nothing_but_the_bootstrap_of_this_release) {
  ASSERT_EQ(open(), "");
  EXPECT_THAT(loaded_.batches, IsEmpty());
  EXPECT_THAT(loaded_.snapshot, IsEmpty());
  EXPECT_THAT(loaded_.bootstrap, Not(IsEmpty()));
  EXPECT_EQ(loaded_.recovered.log_end, Offset(0));
  EXPECT_FALSE(loaded_.recovered.quorum_state.has_value());
  EXPECT_FALSE(store_->earliest_snapshot().has_value());
}

TEST_F(Store, batches_come_back_in_order_with_their_epoch) {
  ASSERT_EQ(open(), "");
  append("one");
  append("two", Epoch(2));
  ASSERT_EQ(open_again(), "");
  ASSERT_EQ(loaded_.batches.size(), 2u);
  EXPECT_EQ(name_in(loaded_.batches[0]), "one");
  EXPECT_EQ(name_in(loaded_.batches[1]), "two");
  EXPECT_EQ(loaded_.recovered.last_epoch, Epoch(2));
  EXPECT_EQ(loaded_.recovered.log_end, Offset(2));
}

TEST_F(Store, what_was_loaded_is_synced_before_anyone_acts_on_it) {
  ASSERT_EQ(open(), "");
  append("one");
  ASSERT_EQ(open_again(), "");
  ASSERT_EQ(open_again(io::SimCrash::kPowerLoss), "");
  EXPECT_EQ(loaded_.batches.size(), 1u) << "it was found, and acted on, before the power went";
}

TEST_F(Store, a_torn_tail_is_cut_and_the_log_goes_on_there) {
  ASSERT_EQ(open(), "");
  append("one");
  append("two");
  {
    auto file = world_.disk().open(kLogFile, io::OpenMode::kWrite);
    ASSERT_TRUE(file.has_value());
    ASSERT_TRUE((*file)->truncate((*file)->size().value_or(0) - 3).has_value());
  }
  ASSERT_EQ(open_again(), "");
  ASSERT_EQ(loaded_.batches.size(), 1u);
  EXPECT_EQ(loaded_.recovered.log_end, Offset(1));
  EXPECT_THAT(loaded_.notes, Not(IsEmpty())) << "a cut is told";
  append("three");
  ASSERT_EQ(open_again(), "");
  ASSERT_EQ(loaded_.batches.size(), 2u);
  EXPECT_EQ(name_in(loaded_.batches[1]), "three");
}

TEST_F(Store, quorum_state_is_kept_and_one_that_cannot_be_read_stops_the_start) {
  ASSERT_EQ(open(), "");
  raft::QuorumState state;
  state.leader_epoch = Epoch(7);
  state.leader_id = BrokerId(1);
  ASSERT_TRUE(store_->write_quorum_state(state).has_value());
  ASSERT_EQ(open_again(io::SimCrash::kPowerLoss), "");
  EXPECT_EQ(loaded_.recovered.quorum_state, state);
  ASSERT_TRUE(world_.disk().write_file(kPath + "/quorum-state", "{\"leaderId\":").has_value());
  EXPECT_THAT(open_again(), HasSubstr(kPath + "/quorum-state"));
}

TEST_F(Store, the_newest_snapshot_counts_and_only_the_batches_behind_it) {
  ASSERT_EQ(open(), "");
  for (const char* topic : {"one", "two", "three"}) append(topic);
  write_snapshot(1, "first");
  write_snapshot(2, "second");
  ASSERT_TRUE(world_.disk().write_file(kPath + "/00000000000000000003-0000000001.checkpoint.part", "x").has_value());
  ASSERT_EQ(open_again(io::SimCrash::kPowerLoss), "") << "a snapshot is durable once it is written";
  EXPECT_EQ(loaded_.recovered.latest_snapshot, (raft::SnapshotId{Offset(2), Epoch(1)}));
  ASSERT_EQ(loaded_.snapshot.size(), 1u);
  EXPECT_EQ(name_in(loaded_.snapshot[0]), "second");
  EXPECT_EQ(store_->earliest_snapshot(), (raft::SnapshotId{Offset(1), Epoch(1)}));
  for (const raft::LogBatch& batch : loaded_.batches) EXPECT_GE(batch.base_offset, Offset(2));
  EXPECT_FALSE(world_.disk().exists(kPath + "/00000000000000000003-0000000001.checkpoint.part"));
}

TEST_F(Store, a_log_that_ends_before_the_snapshot_begins_again_at_its_end) {
  ASSERT_EQ(open(), "");
  append("one");
  write_snapshot(5, "snapshot");
  ASSERT_EQ(open_again(), "");
  EXPECT_THAT(loaded_.batches, IsEmpty());
  EXPECT_EQ(loaded_.recovered.log_start, Offset(5));
  EXPECT_EQ(loaded_.recovered.log_end, Offset(5));
  append("behind");
  ASSERT_EQ(open_again(), "");
  ASSERT_EQ(loaded_.batches.size(), 1u);
  EXPECT_EQ(loaded_.batches[0].base_offset, Offset(5));
}

TEST_F(Store, a_log_that_begins_behind_every_snapshot_is_refused) {
  ASSERT_EQ(open(), "");
  append("one");
  write_snapshot(5, "snapshot");
  ASSERT_EQ(open_again(), "");
  ASSERT_TRUE(world_.disk().remove_file(store_->snapshot_path({Offset(5), Epoch(1)})).has_value());
  EXPECT_THAT(open_again(), HasSubstr("starts at offset 5 but no snapshot reaches it"));
}

TEST_F(Store, a_damaged_snapshot_is_named) {
  ASSERT_EQ(open(), "");
  append("one");
  write_snapshot(5, "snapshot");  // the log does not reach so far
  std::string path = store_->snapshot_path({Offset(5), Epoch(1)});
  std::string content = world_.disk().read_file(path).value_or("");
  ASSERT_TRUE(world_.disk().write_file(path, content.substr(0, content.size() / 2)).has_value());
  EXPECT_THAT(open_again(), HasSubstr(path));
}

TEST_F(Store, a_damaged_snapshot_is_done_without_where_the_log_has_it_all) {
  ASSERT_EQ(open(), "");
  append("first");
  append("second");
  write_snapshot(1, "in the older one");
  append("third");
  write_snapshot(2, "in the newest one");
  std::string path = store_->snapshot_path({Offset(2), Epoch(1)});
  std::string content = world_.disk().read_file(path).value_or("");
  ASSERT_TRUE(world_.disk().write_file(path, content.substr(0, content.size() / 2)).has_value());
  ASSERT_EQ(open_again(), "");
  ASSERT_EQ(loaded_.recovered.latest_snapshot, (raft::SnapshotId{Offset(1), Epoch(1)}));
  ASSERT_EQ(loaded_.snapshot.size(), 1u);
  EXPECT_EQ(name_in(loaded_.snapshot[0]), "in the older one");
  ASSERT_EQ(loaded_.batches.size(), 2u);
  EXPECT_EQ(name_in(loaded_.batches[0]), "second");
  EXPECT_TRUE(world_.disk().exists(path + ".unreadable"));
  ASSERT_EQ(open_again(), "") << "it stays aside";
  EXPECT_EQ(loaded_.batches.size(), 2u);
}

TEST_F(Store, old_snapshots_go_and_the_newest_stays) {
  ASSERT_EQ(open(), "");
  for (const char* topic : {"one", "two", "three"}) append(topic);
  ASSERT_TRUE(store_->log().set_high_watermark(Offset(3)) == Offset(3));
  write_snapshot(1, "first");
  write_snapshot(2, "second");
  EXPECT_EQ(store_->clean(1 << 20, 1 << 20, Timestamp(1500)), std::nullopt) << "neither large nor old";
  EXPECT_EQ(store_->clean(1, 1 << 20, Timestamp(1500)), Offset(2));
  EXPECT_EQ(store_->earliest_snapshot(), (raft::SnapshotId{Offset(2), Epoch(1)}));
  EXPECT_FALSE(world_.disk().exists(store_->snapshot_path({Offset(1), Epoch(1)})));
  EXPECT_EQ(store_->clean(1, 1, Timestamp(1LL << 40)), std::nullopt) << "without it nothing could start";
  ASSERT_EQ(open_again(), "");
  EXPECT_EQ(loaded_.recovered.latest_snapshot, (raft::SnapshotId{Offset(2), Epoch(1)}));
}

TEST_F(Store, snapshots_go_by_the_age_of_what_they_hold_also_after_a_restart) {
  constexpr std::int64_t kDay = 24LL * 3600 * 1000;
  const Timestamp now(1000 * kDay);
  ASSERT_EQ(open(), "");
  for (const char* topic : {"one", "two", "three"}) append(topic);
  write_snapshot(1, "first", now - 6 * kDay);
  write_snapshot(2, "second", now - 2 * kDay);
  write_snapshot(3, "third", now);
  ASSERT_TRUE(store_->log().set_high_watermark(Offset(3)) == Offset(3));
  EXPECT_EQ(store_->clean(-1, 7 * kDay, now), std::nullopt);
  ASSERT_EQ(open_again(), "");
  ASSERT_TRUE(store_->log().set_high_watermark(Offset(3)) == Offset(3));
  EXPECT_EQ(store_->clean(-1, 7 * kDay, now), std::nullopt);
  EXPECT_EQ(store_->clean(-1, 7 * kDay, now + 2 * kDay), Offset(2));
  EXPECT_EQ(store_->earliest_snapshot(), (raft::SnapshotId{Offset(2), Epoch(1)}));
}

// The checks that whole nodes are put to when they end.
TEST_F(Store, an_image_that_replay_does_not_give_is_noticed) {
  auto image_of = [](const std::string& topic, std::int64_t offset) {
    image::ImageBuilder builder;
    EXPECT_TRUE(builder.apply(*image::decode_record(topic_frame(topic))).has_value());
    builder.set_position(Offset(offset), Epoch(1), Timestamp(1000));
    return builder.take_image();
  };
  ASSERT_EQ(open(), "");
  append("one");
  store_.reset();
  directory_.reset();
  auto difference = [&](const image::Image& live) {
    return replay_difference(world_.disk(), "/data", world_.wall_now(), live);
  };
  EXPECT_EQ(difference(image_of("one", 0)), "");
  EXPECT_THAT(difference(image_of("two", 0)), HasSubstr("another image than the one served"));
  EXPECT_THAT(difference(image_of("one", 5)), HasSubstr("the log gives only 0"));
  EXPECT_EQ(restart_difference(image_of("one", 0), image_of("one", 7)), "");
  EXPECT_THAT(restart_difference(image_of("one", 0), image_of("two", 7)), HasSubstr("TopicRecord"));
  EXPECT_THAT(restart_difference(image_of("one", 0), image::Image()), HasSubstr("0 make it now"));
}

}  // namespace
}  // namespace milena::replica
