#include "log/error.h"

#include "base/mutant.h"

namespace milena::log {

const char* name(LogErrorKind kind) {
  switch (kind) {
    case LogErrorKind::kIo:
      return "i/o error";
    case LogErrorKind::kOffline:
      return "offline";
    case LogErrorKind::kCold:
      return "not in memory";
    case LogErrorKind::kNoSpace:
      return "no space";
    case LogErrorKind::kCorrupt:
      return "corrupt";
    case LogErrorKind::kLocked:
      return "locked";
    case LogErrorKind::kInvalid:
      return "invalid";
    case LogErrorKind::kOffsetOutOfRange:
      return "offset out of range";
    case LogErrorKind::kUnexpectedOffset:
      return "unexpected offset";
    case LogErrorKind::kCorruptBatch:
      return "corrupt batch";
    case LogErrorKind::kBatchTooLarge:
      return "batch too large";
    case LogErrorKind::kOutOfOrderSequence:
      return "out of order sequence";
    case LogErrorKind::kInvalidProducerEpoch:
      return "invalid producer epoch";
    case LogErrorKind::kInvalidTxnState:
      return "invalid transaction state";
    case LogErrorKind::kCoordinatorFenced:
      return "coordinator fenced";
  }
  return "unknown";
}

wire::ErrorCode error_code(LogErrorKind kind) {
  if (kind == LogErrorKind::kNoSpace && MILENA_MUTANT("vague-error")) return wire::ErrorCode::UNKNOWN_SERVER_ERROR;
  switch (kind) {
    case LogErrorKind::kIo:
    case LogErrorKind::kOffline:
    case LogErrorKind::kCold:
    case LogErrorKind::kNoSpace:
    case LogErrorKind::kCorrupt:
    case LogErrorKind::kLocked:
      return wire::ErrorCode::KAFKA_STORAGE_ERROR;
    case LogErrorKind::kInvalid:
      return wire::ErrorCode::INVALID_REQUEST;
    case LogErrorKind::kOffsetOutOfRange:
      return wire::ErrorCode::OFFSET_OUT_OF_RANGE;
    case LogErrorKind::kUnexpectedOffset:
      return wire::ErrorCode::UNKNOWN_SERVER_ERROR;
    case LogErrorKind::kCorruptBatch:
      return wire::ErrorCode::CORRUPT_MESSAGE;
    case LogErrorKind::kBatchTooLarge:
      return wire::ErrorCode::RECORD_LIST_TOO_LARGE;
    case LogErrorKind::kOutOfOrderSequence:
      return wire::ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER;
    case LogErrorKind::kInvalidProducerEpoch:
      return wire::ErrorCode::INVALID_PRODUCER_EPOCH;
    case LogErrorKind::kInvalidTxnState:
      return wire::ErrorCode::INVALID_TXN_STATE;
    case LogErrorKind::kCoordinatorFenced:
      return wire::ErrorCode::TRANSACTION_COORDINATOR_FENCED;
  }
  return wire::ErrorCode::UNKNOWN_SERVER_ERROR;
}

LogError from_io(io::IoError error) {
  LogErrorKind kind = LogErrorKind::kIo;
  if (error.kind == io::ErrorKind::kNoSpace && !MILENA_MUTANT("full-is-broken")) kind = LogErrorKind::kNoSpace;
  if (error.kind == io::ErrorKind::kLocked) kind = LogErrorKind::kLocked;
  if (error.kind == io::ErrorKind::kWouldBlock) kind = LogErrorKind::kCold;
  return {kind, std::move(error.what)};
}

}  // namespace milena::log
