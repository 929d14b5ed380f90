#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/endian.h"
#include "image/builder.h"
#include "image/record.h"
#include "image/replayer.h"
#include "io/sim/sim_disk.h"
#include "loaders.h"
#include "log/log.h"
#include "log/log_directory.h"
#include "log/segment.h"
#include "replica/metadata_store.h"
#include "wire/batch_builder.h"
#include "wire/log_entry.h"

namespace milena::fuzz {
namespace {

constexpr Timestamp kNow{1'700'000'000'000};
constexpr std::uint64_t kReadMax = 1 << 20;
const std::string kRoot = "/data";
const std::string kPartition = "/data/t-0";

constexpr const char* kRootFiles[] = {"meta.properties",
                                      "recovery-point-offset-checkpoint",
                                      "replication-offset-checkpoint",
                                      "log-start-offset-checkpoint",
                                      "cleaner-offset-checkpoint",
                                      ".kafka_cleanshutdown",
                                      "t-0/partition.metadata"};

constexpr const char* kPartitionFiles[] = {
    "00000000000000000000.log",       "00000000000000000000.index",    "00000000000000000000.timeindex",
    "00000000000000000000.txnindex",  "00000000000000000002.log",      "00000000000000000002.index",
    "00000000000000000002.timeindex", "00000000000000000002.txnindex", "00000000000000000002.snapshot",
    "00000000000000000004.snapshot",  "leader-epoch-checkpoint"};

constexpr const char* kMetadataFiles[] = {"bootstrap.checkpoint",
                                          "__cluster_metadata-0/quorum-state",
                                          "__cluster_metadata-0/00000000000000000000.log",
                                          "__cluster_metadata-0/00000000000000000000.index",
                                          "__cluster_metadata-0/00000000000000000003.log",
                                          "__cluster_metadata-0/00000000000000000003-0000000001.checkpoint",
                                          "__cluster_metadata-0/00000000000000000005-0000000002.checkpoint"};

/// A machine with the files of one input.
struct Machine {
  Machine() : core(1), disk(core, 0, [] { return kNow.value() * 1'000'000; }, [] {}) {
    disk.faults().cold_read_one_in = 0;
    CHECK(disk.create_directories(kPartition).has_value());
    CHECK(disk.create_directories(kRoot + "/__cluster_metadata-0").has_value());
  }
  void write(const std::string& path, ByteView content) {
    CHECK(disk.write_file(path, as_text(content)).has_value());
  }
  io::SimCore core;
  io::SimDisk disk;
};

/// The sections of an input; a file that is named twice keeps its last content.
template <std::size_t N>
std::map<std::string, ByteView> sections(ByteView input, const char* const (&names)[N]) {
  std::map<std::string, ByteView> files;
  while (input.size() >= 3) {
    std::size_t size = std::min<std::size_t>(load_be<std::uint16_t>(input.data() + 1), input.size() - 3);
    files[names[input[0] % N]] = input.subspan(3, size);
    input = input.subspan(3 + size);
  }
  return files;
}

log::OpenLog open_how(std::uint8_t flags, std::uint8_t recovery_point) {
  log::OpenLog how;
  how.path = kPartition;
  how.now = kNow;
  how.clean = (flags & 1) != 0;
  how.recovery_point = Offset(recovery_point);
  how.options.index_interval_bytes = 64;
  if ((flags & 4) != 0) how.options.segment_bytes = 256;
  return how;
}

/// As a manifest may tell of the log: up to the size of the active segment's file that it names.
log::LogSummary known_log(Machine& machine, std::uint8_t flags, std::uint8_t end) {
  log::LogSummary summary;
  summary.segments = 1;
  summary.active_base = Offset((flags & 16) != 0 ? 2 : 0);
  summary.log_end_offset = Offset(end);
  auto info = machine.disk.stat(kPartition + "/" + log::segment_file_name(summary.active_base, ".log"));
  if (info.failed()) return summary;
  summary.inode = info->inode;
  summary.active_size = (flags & 32) != 0 ? info->size : info->size / 2;
  return summary;
}

/// Everything a fetch may see, and the searches. `scanned`: opening the log read every batch; after a clean
/// stop and below the recovery point it believes the files, and readers see what is there.
void read_all(log::Log& log, bool scanned) {
  Offset from = log.log_start_offset();
  log.set_high_watermark(log.log_end_offset());
  (void)log.aborted_transactions(from, log.log_end_offset());
  (void)log.offset_for_timestamp(Timestamp(0));
  (void)log.offset_of_max_timestamp();
  auto plan = log.plan_read(from, kReadMax, true, log.log_end_offset());
  if (plan.failed() || plan->empty()) return;
  auto bytes = plan->load();
  if (bytes.failed()) return;
  wire::LogEntryCursor cursor(*bytes);
  wire::LogEntryView entry;
  Offset last = kNoOffset;
  while (cursor.next(entry)) {
    if (!scanned) continue;
    CHECK(entry.last_offset() > last && entry.last_offset() < log.log_end_offset(),
          "offset {} behind {}, log end {}", entry.last_offset(), last, log.log_end_offset());
    last = entry.last_offset();
  }
}

Bytes one_record() {
  wire::BatchBuilder builder(wire::BatchOptions{});
  builder.append(kNow, std::nullopt, as_bytes("value"));
  return builder.build();
}

/// Appends, closes and opens again: a log that was taken once must be taken again, with the same end.
void use_and_reopen(Machine& machine, std::unique_ptr<log::Log> log, bool scanned) {
  auto appended = log->append_as_leader(one_record(), Epoch(1'000'000), kNow);
  if (appended.failed()) return;
  CHECK(appended->last_offset + 1 == log->log_end_offset(), "appended at {}", appended->last_offset);
  log->check_invariants();
  auto plan = log->begin_close();
  if (plan.failed()) return;
  CHECK(plan->run(machine.disk).has_value());
  log->complete_flush(*plan);
  log::OpenLog how = open_how(1, 0);
  how.options = log->options();
  how.recovery_point = log->recovery_point();
  how.log_start_offset = log->log_start_offset();
  Offset end = log->log_end_offset();
  log.reset();
  auto again = log::Log::open(machine.disk, how);
  CHECK(again.has_value(), "a log that was closed cleanly does not open: {}", again.error().message);
  (*again)->check_invariants();
  CHECK((*again)->log_end_offset() == end, "log end {} became {}", end, (*again)->log_end_offset());
  read_all(**again, scanned);
}

/// What a start of the node finds; empty: it does not start.
std::optional<replica::LoadedMetadata> load_metadata(Machine& machine) {
  auto directory = log::LogDirectory::open(machine.disk, kRoot);
  CHECK(directory.has_value());
  log::LogOptions options;
  options.delete_old_segments = false;
  replica::LoadedMetadata loaded;
  auto store = replica::MetadataStore::open(machine.disk, **directory, options, kNow, loaded);
  if (store.failed()) return std::nullopt;
  (*store)->log().check_invariants();
  return loaded;
}

/// The image, as a node makes it; contradictory records are refused.
void replay(const replica::LoadedMetadata& loaded) {
  image::ImageBuilder snapshot;
  for (const image::MetadataRecord& record : loaded.snapshot) {
    if (snapshot.apply(record).failed()) return;
  }
  if (const auto& id = loaded.recovered.latest_snapshot; id.has_value()) {
    snapshot.set_position(id->end_offset - 1, id->epoch, kNoTimestamp);
  }
  image::Replayer replayer(snapshot.take_image());
  for (const raft::LogBatch& batch : loaded.batches) {
    std::vector<image::MetadataRecord> records;
    for (const Bytes& value : batch.values) {
      auto record = image::decode_record(value);
      if (record.failed()) return;
      records.push_back(std::move(*record));
    }
    if (replayer.apply(records, batch.last_offset, batch.epoch, batch.timestamp).failed()) return;
  }
}

}  // namespace

void fix_crcs(MutableByteView bytes) {
  while (true) {
    auto batch = wire::BatchView::parse(bytes);
    if (batch.failed()) return;
    wire::patch_crc(bytes.data());
    bytes = bytes.subspan(batch->size());
  }
}

// A log directory's own files: sections of u8 file (kRootFiles), u16 length, content.
void log_directory(ByteView input) {
  Machine machine;
  for (const auto& [name, content] : sections(input, kRootFiles)) machine.write(kRoot + "/" + name, content);
  auto directory = log::LogDirectory::open(machine.disk, kRoot);
  if (directory.failed()) return;
  using File = log::CheckpointFile;
  for (File file : {File::kRecoveryPoint, File::kReplication, File::kLogStart, File::kCleaner}) {
    (void)(*directory)->read_checkpoint(file);
  }
  (void)(*directory)->list();
  if ((*directory)->take_clean_shutdown().failed()) return;
  auto second = (*directory)->take_clean_shutdown();
  CHECK(second.has_value() && !second->clean, "one clean shutdown counted twice");
}

// A partition's directory: u8 flags (1 clean stop, 2 leave CRCs alone, 4 small segments, 8 known up to the
// recovery point: 16 in the second segment, 32 all of it), u8 recovery point, then sections as above
// (kPartitionFiles). It is opened, read, appended to, closed and opened again.
void partition_directory(ByteView input) {
  if (input.size() < 2) return;
  std::uint8_t flags = input[0];
  Machine machine;
  machine.write(kPartition + "/partition.metadata",
                as_bytes("version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAQ\n"));
  for (const auto& [name, content] : sections(input.subspan(2), kPartitionFiles)) {
    Bytes bytes = Bytes::copy(content);
    if ((flags & 2) == 0 && name.ends_with(".log")) fix_crcs({bytes.unshared_data(), bytes.size()});
    machine.write(kPartition + "/" + name, bytes);
  }
  log::RecoveryReport report;
  log::OpenLog how = open_how(flags, input[1]);
  if ((flags & 8) != 0) how.known = known_log(machine, flags, input[1]);
  auto log = log::Log::open(machine.disk, how, &report);
  if (log.failed()) return;
  (*log)->check_invariants();
  bool scanned = (flags & 1) == 0 && input[1] == 0 && !how.known.has_value();
  read_all(**log, scanned);
  use_and_reopen(machine, std::move(*log), scanned);
}

// The metadata log and what stands beside it: u8 flags (2 leave CRCs alone), then sections as above
// (kMetadataFiles). What was loaded once is loaded again.
void metadata_directory(ByteView input) {
  if (input.empty()) return;
  Machine machine;
  for (const auto& [name, content] : sections(input.subspan(1), kMetadataFiles)) {
    Bytes bytes = Bytes::copy(content);
    bool batches = name.ends_with(".log") || name.ends_with(".checkpoint");
    if ((input[0] & 2) == 0 && batches) fix_crcs({bytes.unshared_data(), bytes.size()});
    machine.write(kRoot + "/" + name, bytes);
  }
  auto loaded = load_metadata(machine);
  if (!loaded.has_value()) return;
  replay(*loaded);
  auto again = load_metadata(machine);
  CHECK(again.has_value(), "a metadata log that was opened does not open again");
  CHECK(again->bootstrap.size() == loaded->bootstrap.size() &&
            again->snapshot.size() == loaded->snapshot.size() &&
            again->batches.size() == loaded->batches.size() &&
            again->recovered.log_start == loaded->recovered.log_start &&
            again->recovered.log_end == loaded->recovered.log_end &&
            again->recovered.voters == loaded->recovered.voters,
        "a metadata log changes when it is opened");
}

}  // namespace milena::fuzz
