#include "cli/checks.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

#include "cli/suggest.h"

namespace milena::cli {

CLI::Validator one_of(std::vector<std::string> words) {
  auto check = [words = std::move(words)](std::string& text) -> std::string {
    if (std::find(words.begin(), words.end(), text) != words.end()) return {};
    return fmt::format("'{}' is none of {}{}", text, fmt::join(words, ", "), did_you_mean(text, words));
  };
  return CLI::Validator(std::move(check), "");  // without a description: the option's own tells
}

CLI::Validator whole_number(std::int64_t low, std::int64_t high) {
  auto check = [low, high](std::string& text) -> std::string {
    std::int64_t value = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc() && end == text.data() + text.size() && value >= low && value <= high) return {};
    return fmt::format("'{}' is no whole number from {} to {}", text, low, high);
  };
  return CLI::Validator(std::move(check), "");
}

}  // namespace milena::cli
