#include "image/metadata_version.h"

#include <algorithm>
#include <iterator>

namespace milena::image {
namespace {

constexpr std::string_view kNames[] = {
    "3.3-IV3", "3.4-IV0", "3.5-IV0", "3.5-IV1", "3.5-IV2", "3.6-IV0", "3.6-IV1", "3.6-IV2",
    "3.7-IV0", "3.7-IV1", "3.7-IV2", "3.7-IV3", "3.7-IV4", "3.8-IV0", "3.9-IV0", "4.0-IV0",
    "4.0-IV1", "4.0-IV2", "4.0-IV3", "4.1-IV0", "4.1-IV1", "4.2-IV0", "4.2-IV1", "4.3-IV0",
};
// The levels that brought new records or fields.
constexpr std::int16_t kChanges[] = {7, 8, 11, 13, 14, 15, 17, 23, 30};
static_assert(std::size(kNames) == kLatestMetadataVersion - kMinMetadataVersion + 1);

}  // namespace

std::string_view metadata_version_name(std::int16_t level) {
  if (level < kMinMetadataVersion || level > kLatestMetadataVersion) return {};
  return kNames[level - kMinMetadataVersion];
}

bool metadata_changed_between(std::int16_t low, std::int16_t high) {
  return std::ranges::any_of(kChanges, [&](std::int16_t level) { return level > low && level <= high; });
}

}  // namespace milena::image
