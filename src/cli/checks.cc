#include "cli/checks.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

#include "cli/suggest.h"

namespace milena::cli {
namespace {

constexpr const char* kChoices = "one of ";  // begins the name of a validator; the words follow

}  // namespace

CLI::Validator one_of(std::vector<std::string> words) {
  std::string name = kChoices + fmt::format("{}", fmt::join(words, " "));
  auto check = [words = std::move(words)](std::string& text) -> std::string {
    if (std::find(words.begin(), words.end(), text) != words.end()) return {};
    return fmt::format("'{}' is none of {}{}", text, fmt::join(words, ", "), did_you_mean(text, words));
  };
  return CLI::Validator(std::move(check), "", std::move(name));  // no description: the option's own tells
}

std::vector<std::string> choices(CLI::Option& option) {
  std::string name;
  try {
    name = option.get_validator(0)->get_name();
  } catch (const CLI::OptionNotFound&) {  // it has none
    return {};
  }
  if (!name.starts_with(kChoices)) return {};
  return CLI::detail::split(name.substr(std::string_view(kChoices).size()), ' ');
}

CLI::Validator not_empty() {
  auto check = [](std::string& text) -> std::string {
    return text.empty() ? "'' is no name; is a variable of the shell not set?" : "";
  };
  return CLI::Validator(std::move(check), "");
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
