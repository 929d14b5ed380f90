#include "group/types.h"

#include <algorithm>
#include <cctype>
#include <string>

namespace milena::group {

std::string_view name(GroupType type) {
  switch (type) {
    case GroupType::classic: return "classic";
    case GroupType::consumer: return "consumer";
    case GroupType::share: return "share";
    case GroupType::streams: return "streams";
  }
  return "unknown";
}

std::string_view name(GroupState state) {
  switch (state) {
    case GroupState::empty: return "Empty";
    case GroupState::preparing_rebalance: return "PreparingRebalance";
    case GroupState::completing_rebalance: return "CompletingRebalance";
    case GroupState::stable: return "Stable";
    case GroupState::dead: return "Dead";
  }
  return "Unknown";
}

std::optional<GroupType> parse_group_type(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  for (GroupType type : {GroupType::classic, GroupType::consumer, GroupType::share, GroupType::streams}) {
    if (name(type) == lower) return type;
  }
  return std::nullopt;
}

}  // namespace milena::group
