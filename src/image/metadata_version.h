/// metadata.version: the feature level that says which metadata records, in which versions, may be written.
/// Levels are Kafka's: 7 (3.3-IV3) is the oldest that release 4 reads, 30 (4.3-IV0) the newest in production.
#pragma once

#include <cstdint>
#include <string_view>

namespace milena::image {

inline constexpr std::string_view kMetadataVersionFeature = "metadata.version";
inline constexpr std::string_view kKRaftVersionFeature = "kraft.version";
inline constexpr std::string_view kElrFeature = "eligible.leader.replicas.version";

inline constexpr std::int16_t kMinMetadataVersion = 7;
inline constexpr std::int16_t kLatestMetadataVersion = 30;

/// A feature that a node of this release supports, with the level a new cluster starts at.
struct SupportedFeature {
  std::string_view name;
  std::int16_t min_level;
  std::int16_t max_level;
  std::int16_t default_level;
};
/// All of them, sorted by name, kraft.version and metadata.version included.
inline constexpr SupportedFeature kSupportedFeatures[] = {
    {"eligible.leader.replicas.version", 0, 1, 1},
    {"group.version", 0, 1, 1},
    {"kraft.version", 0, 1, 1},
    {"metadata.version", kMinMetadataVersion, kLatestMetadataVersion, kLatestMetadataVersion},
    {"share.version", 0, 1, 1},
    {"streams.version", 0, 1, 1},
    {"transaction.version", 0, 2, 2},
};

/// "4.3-IV0" for 30; empty for a level that this release does not know.
std::string_view metadata_version_name(std::int16_t level);

/// Whether a level above `low` up to `high` changed what records hold: what was written at `high` may not be readable
/// at `low`. REQUIRES: both are known levels.
bool metadata_changed_between(std::int16_t low, std::int16_t high);

/// What a metadata.version allows. `level` is the finalized one.
struct MetadataVersion {
  std::int16_t level = kMinMetadataVersion;

  bool leader_epoch_bump_on_isr_shrink() const { return level < 12; }  // until 3.6-IV0, KAFKA-15021
  bool transactions() const { return level >= 13; }             // 3.6-IV1, KIP-868
  bool directories() const { return level >= 17; }              // 3.7-IV2, KIP-858
  bool elr() const { return level >= 23; }                      // 4.0-IV1, KIP-966
  bool controller_registration() const { return level >= 15; }  // 3.7-IV0, KIP-919
  bool cordoned_directories() const { return level >= 30; }     // 4.3-IV0
  bool delegation_tokens() const { return level >= 14; }        // 3.6-IV2, KIP-900
  std::int16_t register_broker_record() const {
    if (cordoned_directories()) return 4;
    if (directories()) return 3;
    return level >= 8 ? 2 : 1;
  }
  std::int16_t partition_record() const {
    if (elr()) return 2;
    return directories() ? 1 : 0;
  }
  std::int16_t partition_change_record() const { return partition_record(); }
};

}  // namespace milena::image
