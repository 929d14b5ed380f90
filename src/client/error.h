/// ClientError: why a request to a broker did not give what was asked for.
///
/// The kind decides what a program does (try again, another broker, give up); `message` is for people: what
/// was tried, why it failed and, where there is one, the next step.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "io/error.h"
#include "io/net.h"
#include "wire/error_code.h"

namespace milena::client {

enum class ErrorKind : std::uint8_t {
  kUnreachable,  // no connection: unknown host, nobody listens, no route
  kClosed,       // the connection ended while an answer was awaited: the request may have been done or not
  kTimeout,      // no answer in time: the request may have been done or not
  kMalformed,    // the peer does not speak Kafka, or speaks it wrongly
  kUnsupported,  // the peer does not serve the API, or not in a version that can say what was asked
  kBroker,       // the peer answered with an error: `code`
  kNoLeader,     // the partition has no leader, or is not known, after all retries
};

struct [[nodiscard]] ClientError {
  ErrorKind kind = ErrorKind::kBroker;
  wire::ErrorCode code = wire::ErrorCode::NONE;  // kBroker, kNoLeader: the peer's code
  std::string message;
};

template <class T>
using ClientResult = Result<T, ClientError>;

/// The kind's name for messages and tests, e.g. "unreachable".
const char* name(ErrorKind kind);

/// A failed connect: the system said no, or nothing within `waited`.
ClientError connect_error(const io::Endpoint& to, const io::IoError& cause);
ClientError connect_timeout(const io::Endpoint& to, Duration waited);
/// A peer's error code in answer to `api`; `detail` is its error_message, or empty.
ClientError broker_error(std::string_view api, wire::ErrorCode code, std::string_view detail = {});

}  // namespace milena::client
