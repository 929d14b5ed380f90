/// Checks of option values that say in a sentence what would be right.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <vector>

namespace milena::cli {

/// One of these words.
CLI::Validator one_of(std::vector<std::string> words);
/// A whole number from `low` to `high`, both included.
CLI::Validator whole_number(std::int64_t low, std::int64_t high);

}  // namespace milena::cli
