#include "broker/resource_names.h"

#include <fmt/format.h>

#include <charconv>

namespace milena::broker {

std::optional<std::string> node_name_problem(NodeNameIn where, std::string_view name, BrokerId self) {
  std::int32_t id = 0;
  std::string_view digits = name.starts_with('+') ? name.substr(1) : name;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), id);
  if (error != std::errc() || end != digits.data() + digits.size()) {
    bool alters = where == NodeNameIn::kAlter || where == NodeNameIn::kAlterLogger;
    return fmt::format("{} id must be an integer, but it is: {}", alters ? "Node" : "Broker", name);
  }
  if (id == self.value()) return std::nullopt;
  if (where == NodeNameIn::kAlterLogger) {
    return fmt::format("Unexpected node id. Expected {}, but received {}", self.value(), id);
  }
  std::string_view also = ",";
  if (where == NodeNameIn::kDescribeBroker) also = " or empty string,";
  if (where == NodeNameIn::kDescribeLogger) also = "";
  return fmt::format("Unexpected broker id, expected {}{} but received {}", self.value(), also, name);
}

}  // namespace milena::broker
