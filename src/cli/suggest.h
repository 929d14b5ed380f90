/// "Did you mean": the known word that a mistyped one was probably meant to be.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace milena::cli {

/// The candidate with the fewest edits (insert, delete, replace, swap of neighbours), if they are at most a
/// third of the word's length, two at least; a candidate that begins with the word counts as close. Empty:
/// none.
std::string closest(std::string_view word, const std::vector<std::string>& candidates);
/// " (did you mean 'x'?)" or "".
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace milena::cli
