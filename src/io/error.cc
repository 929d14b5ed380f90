#include "io/error.h"

#include <cerrno>
#include <system_error>

namespace milena::io {

const char* name(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kNotFound: return "not found";
    case ErrorKind::kExists: return "exists";
    case ErrorKind::kAccess: return "no access";
    case ErrorKind::kNoSpace: return "no space";
    case ErrorKind::kIo: return "input/output error";
    case ErrorKind::kLocked: return "locked";
    case ErrorKind::kWouldBlock: return "would block";
    case ErrorKind::kInvalid: return "invalid";
    case ErrorKind::kClosed: return "closed";
    case ErrorKind::kReset: return "reset by peer";
    case ErrorKind::kRefused: return "refused";
    case ErrorKind::kUnreachable: return "unreachable";
    case ErrorKind::kAddressInUse: return "address in use";
    case ErrorKind::kTimeout: return "timed out";
    case ErrorKind::kTooMany: return "too many open";
  }
  return "unknown";
}

ErrorKind kind_of_errno(int system_errno) {
  switch (system_errno) {
    case ENOENT: case ENOTDIR: return ErrorKind::kNotFound;
    case EEXIST: case ENOTEMPTY: return ErrorKind::kExists;
    case EACCES: case EPERM: case EROFS: return ErrorKind::kAccess;
    case ENOSPC: case EDQUOT: return ErrorKind::kNoSpace;
    case EAGAIN: return ErrorKind::kWouldBlock;
    case EINVAL: case ENAMETOOLONG: case EISDIR: case EADDRNOTAVAIL: return ErrorKind::kInvalid;
    case EBADF: case ECANCELED: return ErrorKind::kClosed;
    case ECONNRESET: case EPIPE: case ECONNABORTED: case ENOTCONN: return ErrorKind::kReset;
    case ECONNREFUSED: return ErrorKind::kRefused;
    case EHOSTUNREACH: case ENETUNREACH: return ErrorKind::kUnreachable;
    case EADDRINUSE: return ErrorKind::kAddressInUse;
    case ETIMEDOUT: return ErrorKind::kTimeout;
    case EMFILE: case ENFILE: case ENOBUFS: case ENOMEM: return ErrorKind::kTooMany;
    default: return ErrorKind::kIo;
  }
}

IoError errno_error(int errno_value, std::string operation) {
  return {kind_of_errno(errno_value), errno_value,
          std::move(operation) + ": " + std::generic_category().message(errno_value)};
}

IoError sync_error(int errno_value, std::string operation) {
  IoError error = errno_error(errno_value, std::move(operation));
  if (error.kind == ErrorKind::kNoSpace) error.kind = ErrorKind::kIo;
  return error;
}

}  // namespace milena::io
