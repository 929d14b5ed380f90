#include "cli/record_format.h"

#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>

namespace milena::cli {
namespace {

constexpr std::string_view kInputTokens = "%k %v %h %p %T";

bool is_utf8(std::string_view text) {
  std::size_t i = 0;
  while (i < text.size()) {
    auto byte = static_cast<unsigned char>(text[i]);
    std::size_t more = byte < 0x80 ? 0 : byte >= 0xc2 && byte < 0xe0 ? 1 : (byte & 0xf0) == 0xe0 ? 2 : 3;
    if (byte >= 0x80 && (byte < 0xc2 || byte > 0xf4)) return false;
    if (i + more >= text.size()) return false;
    for (std::size_t k = 1; k <= more; ++k)
      if ((static_cast<unsigned char>(text[i + k]) & 0xc0) != 0x80) return false;
    auto second = more > 0 ? static_cast<unsigned char>(text[i + 1]) : 0;
    if ((byte == 0xe0 && second < 0xa0) || (byte == 0xed && second > 0x9f) ||
        (byte == 0xf0 && second < 0x90) || (byte == 0xf4 && second > 0x8f))
      return false;
    i += more + 1;
  }
  return true;
}

std::string base64(std::string_view bytes) {
  static constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k)
      group = group << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k)
      text += i + k <= bytes.size() ? kAlphabet[group >> (18 - 6 * k) & 63] : '=';
  }
  return text;
}

void put(nlohmann::ordered_json& object, const std::string& name, std::optional<std::string_view> bytes) {
  if (!bytes) {
    object[name] = nullptr;
  } else if (is_utf8(*bytes)) {
    object[name] = *bytes;
  } else {
    object[name + "_base64"] = base64(*bytes);
  }
}

template <class T>
Result<T, std::string> parse_number(std::string_view text, const char* what) {
  T value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    return Err(fmt::format("'{}' is not a {}", text, what));
  return value;
}

std::string_view value_or_empty(const std::optional<std::string_view>& bytes) {
  return bytes.value_or("");
}

std::int64_t size_of(const std::optional<std::string_view>& bytes) {
  return bytes ? static_cast<std::int64_t>(bytes->size()) : -1;
}

}  // namespace

std::string to_json(const RecordView& record) {
  nlohmann::ordered_json object;
  object["topic"] = record.topic;
  object["partition"] = record.partition;
  object["offset"] = record.offset;
  object["timestamp"] = record.timestamp;
  object["headers"] = nlohmann::ordered_json::array();
  for (const auto& [key, value] : record.headers) {
    nlohmann::ordered_json header;
    put(header, "key", key);
    put(header, "value", value);
    object["headers"].push_back(std::move(header));
  }
  put(object, "key", record.key);
  put(object, "value", record.value);
  return object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

Result<std::string, std::string> unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    if (++i == text.size()) return Err(std::string("a backslash at the end stands for nothing; write \\\\"));
    switch (text[i]) {
      case 'n':
        out += '\n';
        break;
      case 'r':
        out += '\r';
        break;
      case 't':
        out += '\t';
        break;
      case '0':
        out += '\0';
        break;
      case '\\':
        out += '\\';
        break;
      case 'x': {
        unsigned value = 0;
        std::string_view digits = text.substr(i + 1, 2);
        auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
        if (error != std::errc() || end != digits.data() + 2)
          return Err(std::string("\\x needs two hexadecimal digits"));
        out += static_cast<char>(value);
        i += 2;
        break;
      }
      default:
        return Err(fmt::format("unknown escape '\\{}'", text[i]));
    }
  }
  return out;
}

Result<std::vector<FormatPiece>, std::string> parse_format(std::string_view text, std::string_view tokens) {
  constexpr std::string_view kTokens = "tpokvshTKS";
  std::vector<FormatPiece> pieces;
  std::string literal;
  auto flush = [&]() -> Result<void, std::string> {
    if (literal.empty()) return {};
    TRY_ASSIGN(std::string bytes, unescape(literal));
    pieces.push_back({0, std::move(bytes)});
    literal.clear();
    return {};
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      literal += text[i++];
      literal += text[i];
    } else if (text[i] != '%') {
      literal += text[i];
    } else if (++i == text.size()) {
      return Err(std::string("a '%' at the end stands for nothing; write %%"));
    } else if (text[i] == '%') {
      literal += '%';
    } else if (kTokens.find(text[i]) == std::string_view::npos) {
      return Err(fmt::format("unknown token '%{}'; there are {}", text[i], tokens));
    } else {
      TRY(flush());
      pieces.push_back({text[i] == 's' ? 'v' : text[i], {}});
    }
  }
  TRY(flush());
  return pieces;
}

Result<OutputRecordFormat, std::string> OutputRecordFormat::parse(std::string_view text) {
  OutputRecordFormat format;
  TRY_ASSIGN(format.pieces_, parse_format(text));
  return format;
}

void OutputRecordFormat::append(std::string& out, const RecordView& record) const {
  for (const FormatPiece& piece : pieces_) {
    switch (piece.token) {
      case 0:
        out += piece.literal;
        break;
      case 't':
        out += record.topic;
        break;
      case 'p':
        out += std::to_string(record.partition);
        break;
      case 'o':
        out += std::to_string(record.offset);
        break;
      case 'k':
        out += value_or_empty(record.key);
        break;
      case 'v':
        out += value_or_empty(record.value);
        break;
      case 'T':
        out += std::to_string(record.timestamp);
        break;
      case 'K':
        out += std::to_string(size_of(record.key));
        break;
      case 'S':
        out += std::to_string(size_of(record.value));
        break;
      case 'h':
        for (std::size_t i = 0; i < record.headers.size(); ++i) {
          if (i > 0) out += ',';
          out += record.headers[i].first;
          out += '=';
          out += value_or_empty(record.headers[i].second);
        }
        break;
      default:
        break;
    }
  }
}

Result<InputRecordFormat, std::string> InputRecordFormat::parse(std::string_view text) {
  TRY_ASSIGN(std::vector<FormatPiece> pieces, parse_format(text, kInputTokens));
  InputRecordFormat format;
  bool after_token = false;
  std::string separator;
  for (FormatPiece& piece : pieces) {
    if (piece.token == 0) {
      if (format.fields_.empty())
        return Err(std::string("the format must begin with a token, e.g. '%k:%v\\n'"));
      separator = std::move(piece.literal);
      after_token = false;
      continue;
    }
    if (std::string_view("kvhpT").find(piece.token) == std::string_view::npos)
      return Err(fmt::format("'%{}' cannot be read; input has {}", piece.token, kInputTokens));
    if (after_token) return Err(std::string("two tokens need text between them, e.g. '%k:%v\\n'"));
    if (!format.fields_.empty()) format.separators_.push_back(std::exchange(separator, {}));
    format.fields_.push_back(piece.token);
    after_token = true;
  }
  if (format.fields_.empty()) return Err(std::string("the format has no token; the simplest is '%v\\n'"));
  if (!separator.empty()) format.delimiter_ = std::move(separator);
  return format;
}

InputRecordFormat InputRecordFormat::lines(std::string key_delimiter, std::string record_delimiter) {
  InputRecordFormat format;
  format.fields_ = {'v'};
  format.delimiter_ = std::move(record_delimiter);
  if (key_delimiter.empty()) return format;
  format.fields_ = {'k', 'v'};
  format.separators_ = {std::move(key_delimiter)};
  format.key_optional_ = true;
  return format;
}

Result<std::optional<InputRecord>, std::string> InputRecordFormat::next(std::string_view input,
                                                                        std::size_t& at, bool end) const {
  if (at >= input.size()) return std::optional<InputRecord>();
  std::size_t stop = input.find(delimiter_, at);
  if (stop == std::string_view::npos && !end) return std::optional<InputRecord>();
  std::string_view text = input.substr(at, stop == std::string_view::npos ? stop : stop - at);
  at = stop == std::string_view::npos ? input.size() : stop + delimiter_.size();
  TRY_ASSIGN(InputRecord record, split(text));
  return std::optional<InputRecord>(std::move(record));
}

Result<InputRecord, std::string> InputRecordFormat::split(std::string_view text) const {
  InputRecord record;
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    std::string_view part = text;
    if (i < separators_.size()) {
      std::size_t stop = text.find(separators_[i]);
      if (stop == std::string_view::npos && key_optional_) continue;  // all of it is the value
      if (stop == std::string_view::npos)
        return Err(fmt::format("no '{}' in the record '{}'", separators_[i], text.substr(0, 80)));
      part = text.substr(0, stop);
      text.remove_prefix(stop + separators_[i].size());
    }
    switch (fields_[i]) {
      case 'k':
        record.key = part;
        break;
      case 'v':
        record.value = part;
        break;
      case 'p': {
        TRY_ASSIGN(record.partition, parse_number<std::int32_t>(part, "partition"));
        break;
      }
      case 'T': {
        TRY_ASSIGN(record.timestamp, parse_number<std::int64_t>(part, "timestamp in ms"));
        break;
      }
      case 'h':
        while (!part.empty()) {
          std::string_view one = part.substr(0, part.find(','));
          part.remove_prefix(std::min(part.size(), one.size() + 1));
          std::size_t equals = one.find('=');
          if (equals == std::string_view::npos)
            return Err(fmt::format("the header '{}' is not name=value", one));
          record.headers.emplace_back(one.substr(0, equals), one.substr(equals + 1));
        }
        break;
      default:
        break;
    }
  }
  return record;
}

}  // namespace milena::cli
