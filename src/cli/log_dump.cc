// The command line of `milena log dump`: which files, in what order.
#include "cli/log_dump.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <memory>

#include "cli/checks.h"
#include "cli/verbs.h"
#include "log/manifest.h"

namespace milena::cli {
namespace {

constexpr std::uint64_t kSmallFile = 64 << 20;
constexpr std::uint64_t kManifestFile = 1 << 30;  // some hundred bytes a log

std::string name_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

std::string_view type_name(DumpFile type) {
  switch (type) {
    case DumpFile::kSegment: return "records";
    case DumpFile::kOffsetIndex: return "offset index";
    case DumpFile::kTimeIndex: return "time index";
    case DumpFile::kTransactionIndex: return "transaction index";
    case DumpFile::kProducerSnapshot: return "producer snapshot";
    case DumpFile::kCheckpoint: return "checkpoint";
    case DumpFile::kText: return "text";
    case DumpFile::kManifest: return "manifest";
    case DumpFile::kMarks: return "marks";
    case DumpFile::kEpochJournal: return "epoch journal";
    case DumpFile::kOther: break;
  }
  return "unknown";
}

class Dump {
 public:
  Dump(Context& context, io::Disk& disk, const DumpOptions& options)
      : context_(context), disk_(disk), options_(options), printer_(context, options.json) {}

  int run() {
    for (const std::string& path : options_.paths) {
      auto info = disk_.stat(path);
      if (info.failed()) return cannot(path, info.error().what, Exit::kNotFound);
      int code = info->is_directory ? directory(path) : file(path, true);
      if (code != 0) return code;
    }
    return printer_.damaged() ? static_cast<int>(Exit::kFailed) : 0;
  }

 private:
  int cannot(const std::string& path, const std::string& why, Exit exit = Exit::kFailed) {
    return context_.fail({exit, "cannot read " + path, why,
                          "give a file, or the directory of a partition: milena log dump --help"});
  }

  int directory(std::string path) {
    while (path.size() > 1 && path.ends_with('/')) path.pop_back();
    auto entries = disk_.list(path);
    if (entries.failed()) return cannot(path, entries.error().what);
    std::size_t dumped = 0;
    std::string example;
    for (const io::DirectoryEntry& entry : *entries) {
      if (entry.is_directory) {
        if (example.empty()) example = entry.name;
        continue;
      }
      if (dump_file_of(entry.name) == DumpFile::kOther) continue;
      ++dumped;
      if (int code = file(path + "/" + entry.name, false); code != 0) return code;
    }
    if (dumped == 0)
      return cannot(path, "there is no file of a log in it" +
                              (example.empty() ? "" : fmt::format("; partitions are below it, as {}/{}", path, example)),
                    Exit::kNotFound);
    return 0;
  }

  Decoder decoder_of(const std::string& path) {
    if (options_.decode == "none") return Decoder::kNone;
    if (options_.decode == "metadata") return Decoder::kMetadata;
    if (options_.decode == "offsets") return Decoder::kGroup;
    if (options_.decode == "transactions") return Decoder::kTransaction;
    if (options_.decode == "share") return Decoder::kShare;
    if (path.ends_with(".checkpoint")) return Decoder::kMetadata;
    auto absolute = disk_.absolute(path);
    return decoder_for_directory(name_of(io::parent_path(absolute.has_value() ? *absolute : path)));
  }

  // `named`: somebody asked for just this file.
  int file(const std::string& path, bool named) {
    std::string name = name_of(path);
    DumpFile type = dump_file_of(name);
    if (type == DumpFile::kOther && named)
      return cannot(path, "it is none of a log directory's files", Exit::kUsage);
    auto opened = disk_.open(path, io::OpenMode::kRead);
    if (opened.failed()) return named ? cannot(path, opened.error().what) : gone(path, opened.error().what);
    auto size = (*opened)->size();
    if (size.failed()) return cannot(path, size.error().what);
    printer_.file(path, type_name(type));
    if (type == DumpFile::kSegment) {
      dump_segment(printer_, **opened, *size, decoder_of(path), options_);
      return 0;
    }
    if (*size > (type == DumpFile::kManifest ? kManifestFile : kSmallFile)) return cannot(path, "it is larger than any file of its kind");
    std::string content(*size, '\0');
    auto read = (*opened)->read_at(0, MutableByteView(reinterpret_cast<std::uint8_t*>(content.data()), content.size()));
    if (read.failed()) return cannot(path, read.error().what);
    content.resize(*read);
    small_file(path, name, type, content);
    return 0;
  }

  // A running server removes files under our eyes.
  int gone(const std::string& path, const std::string& why) {
    context_.terminal.talk(fmt::format("left out {}: {}\n", path, why));
    return 0;
  }

  void small_file(const std::string& path, const std::string& name, DumpFile type, const std::string& content) {
    std::int64_t base = base_offset_of(name).value_or(0);
    switch (type) {
      case DumpFile::kOffsetIndex: {
        std::unique_ptr<io::File> log;
        std::string beside = path.substr(0, path.rfind('/') + 1) + fmt::format("{:020}.log", base);
        if (options_.deep) {
          auto opened = disk_.open(beside, io::OpenMode::kRead);
          if (opened.has_value()) log = std::move(*opened);
        }
        return dump_offset_index(printer_, content, base, log.get());
      }
      case DumpFile::kTimeIndex: return dump_time_index(printer_, content, base);
      case DumpFile::kTransactionIndex: return dump_transaction_index(printer_, content);
      case DumpFile::kProducerSnapshot: return dump_producer_snapshot(printer_, content);
      case DumpFile::kCheckpoint: return dump_checkpoint(printer_, content);
      case DumpFile::kManifest: return dump_manifest(printer_, content);
      case DumpFile::kMarks: {
        auto manifest = disk_.read_file(log::manifest_path(io::parent_path(path)), kManifestFile);
        return dump_marks(printer_, content, manifest.has_value() ? *manifest : "");
      }
      case DumpFile::kEpochJournal: return dump_epoch_journal(printer_, content);
      default: return dump_text(printer_, content);
    }
  }

  Context& context_;
  io::Disk& disk_;
  const DumpOptions& options_;
  DumpPrinter printer_;
};

io::Task<int> run_dump(io::Loop* loop, Context* context, std::shared_ptr<DumpOptions> options) {
  co_return Dump(*context, loop->disk(), *options).run();
}

}  // namespace

Decoder decoder_for_directory(std::string_view name) {
  if (name.starts_with("__cluster_metadata-")) return Decoder::kMetadata;
  if (name.starts_with("__consumer_offsets-")) return Decoder::kGroup;
  if (name.starts_with("__transaction_state-")) return Decoder::kTransaction;
  if (name.starts_with("__share_group_state-")) return Decoder::kShare;
  return Decoder::kNone;
}

std::optional<std::int64_t> base_offset_of(std::string_view name) {
  constexpr std::size_t kDigits = 20;
  if (name.size() <= kDigits || (name[kDigits] != '.' && name[kDigits] != '-')) return std::nullopt;
  std::int64_t offset = 0;
  auto [end, error] = std::from_chars(name.data(), name.data() + kDigits, offset);
  if (error != std::errc() || end != name.data() + kDigits) return std::nullopt;
  return offset;
}

DumpFile dump_file_of(std::string_view name) {
  for (std::string_view ending : {".deleted", ".cleaned", ".swap"})
    if (name.ends_with(ending)) name.remove_suffix(ending.size());
  if (name.ends_with("-checkpoint")) return DumpFile::kCheckpoint;
  if (name.ends_with(".checkpoint")) return DumpFile::kSegment;
  for (std::string_view text : {"meta.properties", "partition.metadata", "quorum-state", ".kafka_cleanshutdown"})
    if (name == text) return DumpFile::kText;
  if (name == ".milena-manifest") return DumpFile::kManifest;
  if (name == ".milena-epochs") return DumpFile::kEpochJournal;
  if (name.starts_with(".milena-marks-")) return DumpFile::kMarks;
  if (!base_offset_of(name)) return DumpFile::kOther;
  if (name.ends_with(".log")) return DumpFile::kSegment;
  if (name.ends_with(".index")) return DumpFile::kOffsetIndex;
  if (name.ends_with(".timeindex")) return DumpFile::kTimeIndex;
  if (name.ends_with(".txnindex")) return DumpFile::kTransactionIndex;
  if (name.ends_with(".snapshot")) return DumpFile::kProducerSnapshot;
  return DumpFile::kOther;
}

void add_log_verbs(CLI::App& root, Context& context) {
  CLI::App& log = *root.add_subcommand("log", "Look into the files of log directories");
  log.require_subcommand(1);
  log.footer("'milena log VERB --help' explains a verb with examples.");
  auto options = std::make_shared<DumpOptions>();
  CLI::App& app = *log.add_subcommand("dump", "Show batches, records, indexes, snapshots, checkpoints");
  app.add_option("paths", options->paths, "files, or directories of partitions")->required()->type_name("FILE");
  app.add_flag("-d,--deep", options->deep, "every record, too; offset indexes compared with their segments");
  app.add_flag("--json", options->json, "a line of JSON for each item");
  app.add_option("--from", options->from, "batches that reach this offset, and those behind")
      ->check(whole_number(0, INT64_MAX))
      ->type_name("OFFSET");
  app.add_option("--to", options->to, "up to batches that begin at this offset")
      ->check(whole_number(0, INT64_MAX))
      ->type_name("OFFSET");
  app.add_option("--decode", options->decode, "what keys and values are: auto (by the directory's name), none,\n"
                 "metadata, offsets, transactions or share")
      ->check(one_of({"auto", "none", "metadata", "offsets", "transactions", "share"}))
      ->type_name("KIND");
  app.footer(R"(Reads and changes nothing; best on a stopped node. Exit code 1: something in the files is damaged or
unfinished, which a line tells with its position.

Examples:
  milena log dump data/orders-0
  milena log dump data/orders-0/00000000000000000000.log --deep --from 1000 --to 1100
  milena log dump data/__cluster_metadata-0 --deep
  milena log dump data/__cluster_metadata-0 --deep --json | jq 'select(.kind == "record") | .value.type')");
  app.callback([&context, options] {
    context.action = [&context, options] {
      return context.host.run_on_loop([&context, options](io::Loop* loop) { return run_dump(loop, &context, options); });
    };
  });
}

}  // namespace milena::cli
