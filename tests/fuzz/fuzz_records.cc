// The parts of the fuzz target `files` that read stored records: committed offsets and groups, control
// records.
#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/check.h"
#include "base/endian.h"
#include "base/random.h"
#include "group/groups.h"
#include "group/record.h"
#include "loaders.h"
#include "log/marker.h"
#include "raft/batch.h"
#include "raft/voter_set.h"
#include "wire/batch_builder.h"
#include "wire/control_record.h"

namespace milena::fuzz {
namespace {

constexpr Timestamp kNow{1'700'000'000'000};

/// The next u16 length and its bytes; what is cut ends early.
ByteView take_field(ByteView& input) {
  if (input.size() < 2) return std::exchange(input, {}).subspan(0, 0);
  std::size_t size = std::min<std::size_t>(load_be<std::uint16_t>(input.data()), input.size() - 2);
  ByteView field = input.subspan(2, size);
  input = input.subspan(2 + size);
  return field;
}

/// One entry of a partition of __consumer_offsets: a record, and whether its producer's transaction ends
/// behind it.
struct Entry {
  group::GroupRecord record;
  ProducerId producer_id = kNoProducer;
  bool ends = false;
  bool committed = false;
};

std::vector<Entry> group_entries(ByteView input) {
  std::vector<Entry> entries;
  while (!input.empty()) {
    std::uint8_t flags = input[0];
    input = input.subspan(1);
    Entry entry;
    entry.record.key = Bytes::copy(take_field(input));
    if ((flags & 1) != 0) entry.record.value = Bytes::copy(take_field(input));
    if ((flags & 2) != 0) entry.producer_id = ProducerId(flags >> 4);
    entry.ends = (flags & 4) != 0;
    entry.committed = (flags & 8) != 0;
    entries.push_back(std::move(entry));
  }
  return entries;
}

/// What a coordinator asks to be written, it must read itself.
void replay_effects(group::Groups& groups, const group::Effects& effects, std::int64_t offset) {
  for (const group::GroupRecord& record : effects.records) {
    CHECK(groups.replay(record, Offset(offset++)).has_value(), "a coordinator's own record is refused");
  }
  groups.check_invariants();
}

/// The partition is loaded and lives until every session and every offset has expired.
std::string load_groups(const std::vector<Entry>& entries) {
  Random random(1);
  group::GroupOptions options;
  options.group_max_size = 4;
  group::Groups groups(options, [&] { return Uuid{random.next(), random.next()}; });
  std::int64_t offset = 0;
  for (const Entry& entry : entries) {
    // A record that is refused is left out.
    if (groups.replay(entry.record, Offset(offset++), entry.producer_id).failed()) continue;
    if (entry.ends) groups.replay_end_transaction(entry.producer_id, entry.committed);
  }
  std::string loaded = groups.dump_durable();
  group::Now now{Instant(), kNow};
  replay_effects(groups, groups.loaded(now), offset);
  for (const auto& listed : groups.list_groups({}, {})) (void)groups.describe_group(listed.group_id, 6);
  for (Duration step : {Duration(std::chrono::seconds(10)), Duration(std::chrono::hours(1)),
                        Duration(std::chrono::days(30))}) {
    now.instant = now.instant + step;
    now.wall += to_ms(step);
    offset += 1'000'000;
    replay_effects(groups, groups.advance(now), offset);
  }
  return loaded;
}

void parse_group_record(const group::GroupRecord& record) {
  auto type = group::record_type(record);
  (void)group::group_id_of(record);
  (void)group::member_id_of(record);
  if (type == group::kOffsetCommit || type == group::kLegacyOffsetCommit) {
    auto key = group::parse_offset_key(record);
    if (key.failed()) return;
    auto same = group::make_offset_tombstone(key->group, key->topic, PartitionId(key->partition));
    auto again = group::parse_offset_key(same);
    CHECK(again.has_value() && *again == *key, "the key of an offset changes");
  }
  if (!record.value.has_value()) return;
  if (auto value = group::parse_offset_value(record); value.has_value()) {
    auto again = group::parse_offset_value(group::make_offset_record("g", "t", PartitionId(0), *value));
    CHECK(again.has_value() && again->offset == value->offset && again->metadata == value->metadata,
          "a committed offset changes");
  }
  if (auto value = group::parse_group_value(record); value.has_value()) {
    auto again = group::parse_group_value(group::make_group_record("g", *value));
    CHECK(again.has_value() && again->members.size() == value->members.size() &&
              again->generation == value->generation && again->leader == value->leader,
          "a stored group changes");
  }
}

void voters(const wire::VotersRecord& record) {
  for (std::int16_t version : {0, 1}) {
    raft::VoterSet set = raft::from_record(record, version);
    CHECK(set.voters.size() == record.voters.size(), "a voter is lost");
    CHECK(raft::to_record(set).voters.size() == record.voters.size(), "a voter is lost");
    if (!set.voters.empty()) {
      const raft::Voter& voter = set.voters.front();
      CHECK(set.find(voter.id) != nullptr, "a voter is not found");
    }
  }
}

}  // namespace

// Records of a partition of __consumer_offsets: u8 flags (1 a value, 2 transactional, of the producer in the
// upper four bits, 4 the transaction ends behind it, 8 committed), key, value, each behind a u16 length.
void group_records(ByteView input) {
  std::vector<Entry> entries = group_entries(input);
  for (const Entry& entry : entries) parse_group_record(entry.record);
  CHECK(load_groups(entries) == load_groups(entries), "one log makes two states");
}

// A control batch: u8 flags (1 of a producer), then records, key and value behind a u16 length each.
void control_records(ByteView input) {
  if (input.size() < 3) return;
  wire::BatchOptions options;
  options.control = true;
  if ((input[0] & 1) != 0) {
    options.producer_id = ProducerId(7);
    options.producer_epoch = 0;
    options.transactional = true;
  }
  input = input.subspan(1);
  wire::BatchBuilder builder(options);
  while (!input.empty()) {
    ByteView key = take_field(input);
    ByteView value = take_field(input);
    (void)wire::parse_control_key(key);
    (void)wire::parse_end_txn_value(value);
    builder.append(kNow, key, value);
  }
  Bytes bytes = builder.build();
  auto view = wire::BatchView::parse(bytes);
  CHECK(view.has_value());
  if (auto marker = log::read_marker(*view); marker.has_value()) {
    Bytes same = wire::make_end_txn_batch({marker->commit, marker->coordinator_epoch, ProducerId(7), 0},
                                          Offset(0), Epoch(0), kNow);
    auto again = log::read_marker(*wire::BatchView::parse(same));
    CHECK(again.has_value() && again->commit == marker->commit &&
              again->coordinator_epoch == marker->coordinator_epoch,
          "a marker changes");
  }
  auto batch = raft::decode_batch(bytes);
  if (batch.failed()) return;
  for (const raft::ControlRecord& record : batch->control) {
    if (const auto* set = std::get_if<wire::VotersRecord>(&record)) voters(*set);
  }
  auto again = raft::decode_batch(raft::encode_control_batch(Offset(0), Epoch(0), kNow, batch->control));
  CHECK(again.has_value() && again->control == batch->control, "control records change");
}

}  // namespace milena::fuzz
