/// milena log dump: what stands in the files of a log directory, item by item: batches, records, index entries,
/// checkpoints. It reads and changes nothing, goes on behind what it cannot understand where the format lets it, and
/// says where it stops.
#pragma once

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/context.h"
#include "cli/output.h"
#include "io/disk.h"
#include "wire/log_entry.h"

namespace milena::cli {

struct DumpOptions {
  std::vector<std::string> paths;
  std::string decode = "auto";
  std::int64_t from = 0;
  std::int64_t to = std::numeric_limits<std::int64_t>::max();
  bool deep = false;
  bool json = false;
};

/// How records' keys and values are read.
enum class Decoder : std::uint8_t { kNone, kMetadata, kGroup, kTransaction, kShare };
/// By the name of the partition's directory: "__cluster_metadata-0", "__consumer_offsets-7".
Decoder decoder_for_directory(std::string_view name);

enum class DumpFile : std::uint8_t {
  kSegment,           // .log, .checkpoint
  kOffsetIndex,       // .index
  kTimeIndex,         // .timeindex
  kTransactionIndex,  // .txnindex
  kProducerSnapshot,  // .snapshot
  kCheckpoint,        // *-checkpoint
  kText,              // meta.properties, partition.metadata, quorum-state, .kafka_cleanshutdown
  kManifest,          // .milena-manifest
  kMarks,             // .milena-marks-<n>
  kEpochJournal,      // .milena-epochs
  kOther,
};
/// By its name; an ending of a file on its way out or in (.deleted, .cleaned, .swap) is not looked at.
DumpFile dump_file_of(std::string_view name);
/// The offset that a file's name begins with; nothing: none.
std::optional<std::int64_t> base_offset_of(std::string_view name);

/// Prints items as they come: lines for people, or a line of JSON each. Every item has a "kind".
class DumpPrinter {
 public:
  DumpPrinter(Context& context, bool json) : context_(context), json_(json) {}
  void file(const std::string& path, std::string_view type);
  /// `text`: the item for people; empty: it has nothing for them.
  void item(const Json& item, std::string_view text);
  /// A line for people alone.
  void line(std::string_view text);
  /// Something is wrong with the file, at this position.
  void damage(std::uint64_t position, std::string why);
  bool damaged() const { return damaged_; }

 private:
  Context& context_;
  bool json_;
  bool damaged_ = false;
  bool first_ = true;
};

/// Walks the entries of a segment without holding all of it: some hundred KB, or one entry.
class EntryStream {
 public:
  explicit EntryStream(io::File& file, std::uint64_t size) : file_(file), size_(size) {}
  /// False: no further entry; `error` says why, empty at the end of the file. Valid until the next call.
  bool next(wire::LogEntryView& entry, std::string* error);
  /// Of the entry that next() gave, or where it stopped.
  std::uint64_t position() const { return position_; }

 private:
  bool fill(std::size_t bytes, std::string* error);
  io::File& file_;
  std::uint64_t size_;
  std::uint64_t position_ = 0;  // of the current entry
  std::uint64_t ahead_ = 0;     // its size
  std::vector<std::uint8_t> window_;
  std::uint64_t window_at_ = 0;
};

void dump_segment(DumpPrinter& printer, io::File& file, std::uint64_t size, Decoder decoder, const DumpOptions& options);
/// `log`: the segment beside it, to compare with; null: none, or not asked for.
void dump_offset_index(DumpPrinter& printer, std::string_view content, std::int64_t base, io::File* log);
void dump_time_index(DumpPrinter& printer, std::string_view content, std::int64_t base);
void dump_transaction_index(DumpPrinter& printer, std::string_view content);
void dump_producer_snapshot(DumpPrinter& printer, std::string_view content);
void dump_checkpoint(DumpPrinter& printer, std::string_view content);
void dump_text(DumpPrinter& printer, std::string_view content);
// Milena's own, docs/formats/milena-files.md.
void dump_manifest(DumpPrinter& printer, std::string_view content);
/// `manifest`: of the file beside it, which names the logs that are marked; empty: none.
void dump_marks(DumpPrinter& printer, std::string_view content, std::string_view manifest);
void dump_epoch_journal(DumpPrinter& printer, std::string_view content);

/// Text where the bytes are text a terminal can show, else {"base64": ...}.
Json shown_bytes(ByteView bytes);

}  // namespace milena::cli
