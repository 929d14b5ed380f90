/// Heartbeats: the controller's soft state about brokers: when each one was last heard of, what it has read.
///
/// Never recorded. Built anew when a controller becomes active: every broker then gets a whole session. A broker
/// whose session ends is fenced by records (Controller::advance). Deadlines are kept in order: `next_deadline()` is O(log n).
/// Units: Instants of the controller's monotonic clock. Threads: for one thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/ids.h"
#include "base/time.h"
#include "image/image.h"

namespace milena::meta {

class Heartbeats {
 public:
  explicit Heartbeats(Duration session_timeout = 9s) : session_timeout_(session_timeout) {}

  struct State {
    Instant last_contact;
    Offset metadata_offset{-1};
    bool fenced = true;
    bool session = false;  // was heard of under its present registration
    /// Where the log ended when the controlled shutdown began; nothing: not shutting down.
    std::optional<Offset> controlled_shutdown_offset;
  };

  /// Starts over with the brokers of `image`, each heard of `now`.
  void reset(const image::Image& image, Instant now);
  /// A (re-)registration was recorded. `keep`: it is the same incarnation.
  void registered(BrokerId id, bool fenced, bool keep, Instant now);
  void unregistered(BrokerId id);
  /// A heartbeat was answered; `fenced` as it will be once the decision's records are applied.
  void touch(BrokerId id, bool fenced, Offset metadata_offset, Instant now);
  /// The session is over: it expired, or the broker was told to shut down.
  void fence(BrokerId id);
  /// The broker is on its way out; it may go once the active brokers have read up to `offset`.
  void shutting_down(BrokerId id, Offset offset);

  const State* find(BrokerId id) const;
  bool has_valid_session(BrokerId id, Instant now) const;
  /// An unfenced broker whose session is over.
  std::optional<BrokerId> stale(Instant now) const;
  /// The lowest metadata offset that an unfenced broker which is not shutting down has reported; max if none.
  Offset lowest_active_offset() const;
  /// When the next session ends; never if nobody is unfenced.
  Instant next_deadline() const;

 private:
  void track(BrokerId id, const State& state);
  void untrack(BrokerId id, const State& state);

  Duration session_timeout_;
  std::map<BrokerId, State> brokers_;
  std::set<std::pair<Instant, BrokerId>> unfenced_;  // by last contact
  std::set<std::pair<Offset, BrokerId>> active_;     // unfenced, not shutting down, by metadata offset
};

}  // namespace milena::meta
