/// FakeBroker: a scripted peer for tests of clients in the simulated world. It answers ApiVersions from the
/// versions of its handlers, other requests by calling them, and notes what it was asked.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "client/api_versions.h"
#include "io/loop.h"
#include "wire/reader.h"
#include "wire/writer.h"

namespace milena::client {

class FakeBroker {
 public:
  /// Gets version and body of a request, gives the body of the answer; nullopt: never answers.
  using Handler = std::function<std::optional<Bytes>(std::int16_t, wire::Reader&)>;

  template <class Api>
  void on(VersionRange versions,
          std::function<std::optional<typename Api::Response>(std::int16_t, const typename Api::Request&)>
              handle) {
    served[Api::key] = versions;
    handlers[Api::key] = [handle = std::move(handle)](std::int16_t version,
                                                      wire::Reader& reader) -> std::optional<Bytes> {
      typename Api::Request request;
      request.decode(reader, version);
      if (!reader.finished()) return std::nullopt;
      auto response = handle(version, request);
      if (!response) return std::nullopt;
      wire::Writer writer;
      response->encode(writer, version);
      return writer.to_bytes();
    };
  }

  /// Accepts connections for ever. Ends when the port cannot be had.
  io::Task<void> serve(io::Loop* loop, std::uint16_t port);

  std::map<std::int16_t, VersionRange> served;  // ApiVersions itself is entered by serve() if it is not there
  std::map<std::int16_t, Handler> handlers;
  std::vector<std::pair<std::int16_t, std::int16_t>> seen;  // api key and version, in order of arrival
  std::size_t connections = 0;
  bool hold = false;  // answers wait until `held` of them are there, then go out last first
  std::size_t held = 0;
  bool garbage = false;  // answers are no Kafka
  bool hang_up = false;  // closes at the first request after ApiVersions

 private:
  io::Task<void> talk(io::Loop* loop, std::unique_ptr<io::AcceptedSocket> socket);
  std::optional<Bytes> answer(const Bytes& request);
};

}  // namespace milena::client
