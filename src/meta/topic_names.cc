#include <fmt/format.h>

#include <algorithm>

#include "meta/topics.h"

namespace milena::meta {

std::optional<std::string> topic_name_problem(std::string_view name) {
  constexpr std::size_t kLengthMax = 249;
  auto legal = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  };
  if (name.empty()) return "Topic name is invalid: the empty string is not allowed";
  if (name == "." || name == "..")
    return fmt::format("Topic name is invalid: '{}' is not allowed", name);
  if (name.size() > kLengthMax)
    return fmt::format("Topic name is invalid: the length of '{}' is longer than the max allowed length {}", name,
                       kLengthMax);
  if (!std::ranges::all_of(name, legal))
    return fmt::format(
        "Topic name is invalid: '{}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'",
        name);
  return std::nullopt;
}

}  // namespace milena::meta
