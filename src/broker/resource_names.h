/// The names of configuration resources that stand for nodes, as Kafka checks them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"

namespace milena::broker {

/// Where a node's name stands: Kafka's short diagnostics, which scripts match, differ a little.
enum class NodeNameIn : std::uint8_t { kDescribeBroker, kDescribeLogger, kAlter, kAlterLogger };

/// What is wrong with `name` as the name of the node `self`: no integer, or another node's id. Nothing: it is this
/// node.
std::optional<std::string> node_name_problem(NodeNameIn where, std::string_view name, BrokerId self);

}  // namespace milena::broker
