#include "client/fake_broker.h"

#include <algorithm>

#include "base/endian.h"
#include "wire/apis/api_versions.h"
#include "wire/frame.h"

namespace milena::client {
namespace {

io::Task<bool> read_exactly(io::Stream* stream, MutableByteView into) {
  while (!into.empty()) {
    auto got = co_await stream->read_some(into);
    if (got.failed() || *got == 0) co_return false;
    into = into.subspan(*got);
  }
  co_return true;
}

}  // namespace

io::Task<void> FakeBroker::serve(io::Loop* loop, std::uint16_t port) {
  served.try_emplace(wire::ApiVersionsApi::key, VersionRange{0, 4});
  io::Endpoint at{"", port};
  auto listener = loop->net().listen(at);
  if (listener.failed()) co_return;
  while (true) {
    auto accepted = co_await (*listener)->accept();
    if (accepted.failed()) co_return;
    ++connections;
    loop->spawn(talk(loop, std::move(*accepted)));
  }
}

std::optional<Bytes> FakeBroker::answer(const Bytes& request) {
  wire::Reader reader(request);
  auto header = wire::read_request_header(reader);
  if (header.failed()) return std::nullopt;
  const wire::ApiInfo* api = wire::find_api(header->request_api_key);
  std::int16_t version = header->request_api_version;
  seen.emplace_back(api->key, version);
  wire::Writer writer;
  writer.write_int32(garbage ? -5 : header->correlation_id);
  if (api->response_header_version(version) >= 1) writer.write_uvarint(0);
  if (api->key == wire::ApiVersionsApi::key) {
    VersionRange range = served[api->key];
    wire::ApiVersionsResponse response;
    bool refused = version < range.min || version > range.max;
    if (refused) response.error_code = wire::to_int16(wire::ErrorCode::UNSUPPORTED_VERSION);
    for (auto [key, versions] : served) {
      auto& entry = response.api_keys.emplace_back();
      entry.api_key = key;
      entry.min_version = versions.min;
      entry.max_version = versions.max;
    }
    if (refused) version = 0;
    response.encode(writer, version);
    return writer.to_bytes();
  }
  auto handler = handlers.find(api->key);
  if (handler == handlers.end()) return std::nullopt;
  auto body = handler->second(version, reader);
  if (!body) return std::nullopt;
  writer.write_raw(*body);
  return writer.to_bytes();
}

io::Task<void> FakeBroker::talk(io::Loop* loop, std::unique_ptr<io::AcceptedSocket> socket) {
  auto stream = loop->net().adopt(std::move(socket));
  std::vector<Bytes> waiting;
  while (true) {
    std::uint8_t size[4];
    bool read = co_await read_exactly(stream.get(), MutableByteView(size));
    if (!read) co_return;
    Buffer body;
    body.resize(load_be<std::uint32_t>(size));
    read = co_await read_exactly(stream.get(), MutableByteView(body.data(), body.size()));
    if (!read) co_return;
    Bytes request = body.freeze();
    bool negotiation = load_be<std::int16_t>(request.data()) == wire::ApiVersionsApi::key;
    if (hang_up && !negotiation) co_return;
    auto reply = answer(request);
    if (!reply) continue;
    waiting.push_back(std::move(*reply));
    if (hold && !negotiation && waiting.size() < held) continue;
    std::reverse(waiting.begin(), waiting.end());
    for (const Bytes& one : waiting) {
      Buffer frame;
      frame.resize(4);
      store_be<std::uint32_t>(frame.data(), static_cast<std::uint32_t>(one.size()));
      frame.append(one.view());
      std::vector<ByteView> pieces{frame.view()};
      auto written = co_await stream->write(pieces);
      if (written.failed()) co_return;
    }
    waiting.clear();
  }
}

}  // namespace milena::client
