// Log directories over the life of a node: what a stop writes and the next start makes of it.
#include "replica/log_manager.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "config/settings.h"
#include "image/builder.h"
#include "replica/testing/replica_world.h"

namespace milena::replica {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using wire::ErrorCode;

constexpr BrokerId kSelf{1};

image::ImageBuilder with_topic(image::ImageBuilder builder, TopicId id, const std::string& name, int partitions) {
  wire::TopicRecord topic;
  topic.name = name;
  topic.topic_id = id;
  CHECK(builder.apply({topic, 0}).has_value());
  for (int i = 0; i < partitions; ++i) {
    wire::PartitionRecord partition;
    partition.topic_id = id;
    partition.partition_id = i;
    partition.replicas = partition.isr = {kSelf.value()};
    partition.leader = kSelf.value();
    partition.leader_epoch = 3;
    CHECK(builder.apply({partition, 0}).has_value());
  }
  return builder;
}

class Directories : public ::testing::Test {
 protected:
  void TearDown() override { restart(); }
  // One life of the log manager on the directories as they are.
  struct Life {
    Life(io::Runtime& runtime, LogManagerOptions options)
        : partitions(runtime),
          logs(runtime, partitions, std::move(options), [this](std::string why) { fatal = std::move(why); }) {}
    Partitions partitions;
    LogManager logs;
    std::string fatal;
  };

  // Returns the error, "" if there was none.
  std::string start(const std::shared_ptr<const image::Image>& image) {
    LogManagerOptions options;
    options.log_dirs = dirs_;
    options.metadata_dir = metadata_dir_.empty() ? dirs_.front() : metadata_dir_;
    options.high_watermark_interval = 1s;
    options.checkpoint_interval = 5s;
    life_ = std::make_unique<Life>(world_.runtime(), std::move(options));
    auto opened = world_.run(life_->logs.open_directories());
    if (opened.failed()) return opened.error().message;
    auto config = config::KafkaConfig::parse(config::settings_from_overrides(
        {{"process.roles", "broker,controller"}, {"node.id", "1"}, {"controller.listener.names", "CONTROLLER"},
         {"controller.quorum.bootstrap.servers", "localhost:9093"}, {"log.dirs", "/a,/b"},
         {"listeners", "PLAINTEXT://:9092,CONTROLLER://:9093"}}));
    CHECK(config.has_value(), "the test's configuration is wrong");
    auto shared = std::make_shared<const config::KafkaConfig>(std::move(*config));
    auto loaded = world_.run(life_->logs.load(image, kSelf, shared));
    if (loaded.failed()) return loaded.error().message;
    return "";
  }
  void stop(std::int64_t broker_epoch) {
    world_.run(life_->logs.stop(broker_epoch));
    restart();
  }
  void restart(io::SimCrash how = io::SimCrash::kKill) {
    // The tasks go first, as in a real crash.
    world_.restart(how);
    life_.reset();
  }
  Appended append(const TopicIdPartition& id, int count) {
    return world_.run(life_->partitions.append(id, make_records(count, world_.wall_now()), {}));
  }
  // How many lines of the log hold `text`.
  std::ptrdiff_t told(const std::string& text) {
    return std::ranges::count_if(world_.sim().log_lines(),
                                 [&](const std::string& line) { return line.find(text) != std::string::npos; });
  }
  std::string file(const std::string& path) { return world_.disk().read_file(path).value_or("<none>"); }
  static std::shared_ptr<const image::Image> image_of(image::ImageBuilder builder) {
    return std::make_shared<const image::Image>(builder.take_image());
  }
  static std::shared_ptr<const image::Image> one_topic(int partitions = 2) {
    return image_of(with_topic(image::ImageBuilder(), kTopic, "t", partitions));
  }
  static TopicIdPartition id_of(int partition) { return {kTopic, PartitionId(partition)}; }

  std::vector<std::string> dirs_{"/a"};
  std::string metadata_dir_;  // empty: the first of dirs_
  ReplicaWorld world_{2};
  std::unique_ptr<Life> life_;
};

TEST_F(Directories, what_the_metadata_assigns_is_made_and_led) {
  ASSERT_EQ(start(one_topic()), "");
  EXPECT_EQ(life_->logs.partition_count(), 2u);
  EXPECT_EQ(append(id_of(0), 2).last_offset, Offset(1));
  EXPECT_EQ(append(id_of(1), 1).error, ErrorCode::NONE);
  EXPECT_TRUE(world_.disk().exists("/a/t-0/partition.metadata"));
  EXPECT_THAT(life_->logs.unserved(), IsEmpty());
}

TEST_F(Directories, a_clean_stop_leaves_checkpoints_at_the_ends_and_the_mark) {
  ASSERT_EQ(start(one_topic()), "");
  append(id_of(0), 4);
  append(id_of(1), 2);
  stop(77);
  EXPECT_EQ(file("/a/recovery-point-offset-checkpoint"), "0\n2\nt 0 4\nt 1 2\n");
  EXPECT_EQ(file("/a/replication-offset-checkpoint"), "0\n2\nt 0 4\nt 1 2\n");
  EXPECT_THAT(file("/a/.kafka_cleanshutdown"), HasSubstr("77"));
  ASSERT_EQ(start(one_topic()), "");
  EXPECT_EQ(life_->logs.previous_broker_epoch(), 77);
  EXPECT_EQ(file("/a/.kafka_cleanshutdown"), "<none>") << "a crash from here on must be seen";
  EXPECT_EQ(append(id_of(0), 1).base_offset, Offset(4));
}

TEST_F(Directories, after_a_crash_the_logs_are_recovered_and_the_epoch_is_unknown) {
  ASSERT_EQ(start(one_topic()), "");
  append(id_of(0), 4);
  restart();
  ASSERT_EQ(start(one_topic()), "");
  EXPECT_EQ(life_->logs.previous_broker_epoch(), -1);
  EXPECT_EQ(append(id_of(0), 1).base_offset, Offset(4));
}

TEST_F(Directories, the_log_tells_of_each_directory_how_it_was_found_and_left) {
  ASSERT_EQ(start(one_topic()), "");
  EXPECT_EQ(told("/a"), 0) << "there was nothing to find";
  for (int i = 0; i < 3; ++i) append(id_of(0), 4);
  append(id_of(1), 1);
  restart();
  ASSERT_EQ(start(one_topic()), "");
  EXPECT_EQ(told("/a was not stopped cleanly: checking its 2 partitions"), 1);
  EXPECT_EQ(told("/a: 2 partitions recovered, 13 records checked, 0 bytes of unfinished writes cut"), 1);
  stop(5);
  EXPECT_EQ(told("/a: all synced and marked as cleanly stopped"), 1);
  ASSERT_EQ(start(one_topic()), "");
  EXPECT_EQ(told("/a: 2 partitions opened after a clean stop"), 1);
  EXPECT_EQ(told("[log] t-"), told("leader-epoch-checkpoint: rebuilt")) << "of a partition only what was repaired";
}

TEST_F(Directories, recovered_records_are_synced_before_they_are_served) {
  ASSERT_EQ(start(one_topic()), "");
  append(id_of(0), 4);
  restart();
  ASSERT_EQ(start(one_topic()), "");
  restart(io::SimCrash::kPowerLoss);
  ASSERT_EQ(start(one_topic()), "");
  EXPECT_EQ(append(id_of(0), 1).base_offset, Offset(4));
}

TEST_F(Directories, high_watermarks_are_written_often_and_recovery_points_less) {
  ASSERT_EQ(start(one_topic(1)), "");
  world_.call([&] { life_->logs.start_background(); });
  append(id_of(0), 4);
  world_.run_for(2s);
  EXPECT_EQ(file("/a/replication-offset-checkpoint"), "0\n1\nt 0 4\n");
  EXPECT_EQ(file("/a/recovery-point-offset-checkpoint"), "<none>");
  world_.run_for(5s);
  EXPECT_EQ(file("/a/recovery-point-offset-checkpoint"), "0\n1\nt 0 0\n") << "no segment was rolled";
}

TEST_F(Directories, partitions_are_spread_over_them_and_found_again) {
  dirs_ = {"/a", "/b"};
  ASSERT_EQ(start(one_topic(4)), "");
  for (int i = 0; i < 4; ++i) append(id_of(i), i + 1);
  stop(5);
  for (const char* dir : {"/a", "/b"}) {
    EXPECT_THAT(file(std::string(dir) + "/recovery-point-offset-checkpoint"), HasSubstr("0\n2\n")) << dir;
  }
  ASSERT_EQ(start(one_topic(4)), "");
  for (int i = 0; i < 4; ++i) EXPECT_EQ(append(id_of(i), 1).base_offset, Offset(i + 1));
  EXPECT_EQ(life_->logs.partition_count(), 4u);
}

TEST_F(Directories, one_without_a_mark_makes_the_whole_stop_unclean) {
  dirs_ = {"/a", "/b"};
  ASSERT_EQ(start(one_topic()), "");
  stop(5);
  ASSERT_TRUE(world_.disk().remove_file("/b/.kafka_cleanshutdown").has_value());
  ASSERT_EQ(start(one_topic()), "");
  EXPECT_EQ(life_->logs.previous_broker_epoch(), -1);
}

TEST_F(Directories, a_partition_of_no_topic_is_put_aside) {
  ASSERT_EQ(start(one_topic(1)), "");
  append(id_of(0), 1);
  stop(5);
  // The topic was deleted and made again while this node was away.
  TopicId other{3, 4};
  auto image = image_of(with_topic(image::ImageBuilder(), other, "t", 1));
  ASSERT_EQ(start(image), "");
  EXPECT_EQ(append({other, PartitionId(0)}, 1).base_offset, Offset(0)) << "the old records are not the new topic's";
  std::vector<std::string> strays;
  auto entries = world_.disk().list("/a");
  ASSERT_TRUE(entries.has_value());
  for (const io::DirectoryEntry& entry : *entries) {
    if (entry.name.ends_with("-stray")) strays.push_back(entry.name.substr(0, 3));
  }
  EXPECT_THAT(strays, ElementsAre("t-0"));
}

TEST_F(Directories, a_damaged_log_is_refused_alone_and_its_directory_is_not_marked_clean) {
  ASSERT_EQ(start(one_topic()), "");
  for (int i = 0; i < 3; ++i) append(id_of(0), 1);
  restart();
  {
    auto file = world_.disk().open("/a/t-0/00000000000000000000.log", io::OpenMode::kWrite);
    ASSERT_TRUE(file.has_value());
    const std::uint8_t bad[1] = {0xff};
    ASSERT_TRUE((*file)->write_at(70, ByteView(bad, 1)).has_value());
  }
  ASSERT_EQ(start(one_topic()), "");
  EXPECT_THAT(life_->logs.unserved(), ElementsAre(id_of(0)));
  EXPECT_EQ(append(id_of(0), 1).error, ErrorCode::KAFKA_STORAGE_ERROR);
  EXPECT_EQ(append(id_of(1), 1).error, ErrorCode::NONE);
  stop(9);
  EXPECT_EQ(file("/a/.kafka_cleanshutdown"), "<none>");
}

TEST_F(Directories, a_topic_that_is_deleted_under_its_readers_harms_nothing) {
  auto builder = with_topic(image::ImageBuilder(), kTopic, "t", 1);
  wire::ConfigRecord config;
  config.resource_type = static_cast<std::int8_t>(image::ResourceType::kTopic);
  config.resource_name = "t";
  config.name = "internal.segment.bytes";
  config.value = "8192";
  ASSERT_TRUE(builder.apply({config, 0}).has_value());
  auto image = image_of(std::move(builder));
  ASSERT_EQ(start(image), "");
  for (int i = 0; i < 8; ++i) append(id_of(0), 300);
  stop(5);
  ASSERT_EQ(start(image), "") << "the old segments' indexes are not in memory now";
  world_.disk().faults().slow = 10s;
  ReadRequest request;
  request.id = id_of(0);
  request.fetch_offset = Offset(0);
  request.max_bytes = 1 << 20;
  auto reading = world_.start(life_->partitions.read(request));
  image::Delta delta;
  delta.deleted_topics.emplace(kTopic, "t");
  world_.run(life_->logs.apply(image_of(image::ImageBuilder()), std::move(delta)));
  ASSERT_FALSE(world_.disk().exists("/a/t-0"));
  EXPECT_EQ(world_.get(reading).error, ErrorCode::NOT_LEADER_OR_FOLLOWER);
  world_.run_for(1s);
  EXPECT_EQ(life_->fatal, "") << "a directory that was renamed is no failed disk";
}

TEST_F(Directories, the_last_one_that_fails_ends_the_node) {
  dirs_ = {"/a", "/b"};
  metadata_dir_ = "/meta";
  ASSERT_EQ(start(one_topic()), "");
  world_.run_for(100ms);  // the journals of epochs are written
  world_.disk().faults().write_error_one_in = 1;
  append(id_of(0), 1);
  world_.run_for(1s);
  EXPECT_EQ(life_->fatal, "") << "there is another one";
  EXPECT_THAT(life_->logs.unserved(), ElementsAre(id_of(0)));
  append(id_of(1), 1);
  world_.run_for(1s);
  EXPECT_THAT(life_->fatal, HasSubstr("all log directories have failed"));
}

}  // namespace
}  // namespace milena::replica
