#include "base/properties.h"

#include <fmt/format.h>

#include <vector>

namespace milena {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\f'; }

struct LogicalLine {
  int number;
  std::string text;
};

// Joins continued lines, drops comments and blank lines; escapes are left in place.
std::vector<LogicalLine> logical_lines(std::string_view text) {
  std::vector<LogicalLine> lines;
  std::string current;
  int number = 0;
  int start = 0;
  bool continued = false;
  while (!text.empty()) {
    std::size_t end = text.find_first_of("\r\n");
    std::string_view line = text.substr(0, end);
    if (end == std::string_view::npos) {
      text = {};
    } else {
      bool crlf = text[end] == '\r' && end + 1 < text.size() && text[end + 1] == '\n';
      text.remove_prefix(end + (crlf ? 2 : 1));
    }
    ++number;
    while (!line.empty() && is_blank(line.front())) line.remove_prefix(1);
    if (!continued) {
      if (line.empty() || line.front() == '#' || line.front() == '!') continue;
      start = number;
    }
    std::size_t backslashes = 0;
    while (backslashes < line.size() && line[line.size() - 1 - backslashes] == '\\') ++backslashes;
    continued = backslashes % 2 == 1;
    if (continued) line.remove_suffix(1);
    current += line;
    if (!continued) lines.push_back({start, std::exchange(current, {})});
  }
  if (!current.empty()) lines.push_back({start, current});
  return lines;
}

void append_utf8(std::string& out, unsigned code) {
  if (code < 0x80) {
    out.push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    out.push_back(static_cast<char>(0xc0 | code >> 6));
    out.push_back(static_cast<char>(0x80 | (code & 0x3f)));
  } else if (code < 0x10000) {
    out.push_back(static_cast<char>(0xe0 | code >> 12));
    out.push_back(static_cast<char>(0x80 | (code >> 6 & 0x3f)));
    out.push_back(static_cast<char>(0x80 | (code & 0x3f)));
  } else {
    out.push_back(static_cast<char>(0xf0 | code >> 18));
    out.push_back(static_cast<char>(0x80 | (code >> 12 & 0x3f)));
    out.push_back(static_cast<char>(0x80 | (code >> 6 & 0x3f)));
    out.push_back(static_cast<char>(0x80 | (code & 0x3f)));
  }
}

bool read_hex4(std::string_view text, unsigned& code) {
  if (text.size() < 4) return false;
  code = 0;
  for (char c : text.substr(0, 4)) {
    unsigned digit = 0;
    if (c >= '0' && c <= '9') digit = static_cast<unsigned>(c - '0');
    else if (c >= 'a' && c <= 'f') digit = static_cast<unsigned>(c - 'a' + 10);
    else if (c >= 'A' && c <= 'F') digit = static_cast<unsigned>(c - 'A' + 10);
    else return false;
    code = code << 4 | digit;
  }
  return true;
}

// Reads up to (and not including) a separator if `key`, else to the end; false on a malformed escape.
bool unescape(std::string_view& text, bool key, std::string& out) {
  while (!text.empty()) {
    char c = text.front();
    if (key && (c == '=' || c == ':' || is_blank(c))) return true;
    text.remove_prefix(1);
    if (c != '\\' || text.empty()) {
      if (c != '\\') out.push_back(c);
      continue;
    }
    char escaped = text.front();
    text.remove_prefix(1);
    switch (escaped) {
      case 't': out.push_back('\t'); break;
      case 'n': out.push_back('\n'); break;
      case 'r': out.push_back('\r'); break;
      case 'f': out.push_back('\f'); break;
      case 'u': {
        unsigned code = 0;
        if (!read_hex4(text, code)) return false;
        text.remove_prefix(4);
        unsigned low = 0;
        if (code >= 0xd800 && code < 0xdc00 && text.size() >= 6 && text.starts_with("\\u") &&
            read_hex4(text.substr(2), low) && low >= 0xdc00 && low < 0xe000) {
          text.remove_prefix(6);
          code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        }
        append_utf8(out, code);
        break;
      }
      default: out.push_back(escaped);
    }
  }
  return true;
}

std::string escape(std::string_view text, bool key) {
  std::string out;
  bool leading = true;
  for (char c : text) {
    switch (c) {
      case '\t': out += "\\t"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\f': out += "\\f"; break;
      case '\\': case '=': case ':': case '#': case '!':
        out.push_back('\\');
        out.push_back(c);
        break;
      case ' ':
        if (key || leading) out.push_back('\\');
        out.push_back(' ');
        break;
      default: out.push_back(c);
    }
    if (c != ' ') leading = false;
  }
  return out;
}

}  // namespace

Result<Properties, PropertiesError> parse_properties(std::string_view text) {
  Properties properties;
  for (const LogicalLine& line : logical_lines(text)) {
    std::string_view rest = line.text;
    std::string key;
    std::string value;
    if (!unescape(rest, true, key)) {
      return Err(PropertiesError{line.number, "a \\u escape needs four hexadecimal digits"});
    }
    while (!rest.empty() && is_blank(rest.front())) rest.remove_prefix(1);
    if (!rest.empty() && (rest.front() == '=' || rest.front() == ':')) rest.remove_prefix(1);
    while (!rest.empty() && is_blank(rest.front())) rest.remove_prefix(1);
    if (!unescape(rest, false, value)) {
      return Err(PropertiesError{line.number, "a \\u escape needs four hexadecimal digits"});
    }
    properties[key] = std::move(value);
  }
  return properties;
}

std::string format_properties(const Properties& properties) {
  std::string text;
  for (const auto& [key, value] : properties) text += escape(key, true) + "=" + escape(value, false) + "\n";
  return text;
}

}  // namespace milena
