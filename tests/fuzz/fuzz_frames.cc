// Fuzz target: Kafka's messages. What decodes must encode again, and decode to the same.
//
// Input: byte 0 chooses.
//   even: the rest is a request without its size, as a connection gets it: header, which names API and
//   version, body odd:  u16 number of a message of any kind (requests, responses, persisted records), u8
//   version, the message
// Both numbers are taken modulo what there is.
#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/check.h"
#include "wire/frame.h"
#include "wire/reader.h"
#include "wire/testing/registry.h"
#include "wire/writer.h"

namespace milena::wire {
namespace {

const MessageOps* find_message(std::string_view name) {
  static const auto by_name = [] {
    std::map<std::string_view, const MessageOps*> map;
    for (const MessageOps& message : all_messages()) map.emplace(message.name, &message);
    return map;
  }();
  auto found = by_name.find(name);
  return found == by_name.end() ? nullptr : found->second;
}

void check_header(const RequestHeader& header, std::int16_t header_version) {
  Writer writer;
  header.encode(writer, header_version);
  CHECK(writer.ok(), "a header that was read cannot be written");
  Reader reader(writer.to_bytes());
  auto again = read_request_header(reader);
  CHECK(again.has_value() && reader.finished() && *again == header, "a header changes when written and read");
}

void try_request(const Bytes& frame) {
  Reader reader(frame);
  auto header = read_request_header(reader);
  if (header.failed()) return;
  const ApiInfo* api = find_api(header->request_api_key);
  CHECK(api != nullptr, "a header of an unknown API was taken");
  std::int16_t version = header->request_api_version;
  check_header(*header, api->request_header_version(version));
  if (version < api->min_version || version > api->max_version) return;
  const MessageOps* request = find_message(std::string(api->name) + "Request");
  CHECK(request != nullptr, "an API without request: {}", api->name);
  Untrusted result = request->check_untrusted(reader.read_raw(reader.remaining()), version);
  CHECK(result != Untrusted::kUnstable, "{} version {}", request->name, version);
}

void try_message(const Bytes& input) {
  Reader reader(input);
  std::uint16_t number = reader.read_uint16();
  std::uint8_t step = reader.read_int<std::uint8_t>();
  if (!reader.ok()) return;
  auto messages = all_messages();
  const MessageOps& message = messages[number % messages.size()];
  int versions = message.max_version - message.min_version + 1;
  auto version = static_cast<std::int16_t>(message.min_version + step % versions);
  Untrusted result = message.check_untrusted(reader.read_raw(reader.remaining()), version);
  CHECK(result != Untrusted::kUnstable, "{} version {}", message.name, version);
}

}  // namespace
}  // namespace milena::wire

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace milena;
  if (size == 0) return 0;
  Bytes rest = Bytes::copy(ByteView(data + 1, size - 1));
  if (data[0] % 2 == 0) {
    wire::try_request(rest);
  } else {
    wire::try_message(rest);
  }
  return 0;
}
