#include "raft/flat_json.h"

#include <charconv>
#include <utility>

namespace milena::raft {
namespace {

constexpr int kDepthMax = 4;

class Parser {
 public:
  explicit Parser(std::string_view text) : rest_(text) {}

  std::optional<JsonObject> document() {
    std::optional<JsonObject> result = object(0);
    skip_space();
    if (!rest_.empty()) return std::nullopt;
    return result;
  }

 private:
  void skip_space() {
    while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\n' || rest_[0] == '\r' || rest_[0] == '\t'))
      rest_.remove_prefix(1);
  }
  bool take(char c) {
    skip_space();
    if (rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool take_word(std::string_view word) {
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }

  std::optional<JsonObject> object(int depth) {
    if (depth > kDepthMax || !take('{')) return std::nullopt;
    JsonObject result;
    if (take('}')) return result;
    do {
      std::optional<std::string> key = string();
      if (!key.has_value() || !take(':')) return std::nullopt;
      std::optional<JsonValue> item = value(depth);
      if (!item.has_value()) return std::nullopt;
      result.values.insert_or_assign(*std::move(key), *std::move(item));
    } while (take(','));
    if (!take('}')) return std::nullopt;
    return result;
  }

  std::optional<JsonValue> value(int depth) {
    skip_space();
    if (rest_.empty()) return std::nullopt;
    if (rest_[0] == '"') {
      std::optional<std::string> text = string();
      if (!text.has_value()) return std::nullopt;
      return JsonValue(*std::move(text));
    }
    if (rest_[0] == '[') return array(depth);
    if (take_word("null")) return JsonValue();
    if (take_word("true")) return JsonValue(true);
    if (take_word("false")) return JsonValue(false);
    std::int64_t number = 0;
    auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), number);
    if (error != std::errc()) return std::nullopt;
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return JsonValue(number);
  }

  std::optional<JsonValue> array(int depth) {
    std::vector<JsonObject> items;
    if (!take('[')) return std::nullopt;
    if (take(']')) return JsonValue(std::move(items));
    do {
      std::optional<JsonObject> item = object(depth + 1);
      if (!item.has_value()) return std::nullopt;
      items.push_back(*std::move(item));
    } while (take(','));
    if (!take(']')) return std::nullopt;
    return JsonValue(std::move(items));
  }

  std::optional<std::string> string() {
    if (!take('"')) return std::nullopt;
    std::string text;
    while (!rest_.empty() && rest_[0] != '"') {
      char c = rest_[0];
      rest_.remove_prefix(1);
      if (c == '\\' && !escape(c)) return std::nullopt;
      text.push_back(c);
    }
    if (rest_.empty()) return std::nullopt;
    rest_.remove_prefix(1);
    return text;
  }

  bool escape(char& c) {
    if (rest_.empty()) return false;
    char kind = rest_[0];
    rest_.remove_prefix(1);
    if (kind == 'u') {
      unsigned code = 0;
      if (rest_.size() < 4) return false;
      std::string_view digits = rest_.substr(0, 4);
      const char* last = digits.end();
      auto [end, error] = std::from_chars(digits.begin(), last, code, 16);
      if (error != std::errc() || end != last || code >= 0x80) return false;
      c = static_cast<char>(code);
      rest_.remove_prefix(4);
      return true;
    }
    constexpr std::string_view kFrom = "\"\\/bfnrt";
    constexpr std::string_view kTo = "\"\\/\b\f\n\r\t";
    std::size_t at = kFrom.find(kind);
    if (at == std::string_view::npos) return false;
    c = kTo[at];
    return true;
  }

  std::string_view rest_;
};

}  // namespace

std::optional<JsonObject> parse_json_object(std::string_view text) { return Parser(text).document(); }

}  // namespace milena::raft
