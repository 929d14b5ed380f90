// Reads the __consumer_offsets segments of a real Kafka's log directory into coordinators, one per partition,
// and prints what they know in the lines that GoldenGroups.java prints from Kafka's own administration client.
//
//   golden_groups LOG_DIR
//
// Also writes each record anew from what was read of it, and compares the bytes.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "group/groups.h"
#include "group/partition.h"
#include "group/record.h"
#include "wire/control_record.h"
#include "wire/messages/consumer_protocol_assignment.h"
#include "wire/reader.h"
#include "wire/record.h"
#include "wire/record_batch.h"

namespace {

using namespace milena;
namespace fs = std::filesystem;

struct Totals {
  int records = 0, rewritten = 0, failures = 0;
};

void fail(Totals& totals, const std::string& what) {
  ++totals.failures;
  fmt::print("FAILED {}\n", what);
}

void compare_rewritten(const group::GroupRecord& record, Totals& totals) {
  std::int16_t type = group::record_type(record).value_or(-1);
  group::GroupRecord made;
  if (type == group::kOffsetCommit) {
    auto key = group::parse_offset_key(record);
    if (key.failed()) return fail(totals, "offset key");
    if (!record.value) {
      made = group::make_offset_tombstone(key->group, key->topic, PartitionId(key->partition));
    } else {
      auto value = group::parse_offset_value(record);
      if (value.failed()) return fail(totals, "offset value");
      made = group::make_offset_record(key->group, key->topic, PartitionId(key->partition), *value);
    }
  } else if (type == group::kGroupMetadata) {
    std::string id = group::group_id_of(record).value_or("");
    if (!record.value) {
      made = group::make_group_tombstone(id);
    } else {
      auto value = group::parse_group_value(record);
      if (value.failed()) return fail(totals, "group value");
      made = group::make_group_record(id, *value);
    }
  } else {
    return;
  }
  ++totals.rewritten;
  if (!(made == record)) {
    fail(totals, fmt::format("rewritten {} = {}, was {} = {}", to_hex(made.key), made.value ? to_hex(*made.value) : "",
                             to_hex(record.key), record.value ? to_hex(*record.value) : ""));
  }
}

void replay_batch(group::Groups& groups, const wire::BatchView& batch, int partition, int partitions,
                  Totals& totals) {
  if (!batch.crc_ok() || batch.compressed()) return fail(totals, "batch");
  ProducerId producer = batch.transactional() ? batch.producer_id() : kNoProducer;
  wire::RecordReader reader(batch);
  wire::RecordView view;
  while (reader.next(view)) {
    if (!view.key) {
      fail(totals, "record without a key");
      continue;
    }
    if (batch.control()) {
      std::optional<std::int16_t> type = wire::parse_control_key(*view.key);
      if (type == 0 || type == 1) groups.replay_end_transaction(batch.producer_id(), type == 1);
      continue;
    }
    group::GroupRecord record{Bytes::copy(*view.key), std::nullopt};
    if (view.value) record.value = Bytes::copy(*view.value);
    ++totals.records;
    auto done = groups.replay(record, view.offset, producer);
    if (done.failed()) fail(totals, std::string(group::name(done.error())));
    auto id = group::group_id_of(record);
    if (id && group::partition_for(*id, partitions) != PartitionId(partition)) {
      fail(totals, fmt::format("{} lies in partition {}", *id, partition));
    }
    compare_rewritten(record, totals);
  }
  if (reader.error()) fail(totals, "records");
}

std::string assigned(const Bytes& assignment) {
  if (assignment.empty()) return "";
  wire::Reader reader(assignment);
  std::int16_t version = reader.read_int16();
  wire::ConsumerProtocolAssignment parsed;
  if (!parsed.decode(reader, version)) return "unreadable";
  std::set<std::string> names;
  for (const auto& topic : parsed.assigned_partitions) {
    for (std::int32_t p : topic.partitions) names.insert(fmt::format("{}-{}", topic.topic, p));
  }
  return fmt::format("{}", fmt::join(names, ","));
}

void print_group(const group::Groups& groups, const wire::ListGroupsResponse::ListedGroup& listed,
                 std::vector<std::string>& lines) {
  const std::string& id = listed.group_id;
  lines.push_back(fmt::format("group {} type={} state={} protocol={}", id, listed.group_type, listed.group_state,
                              listed.protocol_type));
  if (listed.group_type == "classic") {
    auto described = groups.describe_group(id, 6);
    lines.push_back(fmt::format("described {} {} {}", id, described.group_state, described.protocol_data));
    for (const auto& m : described.members) {
      lines.push_back(fmt::format("member {} {} instance={} client={} host={} [{}]", id, m.member_id,
                                  m.group_instance_id.value_or("-"), m.client_id, m.client_host,
                                  assigned(m.member_assignment)));
    }
  }
  wire::OffsetFetchRequest::OffsetFetchRequestGroup request;
  request.group_id = id;
  request.topics = std::nullopt;
  for (const auto& topic : groups.offset_fetch(request, false).topics) {
    for (const auto& p : topic.partitions) {
      lines.push_back(fmt::format("offset {} {}-{} {} epoch={} [{}]", id, topic.name, p.partition_index,
                                  p.committed_offset, p.committed_leader_epoch, p.metadata.value_or("")));
    }
  }
  for (const auto& topic : groups.offset_fetch(request, true).topics) {
    for (const auto& p : topic.partitions) {
      if (p.error_code == 0) continue;
      lines.push_back(fmt::format("unstable {} {}-{}", id, topic.name, p.partition_index));
    }
  }
}

int run(const fs::path& log_dir) {
  constexpr std::string_view kPrefix = "__consumer_offsets-";
  std::map<int, fs::path> folders;
  for (const auto& entry : fs::directory_iterator(log_dir)) {
    std::string folder = entry.path().filename().string();
    if (folder.starts_with(kPrefix)) folders[std::stoi(folder.substr(kPrefix.size()))] = entry.path();
  }
  Totals totals;
  std::vector<std::string> lines;
  for (const auto& [partition, folder] : folders) {
    group::Groups groups({}, [] { return Uuid(); });
    std::set<fs::path> segments;
    for (const auto& file : fs::directory_iterator(folder)) {
      if (file.path().extension() == ".log") segments.insert(file.path());
    }
    for (const fs::path& segment : segments) {
      std::ifstream in(segment, std::ios::binary);
      std::string content{std::istreambuf_iterator<char>(in), {}};
      wire::BatchCursor cursor(as_bytes(content));
      wire::BatchView batch;
      while (cursor.next(batch)) replay_batch(groups, batch, partition, static_cast<int>(folders.size()), totals);
      if (cursor.error()) fail(totals, "segment " + segment.string());
    }
    groups.loaded({Instant(1s), Timestamp(1)});
    groups.check_invariants();
    for (const auto& listed : groups.list_groups({}, {})) print_group(groups, listed, lines);
  }
  std::sort(lines.begin(), lines.end());
  for (const std::string& line : lines) fmt::print("{}\n", line);
  fmt::print(stderr, "{} partitions, {} records, {} rewritten, {} failures\n", folders.size(), totals.records,
             totals.rewritten, totals.failures);
  return totals.failures == 0 && totals.rewritten > 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) { return argc == 2 ? run(argv[1]) : 2; }
