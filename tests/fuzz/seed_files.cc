#include <fmt/format.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/crc32c.h"
#include "base/endian.h"
#include "image/record.h"
#include "log/epoch_cache.h"
#include "log/epoch_journal.h"
#include "log/log_directory.h"
#include "log/manifest.h"
#include "log/producer_state.h"
#include "log/segment.h"
#include "log/segment_index.h"
#include "log/txn_index.h"
#include "raft/batch.h"
#include "raft/format.h"
#include "raft/quorum_state.h"
#include "raft/snapshot.h"
#include "seeds.h"
#include "wire/batch_builder.h"
#include "wire/control_record.h"

namespace milena::fuzz {
namespace {

const Uuid kId{0x0123456789abcdef, 0xfedcba9876543210};

}  // namespace

void field(Buffer& out, ByteView content) {
  std::array<std::uint8_t, 2> size{};
  store_be(size.data(), static_cast<std::uint16_t>(content.size()));
  out.append(ByteView(size));
  out.append(content);
}

void section(Buffer& out, std::uint8_t file, ByteView content) {
  out.push_back(file);
  field(out, content);
}

std::vector<Bytes> some_metadata_frames() {
  wire::FeatureLevelRecord level;
  level.name = "metadata.version";
  level.feature_level = 25;
  wire::TopicRecord topic;
  topic.name = "topic";
  topic.topic_id = kId;
  wire::PartitionRecord partition;
  partition.topic_id = kId;
  partition.replicas = partition.isr = {1};
  partition.leader = 1;
  partition.directories = {kId};
  wire::ConfigRecord config;
  config.resource_type = 2;
  config.resource_name = "topic";
  config.name = "cleanup.policy";
  config.value = "compact";
  wire::RegisterBrokerRecord broker;
  broker.broker_id = 1;
  broker.incarnation_id = kId;
  broker.log_dirs = {kId};
  broker.end_points.push_back({.name = "PLAINTEXT", .host = "localhost", .port = 9092});
  wire::PartitionChangeRecord change;
  change.topic_id = kId;
  change.leader = 1;
  wire::RemoveTopicRecord remove;
  remove.topic_id = kId;
  std::vector<Bytes> frames;
  auto add = [&](image::RecordMessage message) {
    std::int16_t version = image::latest_version(message);
    frames.push_back(image::encode_record({std::move(message), version}));
  };
  add(level);
  add(broker);
  add(topic);
  add(partition);
  add(config);
  add(change);
  add(remove);
  return frames;
}

namespace {

constexpr Timestamp kNow{1'700'000'000'000};

Bytes data_batch(Offset base, int count, std::int32_t sequence, bool transactional) {
  wire::BatchOptions options;
  options.base_offset = base;
  options.leader_epoch = Epoch(0);
  options.producer_id = ProducerId(7);
  options.producer_epoch = 0;
  options.base_sequence = sequence;
  options.transactional = transactional;
  wire::BatchBuilder builder(options);
  for (int i = 0; i < count; ++i) builder.append(kNow + i, as_bytes("key"), as_bytes("some value"));
  return builder.build();
}

void seed_metadata(const LoaderSink& sink) {
  std::vector<Bytes> frames = some_metadata_frames();
  raft::SnapshotContents contents;
  contents.last_contained_log_timestamp = kNow;
  contents.values = frames;
  sink("snapshot", Loader::metadata_snapshot, raft::encode_snapshot(contents, Epoch(1), kNow));
  raft::Voter voter{BrokerId(1), kId, {{"CONTROLLER", "localhost", 9093}}, 0, 1};
  contents.voters = raft::VoterSet{1, {voter}};
  sink("snapshot-voters", Loader::metadata_snapshot, raft::encode_snapshot(contents, Epoch(1), kNow));
  Buffer batches;
  wire::LeaderChangeMessage change{.leader_id = 1};
  raft::ControlRecord control = change;
  batches.append(raft::encode_control_batch(Offset(0), Epoch(1), kNow, {&control, 1}));
  batches.append(raft::encode_data_batch(Offset(1), Epoch(1), kNow, frames));
  sink("metadata-batches", Loader::metadata_batches, batches.view());
  Buffer list;
  for (const Bytes& frame : frames) field(list, frame);
  sink("metadata-frames", Loader::metadata_frames, list.view());
}

void seed_small_files(const LoaderSink& sink) {
  auto text = [&](const std::string& name, Loader loader, const std::string& content) {
    sink(name, loader, as_bytes(content));
  };
  text("offset-checkpoint", Loader::offset_checkpoint,
       log::format_offset_checkpoint(
           {{{"a.b-c", PartitionId(7)}, Offset(12)}, {{"t", PartitionId(0)}, Offset(0)}}));
  text("epoch-checkpoint", Loader::epoch_checkpoint, "0\n2\n0 0\n3 17\n");
  log::ProducerState state;
  Bytes batch = data_batch(Offset(0), 3, 0, true);
  (void)state.apply(*wire::BatchView::parse(batch));
  text("producer-snapshot", Loader::producer_snapshot, state.snapshot());
  text("txn-index", Loader::txn_index,
       log::format_txn_index({{ProducerId(1), Offset(0), Offset(3), Offset(4)},
                              {ProducerId(2), Offset(2), Offset(6), Offset(7)}}));
  text("epoch-journal", Loader::epoch_journal,
       log::format_epoch_starts({{{"a.b-c", PartitionId(7)}, kId, {Epoch(3), Offset(12)}},
                                 {{"t", PartitionId(0)}, kId, {Epoch(0), Offset(0)}}}));
  log::Manifest manifest;
  manifest.mark_files = 2;
  manifest.identity = {"3f0c", 7};
  manifest.entries.push_back({{"a.b-c", PartitionId(7)}, kId, {}, {}});
  manifest.entries.push_back({{"t", PartitionId(0)},
                              kId,
                              {Offset(3), Offset(40), Offset(7), 5000, 2, kNow, Offset(20), 11, 1200, 123},
                              {{Epoch(0), Offset(0)}, {Epoch(3), Offset(30)}}});
  text("manifest", Loader::manifest, log::format_manifest(manifest));
  std::string marks{"MlnD\0\1\0\0\0\x2a", 10};
  std::array<std::uint8_t, 4> sum{};
  store_be(sum.data(), crc32c(as_bytes(marks)));
  text("manifest-marks", Loader::manifest_marks, marks + std::string(as_text(ByteView(sum))));
  log::SegmentIndex index(Offset(0));
  for (int i = 0; i < 4; ++i) {
    index.add(Offset(i), static_cast<std::uint64_t>(i) * 100, 100, kNow + i, 50);
  }
  std::string offsets = index.format_offsets();
  std::string times = index.format_times();
  std::string counts{static_cast<char>(offsets.size() / log::kOffsetEntrySize),
                     static_cast<char>(times.size() / log::kTimeEntrySize)};
  text("segment-index", Loader::segment_index, counts + offsets + times);
  for (std::int16_t version : {0, 1}) {
    raft::QuorumState quorum{Epoch(4), BrokerId(1), kNoBroker, {}, version, {}};
    if (version == 0) quorum.current_voters = {BrokerId(1), BrokerId(2)};
    text(fmt::format("quorum-state-{}", version), Loader::quorum_state, raft::format_quorum_state(quorum));
    text(fmt::format("flat-json-{}", version), Loader::flat_json, raft::format_quorum_state(quorum));
  }
  text("meta-properties", Loader::meta_properties,
       raft::format_meta_properties({1, "AAAAAAAAAAAAAAAAAAAAAQ", BrokerId(1), kId}, kNow));
  text("properties", Loader::properties, "# comment\na = 1\\\n  2\nb:\\u00e4\\t\n! x\nc\n");
  text("name-partition", Loader::names, "a.b-c-7");
  text("name-segment", Loader::names, log::segment_file_name(Offset(42), ".log"));
  text("name-uuid", Loader::names, kId.to_string());
  text("name-snapshot", Loader::names, raft::snapshot_file_name({Offset(12), Epoch(3)}));
}

void seed_directories(const LoaderSink& sink) {
  Buffer root;
  section(root, 0,
          as_bytes(raft::format_meta_properties({1, "AAAAAAAAAAAAAAAAAAAAAQ", BrokerId(1), kId}, kNow)));
  section(root, 1, as_bytes("0\n1\nt 0 5\n"));
  section(root, 5, as_bytes("{\"version\":0,\"brokerEpoch\":10}"));
  section(root, 6, as_bytes("version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAQ\n"));
  sink("log-directory", Loader::log_directory, root.view());

  Buffer first;
  first.append(data_batch(Offset(0), 1, 0, true));
  first.append(wire::make_end_txn_batch({false, 0, ProducerId(7), 0}, Offset(1), Epoch(0), kNow));
  Buffer second;
  second.append(data_batch(Offset(2), 2, 1, true));
  second.append(data_batch(Offset(4), 3, 3, true));
  log::ProducerState state;
  (void)state.apply(*wire::BatchView::parse(first.view()));
  for (std::uint8_t flags : {0, 1, 2, 3, 4, 5, 6, 7, 24, 40, 56, 60}) {
    Buffer partition;
    partition.push_back(flags);
    partition.push_back((flags & 9) != 0 ? 7 : 0);
    section(partition, 0, first.view());
    section(partition, 4, second.view());
    section(partition, 3,
            as_bytes(log::format_txn_index({{ProducerId(7), Offset(0), Offset(1), Offset(2)}})));
    section(partition, 8, as_bytes(state.snapshot()));
    section(partition, 10, as_bytes("0\n1\n0 0\n"));
    sink(fmt::format("partition-directory-{}", flags), Loader::partition_directory, partition.view());
  }
}

}  // namespace

void seed_stored(const LoaderSink& sink) {
  seed_small_files(sink);
  seed_metadata(sink);
  seed_directories(sink);
}

void seed_files(const Sink& sink) {
  LoaderSink loaders = [&](const std::string& name, Loader loader, ByteView rest) {
    sink(name, static_cast<std::uint8_t>(loader), rest);
  };
  seed_stored(loaders);
  seed_records(loaders);
  seed_texts(loaders);
}

}  // namespace milena::fuzz
