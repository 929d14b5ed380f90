#include "broker/connection.h"

#include <algorithm>
#include <utility>

#include "base/endian.h"
#include "base/mutant.h"
#include "broker/dispatch.h"

namespace milena::broker {
namespace {

constexpr std::size_t kFirstBlock = 4 << 10;
constexpr std::size_t kBusyBlock = 64 << 10;
constexpr std::size_t kLengthBytes = 4;
constexpr std::size_t kMaxPiecesPerWrite = 512;

}  // namespace

/// Closes a connection on which nothing happened for connections.max.idle.ms. Re-armed lazily: activity only
/// notes the time.
class Connection::IdleTimer : private io::Timer {
 public:
  IdleTimer(Connection& connection, Duration limit) : connection_(connection), limit_(limit) {
    last_ = connection_.local_.loop.now();
    if (limit_ > Duration::zero()) connection_.local_.loop.timers().arm(*this, last_ + limit_);
  }
  Instant last() const { return last_; }
  void touch() { last_ = connection_.local_.loop.now(); }

 private:
  void fire() override {
    io::Loop& loop = connection_.local_.loop;
    if (loop.now() >= last_ + limit_) connection_.close();
    else loop.timers().arm(*this, last_ + limit_);
  }
  Connection& connection_;
  Duration limit_;
  Instant last_;
};

Connection::Connection(LoopState& local, const ListenerInfo& listener, std::unique_ptr<io::Stream> stream)
    : local_(local),
      listener_(listener),
      traffic_(local.metrics.listener(listener.name)),
      stream_(std::move(stream)),
      queue_changed_(local.loop) {
  ++traffic_.opened;
  client_.address = stream_->peer();
  client_.connection_id = local_.next_connection_id++;
  idle_ = std::make_unique<IdleTimer>(*this, local_.services.limits.connections_max_idle);
  local_.live.emplace(client_.connection_id, this);
}

Connection::~Connection() {
  ++traffic_.closed;
  local_.live.erase(client_.connection_id);
  local_.connection_ended.notify_all();
  local_.connections.fetch_sub(1, std::memory_order_relaxed);
}

void Connection::close() {
  closing_ = true;
  client_.closing = true;
  stream_->close();
  queue_changed_.notify_all();
}

Instant Connection::last_active() const { return idle_->last(); }

void Connection::drain() {
  draining_ = true;
  client_.closing = true;
  if (served_.empty()) finish();
}

void Connection::finish() {
  closing_ = true;  // the writer closes the stream at its end, which wakes the reader
  queue_changed_.notify_all();
}

io::Task<void> Connection::serve(std::shared_ptr<Connection> connection) {
  Connection& self = *connection;
  self.local_.loop.spawn(write_responses(connection));
  while (!self.closing_) {
    std::optional<Bytes> frame = co_await self.next_frame();
    if (!frame.has_value()) break;
    self.idle_->touch();
    ++self.traffic_.requests;
    co_await self.admit(&*frame);
    if (self.closing_ || self.draining_) break;
    std::uint64_t number = self.first_served_ + self.served_.size();
    self.served_.emplace_back().bytes = frame->size();
    self.served_bytes_ += frame->size();
    self.local_.loop.spawn(answer(connection, number, std::move(*frame)));
  }
  // What was asked before is still answered; then the writer ends.
  while (!self.served_.empty() && !self.closing_) co_await self.queue_changed_.wait();
  self.finish();
  while (!self.writer_done_) co_await self.queue_changed_.wait();
}

bool Connection::take_buffered(Bytes& frame, bool& broken) {
  std::size_t have = received_.size() - consumed_;
  if (have < kLengthBytes) return false;
  auto length = load_be<std::int32_t>(received_.data() + consumed_);
  if (length < 0 || length > local_.services.limits.max_request_bytes) {
    local_.loop.log().warn("network", "{} announced a request of {} bytes; the limit is {} (socket.request.max.bytes)",
                           io::to_string(client_.address), length, local_.services.limits.max_request_bytes);
    broken = true;
    return false;
  }
  auto size = static_cast<std::size_t>(length);
  if (MILENA_MUTANT("believed-length")) received_.reserve(consumed_ + kLengthBytes + size);
  if (have - kLengthBytes < size) return false;
  frame = received_.share(consumed_ + kLengthBytes, size);
  consumed_ += kLengthBytes + size;
  return true;
}

// Makes space behind what has been received. The old block stays with the requests that hold slices of it.
void Connection::make_room() {
  if (received_.size() < received_.capacity()) return;
  std::size_t have = received_.size() - consumed_;
  std::size_t capacity = received_.capacity() == 0 ? kFirstBlock : std::max(kBusyBlock, have * 4);
  if (have >= kLengthBytes) {
    auto length = static_cast<std::size_t>(load_be<std::int32_t>(received_.data() + consumed_));
    capacity = std::min(capacity, std::max(length + kLengthBytes, kBusyBlock));
  }
  Buffer next(capacity);
  next.append(received_.view().subspan(consumed_));
  received_ = std::move(next);
  consumed_ = 0;
}

io::Task<std::optional<Bytes>> Connection::next_frame() {
  bool broken = false;
  Bytes frame;
  while (!take_buffered(frame, broken)) {
    if (broken) co_return std::nullopt;
    if (consumed_ == received_.size() && consumed_ > 0) {
      received_ = Buffer();  // an idle connection holds no big block
      consumed_ = 0;
    }
    make_room();
    std::size_t at = received_.size();
    MutableByteView space(received_.data() + at, received_.capacity() - at);
    auto got = co_await stream_->read_some(space);
    if (got.failed() || *got == 0) co_return std::nullopt;
    received_.resize(at + *got);
    traffic_.bytes_in += *got;
  }
  co_return std::optional<Bytes>(std::move(frame));
}

io::Task<void> Connection::admit(const Bytes* frame) {
  bool overlaps = may_overlap(frame->view());
  auto busy = [this, overlaps, bytes = frame->size()] {
    if (queued_bytes_ > kMaxQueuedBytes) return true;
    if (served_.empty()) return false;
    if (!overlaps || !last_overlaps_) return true;
    return served_.size() >= kMaxServed || served_bytes_ + bytes > kMaxServedBytes;
  };
  while (!closing_ && !draining_ && busy()) co_await queue_changed_.wait();
  last_overlaps_ = overlaps;
}

io::Task<void> Connection::answer(std::shared_ptr<Connection> connection, std::uint64_t number, Bytes frame) {
  Connection& self = *connection;
  Dispatched result = co_await dispatch(&self.local_, &self.listener_, &self.client_, std::move(frame));
  self.served_[number - self.first_served_].result = std::move(result);
  self.send_answers();
}

void Connection::send_answers() {
  while (!served_.empty()) {
    std::optional<Dispatched>& ready = served_.front().result;
    if (!ready.has_value()) break;
    Dispatched result = *std::move(ready);
    served_bytes_ -= served_.front().bytes;
    served_.pop_front();
    ++first_served_;
    if (closing_) continue;
    if (result.answer.kind == Answer::Kind::kClose || client_.close_requested) finish();
    else if (result.answer.kind == Answer::Kind::kSend)
      queue_response(result.correlation_id, result.flexible_header, std::move(result.answer));
  }
  if (draining_ && served_.empty()) finish();
  queue_changed_.notify_all();
}

void Connection::queue_response(std::int32_t correlation_id, bool flexible_header, Answer answer) {
  std::size_t body = 0;
  for (const Bytes& piece : answer.body) body += piece.size();
  Buffer head(16);
  std::size_t header_bytes = flexible_header ? 5 : 4;
  head.resize(kLengthBytes + header_bytes);
  store_be(head.data(), static_cast<std::int32_t>(header_bytes + body));
  store_be(head.data() + kLengthBytes, correlation_id);
  if (flexible_header) head.data()[8] = 0;  // no tagged fields
  ++traffic_.responses;
  bool was_empty = queued_.empty();
  queued_bytes_ += head.size() + body;
  queued_.push_back(head.freeze());
  for (Bytes& piece : answer.body) queued_.push_back(std::move(piece));
  for (log::FileSlice& file : answer.files) queued_files_.push_back(std::move(file));
  if (was_empty) queue_changed_.notify_all();
}

io::Task<bool> Connection::write_all(Connection* self, Sending* sending) {
  const std::vector<Bytes>& pieces = sending->pieces;
  const StandIns& stand_ins = self->local_.stand_ins;
  auto file = sending->files.begin();
  for (std::size_t at = 0; at < pieces.size();) {
    sending->views.clear();
    std::size_t bytes = 0;
    while (at < pieces.size() && sending->views.size() < kMaxPiecesPerWrite && !stand_ins.is_one(pieces[at])) {
      bytes += pieces[at].size();
      sending->views.push_back(pieces[at++].view());
    }
    io::IoResult<void> written = co_await self->stream_->write(sending->views);
    if (!written.failed() && at < pieces.size() && stand_ins.is_one(pieces[at])) {
      bytes += pieces[at++].size();
      written = co_await self->stream_->send_file(*file->file, file->position, file->size);
      ++file;
    }
    self->queued_bytes_ -= bytes;
    if (written.failed()) co_return false;
    self->traffic_.bytes_out += bytes;
  }
  co_return true;
}

io::Task<void> Connection::write_responses(std::shared_ptr<Connection> connection) {
  Connection& self = *connection;
  Sending sending;
  while (true) {
    while (self.queued_.empty() && !self.closing_) co_await self.queue_changed_.wait();
    if (self.queued_.empty()) break;
    sending.pieces.swap(self.queued_);
    sending.files.swap(self.queued_files_);
    bool written = co_await write_all(&self, &sending);
    sending.pieces.clear();
    sending.files.clear();
    self.idle_->touch();
    if (!written) {
      self.closing_ = true;
      break;
    }
    self.queue_changed_.notify_all();  // the reader may be waiting for the queue to drain
  }
  self.stream_->close();
  self.writer_done_ = true;
  self.queue_changed_.notify_all();
}

}  // namespace milena::broker
