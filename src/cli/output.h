/// Rows in the form that -o asks for: a table for people, JSON, JSON lines, YAML or names for programs.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace milena::cli {

using Json = nlohmann::ordered_json;

enum class OutputFormat : std::uint8_t { kTable, kWide, kJson, kJsonLines, kYaml, kName };
/// The names that -o takes, in the order of the enum.
inline constexpr const char* kOutputFormats[] = {"table", "wide", "json", "jsonl", "yaml", "name"};
std::optional<OutputFormat> parse_output_format(std::string_view name);

/// A column of the table: the value `key` of each row. Numbers stand right, everything else left.
struct Column {
  std::string title;  // "PARTITIONS"
  std::string key;
  bool wide = false;  // in -o wide only
};

/// `rows` are objects. Programs get every value of a row, tables those that have a column; -o name gives the
/// first column, one per line. Ends with a newline unless there is nothing to say.
std::string render(OutputFormat format, const std::vector<Column>& columns, const std::vector<Json>& rows);
/// One value as YAML, at this depth of indentation.
std::string to_yaml(const Json& value, int indent = 0);

}  // namespace milena::cli
