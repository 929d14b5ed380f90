/// Uuid: 128 bits, printed as Kafka does: 22 characters of URL-safe base64 without padding.
#pragma once

#include <fmt/format.h>

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace milena {

struct Uuid {
  std::uint64_t high = 0;  // most significant bits
  std::uint64_t low = 0;

  friend constexpr auto operator<=>(const Uuid&, const Uuid&) = default;
  constexpr bool is_zero() const { return high == 0 && low == 0; }

  std::string to_string() const;
  /// Reads the 22-character form. Empty result: not 16 bytes of URL-safe base64.
  static std::optional<Uuid> parse(std::string_view text);
  /// A version 4 (random) UUID from 128 random bits. Callers draw again while `is_reserved()` or the text
  /// starts with '-', as Kafka does (a leading dash looks like an option on a command line).
  static Uuid from_random(std::uint64_t high, std::uint64_t low);
  /// Kafka keeps the ids 0 (none), 1 (metadata topic, lost directory) .. 99 for itself.
  constexpr bool is_reserved() const { return high == 0 && low < 100; }
};

inline constexpr Uuid kZeroUuid{};
/// Topic id of `__cluster_metadata`.
inline constexpr Uuid kMetadataTopicId{0, 1};

}  // namespace milena

template <>
struct std::hash<milena::Uuid> {
  std::size_t operator()(const milena::Uuid& id) const noexcept {
    return static_cast<std::size_t>(id.high * 0x9e3779b97f4a7c15ULL ^ id.low);
  }
};

template <>
struct fmt::formatter<milena::Uuid> : fmt::formatter<std::string> {
  template <class Context>
  auto format(const milena::Uuid& id, Context& context) const {
    return fmt::formatter<std::string>::format(id.to_string(), context);
  }
};
