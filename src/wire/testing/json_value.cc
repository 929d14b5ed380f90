#include "wire/testing/json_value.h"

#include <array>
#include <limits>
#include <string_view>

namespace milena::wire {
namespace {

constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string to_base64(ByteView bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j) group = group << 8 | (j < count ? bytes[i + j] : 0U);
    for (std::size_t j = 0; j < 4; ++j) text += j <= count ? kBase64[group >> (18 - 6 * j) & 63] : '=';
  }
  return text;
}

std::optional<Bytes> from_base64(std::string_view text) {
  Buffer bytes(text.size());
  std::uint32_t bits = 0;
  int count = 0;
  for (char c : text) {
    if (c == '=') break;
    std::size_t digit = kBase64.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    bits = bits << 6 | static_cast<std::uint32_t>(digit);
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes.push_back(static_cast<std::uint8_t>(bits >> count));
    }
  }
  return bytes.freeze();
}

}  // namespace

Json json_value(bool value, std::int16_t) { return value; }
Json json_value(std::int64_t value, std::int16_t) { return value; }
Json json_value(double value, std::int16_t) { return value; }
Json json_value(const std::string& value, std::int16_t) { return value; }
Json json_value(const Uuid& value, std::int16_t) { return value.to_string(); }
Json json_value(const Bytes& value, std::int16_t) { return to_base64(value.view()); }

bool from_json_value(const Json& json, bool& out, std::int16_t) {
  if (!json.is_boolean()) return false;
  out = json.get<bool>();
  return true;
}

bool from_json_value(const Json& json, double& out, std::int16_t) {
  if (!json.is_number()) return false;
  out = json.get<double>();
  return true;
}

bool from_json_value(const Json& json, std::string& out, std::int16_t) {
  if (!json.is_string()) return false;
  out = json.get<std::string>();
  return true;
}

bool from_json_value(const Json& json, Uuid& out, std::int16_t) {
  if (!json.is_string()) return false;
  std::optional<Uuid> id = Uuid::parse(json.get_ref<const std::string&>());
  if (id.has_value()) out = *id;
  return id.has_value();
}

bool from_json_value(const Json& json, Bytes& out, std::int16_t) {
  if (!json.is_string()) return false;
  std::optional<Bytes> bytes = from_base64(json.get_ref<const std::string&>());
  if (bytes.has_value()) out = *bytes;
  return bytes.has_value();
}

bool json_integer(const Json& json, std::int64_t low, std::int64_t high, std::int64_t& out) {
  if (!json.is_number_integer()) return false;
  if (json.is_number_unsigned() && json.get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max()) {
    return false;
  }
  out = json.get<std::int64_t>();
  return out >= low && out <= high;
}

void random_value(Random& random, bool& out, std::int16_t) { out = random.one_in(2); }

void random_value(Random& random, double& out, std::int16_t) {
  out = static_cast<double>(random.between(-1'000'000'000, 1'000'000'000)) /
        static_cast<double>(random.between(1, 10'000));
}

void random_value(Random& random, std::string& out, std::int16_t) {
  static constexpr std::array<std::string_view, 8> kPieces{"a", "Z", "0", "-", "\"", "\xc3\xa9", "\xe2\x82\xac",
                                                           "\xf0\x9f\x90\xa6"};
  out.clear();
  std::size_t count = random.one_in(30) ? 200 : random.below(9);
  for (std::size_t i = 0; i < count; ++i) out += kPieces[random.below(kPieces.size())];
}

void random_value(Random& random, Uuid& out, std::int16_t) {
  out = random.one_in(8) ? Uuid{0, random.below(3)} : Uuid{random.next(), random.next()};
}

void random_value(Random& random, Bytes& out, std::int16_t) {
  std::size_t size = random.one_in(20) ? 2000 : random.below(20);
  Buffer buffer(size);
  for (std::size_t i = 0; i < size; ++i) buffer.push_back(static_cast<std::uint8_t>(random.next()));
  out = buffer.freeze();
}

std::uint64_t random_bits(Random& random) {
  static constexpr std::array<std::uint64_t, 12> kEdges{
      0, 1, 0x7f, 0x80, 0x7fff, 0x8000, 0x7fffffff, 0x80000000, 0x7fffffffffffffff, 0x8000000000000000,
      0xfffffffffffffffe, 0xffffffffffffffff};
  return random.one_in(2) ? kEdges[random.below(kEdges.size())] : random.next();
}

}  // namespace milena::wire
