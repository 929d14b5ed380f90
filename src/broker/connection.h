/// Connection: one client's TCP connection. Requests are read, dispatched and answered one after the other, in
/// order, as Kafka does; a client may send many without waiting. Responses that are ready in one turn of the
/// loop go out together.
///
/// Memory: the receive block grows with the bytes that have arrived, never with the length announced; a frame
/// longer than socket.request.max.bytes closes the connection. Requests keep slices of the block. When more
/// than kMaxQueuedBytes of responses wait for a slow reader, those being written included, no further request is
/// served.
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
#include "broker/handler.h"
#include "broker/request_context.h"
#include "io/net.h"
#include "io/signal.h"

namespace milena::broker {

class Connection {
 public:
  static constexpr std::size_t kMaxQueuedBytes = 4 << 20;

  /// REQUIRES: the acceptor has counted it in local.connections.
  Connection(LoopState& local, const ListenerInfo& listener, std::unique_ptr<io::Stream> stream);
  ~Connection();

  /// Serves until the peer leaves, breaks the protocol, is idle for too long, or close().
  static io::Task<void> serve(std::shared_ptr<Connection> connection);
  void close();
  /// Ends once the request under way is answered and all answers are written; takes up no other.
  void drain();

 private:
  class IdleTimer;
  /// The next frame without its length; an empty option at the end of the connection.
  io::Task<std::optional<Bytes>> next_frame();
  bool take_buffered(Bytes& frame, bool& broken);
  void make_room();
  io::Task<bool> handle_frame(Bytes frame);
  void queue_response(std::int32_t correlation_id, bool flexible_header, Answer answer);
  static io::Task<void> write_responses(std::shared_ptr<Connection> connection);

  LoopState& local_;
  const ListenerInfo& listener_;
  std::unique_ptr<io::Stream> stream_;
  ClientInfo client_;
  std::unique_ptr<IdleTimer> idle_;

  Buffer received_;
  std::size_t consumed_ = 0;  // bytes at the front of received_ that were handed out

  std::vector<Bytes> queued_;
  std::size_t queued_bytes_ = 0;  // with what is being written
  io::Signal queue_changed_;
  bool serving_ = false;  // a request is under way
  bool draining_ = false;
  bool closing_ = false;
  bool writer_done_ = false;
};

}  // namespace milena::broker
