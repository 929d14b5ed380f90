#include "base/uuid.h"

#include <array>

namespace milena {
namespace {

constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

int digit_of(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '-') return 62;
  if (c == '_') return 63;
  return -1;
}

}  // namespace

std::string Uuid::to_string() const {
  std::string text(22, 'A');
  // 21 digits of 6 bits from the top, then the last 2 bits, left-aligned.
  for (int i = 0; i < 22; ++i) {
    int shift = 122 - 6 * i;  // of the digit's lowest bit within the 128
    unsigned digit = 0;
    for (int bit = 5; bit >= 0; --bit) {
      int position = shift + bit;
      unsigned value = 0;
      if (position >= 64) value = (high >> (position - 64)) & 1;
      else if (position >= 0) value = (low >> position) & 1;
      digit = digit << 1 | value;
    }
    text[static_cast<std::size_t>(i)] = kAlphabet[digit];
  }
  return text;
}

std::optional<Uuid> Uuid::parse(std::string_view text) {
  if (text.size() == 24 && text.substr(22) == "==") text.remove_suffix(2);
  if (text.size() != 22) return std::nullopt;
  std::array<std::uint8_t, 17> bytes{};
  unsigned accumulator = 0;
  int bits = 0;
  std::size_t at = 0;
  for (char c : text) {
    int digit = digit_of(c);
    if (digit < 0) return std::nullopt;
    accumulator = accumulator << 6 | static_cast<unsigned>(digit);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = static_cast<std::uint8_t>(accumulator >> bits);
      accumulator &= (1U << bits) - 1;
    }
  }
  Uuid id;
  for (std::size_t i = 0; i < 8; ++i) id.high = id.high << 8 | bytes[i];
  for (std::size_t i = 8; i < 16; ++i) id.low = id.low << 8 | bytes[i];
  return id;
}

Uuid Uuid::from_random(std::uint64_t high, std::uint64_t low) {
  high = (high & ~0xf000ULL) | 0x4000ULL;
  low = (low & 0x3fffffffffffffffULL) | 0x8000000000000000ULL;
  return {high, low};
}

}  // namespace milena
