// Fuzz target: what Milena loads (loaders.h). What a loader takes, the writer beside it must write so that it
// reads back the same.
//
// Input: byte 0 chooses the loader, the rest is what it reads. Here are the files of a log directory and of
// the metadata log; whole directories are in fuzz_directories.cc, records in fuzz_records.cc, configuration
// and HTTP in fuzz_texts.cc.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/crc32c.h"
#include "base/endian.h"
#include "base/properties.h"
#include "base/uuid.h"
#include "image/builder.h"
#include "image/record.h"
#include "loaders.h"
#include "log/epoch_cache.h"
#include "log/epoch_journal.h"
#include "log/log_directory.h"
#include "log/manifest.h"
#include "log/producer_state.h"
#include "log/segment.h"
#include "log/segment_index.h"
#include "log/txn_index.h"
#include "raft/batch.h"
#include "raft/flat_json.h"
#include "raft/format.h"
#include "raft/quorum_state.h"
#include "raft/snapshot.h"

namespace milena::fuzz {
namespace {

constexpr Timestamp kNow{1'700'000'000'000};

}  // namespace

void offset_checkpoint(ByteView input) {
  auto offsets = log::parse_offset_checkpoint(as_text(input));
  if (offsets.failed()) return;
  auto again = log::parse_offset_checkpoint(log::format_offset_checkpoint(*offsets));
  CHECK(again.has_value() && *again == *offsets, "an offset checkpoint changes");
}

void epoch_checkpoint(ByteView input) {
  auto epochs = log::EpochCache::parse(as_text(input));
  if (epochs.failed()) return;
  auto again = log::EpochCache::parse(epochs->format());
  CHECK(again.has_value() && again->entries() == epochs->entries(), "a leader epoch checkpoint changes");
  for (const log::EpochEntry& entry : epochs->entries()) {
    CHECK(epochs->epoch_at(entry.start_offset) == entry.epoch, "epoch {} is not found", entry.epoch);
  }
}

void producer_snapshot(ByteView input) {
  log::ProducerState state;
  if (state.load_snapshot(as_text(input), kNow, 86'400'000).failed()) {
    CHECK(state.empty(), "a snapshot that was refused left producers");
    return;
  }
  (void)state.first_unstable_offset();
  std::string written = state.snapshot();
  log::ProducerState again;
  CHECK(again.load_snapshot(written, kNow, 86'400'000).has_value() && again.snapshot() == written,
        "a producer snapshot changes");
}

void txn_index(ByteView input) {
  auto entries = log::parse_txn_index(as_text(input), Offset(0));
  CHECK(entries.failed() || log::format_txn_index(*entries) == as_text(input), "a transaction index changes");
}

/// u8 entries of the offset index, u8 of the time index; both; the transaction index.
void segment_index(ByteView input) {
  if (input.size() < 2) return;
  std::string_view text = as_text(input.subspan(2));
  std::string_view offsets = text.substr(0, input[0] * log::kOffsetEntrySize);
  text.remove_prefix(offsets.size());
  std::string_view times = text.substr(0, input[1] * log::kTimeEntrySize);
  text.remove_prefix(times.size());
  auto index = log::SegmentIndex::parse(Offset(0), offsets, times, text);
  if (index.failed()) return;
  CHECK(index->format_offsets() == offsets && index->format_times() == times && index->format_txns() == text,
        "indexes change");
  for (const log::OffsetIndexEntry& entry : index->offsets()) {
    CHECK(index->position_before(Offset(0) + entry.relative_offset) <= entry.position,
          "a position behind its offset");
  }
  index->truncate_to(Offset(1000));
}

void quorum_state(ByteView input) {
  auto state = raft::parse_quorum_state(as_text(input));
  if (state.failed()) return;
  auto again = raft::parse_quorum_state(raft::format_quorum_state(*state));
  CHECK(again.has_value() && *again == *state, "a quorum state changes");
}

void flat_json(ByteView input) {
  (void)raft::parse_json_object(as_text(input));
}

namespace {

/// What the records of the metadata log say: malformed ones are refused, contradictory ones too.
bool replay(image::ImageBuilder& builder, const Bytes& frame) {
  auto record = image::decode_record(frame);
  if (record.failed()) return true;
  auto again = image::decode_record(image::encode_record(*record));
  CHECK(again.has_value() && image::encode_record(*again) == image::encode_record(*record),
        "a record changes: {}", image::type_name(record->message));
  return builder.apply(*record).has_value();
}

void metadata_records(const std::vector<Bytes>& frames) {
  image::ImageBuilder builder;
  for (const Bytes& frame : frames) {
    if (!replay(builder, frame)) return;
  }
}

/// Batches with their CRCs put right, so that a changed record is read and not only refused.
Bytes with_right_crcs(ByteView input) {
  Bytes bytes = Bytes::copy(input);
  fix_crcs({bytes.unshared_data(), bytes.size()});
  return bytes;
}

}  // namespace

void metadata_snapshot(ByteView input) {
  Bytes file = with_right_crcs(input);
  auto contents = raft::decode_snapshot(file);
  if (contents.failed()) return;
  metadata_records(contents->values);
  auto again = raft::decode_snapshot(raft::encode_snapshot(*contents, Epoch(1), kNow));
  CHECK(again.has_value() && again->values == contents->values && again->voters == contents->voters &&
            again->last_contained_log_timestamp == contents->last_contained_log_timestamp,
        "a snapshot changes");
}

void metadata_batches(ByteView input) {
  auto batches = raft::decode_batches(with_right_crcs(input));
  if (batches.failed()) return;
  image::ImageBuilder builder;
  for (const raft::LogBatch& batch : *batches) {
    for (const Bytes& frame : batch.values) {
      if (!replay(builder, frame)) return;
    }
  }
}

/// u16 length and a frame, again and again.
void metadata_frames(ByteView input) {
  std::vector<Bytes> frames;
  while (input.size() > 2) {
    std::size_t size = std::min<std::size_t>(load_be<std::uint16_t>(input.data()), input.size() - 2);
    frames.push_back(Bytes::copy(input.subspan(2, size)));
    input = input.subspan(2 + size);
  }
  metadata_records(frames);
}

void meta_properties(ByteView input) {
  auto meta = raft::parse_meta_properties(as_text(input));
  if (meta.failed()) return;
  auto again = raft::parse_meta_properties(raft::format_meta_properties(*meta, kNow));
  if (meta->version == 1) CHECK(again.has_value() && *again == *meta, "meta.properties change");
}

void properties(ByteView input) {
  auto values = parse_properties(as_text(input));
  if (values.failed()) return;
  auto again = parse_properties(format_properties(*values));
  CHECK(again.has_value() && *again == *values, "properties change");
}

void names(ByteView input) {
  if (auto name = log::PartitionName::parse(as_text(input))) CHECK(name->to_string() == as_text(input));
  if (auto id = raft::parse_snapshot_file_name(as_text(input))) {
    CHECK(raft::snapshot_file_name(*id) == as_text(input));
  }
  if (auto base = log::parse_segment_file_name(as_text(input), ".log")) {
    CHECK(log::segment_file_name(*base, ".log") == as_text(input));
  }
  if (auto id = Uuid::parse(as_text(input))) CHECK(Uuid::parse(id->to_string()) == *id, "a UUID changes");
}

void manifest(ByteView input) {
  // With its checksum put right, so that the rest is read, too.
  std::string content(as_text(input));
  if (content.size() >= 10)
    store_be(reinterpret_cast<std::uint8_t*>(content.data()) + 6, crc32c(as_bytes(content).subspan(10)));
  auto read = log::parse_manifest(content);
  if (read.has_value()) CHECK(log::format_manifest(*read) == content, "a manifest changes");
}

void manifest_marks(ByteView input) {
  (void)log::parse_marks(as_text(input), 42);
}

void epoch_journal(ByteView input) {
  std::vector<log::EpochStart> starts = log::parse_epoch_starts(as_text(input));
  std::string again = log::format_epoch_starts(starts);
  CHECK(as_text(input).starts_with(again), "a journal of epochs changes");
}

namespace {

struct Choice {
  std::string_view name;
  void (*load)(ByteView input);
};
#define MILENA_FUZZ_LOADER(name) Choice{#name, name},
constexpr Choice kLoaders[] = {MILENA_FUZZ_LOADERS(MILENA_FUZZ_LOADER)};
#undef MILENA_FUZZ_LOADER

/// The one loader that is to be tried, whatever byte 0 says: MILENA_FUZZ_LOADER in the environment. nullptr:
/// all.
const Choice* only_loader() {
  const char* wanted = std::getenv("MILENA_FUZZ_LOADER");
  if (wanted == nullptr) return nullptr;
  const auto* found = std::ranges::find(kLoaders, std::string_view(wanted), &Choice::name);
  CHECK(found != std::end(kLoaders), "no loader '{}'", wanted);
  return found;
}

}  // namespace
}  // namespace milena::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace milena::fuzz;
  static const Choice* const only = only_loader();
  if (size == 0) return 0;
  const Choice& choice = only != nullptr ? *only : kLoaders[data[0] % std::size(kLoaders)];
  choice.load({data + 1, size - 1});
  return 0;
}
