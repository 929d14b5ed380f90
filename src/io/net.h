/// Net: listeners and connections (TCP). A stream belongs to the loop whose Net made or adopted it and is
/// used there only. Bytes arrive in pieces of any size.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/bytes.h"
#include "io/disk.h"
#include "io/error.h"
#include "io/task.h"

namespace milena::io {

/// A numeric address or a host name, and a port. IPv6 addresses stand without brackets.
struct Endpoint {
  std::string host;
  std::uint16_t port = 0;
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};
/// "host:port", IPv6 in brackets.
std::string to_string(const Endpoint& endpoint);

class Stream {
 public:
  virtual ~Stream() = default;
  /// Waits for bytes and reads up to into.size(); 0: the peer has closed its side. One read at a time.
  virtual Task<IoResult<std::size_t>> read_some(MutableByteView into) = 0;
  /// Writes all pieces in order, as few system calls as it takes. The memory must stay until it returns.
  /// One write (or send_file) at a time.
  virtual Task<IoResult<void>> write(std::span<const ByteView> pieces) = 0;
  /// Sends count bytes of the file from offset. Errors: kIo when the file is shorter.
  virtual Task<IoResult<void>> send_file(File& file, std::uint64_t offset, std::uint64_t count) = 0;
  /// Wakes pending operations with kClosed; the socket is gone for the peer. Idempotent.
  virtual void close() = 0;
  virtual Endpoint local() const = 0;
  virtual Endpoint peer() const = 0;
};

/// A connection that was accepted and belongs to no loop yet; may be moved to another thread.
class AcceptedSocket {
 public:
  virtual ~AcceptedSocket() = default;
};

class Listener {
 public:
  virtual ~Listener() = default;
  virtual Task<IoResult<std::unique_ptr<AcceptedSocket>>> accept() = 0;
  virtual void close() = 0;
  /// The bound address, with the port that was chosen when 0 was asked for.
  virtual Endpoint local() const = 0;
};

class Net {
 public:
  virtual ~Net() = default;
  /// Binds and listens. An empty host: all addresses, IPv4 and IPv6. Errors: kAddressInUse, kAccess, kInvalid.
  virtual IoResult<std::unique_ptr<Listener>> listen(const Endpoint& endpoint) = 0;
  /// Takes over an accepted connection. REQUIRES: called on this Net's loop.
  virtual std::unique_ptr<Stream> adopt(std::unique_ptr<AcceptedSocket> socket) = 0;
  virtual Task<IoResult<std::unique_ptr<Stream>>> connect(Endpoint endpoint) = 0;
};

}  // namespace milena::io
