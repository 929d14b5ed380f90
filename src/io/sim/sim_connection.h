/// A simulated connection: two ends, and per direction the segments on their way. Only for io/sim.
#pragma once

#include <array>
#include <coroutine>
#include <deque>
#include <memory>
#include <string>

#include "io/sim/sim_loop.h"
#include "io/sim/sim_net.h"

namespace milena::io {

/// Where one task waits for something that the world brings.
class SimSlot {
 public:
  /// `Holder` keeps the slot alive; `loop` is who waits.
  template <class Holder>
  class [[nodiscard]] Wait : private Ready {
   public:
    Wait(std::shared_ptr<Holder> holder, SimSlot& slot, SimLoop& loop)
        : holder_(std::move(holder)), slot_(slot), loop_(loop) {}
    ~Wait() override {
      if (slot_.ready_ == this) slot_.ready_ = nullptr;
    }
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> handle) {
      CHECK(slot_.ready_ == nullptr, "two tasks wait for one thing");
      handle_ = handle;
      slot_.ready_ = this;
      slot_.loop_ = &loop_;
    }
    void await_resume() const {}

   private:
    void run() override { handle_.resume(); }
    std::shared_ptr<Holder> holder_;
    SimSlot& slot_;
    SimLoop& loop_;
    std::coroutine_handle<> handle_;
  };

  void wake() {
    if (ready_ == nullptr) return;
    loop_->ready().push(*std::exchange(ready_, nullptr));
    loop_->wake();
  }
  void forget() { ready_ = nullptr; }

 private:
  Ready* ready_ = nullptr;
  SimLoop* loop_ = nullptr;
};

struct SimSegment {
  Instant arrives;
  std::string bytes;
  enum class Kind : std::uint8_t { kData, kEnd, kReset } kind = Kind::kData;
};

struct SimEnd {
  SimNet::Node node = 0;
  Endpoint local;
  bool open = true;       // the program has not closed it, and lives
  bool reset = false;     // the connection is broken for this end
  bool silent = false;    // the machine lost power: it answers nothing
  SimSlot reading;
  SimSlot writing;
  // Received and not read.
  std::string received;
  std::size_t consumed = 0;
  bool ended = false;     // the peer has closed its side
  // Sent and not arrived.
  std::deque<SimSegment> flight;
  std::size_t flight_bytes = 0;
  Instant last_arrival;
  bool pumping = false;   // an event will look at `flight`

  std::size_t unread() const { return received.size() - consumed; }
};

struct SimConnection : std::enable_shared_from_this<SimConnection> {
  std::uint64_t number = 0;
  std::size_t window = 0;  // bytes on their way and unread, per direction
  std::array<SimEnd, 2> ends;
};

std::unique_ptr<Stream> make_sim_stream(SimNet& net, SimLoop& loop, std::shared_ptr<SimConnection> connection,
                                        int side);

}  // namespace milena::io
