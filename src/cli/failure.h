/// Failure: why a verb ends, as a person reads it: what, why and the next command; and the exit code.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "client/error.h"

namespace milena::cli {

enum class Exit : std::uint8_t {
  kOk = 0,
  kFailed = 1,
  kUsage = 2,
  kNotFound = 3,
  kNotAllowed = 4,
  kUnreachable = 5,  // interrupted: 128 + the signal, see rdkafka.h
};

struct [[nodiscard]] Failure {
  Exit exit = Exit::kFailed;
  std::string what;  // "cannot create topic 'orders'"
  std::string why;   // may be empty
  std::string next;  // a command or an advice; may be empty
};

template <class T>
using Outcome = Result<T, Failure>;

Failure usage(std::string what, std::string next = {});
/// `what` was tried and a broker answered with `code`.
Failure broker_failure(std::string what, wire::ErrorCode code, std::string_view detail,
                       std::string next = {});
/// `what` was tried and no answer came, or none that helps.
Failure client_failure(std::string what, const client::ClientError& error);
Exit exit_of(wire::ErrorCode code);
/// What to do about a code that means the same whatever was tried; empty: nothing is known.
std::string next_of(wire::ErrorCode code);

/// What to look at where no coordinator of a group answers.
inline constexpr const char* kNoCoordinator =
    "milena status; with fewer brokers than offsets.topic.replication.factor (default 3) the groups' topic "
    "cannot be created: start more, or lower the key";

/// "error: what: why\n  next: ...\n", coloured or not.
std::string render(const Failure& failure, bool colour);

}  // namespace milena::cli
