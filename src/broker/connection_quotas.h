/// ConnectionQuotas: how many connections there may be, from where, and how fast they may come: max.connections,
/// max.connections.per.ip(.overrides), max.connection.creation.rate, the first and the last also for one listener
/// (`listener.name.<name>.`). Two on a node, as in Kafka: one for its broker listeners, one for its controller's.
///
/// An acceptor asks `admit` before it takes a connection up: past max.connections or the rate it waits, and the
/// system's backlog behind it. From an address with too many the connection is closed (KIP-402 and KIP-612; the rates
/// by address are client quotas, which are not enforced). The listener of brokers among themselves, where it is not
/// the only one, is not held back by max.connections; the others make room for it, the longest idle first, as they do
/// when a limit is lowered: excess() says how many must go.
///
/// Threads: the control loop. O(1) per connection.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>

#include "config/kafka_config.h"
#include "io/loop.h"
#include "io/signal.h"

namespace milena::broker {

/// The keys' values. Listeners by their lower-case names, where they have values of their own.
struct ConnectionLimits {
  static constexpr std::int64_t kNone = INT32_MAX;
  std::int64_t connections = kNone;
  std::int64_t per_address = kNone;
  std::int64_t creation_rate = kNone;  // a second
  std::map<std::string, std::int64_t> address_overrides;
  std::map<std::string, std::int64_t> listener_connections;
  std::map<std::string, std::int64_t> listener_creation_rate;

  /// Overrides are addresses, or `localhost`; other names are in nobody's way.
  static ConnectionLimits of(const config::KafkaConfig& config);
};

class ConnectionQuotas {
 public:
  /// `protected_listener`: brokers' own, where there are others beside it.
  ConnectionQuotas(io::Loop& control, std::string protected_listener)
      : loop_(control), protected_(std::move(protected_listener)), changed_(control) {}

  void set_limits(ConnectionLimits limits);
  /// Waits until the listener may take up one more connection, and counts it. False: closed meanwhile.
  io::Task<bool> admit(std::string listener);
  /// Whether one more from that address may stay; counts it in any case. REQUIRES: admitted.
  bool arrived(const std::string& address);
  /// The connection has ended. `address`: empty: it never arrived.
  void ended(const std::string& listener, const std::string& address);
  /// Nobody is admitted from now on; ends all that wait.
  void close();

  /// How many connections must go. The protected listener's stay.
  std::int64_t excess() const;
  bool is_protected(std::string_view listener) const { return !protected_.empty() && listener == protected_; }
  std::int64_t total() const { return total_; }

 private:
  // What came in the last seconds, by second.
  struct Rate {
    std::deque<std::pair<std::int64_t, std::int64_t>> seconds;
    Duration record(Instant now, std::int64_t limit);
  };
  bool has_slot(const std::string& listener) const;

  io::Loop& loop_;
  std::string protected_;
  ConnectionLimits limits_;
  std::int64_t total_ = 0;
  std::map<std::string, std::int64_t> by_listener_;
  std::map<std::string, std::int64_t> by_address_;
  Rate rate_;
  std::map<std::string, Rate> listener_rates_;
  io::Signal changed_;
  bool closed_ = false;
};

}  // namespace milena::broker
