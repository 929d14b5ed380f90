/// Checks of option values that say in a sentence what would be right.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <vector>

namespace milena::cli {

/// One of these words.
CLI::Validator one_of(std::vector<std::string> words);
/// The words that `one_of` lets this option have; empty: it takes others.
std::vector<std::string> choices(CLI::Option& option);
/// Not the empty text, which a shell gives for a variable that is not set.
CLI::Validator not_empty();
/// A whole number from `low` to `high`, both included.
CLI::Validator whole_number(std::int64_t low, std::int64_t high);

}  // namespace milena::cli
