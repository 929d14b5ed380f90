/// Big-endian loads and stores of integers at any address: Kafka's byte order everywhere.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>

namespace milena {

template <std::integral T>
T load_be(const std::uint8_t* at) {
  std::make_unsigned_t<T> v;
  std::memcpy(&v, at, sizeof v);
  if constexpr (std::endian::native == std::endian::little && sizeof v > 1) v = std::byteswap(v);
  return static_cast<T>(v);
}

template <std::integral T>
void store_be(std::uint8_t* at, T value) {
  auto v = static_cast<std::make_unsigned_t<T>>(value);
  if constexpr (std::endian::native == std::endian::little && sizeof v > 1) v = std::byteswap(v);
  std::memcpy(at, &v, sizeof v);
}

}  // namespace milena
