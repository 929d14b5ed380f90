#include <fmt/format.h>

#include <string>
#include <vector>

#include "group/record.h"
#include "raft/batch.h"
#include "raft/quorum_state.h"
#include "raft/snapshot.h"
#include "seeds.h"
#include "wire/control_record.h"

namespace milena::fuzz {
namespace {

constexpr Timestamp kNow{1'700'000'000'000};
const Uuid kId{0x0123456789abcdef, 0xfedcba9876543210};

void add(Buffer& out, std::uint8_t flags, const group::GroupRecord& record) {
  out.push_back(record.value.has_value() ? flags | 1 : flags);
  field(out, record.key);
  if (record.value.has_value()) field(out, *record.value);
}

void seed_groups(const LoaderSink& sink) {
  wire::OffsetCommitValue offset;
  offset.offset = 12;
  offset.metadata = "note";
  offset.commit_timestamp = kNow.value();
  offset.topic_id = kId;
  wire::OffsetCommitValue expiring = offset;
  expiring.topic_id = {};
  expiring.expire_timestamp = kNow.value() + 1000;
  wire::GroupMetadataValue stored;
  stored.protocol_type = "consumer";
  stored.generation = 3;
  stored.protocol = "range";
  stored.leader = "member";
  stored.current_state_timestamp = kNow.value();
  auto& member = stored.members.emplace_back();
  member.member_id = "member";
  member.client_id = "client";
  member.client_host = "/10.0.0.1";
  member.rebalance_timeout = 60'000;
  member.session_timeout = 10'000;
  member.subscription = Bytes::copy(as_bytes("subscription"));
  member.assignment = Bytes::copy(as_bytes("assignment"));

  Buffer offsets;
  add(offsets, 0, group::make_offset_record("g", "t", PartitionId(0), offset));
  add(offsets, 0, group::make_offset_record("g", "t", PartitionId(1), expiring));
  add(offsets, 0, group::make_offset_tombstone("g", "t", PartitionId(0)));
  sink("group-offsets", Loader::group_records, offsets.view());
  Buffer pending;
  add(pending, 0x12, group::make_offset_record("g", "t", PartitionId(0), offset));
  add(pending, 0x2e, group::make_offset_record("g", "t", PartitionId(0), offset));
  add(pending, 0x16, group::make_offset_record("g", "t", PartitionId(1), offset));
  sink("group-transactions", Loader::group_records, pending.view());
  Buffer groups;
  add(groups, 0, group::make_group_record("g", stored));
  add(groups, 0, group::make_offset_record("g", "t", PartitionId(0), offset));
  sink("group-stored", Loader::group_records, groups.view());
  add(groups, 0, group::make_group_tombstone("g"));
  sink("group-deleted", Loader::group_records, groups.view());
  // A member of a consumer group: type, group, member; the value is not read.
  std::string key{"\0\5\0\1h\0\1m", 8};
  Buffer other;
  add(other, 0, {Bytes::copy(as_bytes(key)), Bytes::copy(as_bytes("value"))});
  sink("group-consumer", Loader::group_records, other.view());
}

std::vector<raft::ControlRecord> control_records() {
  wire::LeaderChangeMessage leader{.leader_id = 1};
  leader.voters.push_back({.voter_id = 1});
  wire::SnapshotHeaderRecord header;
  header.last_contained_log_timestamp = kNow.value();
  wire::KRaftVersionRecord version;
  version.k_raft_version = 1;
  wire::VotersRecord voters;
  auto& voter = voters.voters.emplace_back();
  voter.voter_id = 1;
  voter.voter_directory_id = kId;
  voter.endpoints.push_back({.name = "CONTROLLER", .host = "localhost", .port = 9093});
  return {leader, header, wire::SnapshotFooterRecord{}, version, voters};
}

/// The records of a control batch, as the loader takes them.
Buffer fields_of(ByteView batch) {
  Buffer out;
  out.push_back(1);
  auto view = wire::BatchView::parse(batch);
  wire::RecordReader reader(*view);
  wire::RecordView record;
  while (reader.next(record)) {
    field(out, record.key.value_or(ByteView()));
    field(out, record.value.value_or(ByteView()));
  }
  return out;
}

void seed_control(const LoaderSink& sink) {
  std::vector<raft::ControlRecord> records = control_records();
  sink("control-raft", Loader::control_records,
       fields_of(raft::encode_control_batch(Offset(0), Epoch(0), kNow, records)).view());
  for (const raft::ControlRecord& record : records) {
    sink(fmt::format("control-raft-{}", record.index()), Loader::control_records,
         fields_of(raft::encode_control_batch(Offset(0), Epoch(0), kNow, {&record, 1})).view());
  }
  for (bool commit : {false, true}) {
    Bytes batch = wire::make_end_txn_batch({commit, 3, ProducerId(7), 0}, Offset(0), Epoch(0), kNow);
    sink(commit ? "control-commit" : "control-abort", Loader::control_records, fields_of(batch).view());
  }
}

void seed_metadata_directory(const LoaderSink& sink) {
  std::vector<Bytes> frames = some_metadata_frames();
  raft::SnapshotContents contents;
  contents.last_contained_log_timestamp = kNow;
  contents.values = {frames[0]};
  Bytes bootstrap = raft::encode_snapshot(contents, Epoch(1), kNow);
  contents.values = frames;
  Bytes snapshot = raft::encode_snapshot(contents, Epoch(1), kNow);
  raft::Voter voter{BrokerId(1), kId, {{"CONTROLLER", "localhost", 9093}}, 0, 1};
  contents.voters = raft::VoterSet{1, {voter}};
  Bytes with_voters = raft::encode_snapshot(contents, Epoch(2), kNow);
  wire::LeaderChangeMessage change{.leader_id = 1};
  raft::ControlRecord control = change;
  Buffer log;
  log.append(raft::encode_control_batch(Offset(0), Epoch(1), kNow, {&control, 1}));
  log.append(raft::encode_data_batch(Offset(1), Epoch(1), kNow, {frames.data(), 2}));
  Buffer more;
  more.append(raft::encode_data_batch(Offset(3), Epoch(1), kNow, {frames.data() + 2, 2}));
  more.append(raft::encode_data_batch(Offset(5), Epoch(2), kNow, {frames.data() + 4, 2}));
  raft::QuorumState quorum{Epoch(2), BrokerId(1), kNoBroker, {}, 1, {}};
  std::string state = raft::format_quorum_state(quorum);

  for (int kind = 0; kind < 4; ++kind) {
    Buffer out;
    out.push_back(kind == 3 ? 2 : 0);
    section(out, 0, bootstrap);
    section(out, 1, as_bytes(state));
    section(out, 2, log.view());
    section(out, 4, more.view());
    if (kind >= 1) section(out, 5, snapshot);
    if (kind >= 2) section(out, 6, with_voters);
    sink(fmt::format("metadata-directory-{}", kind), Loader::metadata_directory, out.view());
  }
}

}  // namespace

void seed_records(const LoaderSink& sink) {
  seed_groups(sink);
  seed_control(sink);
  seed_metadata_directory(sink);
}

}  // namespace milena::fuzz
