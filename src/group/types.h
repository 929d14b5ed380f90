/// The words of group coordination: what kind of group, and in what state.
#pragma once

#include <cstdint>
#include <optional>
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

/// From any mixture of upper and lower case, as ListGroups filters arrive. Empty: no such type.
std::optional<GroupType> parse_group_type(std::string_view text);

}  // namespace milena::group
