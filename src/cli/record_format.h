/// Records as text: what `consume -f` prints and `produce -f` reads.
///
/// Tokens, as in kcat: %t topic, %p partition, %o offset, %k key, %v (or %s) value, %h headers as a=1,b=2,
/// %T timestamp in ms, %K and %S sizes of key and value in bytes (-1: none), %% a percent sign.
/// Escapes: \n \r \t \0 \\ \xHH.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace milena::cli {

/// Borrowed from the caller.
struct RecordView {
  std::string_view topic;
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  std::int64_t timestamp = -1;  // ms since the epoch; -1: none
  std::optional<std::string_view> key;
  std::optional<std::string_view> value;
  std::vector<std::pair<std::string_view, std::optional<std::string_view>>> headers;
};

/// One JSON object, no newline: topic, partition, offset, timestamp, headers, key, value. Bytes that are not
/// UTF-8 stand as key_base64 and value_base64 instead.
std::string to_json(const RecordView& record);

/// Text with \-escapes as bytes. Errors: a sentence naming the escape.
Result<std::string, std::string> unescape(std::string_view text);

struct FormatPiece {
  char token = 0;  // 0: literal
  std::string literal;
};
/// Errors: a sentence naming the token or escape, and `tokens`, those that there are for the caller.
Result<std::vector<FormatPiece>, std::string> parse_format(
    std::string_view text, std::string_view tokens = "%t %p %o %k %v %h %T %K %S");

class OutputRecordFormat {
 public:
  static Result<OutputRecordFormat, std::string> parse(std::string_view text);
  void append(std::string& out, const RecordView& record) const;

 private:
  std::vector<FormatPiece> pieces_;
};

struct InputRecord {
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::vector<std::pair<std::string, std::string>> headers;
  std::optional<std::int32_t> partition;
  std::optional<std::int64_t> timestamp;
};

/// Cuts input into records. The text after the last token ends a record ("\n" when there is none); the text
/// between two tokens separates them, its first occurrence counts.
class InputRecordFormat {
 public:
  /// Tokens %k %v %s %h %p %T. Errors: another token, two tokens without text between them, no token.
  static Result<InputRecordFormat, std::string> parse(std::string_view text);
  /// One value per `record_delimiter`; with a key delimiter, what stands before it is the key, and a record
  /// without it has no key.
  static InputRecordFormat lines(std::string key_delimiter, std::string record_delimiter = "\n");

  /// Takes the next whole record from `input`, moving `at` behind it; at the end of input what is left counts
  /// as one. nullopt: more input is needed, or there is none. Errors: a sentence.
  Result<std::optional<InputRecord>, std::string> next(std::string_view input, std::size_t& at,
                                                       bool end) const;

 private:
  Result<InputRecord, std::string> split(std::string_view text) const;
  std::vector<char> fields_;
  std::vector<std::string> separators_;  // between the fields
  std::string delimiter_ = "\n";
  bool key_optional_ = false;
};

}  // namespace milena::cli
