/// What a handler is: one Kafka API, in its own file pair under broker/handlers/.
///
///   struct HeartbeatHandler {
///     using Api = wire::HeartbeatApi;                      // generated: key, Request, Response
///     static constexpr VersionRange versions{0, 4};        // what is served
///     static io::Task<Api::Response> handle(RequestContext context, Api::Request request);
///   };
///   const HandlerEntry kHeartbeat = make_handler<HeartbeatHandler>();
///
/// and, in the order of the keys, one line in handlers/handler_list.cc, from which dispatch and ApiVersions take what is
/// served.
/// `handle` may return Task<std::optional<Response>>: no value means that nothing is sent (acks=0). It may return a
/// struct with `encode` and `spliced`: records for the stand-ins among the response's fields, in order.
/// Decoding and encoding happen here, once, for all.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "broker/request_context.h"
#include "io/task.h"
#include "log/read_plan.h"
#include "replica/records.h"
#include "wire/reader.h"
#include "wire/writer.h"

namespace milena::broker {

struct VersionRange {
  std::int16_t low = 0;
  std::int16_t high = 0;
  constexpr bool contains(std::int16_t version) const { return version >= low && version <= high; }
};

/// The listeners that serve an API.
enum class Serves : std::uint8_t { kBroker = 1, kController = 2, kBoth = 3 };
constexpr bool serves(Serves set, Serves one) {
  return (static_cast<std::uint8_t>(set) & static_cast<std::uint8_t>(one)) != 0;
}

/// What goes back to the client: the response body in pieces, or nothing, or the end of the connection.
struct Answer {
  enum class Kind : std::uint8_t { kSend, kSilent, kClose };
  Kind kind = Kind::kSend;
  std::vector<Bytes> body;
  /// For each of the body's stand-ins (StandIns::is_one), in order: what is sent in its place.
  std::vector<log::FileSlice> files;
  Answer() = default;
  explicit Answer(Kind k) : kind(k) {}
  explicit Answer(std::vector<Bytes> pieces) : body(std::move(pieces)) {}
};

struct HandlerEntry {
  std::int16_t key;
  std::string_view name;
  VersionRange versions;
  Serves listeners;
  std::int16_t flexible_from;
  io::Task<Answer> (*serve)(RequestContext context, wire::Reader body);
  /// The last version that unstable.api.versions.enable opens; versions.high where Kafka has none of that kind.
  std::int16_t unstable_high;
  /// A connection's next request may be begun before this one is answered. What matters to the next one
  /// takes the same number of steps through ready queues and inboxes, whatever the request: so order is kept.
  bool overlaps;

  VersionRange served(bool unstable) const { return {versions.low, unstable ? unstable_high : versions.high}; }
};

namespace detail {

template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};

/// Puts records for the stand-ins of an encoded body: pieces at once, files when the connection comes to them.
Answer with_records(const StandIns& stand_ins, std::vector<Bytes> body, std::vector<replica::Records> records);

template <class Handler>
io::Task<Answer> serve(RequestContext context, wire::Reader body) {
  using Api = typename Handler::Api;
  typename Api::Request request;
  std::int16_t version = context.api_version;
  LoopState* local = context.local;
  // Trailing bytes are as malformed as missing ones: the peer and we disagree about the version.
  if (!request.decode(body, version) || !body.ok()) co_return Answer(Answer::Kind::kClose);
  auto response = co_await Handler::handle(std::move(context), std::move(request));
  wire::Writer writer;
  if constexpr (IsOptional<decltype(response)>::value) {
    if (!response.has_value()) co_return Answer(Answer::Kind::kSilent);
    response->encode(writer, version);
  } else {
    response.encode(writer, version);
  }
  if (!writer.ok()) co_return Answer(Answer::Kind::kClose);
  if constexpr (requires { response.spliced; }) {
    co_return with_records(local->stand_ins, writer.finish(), std::move(response.spliced));
  } else {
    co_return Answer(writer.finish());
  }
}

}  // namespace detail

template <class Handler>
constexpr HandlerEntry make_handler(Serves listeners = Serves::kBroker) {
  using Api = typename Handler::Api;
  static_assert(Handler::versions.low >= Api::min_version && Handler::versions.high <= Api::max_version);
  std::int16_t unstable_high = Handler::versions.high;
  if constexpr (requires { Handler::unstable_high; }) unstable_high = Handler::unstable_high;
  bool overlaps = false;
  if constexpr (requires { Handler::overlaps; }) overlaps = Handler::overlaps;
  return {Api::key,          Api::name,     Handler::versions, listeners, Api::flexible_from, &detail::serve<Handler>,
          unstable_high,     overlaps};
}

}  // namespace milena::broker
