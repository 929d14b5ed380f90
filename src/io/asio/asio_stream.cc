#include "io/asio/asio_stream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "io/asio/socket_address.h"

namespace milena::io {
namespace {

constexpr std::size_t kMaxPieces = 1024;              // IOV_MAX
constexpr std::uint64_t kSendFileChunk = 1 << 20;     // bytes per sendfile call
constexpr std::size_t kIovOnStack = 64;

struct Connection {
  explicit Connection(std::shared_ptr<Watched> socket) : watched(std::move(socket)) {}
  std::shared_ptr<Watched> watched;
  // The last read emptied the socket: the next one waits without trying.
  bool drained = false;
};
using ConnectionPtr = std::shared_ptr<Connection>;

IoError closed_error(const char* operation) {
  return {ErrorKind::kClosed, 0, std::string(operation) + ": closed"};
}

Task<IoResult<std::size_t>> read_from(ConnectionPtr connection, MutableByteView into) {
  if (into.empty()) co_return std::size_t{0};
  while (true) {
    if (connection->drained) {
      co_await connection->watched->readable();
      connection->drained = false;
    }
    if (connection->watched->closed()) co_return Err(closed_error("read"));
    ssize_t got = ::recv(connection->watched->descriptor(), into.data(), into.size(), 0);
    if (got >= 0) {
      connection->drained = got > 0 && static_cast<std::size_t>(got) < into.size();
      co_return static_cast<std::size_t>(got);
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) co_return Err(errno_error(errno, "read"));
    connection->drained = true;
  }
}

// Where a gathering write stands.
struct Position {
  std::size_t piece = 0;
  std::size_t within = 0;

  void advance(std::span<const ByteView> pieces, std::size_t count) {
    while (piece < pieces.size() && count >= pieces[piece].size() - within) {
      count -= pieces[piece].size() - within;
      within = 0;
      ++piece;
    }
    within += count;
  }
};

// One sendmsg from `at` on.
ssize_t send_some(int fd, std::span<const ByteView> pieces, const Position& at) {
  auto gather = [&](iovec* vector, std::size_t room) {
    std::size_t count = 0;
    for (std::size_t i = at.piece; i < pieces.size() && count < room; ++i) {
      std::size_t skip = i == at.piece ? at.within : 0;
      if (pieces[i].size() == skip) continue;
      vector[count++] = {const_cast<std::uint8_t*>(pieces[i].data()) + skip, pieces[i].size() - skip};
    }
    msghdr message{};
    message.msg_iov = vector;
    message.msg_iovlen = count;
    return ::sendmsg(fd, &message, MSG_NOSIGNAL);
  };
  if (pieces.size() - at.piece <= kIovOnStack) {
    std::array<iovec, kIovOnStack> few;
    return gather(few.data(), few.size());
  }
  std::array<iovec, kMaxPieces> many;
  return gather(many.data(), many.size());
}

Task<IoResult<void>> write_to(ConnectionPtr connection, std::span<const ByteView> pieces) {
  Position at;
  at.advance(pieces, 0);  // over empty pieces
  while (at.piece < pieces.size()) {
    if (connection->watched->closed()) co_return Err(closed_error("write"));
    ssize_t put = send_some(connection->watched->descriptor(), pieces, at);
    if (put >= 0) {
      at.advance(pieces, static_cast<std::size_t>(put));
    } else if (errno == EAGAIN) {
      co_await connection->watched->writable();
    } else if (errno != EINTR) {
      co_return Err(errno_error(errno, "write"));
    }
  }
  co_return IoResult<void>{};
}

Task<IoResult<void>> send_file_to(ConnectionPtr connection, int source, std::uint64_t offset, std::uint64_t count) {
  while (count > 0) {
    if (connection->watched->closed()) co_return Err(closed_error("send file"));
    auto position = static_cast<off_t>(offset);
    std::size_t chunk = std::min(count, kSendFileChunk);
    ssize_t put = ::sendfile(connection->watched->descriptor(), source, &position, chunk);
    if (put > 0) {
      offset += static_cast<std::uint64_t>(put);
      count -= static_cast<std::uint64_t>(put);
    } else if (put == 0) {
      co_return Err(IoError{ErrorKind::kIo, 0, "send file: unexpected end of file"});
    } else if (errno == EAGAIN) {
      co_await connection->watched->writable();
    } else if (errno != EINTR) {
      co_return Err(errno_error(errno, "send file"));
    }
  }
  co_return IoResult<void>{};
}

class AsioStream final : public Stream {
 public:
  explicit AsioStream(WatchedOwner socket)
      : socket_(std::move(socket)),
        connection_(std::make_shared<Connection>(socket_.shared())),
        local_(local_endpoint(socket_->descriptor())),
        peer_(peer_endpoint(socket_->descriptor())) {}

  Task<IoResult<std::size_t>> read_some(MutableByteView into) override { return read_from(connection_, into); }
  Task<IoResult<void>> write(std::span<const ByteView> pieces) override { return write_to(connection_, pieces); }
  Task<IoResult<void>> send_file(File& file, std::uint64_t offset, std::uint64_t count) override {
    return send_file_to(connection_, file.descriptor(), offset, count);
  }
  void close() override { socket_->close(); }
  Endpoint local() const override { return local_; }
  Endpoint peer() const override { return peer_; }

 private:
  WatchedOwner socket_;
  ConnectionPtr connection_;
  Endpoint local_;
  Endpoint peer_;
};

}  // namespace

std::unique_ptr<Stream> make_stream(WatchedOwner socket) {
  int fd = socket->descriptor();
  int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return std::make_unique<AsioStream>(std::move(socket));
}

}  // namespace milena::io
