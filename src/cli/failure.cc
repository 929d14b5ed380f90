#include "cli/failure.h"

#include <fmt/format.h>

namespace milena::cli {

Failure usage(std::string what, std::string next) {
  return {Exit::kUsage, std::move(what), {}, std::move(next)};
}

Exit exit_of(wire::ErrorCode code) {
  using wire::ErrorCode;
  switch (code) {
    case ErrorCode::NONE:
      return Exit::kOk;
    case ErrorCode::UNKNOWN_TOPIC_OR_PARTITION:
    case ErrorCode::UNKNOWN_TOPIC_ID:
    case ErrorCode::GROUP_ID_NOT_FOUND:
    case ErrorCode::RESOURCE_NOT_FOUND:
      return Exit::kNotFound;
    case ErrorCode::TOPIC_AUTHORIZATION_FAILED:
    case ErrorCode::GROUP_AUTHORIZATION_FAILED:
    case ErrorCode::CLUSTER_AUTHORIZATION_FAILED:
    case ErrorCode::SASL_AUTHENTICATION_FAILED:
      return Exit::kNotAllowed;
    case ErrorCode::REQUEST_TIMED_OUT:
      return Exit::kUnreachable;
    default:
      return Exit::kFailed;
  }
}

std::string next_of(wire::ErrorCode code) {
  switch (code) {
    case wire::ErrorCode::COORDINATOR_NOT_AVAILABLE:
      return kNoCoordinator;
    case wire::ErrorCode::BROKER_NOT_AVAILABLE:
      return "milena status shows the brokers";
    case wire::ErrorCode::LEADER_NOT_AVAILABLE:
      return "milena status shows which partitions have no leader, and which brokers are there";
    default:
      return {};
  }
}

Failure broker_failure(std::string what, wire::ErrorCode code, std::string_view detail, std::string next) {
  std::string_view why = detail.empty() ? wire::message(code) : detail;
  if (next.empty()) next = next_of(code);
  return {exit_of(code), std::move(what), fmt::format("{} ({})", why, wire::name(code)), std::move(next)};
}

Failure client_failure(std::string what, const client::ClientError& error) {
  Failure failure{Exit::kFailed, std::move(what), error.message, {}};
  switch (error.kind) {
    case client::ErrorKind::kUnreachable:
    case client::ErrorKind::kTimeout:
    case client::ErrorKind::kClosed:
      failure.exit = Exit::kUnreachable;
      failure.next = "start a server with 'milena server', or name one with -b host:port (or MILENA_BROKERS)";
      break;
    case client::ErrorKind::kMalformed:
      failure.next = "name the PLAINTEXT listener of a broker with -b host:port";
      break;
    case client::ErrorKind::kUnsupported:
      failure.next = "name a broker's port with -b host:port, of a server that supports it";
      break;
    case client::ErrorKind::kBroker:
    case client::ErrorKind::kNoLeader:
      failure.exit = exit_of(error.code);
      failure.next = next_of(error.code);
      break;
  }
  return failure;
}

std::string render(const Failure& failure, bool colour) {
  std::string text = colour ? "\033[1;31merror:\033[0m " : "error: ";
  text += failure.what;
  if (!failure.why.empty()) text += ": " + failure.why;
  text += '\n';
  if (!failure.next.empty()) text += "  next: " + failure.next + '\n';
  return text;
}

}  // namespace milena::cli
