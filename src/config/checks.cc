#include "config/checks.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "config/address.h"
#include "config/log_config.h"

namespace milena::config {
namespace {

class Checker {
 public:
  explicit Checker(const KafkaConfig& config) : config_(config) {}

  ConfigErrors check() {
    check_identity();
    check_quorum();
    check_log();
    check_limits();
    return std::move(errors_);
  }

 private:
  void require(bool holds, std::string_view key, std::string message) {
    if (holds) return;
    auto setting = config_.settings().find(std::string(key));
    errors_.push_back({std::string(key), std::move(message),
                       setting == config_.settings().end() ? "" : setting->second.source});
  }

  bool has_role(std::string_view role) const {
    const auto& roles = config_.list("process.roles");
    return std::ranges::find(roles, role) != roles.end();
  }

  void check_identity() {
    require(config_.integer("broker.id") == config_.integer("node.id"), "broker.id",
            "You must set `node.id` to the same value as `broker.id`.");
  }

  void check_quorum() {
    std::vector<std::int32_t> ids;
    for (const std::string& entry : config_.list("controller.quorum.voters")) {
      if (auto voter = parse_voter(entry)) ids.push_back(voter->id.value());
    }
    std::ranges::sort(ids);
    if (ids.empty()) {
      require(!config_.list("controller.quorum.bootstrap.servers").empty(),
              "controller.quorum.bootstrap.servers",
              "If using process.roles, either controller.quorum.bootstrap.servers must contain the set of "
              "bootstrap "
              "controllers or controller.quorum.voters must contain a parseable set of controllers.");
      return;
    }
    std::int64_t own = config_.integer("node.id");
    bool listed = std::ranges::find(ids, own) != ids.end();
    if (has_role("controller")) {
      require(listed, "controller.quorum.voters",
              fmt::format("If process.roles contains the 'controller' role, the node id {} must be included "
                          "in the set of "
                          "voters controller.quorum.voters=Set({})",
                          own, fmt::join(ids, ", ")));
    } else {
      require(
          !listed, "controller.quorum.voters",
          fmt::format(
              "If process.roles contains just the 'broker' role, the node id {} must not be included in the "
              "set of voters controller.quorum.voters=Set({})",
              own, fmt::join(ids, ", ")));
    }
  }

  std::int64_t topic_integer(std::string_view name) const {
    return std::get<std::int64_t>(topic_value(config_, {}, *find_key(Scope::kTopic, name)));
  }

  void check_log() {
    require(topic_integer("segment.ms") >= 1, "log.roll.ms",
            "log.roll.ms must be greater than or equal to 1");
    require(topic_integer("segment.jitter.ms") >= 0, "log.roll.jitter.ms",
            "log.roll.jitter.ms must be greater than or equal to 0");
    require(topic_integer("retention.ms") != 0, "log.retention.ms",
            "log.retention.ms must be unlimited (-1) or, greater than or equal to 1");
    std::int64_t threads = config_.integer("log.cleaner.threads");
    require(config_.integer("log.cleaner.dedupe.buffer.size") > threads * 1024 * 1024,
            "log.cleaner.dedupe.buffer.size",
            "log.cleaner.dedupe.buffer.size must be at least 1MB per cleaner thread.");
    std::int64_t codec = config_.integer("offsets.topic.compression.codec");
    require(codec >= 0 && codec <= 4, "offsets.topic.compression.codec",
            fmt::format("Unknown compression type id: {}", codec));
  }

  // Kafka's messages.
  void check_cordoned() {
    const std::vector<std::string>& cordoned = config_.list("cordoned.log.dirs");
    const auto& directories = config_.is_null("log.dirs") ? config_.list("log.dir") : config_.list("log.dirs");
    auto missing = cordoned;
    std::erase_if(missing, [&](const std::string& one) { return std::ranges::find(directories, one) != directories.end(); });
    if (std::ranges::find(cordoned, "*") != cordoned.end()) {
      require(cordoned.size() == 1, "cordoned.log.dirs",
              "When cordoned.log.dirs is set to *, it must not contain other values");
      return;
    }
    require(missing.empty(), "cordoned.log.dirs",
            fmt::format("All entries in cordoned.log.dirs must be present in log.dirs or log.dir. Missing entries : {}",
                        fmt::join(missing, ", ")));
  }

  void check_limits() {
    check_cordoned();
    std::int64_t wait = config_.integer("replica.fetch.wait.max.ms");
    require(wait <= config_.integer("replica.socket.timeout.ms"), "replica.fetch.wait.max.ms",
            "replica.socket.timeout.ms should always be at least replica.fetch.wait.max.ms to prevent "
            "unnecessary socket "
            "timeouts");
    require(wait <= config_.integer("replica.lag.time.max.ms"), "replica.lag.time.max.ms",
            "replica.fetch.wait.max.ms should always be less than or equal to replica.lag.time.max.ms to "
            "prevent frequent "
            "changes in ISR");
    std::int64_t queued = config_.integer("queued.max.request.bytes");
    require(queued <= 0 || queued >= config_.integer("socket.request.max.bytes"), "queued.max.request.bytes",
            "queued.max.request.bytes must be larger or equal to socket.request.max.bytes");
    auto by_address = parse_host_limits(config_.text("max.connections.per.ip.overrides"));
    require(by_address.has_value(), "max.connections.per.ip.overrides",
            "max.connections.per.ip.overrides must be a list of addresses with limits: 127.0.0.1:10,::1:20");
    require(config_.integer("max.connections.per.ip") > 0 || (by_address.has_value() && !by_address->empty()),
            "max.connections.per.ip",
            "max.connections.per.ip can be set to zero only if max.connections.per.ip.overrides property is "
            "set.");
  }

  const KafkaConfig& config_;
  ConfigErrors errors_;
};

}  // namespace

ConfigErrors check_values(const KafkaConfig& config) {
  return Checker(config).check();
}

}  // namespace milena::config
