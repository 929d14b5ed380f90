/// read_value and write_value for each shape of field: what the generated messages are made of.
///
/// `compact`: see reader.h. `null_allowed`: whether the version may carry null; reading null where it may
/// not fails the reader, writing it fails the writer. Included by generated sources only.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "wire/reader.h"
#include "wire/writer.h"

namespace milena::wire {

inline void read_value(Reader& reader, bool& out) { out = reader.read_bool(); }
inline void read_value(Reader& reader, double& out) { out = reader.read_float64(); }
inline void read_value(Reader& reader, Uuid& out) { out = reader.read_uuid(); }
template <std::integral T>
void read_value(Reader& reader, T& out) {
  out = reader.read_int<T>();
}
inline void read_value(Reader& reader, std::string& out, bool compact) { out = reader.read_string(compact); }
inline void read_value(Reader& reader, Bytes& out, bool compact) { out = reader.read_bytes(compact); }
inline void read_value(Reader& reader, std::optional<std::string>& out, bool compact, bool null_allowed) {
  out = reader.read_nullable_string(compact, null_allowed);
}
inline void read_value(Reader& reader, std::optional<Bytes>& out, bool compact, bool null_allowed) {
  out = reader.read_nullable_bytes(compact, null_allowed);
}

/// Structs.
template <class T>
  requires std::is_class_v<T>
void read_value(Reader& reader, T& out, std::int16_t version) {
  out.decode(reader, version);
}
template <class T>
void read_value(Reader& reader, std::optional<T>& out, std::int16_t version, bool null_allowed) {
  out.reset();
  if (null_allowed && reader.read_int8() < 0) return;
  out = T();  // clang refuses emplace() for a struct nested in the message that holds the optional
  out->decode(reader, version);
}

/// A nullable struct as tagged field: the mark in front is an unsigned varint, 0 for null.
template <class T>
void read_tagged_value(Reader& reader, std::optional<T>& out, std::int16_t version) {
  out.reset();
  if (reader.read_uvarint() == 0) return;
  out = T();
  out->decode(reader, version);
}

/// Arrays of primitive types, their elements: `count` was compared with the input.
template <std::integral T>
void read_elements(Reader& reader, std::vector<T>& out, std::int32_t count, bool) {
  reader.read_int_array(out, count);
}
inline void read_elements(Reader& reader, std::vector<std::string>& out, std::int32_t count, bool compact) {
  reader.read_string_array(out, count, compact);
}
inline void read_elements(Reader& reader, std::vector<Uuid>& out, std::int32_t count, bool) {
  reader.read_uuid_array(out, count);
}
template <class T>
void read_value(Reader& reader, std::vector<T>& out, bool compact, std::size_t min_element_size) {
  std::int32_t count = reader.read_array_count(compact, min_element_size);
  if (count < 0) return reader.fail();
  read_elements(reader, out, count, compact);
}
template <class T>
void read_value(Reader& reader, std::optional<std::vector<T>>& out, bool compact, bool null_allowed,
                std::size_t min_element_size) {
  std::int32_t count = reader.read_array_count(compact, min_element_size);
  out.reset();
  if (count >= 0) return read_elements(reader, out.emplace(), count, compact);
  if (!null_allowed) reader.fail();
}

/// Arrays of structs.
template <class T>
void read_structs(Reader& reader, std::vector<T>& out, std::int16_t version, std::int32_t count) {
  out.reserve(reader.reserve_count(count, sizeof(T)));
  for (std::int32_t i = 0; i < count && reader.ok(); ++i) out.emplace_back().decode(reader, version);
}
template <class T>
void read_value(Reader& reader, std::vector<T>& out, std::int16_t version, bool compact,
                std::size_t min_element_size) {
  std::int32_t count = reader.read_array_count(compact, min_element_size);
  if (count < 0) return reader.fail();
  read_structs(reader, out, version, count);
}
template <class T>
void read_value(Reader& reader, std::optional<std::vector<T>>& out, std::int16_t version, bool compact,
                bool null_allowed, std::size_t min_element_size) {
  std::int32_t count = reader.read_array_count(compact, min_element_size);
  out.reset();
  if (count >= 0) return read_structs(reader, out.emplace(), version, count);
  if (!null_allowed) reader.fail();
}

inline void write_value(Writer& writer, bool value) { writer.write_bool(value); }
inline void write_value(Writer& writer, double value) { writer.write_float64(value); }
inline void write_value(Writer& writer, const Uuid& value) { writer.write_uuid(value); }
template <std::integral T>
void write_value(Writer& writer, T value) {
  writer.write_int<T>(value);
}
inline void write_value(Writer& writer, const std::string& value, bool compact) {
  writer.write_string(value, compact);
}
inline void write_value(Writer& writer, const Bytes& value, bool compact) {
  writer.write_bytes(value, compact);
}
inline void write_value(Writer& writer, const std::optional<std::string>& value, bool compact,
                        bool null_allowed) {
  if (value.has_value()) return writer.write_string(*value, compact);
  if (!null_allowed) writer.fail();
  writer.write_null_string(compact);
}
inline void write_value(Writer& writer, const std::optional<Bytes>& value, bool compact, bool null_allowed) {
  if (value.has_value()) return writer.write_bytes(*value, compact);
  if (!null_allowed) writer.fail();
  writer.write_null_bytes(compact);
}

template <class T>
  requires std::is_class_v<T>
void write_value(Writer& writer, const T& value, std::int16_t version) {
  value.encode(writer, version);
}
template <class T>
void write_value(Writer& writer, const std::optional<T>& value, std::int16_t version, bool null_allowed) {
  if (null_allowed) writer.write_int8(value.has_value() ? 1 : -1);
  if (value.has_value()) return value->encode(writer, version);
  if (!null_allowed) writer.fail();
}

template <class T>
void write_tagged_value(Writer& writer, const std::optional<T>& value, std::int16_t version) {
  writer.write_uvarint(value.has_value() ? 1 : 0);
  if (value.has_value()) value->encode(writer, version);
}

inline void write_element(Writer& writer, const std::string& value, bool compact) {
  writer.write_string(value, compact);
}
template <class T>
void write_element(Writer& writer, const T& value, bool) {
  write_value(writer, value);
}
template <class T>
void write_value(Writer& writer, const std::vector<T>& values, bool compact) {
  writer.write_array_count(values.size(), compact);
  for (const T& value : values) write_element(writer, value, compact);
}
template <class T>
void write_value(Writer& writer, const std::optional<std::vector<T>>& values, bool compact,
                 bool null_allowed) {
  if (values.has_value()) return write_value(writer, *values, compact);
  if (!null_allowed) writer.fail();
  writer.write_null_array(compact);
}

template <class T>
void write_value(Writer& writer, const std::vector<T>& values, std::int16_t version, bool compact) {
  writer.write_array_count(values.size(), compact);
  for (const T& value : values) value.encode(writer, version);
}
template <class T>
void write_value(Writer& writer, const std::optional<std::vector<T>>& values, std::int16_t version,
                 bool compact, bool null_allowed) {
  if (values.has_value()) return write_value(writer, *values, version, compact);
  if (!null_allowed) writer.fail();
  writer.write_null_array(compact);
}

}  // namespace milena::wire
