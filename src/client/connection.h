/// Connection: one TCP connection to a broker or controller, with requests in flight side by side.
///
/// Opening negotiates versions (ApiVersions, falling back when the peer does not know our version of it).
/// call<Api>() then uses the highest version that both sides know. Requests are sent in the order of the
/// calls, those of one turn of the loop in one write; answers are matched by correlation id. There is no
/// retry here.
///
///   auto opened = co_await Connection::open(&loop, {"localhost", 9092});
///   if (opened.failed()) ...
///   wire::MetadataRequest request;
///   auto response = co_await (*opened)->call<wire::MetadataApi>(std::move(request));
///
/// Ownership: shared by its users; the last one to go closes it. A call may be destroyed while it waits.
/// Threads: the loop it was opened on. Limits: an answer of at most ConnectionOptions::response_max bytes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/time.h"
#include "client/api_versions.h"
#include "client/error.h"
#include "io/loop.h"
#include "wire/messages/request_header.h"
#include "wire/reader.h"
#include "wire/writer.h"

namespace milena::client {

struct ConnectionOptions {
  std::string client_id = "milena";
  Duration connect_timeout = 10s;  // of connecting and version negotiation together
  Duration request_timeout = 30s;
  std::int32_t response_max = 100 << 20;  // bytes
};

/// How to make one call. The version range narrows what the API has: a caller that relies on a field gives
/// the first version that carries it. `timeout` zero: the connection's request_timeout.
struct CallOptions {
  std::int16_t min_version = 0;
  std::int16_t max_version = 32767;
  Duration timeout = Duration::zero();
};

class Connection {
 public:
  /// Errors: kUnreachable, kTimeout, kMalformed and kUnsupported.
  static io::Task<ClientResult<std::shared_ptr<Connection>>> open(io::Loop* loop, io::Endpoint to,
                                                                  ConnectionOptions options);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Errors: kUnsupported, kClosed, kTimeout (later answers are dropped, the connection stays), kMalformed
  /// (the connection is closed). Error codes inside the response are the caller's to look at.
  template <class Api>
  io::Task<ClientResult<typename Api::Response>> call(typename Api::Request request,
                                                      CallOptions options = {}) {
    using Response = typename Api::Response;
    auto version = choose<Api>(options);
    if (version.failed()) co_return Err(std::move(version.error()));
    std::int32_t correlation = next_correlation();
    wire::Writer writer = begin_request<Api>(*version, correlation);
    request.encode(writer, *version);
    Duration timeout = options.timeout;
    auto answer = co_await exchange(Api::name, correlation, std::move(writer), timeout);
    if (answer.failed()) co_return Err(std::move(answer.error()));
    wire::Reader reader(std::move(*answer));
    if (Api::response_header_version(*version) >= 1) reader.skip_tags();
    Response response;
    response.decode(reader, *version);
    if (!reader.finished()) co_return Err(malformed(Api::name, *version));
    co_return response;
  }

  /// The version that call<Api>() would use. Errors: kUnsupported.
  template <class Api>
  ClientResult<std::int16_t> choose(CallOptions options = {}) const {
    std::int16_t max = Api::latest_unstable ? Api::max_version - 1 : Api::max_version;
    WantedApi wanted{Api::name,
                     Api::key,
                     {std::max(Api::min_version, options.min_version), std::min(max, options.max_version)}};
    return choose_version(wanted);
  }
  const PeerVersions& versions() const { return versions_; }

  /// False once the peer or this side has closed it; calls fail with kClosed then.
  bool is_open() const;
  /// Fails what is in flight with kClosed. Idempotent.
  void close();
  const io::Endpoint& peer() const;
  std::size_t in_flight() const;

 private:
  struct State;
  friend struct State;
  explicit Connection(std::shared_ptr<State> state) : state_(std::move(state)) {}
  io::Task<ClientResult<void>> negotiate();

  std::int32_t next_correlation();
  ClientResult<std::int16_t> choose_version(const WantedApi& wanted) const;
  template <class Api>
  wire::Writer begin_request(std::int16_t version, std::int32_t correlation) const {
    wire::RequestHeader header;
    header.request_api_key = Api::key;
    header.request_api_version = version;
    header.correlation_id = correlation;
    return begin_request(std::move(header), Api::request_header_version(version));
  }
  wire::Writer begin_request(wire::RequestHeader header, std::int16_t header_version) const;
  /// Sends the request and waits for what follows the correlation id of its answer.
  io::Task<ClientResult<Bytes>> exchange(std::string_view api, std::int32_t correlation, wire::Writer request,
                                         Duration timeout);
  ClientError malformed(std::string_view api, std::int16_t version);

  static io::Task<void> connect(std::shared_ptr<State> state);
  static io::Task<void> read_all(std::shared_ptr<State> state);
  static io::Task<void> write_all(std::shared_ptr<State> state);

  std::shared_ptr<State> state_;
  PeerVersions versions_;
};

}  // namespace milena::client
