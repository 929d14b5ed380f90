/// What formatting log directories writes, as file contents (the caller creates, syncs and renames).
///
/// Every log directory gets `meta.properties` and `bootstrap.checkpoint`
/// (feature levels that the first leader writes into the log); with dynamic voters the metadata log's directory
/// also gets the first snapshot,
/// `__cluster_metadata-0/00000000000000000000-0000000000.checkpoint`, with the voters.
/// Same files as `kafka-storage format`; comments with dates aside.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "raft/voter_set.h"

namespace milena::raft {

struct FormatDirectory {
  std::string path;
  Uuid directory_id;  // random, not reserved: from the caller
};

struct FormatOptions {
  std::string cluster_id;
  BrokerId node_id = kNoBroker;
  std::vector<FormatDirectory> directories;
  std::string metadata_directory;  // one of `directories`; where __cluster_metadata-0 lives
  /// Levels other than the defaults of this release, e.g. {"metadata.version", 25}; 0 leaves a feature out.
  std::map<std::string, std::int16_t> features;
  /// Dynamic voters (--standalone, --initial-controllers): the first voters. Empty: static voters, or a node
  /// that joins (--no-initial-controllers).
  std::vector<Voter> initial_voters;
  Timestamp now;
};

struct FormatFile {
  std::string path;
  Bytes contents;
};
struct FormatError {
  std::string message;
};

/// Files in the order to write them. Directories that are needed are those of the paths.
/// Errors: unknown feature or level, no directory, bad cluster id.
Result<std::vector<FormatFile>, FormatError> format_files(const FormatOptions& options);

struct MetaProperties {
  std::int32_t version = 1;
  std::string cluster_id;
  BrokerId node_id = kNoBroker;
  std::optional<Uuid> directory_id;
  bool operator==(const MetaProperties&) const = default;
};
/// `now` goes into a comment, as Java writes it.
std::string format_meta_properties(const MetaProperties& properties, Timestamp now);
/// Reads versions 0 (broker.id) and 1 (node.id). `text` is untrusted.
Result<MetaProperties, FormatError> parse_meta_properties(std::string_view text);

}  // namespace milena::raft
