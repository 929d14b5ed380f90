/// The names of configuration resources that stand for nodes, as Kafka checks them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"

namespace milena::broker {

/// What is wrong with `name` as the name of the node `self`: "<what> must be an integer, ..." or another node's id.
/// Nothing: it is this node. The texts are Kafka's short diagnostics, which scripts match.
std::optional<std::string> node_name_problem(std::string_view what, std::string_view name, BrokerId self);

}  // namespace milena::broker
