// Random values of every message, encoded by the product's own code.
#include <fmt/format.h>

#include <array>
#include <set>

#include "base/endian.h"
#include "seeds.h"
#include "wire/api_table.h"
#include "wire/messages/request_header.h"
#include "wire/testing/registry.h"
#include "wire/writer.h"

namespace milena::fuzz {
namespace {

constexpr std::size_t kSeedMax = 4096;

Buffer request_header(const wire::ApiInfo& api, std::int16_t version) {
  wire::RequestHeader header{.request_api_key = api.key, .request_api_version = version, .correlation_id = 1};
  header.client_id = "seed";
  wire::Writer writer;
  header.encode(writer, api.request_header_version(version));
  Buffer bytes;
  bytes.append(writer.to_bytes());
  return bytes;
}

}  // namespace

void seed_frames(const Sink& sink) {
  Random random(1);
  auto messages = wire::all_messages();
  for (std::size_t number = 0; number < messages.size(); ++number) {
    const wire::MessageOps& message = messages[number];
    int last = message.max_version - message.min_version;
    for (int step : std::set<int>{0, last / 2, last}) {
      auto version = static_cast<std::int16_t>(message.min_version + step);
      Bytes body = message.random(random, version).bytes;
      if (body.size() > kSeedMax) continue;
      std::array<std::uint8_t, 2> index{};
      store_be(index.data(), static_cast<std::uint16_t>(number));
      Buffer rest;
      rest.append(ByteView(index));
      rest.push_back(static_cast<std::uint8_t>(step));
      rest.append(body);
      sink(fmt::format("{}-{}", message.name, version), 1, rest.view());
    }
  }
  for (const wire::ApiInfo& api : wire::kApis) {
    for (const wire::MessageOps& message : messages) {
      if (message.name != fmt::format("{}Request", api.name)) continue;
      for (std::int16_t version = api.min_version; version <= api.max_version; ++version) {
        Bytes body = message.random(random, version).bytes;
        if (body.size() > kSeedMax) continue;
        Buffer rest = request_header(api, version);
        rest.append(body);
        sink(fmt::format("frame-{}-{}", message.name, version), 0, rest.view());
      }
    }
  }
}

}  // namespace milena::fuzz
