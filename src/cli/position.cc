#include "cli/position.h"

#include <fmt/format.h>

#include <charconv>
#include <chrono>

namespace milena::cli {
namespace {

// Takes `digits` digits from the front of the text.
bool take(std::string_view& text, std::size_t digits, int& value) {
  if (text.size() < digits) return false;
  // NOLINTNEXTLINE(bugprone-suspicious-stringview-data-usage) the end is said
  auto [end, error] = std::from_chars(text.data(), text.data() + digits, value);
  bool good = error == std::errc() && end == text.data() + digits && text.front() != '-';
  text.remove_prefix(digits);
  return good;
}
bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

template <class T>
bool whole(std::string_view text, T& value) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

// The zone's distance from UTC in minutes. False: it is none.
bool take_zone(std::string_view& text, int& minutes) {
  minutes = 0;
  if (text.empty() || text == "Z") {
    text = {};
    return true;
  }
  int sign = text.front() == '-' ? -1 : 1;
  if (text.front() != '+' && text.front() != '-') return false;
  text.remove_prefix(1);
  int hours = 0;
  int rest = 0;
  if (!take(text, 2, hours)) return false;
  take(text, ':');
  if (!text.empty() && !take(text, 2, rest)) return false;
  minutes = sign * (hours * 60 + rest);
  return text.empty();
}

}  // namespace

Result<std::int64_t, std::string> parse_timestamp_ms(std::string_view text) {
  std::string bad =
      fmt::format("'{}' is not a time; write 2026-01-31, 2026-01-31T12:00:00Z or milliseconds", text);
  std::int64_t ms = 0;
  if (whole(text, ms) && text.front() != '-') return ms;
  int year = 0;
  int month = 0;
  int day = 0;
  if (!take(text, 4, year) || !take(text, '-') || !take(text, 2, month) || !take(text, '-') ||
      !take(text, 2, day))
    return Err(bad);
  std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                   std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return Err(bad);
  int hour = 0;
  int minute = 0;
  int second = 0;
  int fraction_ms = 0;
  if (!text.empty()) {
    if (!take(text, 'T') && !take(text, ' ')) return Err(bad);
    if (!take(text, 2, hour) || !take(text, ':') || !take(text, 2, minute)) return Err(bad);
    if (take(text, ':') && !take(text, 2, second)) return Err(bad);
    if (take(text, '.')) {
      int scale = 100;
      while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
        fraction_ms += (text.front() - '0') * scale;
        scale /= 10;
        text.remove_prefix(1);
      }
    }
  }
  int zone = 0;
  if (!take_zone(text, zone) || hour > 23 || minute > 59 || second > 60) return Err(bad);
  auto days = std::chrono::sys_days(date).time_since_epoch().count();
  return ((static_cast<std::int64_t>(days) * 24 + hour) * 60 + minute - zone) * 60'000 + second * 1000LL +
         fraction_ms;
}

Result<Position, std::string> parse_position(std::string_view text, std::string_view forms) {
  using Kind = Position::Kind;
  if (text == "start" || text == "beginning" || text == "earliest") return Position{Kind::kStart, 0};
  if (text == "end" || text == "latest") return Position{Kind::kEnd, 0};
  if (text.starts_with('@')) {
    TRY_ASSIGN(std::int64_t ms, parse_timestamp_ms(text.substr(1)));
    return Position{Kind::kTimestamp, ms};
  }
  Position position{Kind::kOffset, 0};
  if (text.starts_with('+') || text.starts_with('-')) position.kind = Kind::kRelative;
  if (!text.empty() && whole(text.substr(text.starts_with('+') ? 1 : 0), position.value)) return position;
  return Err(fmt::format("'{}' is no position; write {}", text, forms));
}

}  // namespace milena::cli
