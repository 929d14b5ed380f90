#include "client/error.h"

#include <fmt/format.h>

namespace milena::client {

const char* name(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kUnreachable:
      return "unreachable";
    case ErrorKind::kClosed:
      return "closed";
    case ErrorKind::kTimeout:
      return "timeout";
    case ErrorKind::kMalformed:
      return "malformed";
    case ErrorKind::kUnsupported:
      return "unsupported";
    case ErrorKind::kBroker:
      return "broker";
    case ErrorKind::kNoLeader:
      return "no leader";
  }
  return "unknown";
}

ClientError connect_error(const io::Endpoint& to, const io::IoError& cause) {
  std::string why;
  switch (cause.kind) {
    case io::ErrorKind::kRefused:
      why = "nothing listens there; is the server running, and on this port?";
      break;
    case io::ErrorKind::kUnreachable:
      why = fmt::format("{}; check the host name and the network", cause.what);
      break;
    case io::ErrorKind::kTimeout:
      why = "no answer; a firewall or a wrong address?";
      break;
    default:
      why = cause.what;
      break;
  }
  ErrorKind kind = cause.kind == io::ErrorKind::kTimeout ? ErrorKind::kTimeout : ErrorKind::kUnreachable;
  return {kind, wire::ErrorCode::NONE, fmt::format("cannot connect to {}: {}", to_string(to), why)};
}

ClientError connect_timeout(const io::Endpoint& to, Duration waited) {
  return {ErrorKind::kTimeout, wire::ErrorCode::NONE,
          fmt::format("cannot connect to {}: no answer within {} ms; a firewall or a wrong address?",
                      to_string(to), to_ms(waited))};
}

ClientError broker_error(std::string_view api, wire::ErrorCode code, std::string_view detail) {
  std::string_view what = detail.empty() ? wire::message(code) : detail;
  return {ErrorKind::kBroker, code, fmt::format("{}: {} ({})", api, what, name(code))};
}

}  // namespace milena::client
