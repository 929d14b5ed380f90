#include "group/types.h"

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

}  // namespace milena::group
