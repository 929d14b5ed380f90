#include "config/value.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "config/address.h"

namespace milena::config {
namespace {

using Rule = Allowed::Rule;

std::string invalid(const Key& key, std::string_view shown, std::string_view why) {
  return fmt::format("Invalid value {} for configuration {}: {}", key.sensitive() ? "[hidden]" : shown,
                     key.name, why);
}

bool equal_no_case(std::string_view a, std::string_view b) {
  auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

template <class Visit>
bool any_word(std::string_view words, Visit matches) {
  while (!words.empty()) {
    std::size_t end = std::min(words.find(' '), words.size());
    if (matches(words.substr(0, end))) return true;
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return false;
}

std::string comma_words(std::string_view words) {
  std::string text;
  any_word(words, [&](std::string_view word) {
    text += text.empty() ? "" : ", ";
    text += word;
    return false;
  });
  return text;
}

std::optional<std::int64_t> parse_integer(std::string_view text, std::int64_t min, std::int64_t max) {
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  std::int64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < min || number > max)
    return std::nullopt;
  return number;
}

std::optional<double> parse_double(std::string_view text) {
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  double number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || std::isnan(number)) return std::nullopt;
  return number;
}

Result<Value, std::string> parse_type(const Key& key, std::string_view text) {
  std::string_view trimmed = trim(text);
  auto integer = [&](std::int64_t min, std::int64_t max) -> Result<Value, std::string> {
    if (auto number = parse_integer(trimmed, min, max)) return Value(*number);
    return Err(invalid(key, text, fmt::format("Not a number of type {}", type_name(key.type))));
  };
  switch (key.type) {
    case Type::kBoolean:
      if (equal_no_case(trimmed, "true")) return Value(true);
      if (equal_no_case(trimmed, "false")) return Value(false);
      return Err(invalid(key, text, "Expected value to be either true or false"));
    case Type::kShort:
      return integer(INT16_MIN, INT16_MAX);
    case Type::kInt:
      return integer(INT32_MIN, INT32_MAX);
    case Type::kLong:
      return integer(INT64_MIN, INT64_MAX);
    case Type::kDouble:
      if (auto number = parse_double(trimmed)) return Value(*number);
      return Err(invalid(key, text, "Not a number of type DOUBLE"));
    case Type::kList:
      return Value(split_list(trimmed));
    case Type::kString:
    case Type::kClass:
    case Type::kPassword:
      return Value(std::string(trimmed));
  }
  return Err(invalid(key, text, "Unknown type"));
}

std::string limit_text(double limit) {
  return fmt::format("{}", limit);
}

std::optional<std::string> check_range(const Key& key, const Value& value) {
  const auto* integer = std::get_if<std::int64_t>(&value);
  double number = integer != nullptr ? static_cast<double>(*integer) : std::get<double>(value);
  if (number < key.allowed.min) {
    return invalid(key, format_value(value), "Value must be at least " + limit_text(key.allowed.min));
  }
  if (number > key.allowed.max) {
    return invalid(key, format_value(value), "Value must be no more than " + limit_text(key.allowed.max));
  }
  return std::nullopt;
}

std::optional<std::string> check_list(const Key& key, Value& value) {
  auto& elements = std::get<std::vector<std::string>>(value);
  std::string valid =
      key.allowed.words.empty() ? "any non-empty value" : "[" + comma_words(key.allowed.words) + "]";
  if (elements.empty() && !key.allowed.empty) {
    return fmt::format("Configuration '{}' must not be empty. Valid values include: {}", key.name, valid);
  }
  std::vector<std::string> distinct;
  for (std::string& element : elements) {
    if (element.empty()) return fmt::format("Configuration '{}' values must not be empty.", key.name);
    if (!key.allowed.words.empty() &&
        !any_word(key.allowed.words, [&](auto word) { return word == element; })) {
      return invalid(key, element, "String must be one of: " + comma_words(key.allowed.words));
    }
    if (std::ranges::find(distinct, element) == distinct.end()) distinct.push_back(std::move(element));
  }
  elements = std::move(distinct);
  return std::nullopt;
}

bool is_replica(std::string_view text) {
  std::size_t colon = text.find(':');
  return colon != std::string_view::npos && parse_integer(text.substr(0, colon), 0, INT32_MAX) &&
         parse_integer(text.substr(colon + 1), 0, INT32_MAX);
}

std::optional<std::string> check_elements(const Key& key, const Value& value) {
  const auto& elements = std::get<std::vector<std::string>>(value);
  if (key.allowed.rule == Rule::kReplicas) {
    if (elements.size() == 1 && elements[0] == "*") return std::nullopt;
    if (std::ranges::all_of(elements, is_replica)) return std::nullopt;
    return invalid(key, fmt::format("[{}]", fmt::join(elements, ", ")),
                   fmt::format("{} must be the literal '*' or a list of replicas in the following format: "
                               "[partitionId]:[brokerId],[partitionId]:[brokerId],...",
                               key.name));
  }
  for (const std::string& element : elements) {
    if (key.allowed.rule == Rule::kVoters && !parse_voter(element)) {
      return fmt::format(
          "Invalid configuration value for {}. Each entry should be in the form `{{id}}@{{host}}:{{port}}`.",
          key.name);
    }
    if (key.allowed.rule == Rule::kAddresses && !parse_address(element)) {
      return fmt::format(
          "Failed to parse host name from {} for the configuration {}. Each entry should be in the form "
          "\"{{host}}:{{port}}\"",
          element, key.name);
    }
  }
  return std::nullopt;
}

// P[nD][T[nH][nM][n[.n]S]] with at least one part; a sign in front of a part would make it negative.
bool is_duration(std::string_view text) {
  if (!text.starts_with('P') && !text.starts_with('p')) return false;
  text.remove_prefix(1);
  std::string_view units = "DTHMS";
  bool parts = false;
  while (!text.empty()) {
    if (text.front() == 'T' || text.front() == 't') {
      if (!units.starts_with('D') && !units.starts_with('T')) return false;
      units = "HMS";
      text.remove_prefix(1);
      if (text.empty()) return false;
      continue;
    }
    std::size_t digits = std::min(text.find_first_not_of("0123456789."), text.size());
    if (digits == 0 || digits == text.size() || text.front() == '.') return false;
    char unit = static_cast<char>(text[digits] & ~0x20);
    std::size_t at = units.find(unit);
    bool fraction = text.substr(0, digits).find('.') != std::string_view::npos;
    if (at == std::string_view::npos || (units.starts_with('D') && unit != 'D') || (fraction && unit != 'S'))
      return false;
    units.remove_prefix(at + 1);
    text.remove_prefix(digits + 1);
    parts = true;
  }
  return parts;
}

std::optional<std::string> check_text(const Key& key, const std::string& text) {
  switch (key.allowed.rule) {
    case Rule::kOneOf:
      if (any_word(key.allowed.words, [&](auto word) { return word == text; })) return std::nullopt;
      return invalid(key, text, "String must be one of: " + comma_words(key.allowed.words));
    case Rule::kOneOfNoCase:
      if (any_word(key.allowed.words, [&](auto word) { return equal_no_case(word, text); }))
        return std::nullopt;
      return invalid(key, text,
                     "String must be one of (case insensitive): " + comma_words(key.allowed.words));
    case Rule::kNonEmpty:
      if (!text.empty()) return std::nullopt;
      return invalid(key, text, "String must be non-empty");
    case Rule::kShareOffsetReset: {
      constexpr std::string_view kByDuration = "by_duration:";
      if (equal_no_case(text, "earliest") || equal_no_case(text, "latest")) return std::nullopt;
      if (text.size() > kByDuration.size() &&
          equal_no_case(text.substr(0, kByDuration.size()), kByDuration) &&
          is_duration(std::string_view(text).substr(kByDuration.size()))) {
        return std::nullopt;
      }
      return invalid(key, text,
                     "Value must be earliest, latest, or by_duration: with an ISO 8601 duration that is "
                     "not negative (PnDTnHnMn.nS)");
    }
    default:
      return std::nullopt;
  }
}

std::optional<std::string> check_allowed(const Key& key, Value& value) {
  switch (key.allowed.rule) {
    case Rule::kAny:
      return std::nullopt;
    case Rule::kRange:
      return check_range(key, value);
    case Rule::kList:
      return check_list(key, value);
    case Rule::kVoters:
    case Rule::kAddresses:
    case Rule::kReplicas:
      return check_elements(key, value);
    case Rule::kGzipLevel: {
      std::int64_t level = std::get<std::int64_t>(value);
      if (level == -1 || (level >= 1 && level <= 9)) return std::nullopt;
      return invalid(key, format_value(value), "Value must be between 1 and 9 or equal to -1");
    }
    case Rule::kOneOf:
    case Rule::kOneOfNoCase:
    case Rule::kNonEmpty:
    case Rule::kShareOffsetReset:
      return check_text(key, std::get<std::string>(value));
  }
  return std::nullopt;
}

// Double.toString: plain from 0.001 up to ten million, else d.dddEn; always with a fraction digit.
std::string format_double(double number) {
  double size = std::abs(number);
  if (std::isinf(number)) return number < 0 ? "-Infinity" : "Infinity";
  bool plain = number == 0 || (size >= 1e-3 && size < 1e7);
  char buffer[64];
  auto end = std::to_chars(buffer, buffer + sizeof buffer, number,
                           plain ? std::chars_format::fixed : std::chars_format::scientific)
                 .ptr;
  std::string text(buffer, end);
  std::size_t e = text.find('e');
  std::string digits = text.substr(0, e);
  if (digits.find('.') == std::string::npos) digits += ".0";
  if (e == std::string::npos) return digits;
  std::string exponent = text.substr(e + 1);
  bool negative = exponent.front() == '-';
  exponent.erase(0, exponent.find_first_not_of("+-0"));
  return digits + "E" + (negative ? "-" : "") + exponent;
}

}  // namespace

std::string_view trim(std::string_view text) {
  auto blank = [](char c) { return static_cast<unsigned char>(c) <= ' '; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> elements;
  text = trim(text);
  if (text.empty()) return elements;
  while (true) {
    std::size_t comma = text.find(',');
    elements.emplace_back(trim(text.substr(0, comma)));
    if (comma == std::string_view::npos) return elements;
    text.remove_prefix(comma + 1);
  }
}

Result<Value, std::string> parse_value(const Key& key, std::string_view text) {
  TRY_ASSIGN(Value value, parse_type(key, text));
  if (auto problem = check_allowed(key, value)) return Err(std::move(*problem));
  return value;
}

Value default_value(const Key& key) {
  if (key.default_value.kind != Default::Kind::kValue) return {};
  auto value = parse_type(key, key.default_value.text);
  return value.has_value() ? std::move(*value) : Value();
}

std::string format_value(const Value& value) {
  struct Format {
    std::string operator()(std::monostate) const { return ""; }
    std::string operator()(bool on) const { return on ? "true" : "false"; }
    std::string operator()(std::int64_t number) const { return std::to_string(number); }
    std::string operator()(double number) const { return format_double(number); }
    std::string operator()(const std::string& text) const { return text; }
    std::string operator()(const std::vector<std::string>& list) const {
      return fmt::format("{}", fmt::join(list, ","));
    }
  };
  return std::visit(Format(), value);
}

std::string allowed_text(const Key& key) {
  const Allowed& allowed = key.allowed;
  switch (allowed.rule) {
    case Rule::kAny:
      return "";
    case Rule::kRange:
      if (allowed.max == Allowed::kNoLimit) return fmt::format("[{},...]", allowed.min);
      return fmt::format("[{},...,{}]", allowed.min, allowed.max);
    case Rule::kOneOf:
      return comma_words(allowed.words);
    case Rule::kOneOfNoCase:
      return comma_words(allowed.words) + " (in any case)";
    case Rule::kNonEmpty:
      return "not empty";
    case Rule::kList:
      if (allowed.words.empty()) return allowed.empty ? "" : "not empty";
      return "any of " + comma_words(allowed.words);
    case Rule::kGzipLevel:
      return "[1,...,9] or -1";
    case Rule::kVoters:
      return "id@host:port,...";
    case Rule::kAddresses:
      return "host:port,...";
    case Rule::kReplicas:
      return "partition:broker,... or *";
    case Rule::kShareOffsetReset:
      return "earliest, latest, by_duration:PnDTnHnMn.nS";
  }
  return "";
}

}  // namespace milena::config
