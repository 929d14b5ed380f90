/// The text form that Kafka's checkpoint files share: a line "0" (version), a line with the number of
/// entries, then one entry a line. Kafka creates them empty and fills them seconds later: an empty
/// file has no entries.
#pragma once

#include <charconv>
#include <string>
#include <string_view>
#include <vector>

#include "log/error.h"

namespace milena::log {

/// The entries' lines, views on `text`. `what` names the file in errors. Errors: kCorrupt.
LogResult<std::vector<std::string_view>> parse_checkpoint_lines(std::string_view text, std::string_view what);

/// False: `text` is not wholly a decimal number that fits.
template <class T>
bool parse_number(std::string_view text, T& value) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace milena::log
