#include "replica/metadata_store.h"

#include <algorithm>
#include <utility>

#include "base/coverage.h"
#include "log/entry_walker.h"
#include "meta/activation.h"

namespace milena::replica {
namespace {

constexpr std::size_t kReadChunk = 1 << 20;
constexpr std::uint64_t kMaxSnapshotBytes = 4ULL << 30;
const log::PartitionName kMetadataPartition{"__cluster_metadata", PartitionId(0)};

StoreError from_io(const io::IoError& error) {
  return {error.what};
}
StoreError from_log(const log::LogError& error) {
  return {"metadata log: " + error.message};
}

Result<std::vector<image::MetadataRecord>, StoreError> decode_all(const std::vector<Bytes>& values,
                                                                  const std::string& file) {
  std::vector<image::MetadataRecord> records;
  records.reserve(values.size());
  for (const Bytes& value : values) {
    auto record = image::decode_record(value);
    if (record.failed()) return Err(StoreError{file + ": " + record.error().message});
    records.push_back(std::move(*record));
  }
  return records;
}

std::optional<raft::VoterSet> voters_in(const raft::LogBatch& batch, std::int16_t& kraft_version) {
  std::optional<raft::VoterSet> voters;
  for (const raft::ControlRecord& record : batch.control) {
    if (const auto* version = std::get_if<wire::KRaftVersionRecord>(&record)) {
      kraft_version = version->k_raft_version;
    } else if (const auto* set = std::get_if<wire::VotersRecord>(&record)) {
      voters = raft::from_record(*set, kraft_version);
    }
  }
  return voters;
}

// One that does not tell counts as old: only the newest, which must be readable, is ever needed.
Timestamp timestamp_of(io::Disk& disk, const std::string& path) {
  constexpr std::size_t kHeadBytes = 64UL * 1024;
  auto file = disk.open(path, io::OpenMode::kRead);
  if (file.failed()) return Timestamp(0);
  auto head = log::read_up_to(**file, 0, kHeadBytes);
  if (head.failed()) return Timestamp(0);
  return raft::snapshot_timestamp(*head).value_or(Timestamp(0));
}

}  // namespace

Result<std::unique_ptr<MetadataStore>, StoreError> MetadataStore::open(io::Disk& disk,
                                                                       log::LogDirectory& directory,
                                                                       log::LogOptions options, Timestamp now,
                                                                       LoadedMetadata& loaded) {
  auto created = directory.create_partition(kMetadataPartition, kMetadataTopicId);
  if (created.failed()) return Err(from_log(created.error()));
  std::unique_ptr<MetadataStore> store(new MetadataStore(disk, directory.partition_path(kMetadataPartition)));
  store->remove_unfinished();
  TRY(store->load_bootstrap(directory.path(), loaded));
  TRY(store->load_snapshot(loaded));

  log::OpenLog how;
  how.path = store->path_;
  how.options = options;
  how.now = now;
  log::RecoveryReport report;
  auto opened = log::Log::open(disk, how, &report);
  if (opened.failed()) return Err(from_log(opened.error()));
  store->log_ = std::move(*opened);
  loaded.notes = std::move(report.notes);
  TRY(store->do_without(std::exchange(store->unreadable_, {}), loaded));
  TRY(store->load_log(loaded, now));
  return store;
}

// Parts of snapshots that a crash left behind.
void MetadataStore::remove_unfinished() {
  auto entries = disk_.list(path_);
  if (entries.failed()) return;
  for (const io::DirectoryEntry& entry : *entries) {
    if (!entry.is_directory && (entry.name.ends_with(".part") || entry.name.ends_with(".checkpoint.tmp"))) {
      (void)disk_.remove_file(path_ + "/" + entry.name).has_value();
    }
  }
}

Result<void, StoreError> MetadataStore::load_bootstrap(const std::string& directory, LoadedMetadata& loaded) {
  std::string path = directory + "/bootstrap.checkpoint";
  if (!disk_.exists(path)) {
    loaded.bootstrap = meta::default_bootstrap();
    return {};
  }
  auto content = disk_.read_file(path);
  if (content.failed()) return Err(from_io(content.error()));
  auto decoded = raft::decode_snapshot(Bytes::copy(*content));
  if (decoded.failed()) return Err(StoreError{path + ": " + decoded.error().message});
  TRY_ASSIGN(loaded.bootstrap, decode_all(decoded->values, path));
  return {};
}

Result<void, StoreError> MetadataStore::load_snapshot(LoadedMetadata& loaded) {
  auto entries = disk_.list(path_);
  if (entries.failed()) return Err(from_io(entries.error()));
  for (const io::DirectoryEntry& entry : *entries) {
    auto id = raft::parse_snapshot_file_name(entry.name);
    if (!id.has_value()) continue;
    raft::RetentionInput::Snapshot snapshot;
    snapshot.id = *id;
    auto info = disk_.stat(path_ + "/" + entry.name);
    if (info.has_value()) snapshot.size_bytes = static_cast<std::int64_t>(info->size);
    snapshot.last_contained_log_timestamp = timestamp_of(disk_, path_ + "/" + entry.name);
    snapshots_.push_back(snapshot);
  }
  std::ranges::sort(snapshots_, {}, &raft::RetentionInput::Snapshot::id);
  while (!snapshots_.empty()) {
    raft::SnapshotId newest = snapshots_.back().id;
    TRY_ASSIGN(std::optional<std::string> damage, read_snapshot(newest, loaded));
    if (!damage.has_value()) break;
    unreadable_.push_back({newest, *damage});
    MILENA_REACHED("metadata.snapshot_damaged");
    snapshots_.pop_back();
  }
  return {};
}

// Answers what is damaged, if anything is. A whole snapshot with what this version does not know is an error:
// a newer one wrote it.
Result<std::optional<std::string>, StoreError> MetadataStore::read_snapshot(const raft::SnapshotId& id,
                                                                            LoadedMetadata& loaded) {
  std::string path = snapshot_path(id);
  auto content = disk_.read_file(path, kMaxSnapshotBytes);
  if (content.failed()) return path + ": " + from_io(content.error()).message;
  auto decoded = raft::decode_snapshot(Bytes::copy(*content));
  if (decoded.failed()) return path + ": " + decoded.error().message;
  TRY_ASSIGN(loaded.snapshot, decode_all(decoded->values, path));
  loaded.recovered.latest_snapshot = id;
  loaded.recovered.voters = decoded->voters;
  loaded.recovered.last_epoch = id.epoch;
  if (id.end_offset > Offset(0)) loaded.recovered.voters_offset = id.end_offset - 1;
  return std::optional<std::string>();
}

// A snapshot that cannot be read is not needed where an older one and the log hold all that it held. Else
// nothing is touched and its damage is why there is no start.
Result<void, StoreError> MetadataStore::do_without(const std::vector<Unreadable>& damaged,
                                                   LoadedMetadata& loaded) {
  Offset from =
      loaded.recovered.latest_snapshot.has_value() ? loaded.recovered.latest_snapshot->end_offset : Offset(0);
  for (const Unreadable& one : damaged) {
    if (log_->log_start_offset() > from || log_->log_end_offset() < one.id.end_offset)
      return Err(StoreError{one.why});
  }
  for (const Unreadable& one : damaged) {
    std::string path = snapshot_path(one.id);
    auto aside = disk_.rename(path, path + ".unreadable");
    loaded.notes.push_back(one.why + "; the log and what is older are enough" +
                           (aside.failed() ? "" : "; it was put aside as " + path + ".unreadable"));
  }
  return {};
}

Result<void, StoreError> MetadataStore::load_log(LoadedMetadata& loaded, Timestamp now) {
  raft::Recovered& recovered = loaded.recovered;
  Offset from{0};
  if (recovered.latest_snapshot.has_value()) {
    from = recovered.latest_snapshot->end_offset;
    if (log_->log_end_offset() < from) {
      auto cut = log_->truncate_fully_and_start_at(from, now);
      if (cut.failed()) return Err(from_log(cut.error()));
    }
  }
  std::string quorum_state = path_ + "/" + std::string(raft::kQuorumStateFile);
  if (disk_.exists(quorum_state)) {
    auto text = disk_.read_file(quorum_state);
    if (text.failed()) return Err(from_io(text.error()));
    auto state = raft::parse_quorum_state(*text);
    if (state.failed()) return Err(StoreError{quorum_state + ": " + state.error().message});
    recovered.quorum_state = std::move(*state);
  }
  std::int16_t kraft_version = 0;
  if (recovered.voters.has_value()) kraft_version = recovered.voters->kraft_version;
  Offset at = std::max(from, log_->log_start_offset());
  if (at > from) {
    return Err(StoreError{"metadata log: starts at offset " + std::to_string(at.value()) +
                          " but no snapshot reaches it"});
  }
  while (at < log_->log_end_offset()) {
    auto plan = log_->plan_read(at, kReadChunk, true, log_->log_end_offset());
    if (plan.failed()) return Err(from_log(plan.error()));
    auto data = plan->load();
    if (data.failed()) return Err(from_io(data.error()));
    Offset before = at;
    Bytes rest = std::move(*data);
    while (!rest.empty()) {
      auto batch = raft::decode_batch(rest);
      if (batch.failed()) {
        if (batch.error().incomplete) break;
        return Err(StoreError{"metadata log at offset " + std::to_string(at.value()) + ": " +
                              batch.error().message});
      }
      rest = rest.slice(batch->size_in_bytes, rest.size() - batch->size_in_bytes);
      if (batch->last_offset < at) continue;  // the batch that contains the snapshot's end
      at = batch->last_offset + 1;
      recovered.last_epoch = batch->epoch;
      auto voters = voters_in(*batch, kraft_version);
      if (voters.has_value()) {
        recovered.voters = std::move(voters);
        recovered.voters_offset = batch->base_offset;
      }
      loaded.batches.push_back(std::move(*batch));
    }
    if (at == before)
      return Err(StoreError{"metadata log: no progress at offset " + std::to_string(at.value())});
  }
  log::FlushPlan plan = log_->begin_flush();
  auto synced = plan.run(disk_);
  if (synced.failed()) return Err(from_io(synced.error()));
  log_->complete_flush(plan);
  auto mark = log_->set_high_watermark(log_->log_start_offset());
  (void)mark;
  recovered.log_start = log_->log_start_offset();
  recovered.log_end = log_->log_end_offset();
  return {};
}

io::IoResult<void> MetadataStore::write_quorum_state(const raft::QuorumState& state) {
  return disk_.write_file(path_ + "/" + std::string(raft::kQuorumStateFile),
                          raft::format_quorum_state(state));
}

std::string MetadataStore::snapshot_path(const raft::SnapshotId& id) const {
  return path_ + "/" + raft::snapshot_file_name(id);
}

io::IoResult<void> MetadataStore::write_snapshot(const raft::SnapshotId& id, const Bytes& content) const {
  return disk_.write_file(snapshot_path(id), as_text(content.view()), ".part");
}

std::optional<Offset> MetadataStore::clean(std::int64_t max_bytes, std::int64_t max_ms, Timestamp now) {
  raft::RetentionInput input;
  input.snapshots = snapshots_;
  input.log_size_bytes = static_cast<std::int64_t>(log_->size_bytes());
  input.max_retention_bytes = max_bytes;
  input.max_retention_ms = max_ms;
  input.now = now;
  raft::RetentionPlan plan = raft::plan_retention(input);
  for (const raft::SnapshotId& id : plan.remove) {
    (void)disk_.remove_file(snapshot_path(id)).has_value();
    std::erase_if(snapshots_, [&](const auto& snapshot) { return snapshot.id == id; });
  }
  if (!plan.log_start.has_value() || *plan.log_start <= log_->log_start_offset()) return std::nullopt;
  auto moved = log_->advance_log_start_offset(*plan.log_start);
  if (moved.failed() || !*moved) return std::nullopt;
  auto deleted = log_->delete_old_segments(now);
  (void)deleted.has_value();  // what could not be deleted is tried again with the next snapshot
  for (const std::string& path : log_->take_deleted_files()) (void)disk_.remove_file(path).has_value();
  return log_->log_start_offset();
}

}  // namespace milena::replica
