/// The words of group coordination: what kind of group, and in what state.
#pragma once

#include <cstdint>
#include <string_view>

namespace milena::group {

/// By whose protocol a group is run. `classic` covers every protocol type of JoinGroup ("consumer",
/// "connect", "sr", ...) and simple groups, which only commit offsets. The others are KIP-848, KIP-932 and
/// KIP-1071: their records are kept and listed.
enum class GroupType : std::uint8_t { classic, consumer, share, streams };

/// State of a classic group. `dead` is what clients are told about a group that does not exist.
enum class GroupState : std::uint8_t { empty, preparing_rebalance, completing_rebalance, stable, dead };

/// Kafka's spelling on the wire ("classic", "PreparingRebalance"). Static storage.
std::string_view name(GroupType type);
std::string_view name(GroupState state);

}  // namespace milena::group
