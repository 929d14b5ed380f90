#include "broker/connection_quotas.h"

#include <algorithm>
#include <utility>

#include "config/address.h"
#include "config/key.h"
#include "config/value.h"

namespace milena::broker {
namespace {

// Kafka's quotas look at eleven seconds, the present one among them (quota.window.num), and hold nobody up for more
// than one (quota.window.size.seconds).
constexpr std::int64_t kWindowSeconds = 11;
constexpr Duration kLongestWait = std::chrono::seconds(1);
constexpr std::string_view kListenerPrefix = "listener.name.";

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return result;
}

// listener.name.<name>.<key> of one layer; later layers win.
void read_listeners(const std::string& name, const std::string& text, ConnectionLimits& limits) {
  if (!name.starts_with(kListenerPrefix)) return;
  for (auto [key, into] : {std::pair(std::string_view("max.connections"), &limits.listener_connections),
                           std::pair(std::string_view("max.connection.creation.rate"), &limits.listener_creation_rate)}) {
    std::string_view rest = std::string_view(name).substr(kListenerPrefix.size());
    if (!rest.ends_with(key) || rest.size() <= key.size() + 1 || rest[rest.size() - key.size() - 1] != '.') continue;
    auto value = config::parse_value(*config::find_key(config::Scope::kBroker, key), text);
    if (value.failed() || !std::holds_alternative<std::int64_t>(*value)) continue;
    (*into)[lower(rest.substr(0, rest.size() - key.size() - 1))] = std::get<std::int64_t>(*value);
  }
}

std::map<std::string, std::int64_t> read_overrides(const config::KafkaConfig& config) {
  std::map<std::string, std::int64_t> result;
  auto given = config::parse_host_limits(config.text("max.connections.per.ip.overrides"));
  if (!given.has_value()) return result;  // refused where it is set
  for (const auto& [host, count] : *given) {
    if (host == "localhost") result["127.0.0.1"] = result["::1"] = count;
    else result[host] = count;
  }
  return result;
}

std::int64_t limit_for(const std::map<std::string, std::int64_t>& limits, const std::string& name) {
  auto own = limits.find(name);
  return own == limits.end() ? ConnectionLimits::kNone : own->second;
}

}  // namespace

ConnectionLimits ConnectionLimits::of(const config::KafkaConfig& config) {
  ConnectionLimits limits;
  limits.connections = config.integer("max.connections");
  limits.per_address = config.integer("max.connections.per.ip");
  limits.creation_rate = config.integer("max.connection.creation.rate");
  limits.address_overrides = read_overrides(config);
  for (const auto& [name, given] : config.settings()) read_listeners(name, given.value, limits);
  for (const Properties* layer : {&config.dynamic_all_brokers(), &config.dynamic_this_broker()}) {
    for (const auto& [name, value] : *layer) read_listeners(name, value, limits);
  }
  return limits;
}

void ConnectionQuotas::set_limits(ConnectionLimits limits) {
  limits_ = std::move(limits);
  changed_.notify_all();
}

// Kafka's arithmetic: how long until the rate over the window is the limit again.
Duration ConnectionQuotas::Rate::record(Instant now, std::int64_t limit) {
  std::int64_t second = std::chrono::duration_cast<std::chrono::seconds>(now.since_start()).count();
  while (!seconds.empty() && seconds.front().first <= second - kWindowSeconds) seconds.pop_front();
  if (seconds.empty() || seconds.back().first != second) seconds.emplace_back(second, 0);
  ++seconds.back().second;
  if (limit >= ConnectionLimits::kNone) return Duration::zero();
  std::int64_t count = 0;
  for (const auto& [at, came] : seconds) count += came;
  double window = static_cast<double>(kWindowSeconds - 1);
  double rate = static_cast<double>(count) / window;
  double bound = static_cast<double>(std::max<std::int64_t>(limit, 1));
  if (rate <= bound) return Duration::zero();
  auto wait = std::chrono::duration_cast<Duration>(std::chrono::duration<double>((rate - bound) / bound * window));
  return std::min(wait, kLongestWait);
}

bool ConnectionQuotas::has_slot(const std::string& listener) const {
  auto own = by_listener_.find(listener);
  std::int64_t here = own == by_listener_.end() ? 0 : own->second;
  if (here >= limit_for(limits_.listener_connections, lower(listener))) return false;
  return is_protected(listener) || total_ < limits_.connections;
}

io::Task<bool> ConnectionQuotas::admit(std::string listener) {
  Instant now = loop_.now();
  Duration wait = rate_.record(now, limits_.creation_rate);
  std::int64_t own_rate = limit_for(limits_.listener_creation_rate, lower(listener));
  wait = std::max(wait, listener_rates_[listener].record(now, own_rate));
  Instant until = now + wait;
  while (!closed_ && loop_.now() < until) co_await changed_.wait(until);
  while (!closed_ && !has_slot(listener)) co_await changed_.wait();
  if (closed_) co_return false;
  ++total_;
  ++by_listener_[listener];
  co_return true;
}

bool ConnectionQuotas::arrived(const std::string& address) {
  std::int64_t& here = by_address_[address];
  ++here;
  auto own = limits_.address_overrides.find(address);
  return here <= (own == limits_.address_overrides.end() ? limits_.per_address : own->second);
}

void ConnectionQuotas::ended(const std::string& listener, const std::string& address) {
  --total_;
  --by_listener_[listener];
  if (!address.empty()) {
    auto here = by_address_.find(address);
    if (--here->second == 0) by_address_.erase(here);
  }
  changed_.notify_all();
}

void ConnectionQuotas::close() {
  closed_ = true;
  changed_.notify_all();
}

std::int64_t ConnectionQuotas::excess() const {
  std::int64_t too_many = total_ - limits_.connections;
  if (too_many <= 0) return 0;
  std::int64_t kept = 0;
  if (auto own = by_listener_.find(protected_); !protected_.empty() && own != by_listener_.end()) kept = own->second;
  return std::min(too_many, total_ - kept);
}

}  // namespace milena::broker
