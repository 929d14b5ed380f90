#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "image/builder.h"
#include "image/history.h"
#include "image/image.h"
#include "image/record.h"
#include "image/replayer.h"
#include "image/writer.h"

namespace milena::image {
namespace {

constexpr TopicId kFoo{1, 1};
constexpr TopicId kBar{2, 2};

MetadataRecord feature(std::string name, std::int16_t level) {
  wire::FeatureLevelRecord record;
  record.name = std::move(name);
  record.feature_level = level;
  return {record, 0};
}

MetadataRecord topic(TopicId id, std::string name) {
  wire::TopicRecord record;
  record.topic_id = id;
  record.name = std::move(name);
  return {record, 0};
}

MetadataRecord partition(TopicId id, int number) {
  wire::PartitionRecord record;
  record.topic_id = id;
  record.partition_id = number;
  record.replicas = {1, 2};
  record.isr = {1, 2};
  record.leader = 1;
  record.leader_epoch = 0;
  record.partition_epoch = 0;
  record.directories = {Uuid{9, 1}, Uuid{9, 2}};
  return {record, 2};
}

MetadataRecord config(ResourceType type, std::string name, std::string key, std::optional<std::string> value) {
  wire::ConfigRecord record;
  record.resource_type = static_cast<std::int8_t>(type);
  record.resource_name = std::move(name);
  record.name = std::move(key);
  record.value = std::move(value);
  return {record, 0};
}

MetadataRecord broker(int id, std::int64_t epoch) {
  wire::RegisterBrokerRecord record;
  record.broker_id = id;
  record.broker_epoch = epoch;
  record.rack = std::nullopt;
  record.end_points.emplace_back().name = "PLAINTEXT";
  record.log_dirs = {Uuid{9, static_cast<std::uint64_t>(id)}};
  return {record, 4};
}

std::vector<MetadataRecord> sample() {
  std::vector<MetadataRecord> records = {feature("metadata.version", 30), feature("group.version", 1), broker(1, 5),
                                         broker(2, 7), topic(kFoo, "foo"), partition(kFoo, 0), partition(kFoo, 1),
                                         topic(kBar, "bar"), partition(kBar, 0)};
  records.push_back(config(ResourceType::kTopic, "foo", "cleanup.policy", "compact"));
  records.push_back(config(ResourceType::kTopic, "bar", "retention.ms", "1"));
  records.push_back(config(ResourceType::kBroker, "", "min.insync.replicas", "1"));
  wire::ClientQuotaRecord quota;
  quota.entity.emplace_back().entity_type = "user";
  quota.entity.back().entity_name = std::nullopt;
  quota.key = "producer_byte_rate";
  quota.value = 10;
  records.push_back({quota, 0});
  wire::ProducerIdsRecord ids;
  ids.broker_id = 1;
  ids.next_producer_id = 1000;
  records.push_back({ids, 0});
  wire::UserScramCredentialRecord scram;
  scram.name = "alice";
  scram.mechanism = 1;
  scram.salt = Bytes::copy("salt");
  records.push_back({scram, 0});
  return records;
}

Image build(const std::vector<MetadataRecord>& records, Delta* delta = nullptr) {
  ImageBuilder builder;
  for (const MetadataRecord& record : records) {
    auto applied = builder.apply(record);
    EXPECT_TRUE(applied.has_value()) << applied.error().message;
  }
  if (delta != nullptr) *delta = builder.delta();
  return builder.take_image();
}

TEST(Record, FramesAreAsInKafkasLog) {
  // Frame 1, type 12, version 0, "group.version" 1, no tagged fields.
  EXPECT_EQ(to_hex(encode_record(feature("group.version", 1))), "010c000e67726f75702e76657273696f6e000100");
  for (const MetadataRecord& record : sample()) {
    Bytes frame = encode_record(record);
    auto decoded = decode_record(frame);
    ASSERT_TRUE(decoded.has_value()) << decoded.error().message;
    EXPECT_EQ(*decoded, record) << type_name(record.message);
    for (std::size_t size = 0; size < frame.size(); ++size)
      EXPECT_TRUE(decode_record(frame.slice(0, size)).failed());
  }
}

TEST(Record, RefusesWhatItDoesNotKnow) {
  auto kind = [](std::initializer_list<std::uint8_t> bytes) {
    return decode_record(Bytes::copy(ByteView(bytes.begin(), bytes.size()))).error().kind;
  };
  EXPECT_EQ(kind({1, 29, 0, 0}), RecordError::Kind::kUnknownType);
  EXPECT_EQ(kind({1, 13, 0, 0}), RecordError::Kind::kUnknownType);
  EXPECT_EQ(kind({1, 20, 1, 0}), RecordError::Kind::kUnsupportedVersion);
  EXPECT_EQ(kind({0, 20, 0, 0}), RecordError::Kind::kMalformed);
  EXPECT_EQ(kind({1, 20, 0, 0, 0}), RecordError::Kind::kMalformed);
}

TEST(Record, KeepsUnknownTaggedFields) {
  Bytes frame = Bytes::copy(ByteView((const std::uint8_t[]){1, 20, 0, 1, 7, 2, 0xaa, 0xbb}, 8));
  auto record = decode_record(frame);
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(encode_record(*record), frame);
}

TEST(Image, RoundTripsThroughItsRecords) {
  Image image = build(sample());
  EXPECT_EQ(image.topic("foo")->partitions.size(), 2U);
  EXPECT_EQ(image.partition({kFoo, PartitionId(1)})->directory_of(BrokerId(2)), (Uuid{9, 2}));
  EXPECT_EQ(*image.config(ResourceType::kTopic, "foo", "cleanup.policy"), "compact");
  EXPECT_EQ(image.config(ResourceType::kTopic, "nope", "x"), nullptr);
  Image again = build(to_records(image));
  EXPECT_TRUE(again.same_contents(image));
  EXPECT_EQ(to_records(again), to_records(image));
}

TEST(Image, PartitionChangesMoveEpochs) {
  ImageBuilder builder(build(sample()));
  wire::PartitionChangeRecord change;
  change.topic_id = kFoo;
  change.partition_id = 0;
  change.isr = {{2}};
  ASSERT_TRUE(builder.apply({change, 2}).has_value());
  const Partition* partition = builder.image().partition({kFoo, PartitionId(0)});
  EXPECT_EQ(partition->leader_epoch, Epoch(0));
  EXPECT_EQ(partition->partition_epoch, 1);
  change.leader = 2;
  ASSERT_TRUE(builder.apply({change, 2}).has_value());
  partition = builder.image().partition({kFoo, PartitionId(0)});
  EXPECT_EQ(partition->leader_epoch, Epoch(1));
  EXPECT_EQ(partition->partition_epoch, 2);
  EXPECT_EQ(builder.delta().partitions.size(), 1U);
}

TEST(Image, RemovedTopicsTakeTheirConfigsAlong) {
  Image before = build(sample());
  ImageBuilder builder(before);
  wire::RemoveTopicRecord remove;
  remove.topic_id = kFoo;
  ASSERT_TRUE(builder.apply({remove, 0}).has_value());
  EXPECT_EQ(builder.image().topic("foo"), nullptr);
  EXPECT_TRUE(builder.image().config(ResourceType::kTopic, "foo").empty());
  EXPECT_EQ(builder.delta().deleted_topics.at(kFoo), "foo");
  EXPECT_NE(before.topic("foo"), nullptr);
  EXPECT_TRUE(builder.apply({remove, 0}).failed());
}

TEST(Image, BrokerChanges) {
  ImageBuilder builder(build(sample()));
  EXPECT_FALSE(builder.image().active(BrokerId(1)));
  wire::BrokerRegistrationChangeRecord change;
  change.broker_id = 1;
  change.broker_epoch = 5;
  change.fenced = -1;
  ASSERT_TRUE(builder.apply(broker_change_record(change)).has_value());
  EXPECT_TRUE(builder.image().active(BrokerId(1)));
  change.broker_epoch = 6;
  EXPECT_TRUE(builder.apply(broker_change_record(change)).failed());
}

TEST(Image, ClearElr) {
  ImageBuilder builder(build(sample()));
  wire::PartitionChangeRecord change;
  change.topic_id = kFoo;
  change.partition_id = 1;
  change.isr.emplace();
  change.leader = -1;
  change.eligible_leader_replicas = {{1}};
  change.last_known_elr = {{1}};
  ASSERT_TRUE(builder.apply({change, 2}).has_value());
  wire::ClearElrRecord clear;
  clear.topic_name = "bar";
  ASSERT_TRUE(builder.apply({clear, 0}).has_value());
  EXPECT_EQ(builder.image().partition({kFoo, PartitionId(1)})->elr.size(), 1U);
  clear.topic_name = "";
  ASSERT_TRUE(builder.apply({clear, 0}).has_value());
  EXPECT_TRUE(builder.image().partition({kFoo, PartitionId(1)})->elr.empty());
  EXPECT_TRUE(builder.image().partition({kFoo, PartitionId(1)})->last_known_elr.empty());
}

TEST(Replayer, TransactionsShowAtTheirEnd) {
  Replayer replayer;
  std::vector<MetadataRecord> first = {topic(kFoo, "foo"), {wire::BeginTransactionRecord{}, 0}, topic(kBar, "bar")};
  auto delta = replayer.apply(first, Offset(2), Epoch(1), Timestamp(0));
  ASSERT_TRUE(delta.has_value());
  EXPECT_EQ(delta->created_topics.size(), 1U);
  EXPECT_TRUE(replayer.in_transaction());
  EXPECT_EQ(replayer.image().topic("bar"), nullptr);
  Replayer other = replayer;
  std::vector<MetadataRecord> end = {partition(kBar, 0), {wire::EndTransactionRecord{}, 0}};
  delta = replayer.apply(end, Offset(4), Epoch(1), Timestamp(0));
  ASSERT_TRUE(delta.has_value());
  EXPECT_TRUE(delta->created_topics.contains(kBar));
  EXPECT_EQ(replayer.image().topic("bar")->partitions.size(), 1U);
  std::vector<MetadataRecord> abort = {{wire::AbortTransactionRecord{}, 0}};
  ASSERT_TRUE(other.apply(abort, Offset(3), Epoch(1), Timestamp(0)).has_value());
  EXPECT_EQ(other.image().topic("bar"), nullptr);
  EXPECT_NE(other.image().topic("foo"), nullptr);
  EXPECT_TRUE(other.apply(abort, Offset(4), Epoch(1), Timestamp(0)).failed());
}

TEST(History, CommitsAndTruncates) {
  ImageHistory history;
  std::vector<MetadataRecord> foo = {topic(kFoo, "foo")};
  std::vector<MetadataRecord> bar = {topic(kBar, "bar")};
  ASSERT_TRUE(history.append(foo, Offset(0), Epoch(1), Timestamp(0)).has_value());
  ASSERT_TRUE(history.append(bar, Offset(1), Epoch(1), Timestamp(0)).has_value());
  EXPECT_TRUE(history.append(bar, Offset(2), Epoch(1), Timestamp(0)).failed());
  EXPECT_NE(history.latest().topic("bar"), nullptr);
  EXPECT_EQ(history.committed().topic("foo"), nullptr);
  EXPECT_FALSE(history.commit(Offset(0)).has_value());
  auto delta = history.commit(Offset(1));
  ASSERT_TRUE(delta.has_value());
  EXPECT_TRUE(delta->created_topics.contains(kFoo));
  history.truncate(Offset(1));
  EXPECT_EQ(history.latest().topic("bar"), nullptr);
  EXPECT_NE(history.latest().topic("foo"), nullptr);
}

TEST(Delta, DeletedTopicsLeaveNothingBehind) {
  Delta first;
  build(sample(), &first);
  Delta second;
  second.deleted_topics[kFoo] = "foo";
  first.merge(second);
  EXPECT_FALSE(first.created_topics.contains(kFoo));
  EXPECT_EQ(first.partitions.size(), 1U);
}

TEST(MetadataVersion, NamesAndRecordVersions) {
  EXPECT_EQ(metadata_version_name(30), "4.3-IV0");
  EXPECT_EQ(metadata_version_name(17), "3.7-IV2");
  EXPECT_EQ(metadata_version_name(31), "");
  EXPECT_EQ(MetadataVersion{16}.partition_record(), 0);
  EXPECT_EQ(MetadataVersion{17}.partition_record(), 1);
  EXPECT_EQ(MetadataVersion{23}.partition_record(), 2);
}

}  // namespace
}  // namespace milena::image
