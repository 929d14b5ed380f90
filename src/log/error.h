/// LogError: why an operation on a partition's log or on a log directory failed.
///
/// Three families: the caller's or a producer's mistake (the log is as before), a full disk (the partial
/// write was cut, the log goes on), and a broken file or disk (kIo: the log is offline from then on).
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "io/error.h"
#include "wire/error_code.h"

namespace milena::log {

enum class LogErrorKind : std::uint8_t {
  kIo,                    // a read, write or sync failed: the log is offline
  kOffline,               // an earlier kIo
  kCold,                  // a look-up that may not wait would have to: cold_read.h
  kNoSpace,               // the disk is full: nothing of this operation is left behind
  kCorrupt,               // the files do not hold what a log must hold; nothing was touched
  kLocked,                // another process holds the log directory
  kInvalid,               // an argument or a name that cannot be
  kOffsetOutOfRange,      // below the log start offset or above the log end offset
  kUnexpectedOffset,      // append_raw: a batch that does not lie behind the last one
  kCorruptBatch,          // append: a batch whose format, length or CRC is wrong
  kBatchTooLarge,         // append: does not fit into an empty segment
  kOutOfOrderSequence,    // append: a producer's sequence has a gap
  kInvalidProducerEpoch,  // append: a producer's epoch is older than the known one
  kInvalidTxnState,       // append: plain records of a producer inside its transaction
  kCoordinatorFenced,     // append: a marker of an older transaction coordinator
};

struct [[nodiscard]] LogError {
  LogErrorKind kind = LogErrorKind::kIo;
  std::string message;
};

template <class T>
using LogResult = Result<T, LogError>;

/// The kind's name for messages and tests, e.g. "no space".
const char* name(LogErrorKind kind);
/// The code that a Kafka client gets for it.
wire::ErrorCode error_code(LogErrorKind kind);
/// kNoSpace, kLocked, kCold or kIo.
LogError from_io(io::IoError error);

}  // namespace milena::log

/// As TRY and TRY_ASSIGN, for an io::IoResult in a function that returns a LogResult.
#define TRY_IO(expr)                                                                \
  do {                                                                              \
    auto&& try_result_ = (expr);                                                    \
    if (!try_result_.has_value()) [[unlikely]]                                      \
      return ::milena::Err(::milena::log::from_io(std::move(try_result_.error()))); \
  } while (false)
#define TRY_IO_ASSIGN(decl, expr)                                                                          \
  auto MILENA_CONCAT(try_result_, __LINE__) = (expr);                                                      \
  if (!MILENA_CONCAT(try_result_, __LINE__).has_value()) [[unlikely]]                                      \
    return ::milena::Err(::milena::log::from_io(std::move(MILENA_CONCAT(try_result_, __LINE__).error()))); \
  decl = std::move(*MILENA_CONCAT(try_result_, __LINE__))  // NOLINT(bugprone-macro-parentheses) declares
