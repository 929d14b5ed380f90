/// All messages by name, behind one type: for tests that go over every message and version.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "wire/reader.h"
#include "wire/testing/json_value.h"
#include "wire/writer.h"

namespace milena::wire {

struct RandomMessage {
  Bytes bytes;          // the encoding
  Json json;            // the content
  bool round_trips;     // decoding the bytes and reading the JSON both give the value again
  Bytes extended;       // the same with two unknown tagged fields at the end, where those are kept; else empty
};

/// What became of bytes from a stranger.
enum class Untrusted : std::uint8_t {
  kRefused,   // they do not decode
  kStable,    // they decode, and what was read encodes to bytes that decode to the same
  kUnstable,  // they decode to something that cannot be written, or that changes when written and read
};

struct MessageOps {
  std::string_view name;
  std::int16_t min_version;
  std::int16_t max_version;
  RandomMessage (*random)(Random& random, std::int16_t version);
  /// The content of an encoding; nothing if it does not decode or leaves bytes over.
  std::optional<Json> (*read)(const Bytes& bytes, std::int16_t version);
  /// Decodes any bytes; bytes behind the message are left alone.
  Untrusted (*check_untrusted)(const Bytes& bytes, std::int16_t version);
};

/// In a fixed order.
std::span<const MessageOps> all_messages();

template <class Message>
RandomMessage random_message(Random& random, std::int16_t version, std::int16_t flexible_from) {
  Message message;
  randomize(random, message, version);
  Writer writer;
  message.encode(writer, version);
  bool written = writer.ok();
  RandomMessage result{.bytes = writer.to_bytes(), .json = to_json(message, version), .round_trips = written,
                       .extended = {}};
  Reader reader(result.bytes);
  Message decoded;
  result.round_trips = decoded.decode(reader, version) && reader.finished() && decoded == message &&
                       result.round_trips;
  Message from_text;
  result.round_trips = from_json(result.json, from_text, version) && from_text == message && result.round_trips;
  if constexpr (requires { message.unknown_tagged_fields; }) {
    if (version >= flexible_from) {
      message.unknown_tagged_fields = {{60, Bytes::copy("x")}, {300, Bytes()}};
      Writer extended;
      message.encode(extended, version);
      result.extended = extended.to_bytes();
      Reader again(result.extended);
      Message kept;
      result.round_trips = kept.decode(again, version) && again.finished() && kept == message &&
                           result.round_trips;
    }
  }
  return result;
}

template <class Message>
std::optional<Json> read_message(const Bytes& bytes, std::int16_t version) {
  Reader reader(bytes);
  Message message;
  if (!message.decode(reader, version) || !reader.finished()) return std::nullopt;
  return to_json(message, version);
}

template <class Message>
Untrusted check_untrusted(const Bytes& bytes, std::int16_t version) {
  Reader reader(bytes);
  Message message;
  if (!message.decode(reader, version) || !reader.ok()) return Untrusted::kRefused;
  Writer writer;
  message.encode(writer, version);
  if (!writer.ok()) return Untrusted::kUnstable;
  Bytes written = writer.to_bytes();
  Reader again(written);
  Message second;
  if (!second.decode(again, version) || !again.finished()) return Untrusted::kUnstable;
  Writer rewriter;
  second.encode(rewriter, version);
  bool comparable = message == message;  // false where it holds a NaN: bytes alone tell then
  bool same = (!comparable || message == second) && rewriter.ok() && rewriter.to_bytes() == written;
  return same ? Untrusted::kStable : Untrusted::kUnstable;
}

}  // namespace milena::wire
