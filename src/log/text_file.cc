#include "log/text_file.h"

#include <fmt/format.h>

namespace milena::log {
namespace {

std::string_view take_line(std::string_view& rest) {
  auto end = rest.find('\n');
  std::string_view line = rest.substr(0, end);
  rest = end == rest.npos ? std::string_view() : rest.substr(end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace

LogResult<std::vector<std::string_view>> parse_checkpoint_lines(std::string_view text,
                                                                std::string_view what) {
  auto bad = [&](std::string_view why) {
    return Err(LogError{LogErrorKind::kCorrupt, fmt::format("{}: {}", what, why)});
  };
  if (text.empty()) return std::vector<std::string_view>();
  std::string_view version = take_line(text);
  if (version != "0") return bad(fmt::format("version '{}' where 0 is known", version));
  std::string_view count_text = take_line(text);
  std::size_t count = 0;
  if (!parse_number(count_text, count))
    return bad(fmt::format("'{}' is not a number of entries", count_text));
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    std::string_view line = take_line(text);
    if (line.empty()) continue;
    if (lines.size() == count) return bad("more entries than announced");
    lines.push_back(line);
  }
  if (lines.size() != count) return bad("fewer entries than announced");
  return lines;
}

}  // namespace milena::log
