// Starts by manifest: the logs that one tells of are served unread, and nothing that somebody else, a crash or the
// device did to the files goes unnoticed.
#include <gmock/gmock.h>

#include <algorithm>

#include "config/settings.h"
#include "image/builder.h"
#include "replica/log_manager.h"
#include "replica/testing/replica_world.h"

namespace milena::replica {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using wire::ErrorCode;

constexpr BrokerId kSelf{1};
constexpr int kPartitions = 3;
const std::string kManifest = "/a/.milena-manifest";

class ManifestStart : public ::testing::Test {
 protected:
  struct Life {
    Life(io::Runtime& runtime, LogManagerOptions options)
        : partitions(runtime),
          logs(runtime, partitions, std::move(options), [this](std::string why) { fatal = std::move(why); }) {}
    Partitions partitions;
    LogManager logs;
    std::string fatal;
  };

  // The metadata as the node finds it: registered last under `incarnation_`, and each record is synced.
  std::shared_ptr<const image::Image> image() const {
    image::ImageBuilder builder;
    wire::RegisterBrokerRecord broker;
    broker.broker_id = kSelf.value();
    broker.incarnation_id = Uuid{7, incarnation_};
    CHECK(builder.apply({broker, 0}).has_value());
    wire::TopicRecord topic;
    topic.name = "t";
    topic.topic_id = kTopic;
    CHECK(builder.apply({topic, 0}).has_value());
    for (int i = 0; i < kPartitions; ++i) {
      wire::PartitionRecord partition;
      partition.topic_id = kTopic;
      partition.partition_id = i;
      partition.replicas = partition.isr = {kSelf.value()};
      partition.leader = leader_.value();
      partition.leader_epoch = epoch_;
      CHECK(builder.apply({partition, 0}).has_value());
    }
    wire::ConfigRecord config;
    config.resource_type = static_cast<std::int8_t>(image::ResourceType::kTopic);
    config.resource_name = "t";
    config.name = "flush.messages";
    config.value = "1";
    CHECK(builder.apply({config, 0}).has_value());
    return std::make_shared<const image::Image>(builder.take_image());
  }
  // False: it did not come to an end, the process has died.
  template <class T>
  bool attempt(io::Task<T> task, T* result) {
    if (!world_.running()) return false;
    auto answer = world_.start(std::move(task));
    if (!world_.sim().run_until([&] { return answer->has_value(); }, 20s)) return false;
    *result = std::move(**answer);
    return true;
  }
  static io::Task<bool> done(io::Task<void> task) {
    co_await std::move(task);
    co_return true;
  }
  bool attempt(io::Task<void> task) {
    bool ended = false;
    return attempt(done(std::move(task)), &ended);
  }

  bool start(Epoch quorum_epoch = Epoch(1)) {
    ++epoch_;
    LogManagerOptions options;
    options.log_dirs = {"/a"};
    options.metadata_dir = "/a";
    life_ = std::make_unique<Life>(world_.runtime(), std::move(options));
    Result<void, StoreError> outcome;
    if (!attempt(life_->logs.open_directories(), &outcome) || outcome.failed()) return false;
    auto config = config::KafkaConfig::parse(config::settings_from_overrides(
        {{"process.roles", "broker,controller"}, {"node.id", "1"}, {"controller.listener.names", "CONTROLLER"},
         {"controller.quorum.bootstrap.servers", "localhost:9093"}, {"log.dirs", "/a"},
         {"listeners", "PLAINTEXT://:9092,CONTROLLER://:9093"}}));
    CHECK(config.has_value(), "the test's configuration is wrong");
    auto shared = std::make_shared<const config::KafkaConfig>(std::move(*config));
    if (!attempt(life_->logs.load(image(), kSelf, shared, quorum_epoch), &outcome) || outcome.failed()) return false;
    ++incarnation_;  // registered
    return attempt(life_->logs.remember(static_cast<std::int64_t>(incarnation_), Epoch(1), Uuid{7, incarnation_}));
  }
  bool stop() {
    bool ended = attempt(life_->logs.stop(static_cast<std::int64_t>(incarnation_), Epoch(1)));
    restart();
    return ended;
  }
  void restart(io::SimCrash how = io::SimCrash::kKill) {
    world_.restart(how);
    life_.reset();
  }
  void TearDown() override { restart(); }

  Appended append(int partition, int count = 1) {
    Appended appended(ErrorCode::UNKNOWN_SERVER_ERROR);
    AppendOptions options;
    options.wait = WaitFor::kCommitted;
    Bytes records = make_records(count, world_.wall_now());
    (void)attempt(life_->partitions.append(id_of(partition), std::move(records), options), &appended);
    return appended;
  }
  bool asleep(int partition) {
    bool sleeps = false;
    LoopPartitions& there = life_->partitions.owning(id_of(partition));
    world_.call_on(there.loop(), [&] { sleeps = there.find(id_of(partition))->log().asleep(); });
    return sleeps;
  }
  // How many of the last start's logs were read.
  std::ptrdiff_t told(const std::string& text) {
    return std::ranges::count_if(world_.sim().log_lines(),
                                 [&](const std::string& line) { return line.find(text) != std::string::npos; });
  }
  static TopicIdPartition id_of(int partition) { return {kTopic, PartitionId(partition)}; }
  void change(const std::string& path, std::uint64_t at, std::string_view bytes) {
    auto file = world_.disk().open(path, io::OpenMode::kWrite);
    ASSERT_TRUE(file.has_value());
    ASSERT_TRUE((*file)->write_at(at, as_bytes(bytes)).has_value());
  }
  // A log with records in each partition, stopped cleanly.
  void begin() {
    ASSERT_TRUE(start());
    for (int i = 0; i < kPartitions; ++i) ASSERT_EQ(append(i, i + 1).error, ErrorCode::NONE);
    ASSERT_TRUE(stop());
  }

  ReplicaWorld world_{2};
  std::unique_ptr<Life> life_;
  std::uint64_t incarnation_ = 1;
  std::int32_t epoch_ = 0;
  BrokerId leader_ = kSelf;
};

TEST_F(ManifestStart, after_a_clean_stop_no_log_is_read) {
  begin();
  ASSERT_TRUE(start());
  EXPECT_EQ(told("is not believed"), 0);
  for (int i = 0; i < kPartitions; ++i) EXPECT_TRUE(asleep(i));
  for (int i = 0; i < kPartitions; ++i) EXPECT_EQ(append(i).base_offset, Offset(i + 1));
  EXPECT_FALSE(asleep(0));
}

TEST_F(ManifestStart, after_a_kill_only_logs_that_were_written_to_are_read) {
  begin();
  ASSERT_TRUE(start());
  EXPECT_EQ(append(1, 5).base_offset, Offset(2));
  restart();
  ASSERT_TRUE(start());
  EXPECT_EQ(told("checking 1 of its 3 partitions"), 1);
  EXPECT_EQ(told("1 records checked") + told("5 records checked"), 1) << "from the known end on";
  EXPECT_TRUE(asleep(0));
  EXPECT_TRUE(asleep(2));
  EXPECT_EQ(append(1).base_offset, Offset(7));
  EXPECT_EQ(append(0).base_offset, Offset(1));
  restart();
  ASSERT_TRUE(start());
  EXPECT_EQ(append(0).base_offset, Offset(2));
  EXPECT_EQ(append(1).base_offset, Offset(8));
  EXPECT_EQ(append(2).base_offset, Offset(3));
}

TEST_F(ManifestStart, after_a_power_loss_all_are_read) {
  begin();
  ASSERT_TRUE(start());
  EXPECT_EQ(append(1, 5).base_offset, Offset(2));
  restart(io::SimCrash::kPowerLoss);
  ASSERT_TRUE(start());
  EXPECT_EQ(told("checking its 3 partitions"), 1);
  EXPECT_EQ(append(1).base_offset, Offset(7));
}

TEST_F(ManifestStart, another_server_in_between_is_noticed) {
  begin();
  // It has stopped cleanly under an epoch of its own.
  ASSERT_TRUE(world_.disk().write_file("/a/.kafka_cleanshutdown", R"({"version":0,"brokerEpoch":99})").has_value());
  ASSERT_TRUE(start());
  EXPECT_EQ(told("another server has stopped here since"), 1);
  restart();
  incarnation_ += 10;  // it has registered, and was killed
  ASSERT_TRUE(start());
  EXPECT_EQ(told("another server has been this node since"), 1);
  ASSERT_TRUE(stop());
  ASSERT_TRUE(start(Epoch(2)));  // it has voted
  EXPECT_EQ(told("the quorum has had another epoch since"), 1);
  restart();
  ASSERT_TRUE(start(Epoch(2)));
  EXPECT_EQ(told("the quorum has had another epoch since"), 2);
  for (int i = 0; i < kPartitions; ++i) EXPECT_EQ(append(i).base_offset, Offset(i + 1));
}

TEST_F(ManifestStart, a_log_whose_file_is_another_is_read) {
  begin();
  std::string path = "/a/t-1/00000000000000000000.log";
  std::string content = world_.disk().read_file(path).value_or("");
  world_.run_for(1s);
  ASSERT_TRUE(world_.disk().write_file(path, content).has_value()) << "a copy: same bytes, another inode";
  std::string one = world_.disk().read_file("/a/t-0/00000000000000000000.log").value_or("");
  one[7] = 3;  // its base offset
  change("/a/t-2/00000000000000000000.log", world_.disk().stat("/a/t-2/00000000000000000000.log")->size, one);
  ASSERT_TRUE(start());
  EXPECT_TRUE(asleep(0));
  EXPECT_EQ(append(1).base_offset, Offset(2));
  EXPECT_EQ(append(2).base_offset, Offset(4)) << "what was appended counts";
}

TEST_F(ManifestStart, epochs_without_records_outlive_a_kill_and_reach_kafkas_files_at_the_stop) {
  begin();
  ASSERT_TRUE(start());
  world_.run_for(100ms);
  auto epochs = [&](int partition) {
    std::vector<log::EpochEntry> found;
    LoopPartitions& there = life_->partitions.owning(id_of(partition));
    world_.call_on(there.loop(), [&] { found = there.find(id_of(partition))->log().epochs(); });
    return found;
  };
  EXPECT_EQ(epochs(0).back(), (log::EpochEntry{Epoch(2), Offset(1)}));
  EXPECT_TRUE(world_.disk().exists("/a/.milena-epochs"));
  EXPECT_THAT(world_.disk().read_file("/a/t-0/leader-epoch-checkpoint").value_or(""), Not(HasSubstr("2 1")));
  restart();
  leader_ = kNoBroker;  // nobody was elected anew
  ASSERT_TRUE(start());
  EXPECT_EQ(epochs(0).back(), (log::EpochEntry{Epoch(2), Offset(1)}));
  ASSERT_TRUE(stop());
  EXPECT_THAT(world_.disk().read_file("/a/t-0/leader-epoch-checkpoint").value_or(""), HasSubstr("2 1\n"));
  EXPECT_FALSE(world_.disk().exists("/a/.milena-epochs"));
}

TEST_F(ManifestStart, rot_in_manifest_or_marks_costs_a_longer_start_and_nothing_else) {
  begin();
  for (int round = 0; round < 40; ++round) {
    ASSERT_TRUE(start());
    Appended before = append(1);
    ASSERT_EQ(before.error, ErrorCode::NONE) << round;
    bool kill = round % 2 == 0;
    if (kill) restart();
    else ASSERT_TRUE(stop());
    std::string file = kill && round % 4 == 0 ? "/a/.milena-marks-0" : kManifest;
    ASSERT_TRUE(world_.disk().rot(file)) << file;
    ASSERT_TRUE(start());
    EXPECT_EQ(told("is not believed"), round + 1);
    EXPECT_EQ(append(1).base_offset, before.base_offset + 1) << round;
    EXPECT_EQ(append(0).error, ErrorCode::NONE);
    EXPECT_THAT(life_->logs.unserved(), IsEmpty());
    restart();
  }
}

TEST_F(ManifestStart, marks_that_are_gone_are_missed) {
  begin();
  ASSERT_TRUE(start());
  EXPECT_EQ(append(1).base_offset, Offset(2));
  restart();
  ASSERT_TRUE(world_.disk().remove_file("/a/.milena-marks-1").has_value());
  ASSERT_TRUE(start());
  EXPECT_EQ(told("is not believed"), 1);
  EXPECT_EQ(append(1).base_offset, Offset(3));
}

TEST_F(ManifestStart, a_manifest_of_an_earlier_life_is_none) {
  begin();
  std::string old = world_.disk().read_file(kManifest).value_or("");
  ASSERT_TRUE(start());
  append(0);
  ASSERT_TRUE(stop());
  ASSERT_TRUE(world_.disk().write_file(kManifest, old).has_value());
  ASSERT_TRUE(start());
  EXPECT_EQ(told("is not believed"), 1);
  EXPECT_EQ(append(0).base_offset, Offset(2));
}

// Lives that end in kills, stops and power losses, with a crash at each call to the disk: what was acknowledged is
// there in the next one, and nothing else than what was sent.
class ManifestCrash : public ManifestStart, public ::testing::WithParamInterface<io::SimCrash> {
 protected:
  void live(int number) {
    if (!start()) return;
    for (int i = 0; i < kPartitions; ++i) {
      if ((number + i) % 2 == 0) continue;  // each life leaves some alone
      Appended appended = append(i);
      if (appended.error != ErrorCode::NONE) {
        ++in_doubt_[i];
        continue;
      }
      std::int64_t base = appended.base_offset.value();
      EXPECT_GE(base, end_[i]) << "acknowledged records are gone";
      EXPECT_LE(base, end_[i] + in_doubt_[i]);
      end_[i] = base + 1;
      in_doubt_[i] = 0;
    }
    if (number % 3 == 0) (void)stop();
  }
  void lives() {
    for (int number = 0; number < 6; ++number) {
      live(number);
      if (life_ != nullptr) restart();
    }
  }
  std::map<int, std::int64_t> end_, in_doubt_;
};

TEST_P(ManifestCrash, at_every_call) {
  lives();
  std::uint64_t calls = world_.disk().calls();
  ASSERT_GT(calls, 300U);
  for (std::uint64_t n = 1; n <= calls; ++n) {
    life_.reset();
    world_.renew(n);
    end_.clear();
    in_doubt_.clear();
    incarnation_ = 1;
    epoch_ = 0;
    world_.disk().crash_at_call(n);
    for (int number = 0; number < 6 && world_.disk().calls() < n; ++number) {
      live(number);
      if (life_ != nullptr && world_.disk().calls() < n) restart();
    }
    world_.disk().crash_at_call(0);
    restart(GetParam());
    for (int number = 1; number < 3; ++number) {
      ASSERT_TRUE(start()) << "call " << n;
      EXPECT_THAT(life_->logs.unserved(), IsEmpty()) << "call " << n;
      for (int i = 0; i < kPartitions; ++i) {
        Appended appended = append(i);
        ASSERT_EQ(appended.error, ErrorCode::NONE) << "call " << n;
        EXPECT_GE(appended.base_offset.value(), end_[i]) << "call " << n << ": acknowledged records are gone";
        EXPECT_LE(appended.base_offset.value(), end_[i] + in_doubt_[i]) << "call " << n;
        end_[i] = appended.base_offset.value() + 1;
        in_doubt_[i] = 0;
      }
      restart(number == 1 ? io::SimCrash::kKill : GetParam());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(, ManifestCrash, ::testing::Values(io::SimCrash::kKill, io::SimCrash::kPowerLoss),
                         [](const auto& info) {
                           return std::string(info.param == io::SimCrash::kKill ? "kill" : "power");
                         });

}  // namespace
}  // namespace milena::replica
