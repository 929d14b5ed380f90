#include "cli/output.h"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>

namespace milena::cli {
namespace {

// Control characters would let a value write over the terminal.
std::string printable(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return text;
}

std::string cell(const Json& row, const std::string& key) {
  auto found = row.find(key);
  if (found == row.end() || found->is_null()) return "-";
  if (found->is_string()) return printable(found->get<std::string>());
  if (found->is_boolean()) return found->get<bool>() ? "yes" : "no";
  if (found->is_array()) {
    std::string text;
    for (const Json& element : *found) {
      if (!text.empty()) text += ',';
      text += element.is_string() ? printable(element.get<std::string>()) : element.dump();
    }
    return text.empty() ? "-" : text;
  }
  return found->dump();
}

// Columns of code points, near enough to columns on the screen.
std::size_t width(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string render_table(const std::vector<Column>& columns, const std::vector<Json>& rows) {
  std::vector<std::vector<std::string>> lines(1);
  for (const Column& column : columns) lines[0].push_back(column.title);
  for (const Json& row : rows) {
    auto& line = lines.emplace_back();
    for (const Column& column : columns) line.push_back(cell(row, column.key));
  }
  std::string text;
  std::vector<std::size_t> widths(columns.size(), 0);
  std::vector<bool> numbers(columns.size(), !rows.empty());
  for (std::size_t c = 0; c < columns.size(); ++c) {
    for (const auto& line : lines) widths[c] = std::max(widths[c], width(line[c]));
    for (const Json& row : rows) {
      auto found = row.find(columns[c].key);
      if (found != row.end() && !found->is_number() && !found->is_null()) numbers[c] = false;
    }
  }
  for (const auto& line : lines) {
    std::string row;
    for (std::size_t c = 0; c < line.size(); ++c) {
      std::string padding(widths[c] - width(line[c]), ' ');
      if (c > 0) row += "  ";
      row += numbers[c] ? padding + line[c] : line[c] + padding;
    }
    row.erase(row.find_last_not_of(' ') + 1);
    text += row + '\n';
  }
  return text;
}

// Whether every reader of YAML, 1.1 or 1.2, takes the bare word for a text.
bool plain_in_yaml(const std::string& text) {
  static const std::set<std::string> kOtherTypes = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"};
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
  if (text.empty() || kLetters.find(text.front()) == std::string_view::npos) return false;
  if (text.find_first_not_of(std::string(kLetters) + "0123456789./-") != std::string::npos) return false;
  std::string lower = text;
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return !kOtherTypes.contains(lower);
}

}  // namespace

std::optional<OutputFormat> parse_output_format(std::string_view name) {
  for (std::size_t i = 0; i < std::size(kOutputFormats); ++i)
    if (name == kOutputFormats[i]) return static_cast<OutputFormat>(i);
  return std::nullopt;
}

std::string to_yaml(const Json& value, int indent) {
  std::string margin(static_cast<std::size_t>(indent), ' ');
  std::string text;
  auto child = [&](const Json& element, bool in_list) {
    bool nested = (element.is_object() || element.is_array()) && !element.empty();
    if (!nested) return " " + to_yaml(element);
    if (!in_list) return "\n" + to_yaml(element, indent + 2);
    std::string lines = to_yaml(element, indent + 2);
    return " " + lines.substr(static_cast<std::size_t>(indent) + 2);
  };
  if (value.is_object() && !value.empty()) {
    for (const auto& [key, element] : value.items())
      text += margin + (plain_in_yaml(key) ? key : Json(key).dump()) + ":" + child(element, false);
    return text;
  }
  if (value.is_array() && !value.empty()) {
    for (const Json& element : value) text += margin + "-" + child(element, true);
    return text;
  }
  if (value.is_string() && plain_in_yaml(value.get<std::string>())) return value.get<std::string>() + "\n";
  return value.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string render(OutputFormat format, const std::vector<Column>& columns, const std::vector<Json>& rows) {
  constexpr auto kReplace = Json::error_handler_t::replace;  // what is no UTF-8
  std::string text;
  switch (format) {
    case OutputFormat::kTable: {
      std::vector<Column> narrow;
      std::copy_if(columns.begin(), columns.end(), std::back_inserter(narrow),
                   [](const Column& c) { return !c.wide; });
      return render_table(narrow, rows);
    }
    case OutputFormat::kWide:
      return render_table(columns, rows);
    case OutputFormat::kJson:
      return Json(rows).dump(2, ' ', false, kReplace) + "\n";
    case OutputFormat::kJsonLines:
      for (const Json& row : rows) text += row.dump(-1, ' ', false, kReplace) + "\n";
      return text;
    case OutputFormat::kYaml:
      return to_yaml(Json(rows));
    case OutputFormat::kName:
      for (const Json& row : rows) text += cell(row, columns.front().key) + "\n";
      return text;
  }
  return text;
}

}  // namespace milena::cli
