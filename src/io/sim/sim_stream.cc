#include <algorithm>
#include <vector>

#include "io/sim/sim_connection.h"

namespace milena::io {
namespace {

using ConnectionPtr = std::shared_ptr<SimConnection>;

constexpr std::size_t kFileChunk = 64 << 10;  // bytes read at a time by send_file

IoError end_error(const SimEnd& end, const char* operation) {
  bool closed = !end.open;
  return {closed ? ErrorKind::kClosed : ErrorKind::kReset, 0,
          std::string(operation) + (closed ? ": closed" : ": connection reset")};
}

}  // namespace

/// The Stream over one end. Coroutines in flight hold the connection, not this object.
class SimStream final : public Stream {
 public:
  SimStream(SimNet& net, SimLoop& loop, ConnectionPtr connection, int side)
      : net_(net), loop_(loop), connection_(std::move(connection)), side_(side) {}
  ~SimStream() override { close(); }

  Task<IoResult<std::size_t>> read_some(MutableByteView into) override {
    return read(&net_, &loop_, connection_, side_, into);
  }
  Task<IoResult<void>> write(std::span<const ByteView> pieces) override {
    ++net_.writes_[connection_->ends[side_].node];
    return write(&net_, &loop_, connection_, side_, pieces);
  }
  Task<IoResult<void>> send_file(File& file, std::uint64_t offset, std::uint64_t count) override {
    return send_file(&net_, &loop_, connection_, side_, &file, offset, count);
  }
  void close() override { net_.close_end(*connection_, side_); }
  Endpoint local() const override { return connection_->ends[side_].local; }
  Endpoint peer() const override { return connection_->ends[1 - side_].local; }

 private:
  static Task<IoResult<std::size_t>> read(SimNet* net, SimLoop* loop, ConnectionPtr connection, int side,
                                          MutableByteView into) {
    SimEnd& end = connection->ends[side];
    if (into.empty()) co_return std::size_t{0};
    while (true) {
      if (!end.open) co_return Err(end_error(end, "read"));
      if (end.unread() > 0) break;
      if (end.reset) co_return Err(end_error(end, "read"));
      if (end.ended) co_return std::size_t{0};
      SimSlot::Wait<SimConnection> wait(connection, end.reading, *loop);
      co_await wait;
    }
    std::size_t count = std::min(into.size(), end.unread());
    if (net->random_.one_in(8)) count = 1 + net->random_.below(count);
    end.received.copy(reinterpret_cast<char*>(into.data()), count, end.consumed);
    end.consumed += count;
    if (end.consumed == end.received.size()) {
      end.received.clear();
      end.consumed = 0;
    }
    // The peer hears of the room a little later.
    net->core_.after(net->latency(), SimCore::kWorld, [connection, side] { connection->ends[1 - side].writing.wake(); });
    co_return count;
  }

  static Task<IoResult<void>> write_bytes(SimNet* net, SimLoop* loop, ConnectionPtr connection, int side,
                                          ByteView bytes) {
    SimEnd& end = connection->ends[side];
    while (true) {
      if (!end.open || end.reset) co_return Err(end_error(end, "write"));
      if (bytes.empty()) co_return IoResult<void>{};
      std::size_t sent = net->send(*connection, side, bytes);
      bytes = bytes.subspan(sent);
      if (bytes.empty()) co_return IoResult<void>{};
      SimSlot::Wait<SimConnection> wait(connection, end.writing, *loop);
      co_await wait;
    }
  }

  static Task<IoResult<void>> write(SimNet* net, SimLoop* loop, ConnectionPtr connection, int side,
                                    std::span<const ByteView> pieces) {
    for (ByteView piece : pieces) {
      auto result = co_await write_bytes(net, loop, connection, side, piece);
      if (result.failed()) co_return Err(result.error());
    }
    co_return IoResult<void>{};
  }

  static Task<IoResult<void>> send_file(SimNet* net, SimLoop* loop, ConnectionPtr connection, int side, File* file,
                                        std::uint64_t offset, std::uint64_t count) {
    std::vector<std::uint8_t> buffer(std::min<std::uint64_t>(count, kFileChunk));
    while (count > 0) {
      auto chunk = MutableByteView(buffer).first(std::min<std::uint64_t>(count, buffer.size()));
      auto got = file->read_at(offset, chunk);
      if (got.failed()) co_return Err(got.error());
      if (*got == 0) co_return Err(IoError{ErrorKind::kIo, 0, "send file: unexpected end of file"});
      ByteView bytes = chunk.first(*got);
      auto result = co_await write_bytes(net, loop, connection, side, bytes);
      if (result.failed()) co_return Err(result.error());
      offset += *got;
      count -= *got;
    }
    co_return IoResult<void>{};
  }

  SimNet& net_;
  SimLoop& loop_;
  ConnectionPtr connection_;
  int side_;
};

std::unique_ptr<Stream> make_sim_stream(SimNet& net, SimLoop& loop, ConnectionPtr connection, int side) {
  return std::make_unique<SimStream>(net, loop, std::move(connection), side);
}

}  // namespace milena::io
