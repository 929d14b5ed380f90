/// Connection: one client's TCP connection. Requests are read, dispatched and answered in order; a client may send many
/// without waiting. One is served after the other, as in Kafka, except for those whose handler `overlaps`: they are
/// begun in order, one behind the other, without waiting for the answer before. Responses that are ready in one turn
/// of the loop go out together.
///
/// Memory: the receive block grows with the bytes that have arrived, never with the length announced; a frame
/// longer than socket.request.max.bytes closes the connection. Requests keep slices of the block. When more
/// than kMaxQueuedBytes of responses wait for a slow reader, those being written included, or kMaxServed requests or
/// kMaxServedBytes of them are being served, no further request is begun.
///
/// Threads: lives on one loop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "broker/dispatch.h"
#include "broker/request_context.h"
#include "io/net.h"
#include "io/signal.h"

namespace milena::broker {

class Connection {
 public:
  static constexpr std::size_t kMaxQueuedBytes = 4 << 20;
  static constexpr std::size_t kMaxServed = 256;
  static constexpr std::size_t kMaxServedBytes = 4 << 20;

  /// REQUIRES: the acceptor has counted it in local.connections.
  Connection(LoopState& local, const ListenerInfo& listener, std::unique_ptr<io::Stream> stream);
  ~Connection();

  /// Serves until the peer leaves, breaks the protocol, is idle for too long, or close().
  static io::Task<void> serve(std::shared_ptr<Connection> connection);
  void close();
  /// Ends once the requests under way are answered and all answers are written; takes up no other.
  void drain();
  /// Since when nothing has happened on it.
  Instant last_active() const;
  const ListenerInfo& listener() const { return listener_; }

 private:
  class IdleTimer;
  /// The next frame without its length; an empty option at the end of the connection.
  io::Task<std::optional<Bytes>> next_frame();
  bool take_buffered(Bytes& frame, bool& broken);
  void make_room();
  /// Waits until a request like `frame` may be begun.
  io::Task<void> admit(const Bytes* frame);
  /// Serves the request of that number; answers go out in the order of numbers.
  static io::Task<void> answer(std::shared_ptr<Connection> connection, std::uint64_t number, Bytes frame);
  void send_answers();
  /// Takes up no further request; the writer closes the stream once all is written.
  void finish();
  void queue_response(std::int32_t correlation_id, bool flexible_header, Answer answer);
  static io::Task<void> write_responses(std::shared_ptr<Connection> connection);
  struct Sending {
    std::vector<Bytes> pieces;
    std::vector<log::FileSlice> files;
    std::vector<ByteView> views;
  };
  /// Writes the pieces, and files in the place of stand-ins. False: the peer is gone, or a file was cut.
  static io::Task<bool> write_all(Connection* self, Sending* sending);

  LoopState& local_;
  const ListenerInfo& listener_;
  ListenerTraffic& traffic_;
  std::unique_ptr<io::Stream> stream_;
  ClientInfo client_;
  std::unique_ptr<IdleTimer> idle_;

  Buffer received_;
  std::size_t consumed_ = 0;  // bytes at the front of received_ that were handed out

  std::vector<Bytes> queued_;
  std::vector<log::FileSlice> queued_files_;  // for the stand-ins among them, in order
  std::size_t queued_bytes_ = 0;  // with what is being written
  io::Signal queue_changed_;
  struct Served {
    std::size_t bytes = 0;
    std::optional<Dispatched> result;
  };
  std::deque<Served> served_;      // requests under way, in order
  std::uint64_t first_served_ = 0;  // the number of the first
  std::size_t served_bytes_ = 0;
  bool last_overlaps_ = false;      // the last of them
  bool draining_ = false;
  bool closing_ = false;
  bool writer_done_ = false;
};

}  // namespace milena::broker
