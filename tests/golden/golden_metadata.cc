// Milena's side of the comparison of metadata logs with the real Kafka's; golden_metadata.py is the whole test.
//
//   golden_metadata verify DIR         DIR is a formatted log directory that Kafka wrote: every batch and record of its
//                                      metadata log and snapshots must be the same after decoding and encoding, replay
//                                      must succeed, invariants hold, the files of a format be equal
//   golden_metadata write DIR PORT     formats DIR for a combined node (PORT: its controller listener) and writes a
//                                      metadata log and a snapshot as Milena's controller would; prints the number of
//                                      records
//
// Exit code 1 if anything differs.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "image/record.h"
#include "image/replayer.h"
#include "image/writer.h"
#include "meta/activation.h"
#include "meta/brokers.h"
#include "meta/configs.h"
#include "meta/controller.h"
#include "meta/invariants.h"
#include "meta/producer_ids.h"
#include "meta/topics.h"
#include "raft/batch.h"
#include "raft/format.h"
#include "raft/quorum_state.h"
#include "raft/raft.h"
#include "raft/snapshot.h"

namespace {

using namespace milena;
namespace fs = std::filesystem;

int failures = 0;

template <class... Args>
void fail(fmt::format_string<Args...> format, Args&&... args) {
  ++failures;
  std::cout << "FAILED: " << fmt::format(format, std::forward<Args>(args)...) << "\n";
}

std::string read_text(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) fail("cannot read {}", path.string());
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_file(const fs::path& path, const Bytes& contents) {
  fs::create_directories(path.parent_path());
  std::ofstream out(path, std::ios::binary);
  out.write(reinterpret_cast<const char*>(contents.data()), static_cast<std::streamsize>(contents.size()));
  if (!out.flush()) fail("cannot write {}", path.string());
}

// --- what Kafka wrote ----------------------------------------------------------------------------------------

struct Seen {
  std::map<std::string, int> types;
  int batches = 0;
  int same_batches = 0;  // their records share one timestamp, so that the whole batch can be made again
};

/// Decodes and encodes one batch and its records; returns the records.
std::vector<image::MetadataRecord> check_batch(const raft::LogBatch& batch, const Bytes& bytes, Seen& seen) {
  ++seen.batches;
  std::vector<image::MetadataRecord> records;
  for (const Bytes& value : batch.values) {
    auto record = image::decode_record(value);
    if (record.failed()) {
      fail("record in the batch at {}: {}", batch.base_offset, record.error().message);
      continue;
    }
    if (!(image::encode_record(*record) == value))
      fail("{} in the batch at {}: other bytes", image::type_name(record->message), batch.base_offset);
    ++seen.types[std::string(image::type_name(record->message))];
    records.push_back(*std::move(record));
  }
  Bytes again = batch.control.empty()
                    ? raft::encode_data_batch(batch.base_offset, batch.epoch, batch.timestamp, batch.values)
                    : raft::encode_control_batch(batch.base_offset, batch.epoch, batch.timestamp, batch.control);
  if (again == bytes.slice(0, batch.size_in_bytes)) ++seen.same_batches;
  else fail("the batch at {} has other bytes", batch.base_offset);
  return records;
}

std::vector<raft::LogBatch> read_batches(const fs::path& path, Seen& seen,
                                         std::vector<std::vector<image::MetadataRecord>>& records) {
  Bytes file = Bytes::copy(read_text(path));
  auto batches = raft::decode_batches(file);
  if (batches.failed()) {
    fail("{}: {}", path.string(), batches.error().message);
    return {};
  }
  std::size_t at = 0;
  for (const raft::LogBatch& batch : *batches) {
    records.push_back(check_batch(batch, file.slice(at, batch.size_in_bytes), seen));
    at += batch.size_in_bytes;
  }
  return *std::move(batches);
}

/// Images at the end of each batch, so that snapshots can be compared with the log they stand for.
std::map<Offset, image::Image> replay_log(const fs::path& log, Seen& seen) {
  std::map<Offset, image::Image> images;
  std::vector<std::vector<image::MetadataRecord>> records;
  std::vector<raft::LogBatch> batches = read_batches(log, seen, records);
  image::Replayer replayer;
  for (std::size_t i = 0; i < batches.size(); ++i) {
    auto applied = replayer.apply(records[i], batches[i].last_offset, batches[i].epoch, batches[i].timestamp);
    if (applied.failed()) fail("replay of the batch at {}: {}", batches[i].base_offset, applied.error().message);
    images[batches[i].last_offset + 1] = replayer.image();
  }
  for (const std::string& broken : meta::broken_invariants(replayer.image())) fail("invariant: {}", broken);
  return images;
}

image::Image image_of(const std::vector<Bytes>& values) {
  image::ImageBuilder builder;
  for (const Bytes& value : values) {
    auto record = image::decode_record(value);
    if (record.failed() || builder.apply(*record).failed()) fail("a snapshot's record does not apply");
  }
  return builder.take_image();
}

std::multiset<std::string> frames_of(const std::vector<Bytes>& values) {
  std::multiset<std::string> frames;
  for (const Bytes& value : values) frames.insert(std::string(value.text()));
  return frames;
}

/// Kafka writes the features and listeners of a node in the order of its hash maps, in each snapshot anew, and a
/// broker that has not told about cordoned directories as one that has none.
image::Image in_order(image::Image image) {
  auto by_name = [](auto& list) { std::ranges::sort(list, {}, [](const auto& item) { return item.name; }); };
  image::Image copy = image;
  for (const auto& [id, broker] : copy.brokers) {
    image::Broker& edited = image.brokers.edit(id).edit();
    by_name(edited.features);
    by_name(edited.end_points);
    if (!edited.cordoned_log_dirs.has_value()) edited.cordoned_log_dirs.emplace();
  }
  for (const auto& [id, controller] : copy.controllers) {
    image::Controller& edited = image.controllers.edit(id).edit();
    by_name(edited.features);
    by_name(edited.end_points);
  }
  return image;
}

void check_snapshot(const fs::path& path, const std::map<Offset, image::Image>& images, Seen& seen) {
  std::vector<std::vector<image::MetadataRecord>> records;
  read_batches(path, seen, records);
  auto contents = raft::decode_snapshot(Bytes::copy(read_text(path)));
  auto id = raft::parse_snapshot_file_name(path.filename().string());
  if (contents.failed() || !id.has_value()) {
    fail("{}: {}", path.string(), contents.failed() ? contents.error().message : "unknown name");
    return;
  }
  image::Image image = image_of(contents->values);
  std::vector<Bytes> again;
  for (const image::MetadataRecord& record : image::to_records(image)) again.push_back(image::encode_record(record));
  if (frames_of(again) != frames_of(contents->values)) fail("{}: to_records gives other records", path.string());
  auto found = images.find(id->end_offset);
  if (id->end_offset == Offset(0)) return;
  if (found == images.end()) fail("{}: no batch ends there", path.string());
  else if (!in_order(found->second).same_contents(in_order(image))) fail("{}: differs from the log up to there", path.string());
}

std::vector<std::string> lines_without_comments(const std::string& text) {
  std::vector<std::string> lines;
  std::string line;
  for (char c : text) {
    if (c != '\n') {
      line += c;
      continue;
    }
    if (!line.starts_with("#")) lines.push_back(line);
    line.clear();
  }
  std::ranges::sort(lines);
  return lines;
}

/// The files a format writes, from the ids that Kafka's own format drew.
void check_format(const fs::path& dir) {
  auto meta = raft::parse_meta_properties(read_text(dir / "meta.properties"));
  if (meta.failed()) return fail("{}", meta.error().message);
  fs::path first = dir / "__cluster_metadata-0" / raft::snapshot_file_name({});
  auto voters = raft::decode_snapshot(Bytes::copy(read_text(first)));
  if (voters.failed() || !voters->voters.has_value()) return fail("{}: no voters", first.string());
  raft::FormatOptions options;
  options.cluster_id = meta->cluster_id;
  options.node_id = meta->node_id;
  options.directories = {{dir.string(), meta->directory_id.value_or(Uuid{})}};
  options.metadata_directory = dir.string();
  options.initial_voters = voters->voters->voters;
  options.now = Timestamp(1'700'000'000'000);
  auto files = raft::format_files(options);
  if (files.failed()) return fail("{}", files.error().message);
  for (const raft::FormatFile& file : *files) {
    std::string theirs = read_text(file.path);
    if (file.path.ends_with("meta.properties")) {
      if (lines_without_comments(theirs) != lines_without_comments(std::string(file.contents.text())))
        fail("{} differs", file.path);
      continue;
    }
    auto ours = raft::decode_snapshot(file.contents);
    auto other = raft::decode_snapshot(Bytes::copy(theirs));
    if (theirs.size() != file.contents.size() || other.failed() || ours->values != other->values ||
        ours->voters != other->voters)
      fail("{} differs", file.path);
  }
}

int verify(const fs::path& dir) {
  check_format(dir);
  fs::path log_dir = dir / "__cluster_metadata-0";
  Seen seen;
  auto images = replay_log(log_dir / "00000000000000000000.log", seen);
  int snapshots = 0;
  for (const auto& entry : fs::directory_iterator(log_dir)) {
    if (!raft::parse_snapshot_file_name(entry.path().filename().string()).has_value()) continue;
    check_snapshot(entry.path(), images, seen);
    ++snapshots;
  }
  std::string quorum = read_text(log_dir / "quorum-state");
  auto state = raft::parse_quorum_state(quorum);
  if (state.failed() || raft::format_quorum_state(*state) != quorum) fail("quorum-state: {}", quorum);
  if (snapshots < 2) fail("{} snapshots", snapshots);
  for (const auto& [type, count] : seen.types) std::cout << fmt::format("{:6} {}\n", count, type);
  std::cout << fmt::format("{} of {} batches, {} snapshots\n", seen.same_batches, seen.batches, snapshots);
  return failures == 0 ? 0 : 1;
}

// --- what Milena writes --------------------------------------------------------------------------------------

/// Every configuration is fine.
class AnySchema : public meta::ConfigSchema {
 public:
  bool is_list(std::int8_t, std::string_view) const override { return false; }
  std::string default_value(std::int8_t, std::string_view) const override { return ""; }
  std::optional<meta::ConfigProblem> validate(const image::ConfigResource&, const image::ConfigMap&) const override {
    return std::nullopt;
  }
  std::vector<meta::EffectiveConfig> effective_topic_configs(const image::ConfigMap&, const image::ConfigMap&,
                                                             const image::ConfigMap&) const override {
    return {};
  }
};

constexpr Uuid kDirectory{0x1111222233334444, 0x8888999900001111};
constexpr Uuid kIncarnation{0x2111222233334444, 0x8888999900001111};

/// A node's controller and quorum with the log in memory.
struct Node {
  Node(std::uint16_t port, const std::string& cluster)
      : raft(config(), recovered(port)), controller(settings(cluster), schema, {}, [this] { return uuid(); }, 1) {
    apply(raft.step(now(), raft::Start{}));
    propose(controller.activate(meta::default_bootstrap(), instant));
  }
  static raft::Config config() { return {BrokerId(1), kDirectory, "", {}}; }
  static raft::Voter voter(std::uint16_t port) {
    return {BrokerId(1), kDirectory, {{"CONTROLLER", "127.0.0.1", port}}, 0, 1};
  }
  static raft::Recovered recovered(std::uint16_t port) {
    raft::Recovered found;
    found.latest_snapshot = raft::SnapshotId{};
    found.voters = raft::VoterSet{1, {voter(port)}};
    return found;
  }
  static meta::Settings settings(const std::string& cluster) {
    meta::Settings settings;
    settings.node_id = BrokerId(1);
    settings.cluster_id = cluster;
    return settings;
  }
  Uuid uuid() { return Uuid::from_random(0x1234567812345678 + ++uuids, 0x1234567812345678); }
  raft::Now now() const { return {instant, Timestamp(1'700'000'000'000)}; }
  meta::Context context() { return controller.context(raft.log_end(), instant); }

  void apply(const raft::Effects& effects) {
    if (effects.write_quorum_state.has_value()) quorum_state = raft::format_quorum_state(*effects.write_quorum_state);
    for (const raft::Append& append : effects.append) {
      log.append(append.batch.view());
      std::vector<image::MetadataRecord> records;
      for (const Bytes& value : append.values) records.push_back(*image::decode_record(value));
      if (controller.replay(records, append.last_offset, append.epoch, now().timestamp, instant).failed())
        fail("replay of the own records at {}", append.base_offset);
    }
    if (!effects.sync_log) return;
    auto committed = raft.step(now(), raft::LogSynced{raft.log_end()});
    controller.commit(committed.high_watermark.value_or(Offset(0)));
    controller.check_invariants();
  }
  void propose(const std::vector<image::MetadataRecord>& records) {
    if (records.empty()) return;
    std::vector<Bytes> values;
    for (const image::MetadataRecord& record : records) values.push_back(image::encode_record(record));
    count += static_cast<int>(values.size());
    apply(raft.step(now(), raft::Propose{std::move(values)}));
  }

  AnySchema schema;
  Instant instant{100s};
  std::uint64_t uuids = 0;
  int count = 0;
  Buffer log;
  std::string quorum_state;
  raft::Raft raft;
  meta::Controller controller;
};

template <class Request>
void name_features(Request& request, std::initializer_list<const char*> without = {}) {
  for (const auto& supported : image::kSupportedFeatures) {
    if (std::ranges::find(without, supported.name) != without.end()) continue;
    auto& feature = request.features.emplace_back();
    feature.name = supported.name;
    feature.min_supported_version = supported.min_level;
    feature.max_supported_version = supported.max_level;
  }
}

void heartbeat(Node& node, bool want_shut_down) {
  wire::BrokerHeartbeatRequest request;
  request.broker_id = 1;
  request.broker_epoch = node.controller.image().broker(BrokerId(1))->broker_epoch;
  request.current_metadata_offset = node.raft.log_end().value() - 1;
  request.want_shut_down = want_shut_down;
  request.cordoned_log_dirs.emplace();
  auto decision = meta::broker_heartbeat(node.context(), request);
  if (decision.response.error_code != 0) fail("heartbeat: {}", decision.response.error_code);
  node.propose(decision.records);
  meta::apply_heartbeat(node.controller.heartbeats(), request, decision, node.raft.log_end(), node.instant);
}

void live_a_little(Node& node, const std::string& cluster, std::uint16_t port) {
  wire::ControllerRegistrationRequest controller;
  controller.controller_id = 1;
  controller.incarnation_id = kIncarnation;
  auto& listener = controller.listeners.emplace_back();
  listener.name = "CONTROLLER";
  listener.host = "127.0.0.1";
  listener.port = port;
  name_features(controller);
  node.propose(meta::register_controller(node.context(), controller).records);

  wire::BrokerRegistrationRequest broker;
  broker.broker_id = 1;
  broker.cluster_id = cluster;
  broker.incarnation_id = kIncarnation;
  broker.rack = std::nullopt;
  broker.log_dirs = {kDirectory};
  auto& endpoint = broker.listeners.emplace_back();
  endpoint.name = "PLAINTEXT";
  endpoint.host = "127.0.0.1";
  endpoint.port = static_cast<std::uint16_t>(port + 1);
  name_features(broker);
  node.propose(meta::register_broker(node.context(), broker).records);
  heartbeat(node, false);

  for (const char* name : {"milena-made", "short-lived"}) {
    wire::CreateTopicsRequest create;
    auto& topic = create.topics.emplace_back();
    topic.name = name;
    topic.num_partitions = 3;
    topic.replication_factor = 1;
    topic.configs.emplace_back().name = "retention.ms";
    topic.configs.back().value = "3600000";
    node.propose(meta::create_topics(node.context(), create).records);
  }
  wire::DeleteTopicsRequest remove;
  remove.topics.emplace_back().name = "short-lived";
  node.propose(meta::delete_topics(node.context(), remove, 6).records);
  wire::IncrementalAlterConfigsRequest alter;
  auto& resource = alter.resources.emplace_back();
  resource.resource_type = 2;
  resource.resource_name = "milena-made";
  resource.configs.emplace_back().name = "min.insync.replicas";
  resource.configs.back().value = "1";
  node.propose(meta::incremental_alter_configs(node.context(), alter).records);
  wire::AllocateProducerIdsRequest ids;
  ids.broker_id = 1;
  ids.broker_epoch = node.controller.image().broker(BrokerId(1))->broker_epoch;
  node.propose(meta::allocate_producer_ids(node.context(), ids).records);
  heartbeat(node, true);
  heartbeat(node, true);
}

int write(const fs::path& dir, std::uint16_t port) {
  raft::FormatOptions options;
  options.cluster_id = "IZb-bWljTxusWWb85hb0Tw";
  options.node_id = BrokerId(1);
  options.directories = {{dir.string(), kDirectory}};
  options.metadata_directory = dir.string();
  options.initial_voters = {Node::voter(port)};
  options.now = Timestamp(1'700'000'000'000);
  auto files = raft::format_files(options);
  if (files.failed()) return fail("{}", files.error().message), 1;
  for (const raft::FormatFile& file : *files) write_file(file.path, file.contents);

  Node node(port, options.cluster_id);
  live_a_little(node, options.cluster_id, port);
  fs::path log_dir = dir / "__cluster_metadata-0";
  raft::SnapshotContents contents;
  contents.last_contained_log_timestamp = options.now;
  contents.voters = node.raft.voters();
  for (const image::MetadataRecord& record : image::to_records(node.controller.committed()))
    contents.values.push_back(image::encode_record(record));
  raft::SnapshotId id{node.raft.high_watermark(), node.raft.epoch()};
  node.raft.step(node.now(), raft::SnapshotCreated{id});
  node.raft.check_invariants();
  write_file(log_dir / raft::snapshot_file_name(id), raft::encode_snapshot(contents, id.epoch, options.now));
  write_file(log_dir / "quorum-state", Bytes::copy(node.quorum_state));
  write_file(log_dir / "00000000000000000000.log", node.log.freeze());
  write_file(log_dir / "partition.metadata", Bytes::copy("version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAQ"));
  write_file(dir / ".kafka_cleanshutdown",
             Bytes::copy(fmt::format("{{\"version\":0,\"brokerEpoch\":{}}}",
                                     node.controller.image().broker(BrokerId(1))->broker_epoch)));
  std::cout << node.count << " records, " << contents.values.size() << " in the snapshot\n";
  return failures == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> args(argv + 1, argv + argc);
  if (args.size() == 2 && args[0] == "verify") return verify(args[1]);
  if (args.size() == 3 && args[0] == "write") return write(args[1], static_cast<std::uint16_t>(std::stoi(args[2])));
  std::cerr << "usage: golden_metadata verify DIR | write DIR PORT\n";
  return 2;
}
