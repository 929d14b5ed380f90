/// IoError: why a disk or network operation failed.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace milena::io {

enum class ErrorKind : std::uint8_t {
  kNotFound,
  kExists,
  kAccess,        // permission, read-only file system
  kNoSpace,       // ENOSPC, EDQUOT: a full disk is not a broken one; never of a sync
  kIo,            // any other failed read, write or fsync
  kLocked,        // another process holds the lock
  kWouldBlock,    // the data is not in memory (File::read_cached)
  kInvalid,       // bad path, address or argument
  kClosed,        // closed by this side
  kReset,         // closed or cut by the peer in the middle
  kRefused,       // nobody listens there
  kUnreachable,   // no route, unknown host
  kAddressInUse,
  kTimeout,
  kTooMany,       // out of descriptors or memory for sockets
};

struct [[nodiscard]] IoError {
  ErrorKind kind = ErrorKind::kIo;
  int system_errno = 0;   // 0 where none applies
  std::string what;       // operation and object, e.g. "open ./data/meta.properties: No such file or directory"
};

template <class T>
using IoResult = Result<T, IoError>;

/// The kind's name for messages and tests, e.g. "no space".
const char* name(ErrorKind kind);
/// The kind that an errno of a file or socket call stands for.
ErrorKind kind_of_errno(int system_errno);
/// An IoError for `errno_value`, its text "<operation>: <strerror>".
IoError errno_error(int errno_value, std::string operation);
/// The same for a failed sync of a file or directory: never kNoSpace. What a failed sync leaves on the device
/// is not known, also where its errno says that the disk is full.
IoError sync_error(int errno_value, std::string operation);

}  // namespace milena::io
