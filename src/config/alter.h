/// Changes of configuration from clients: CreateTopics, AlterConfigs and IncrementalAlterConfigs (KIP-339).
/// Every error here is INVALID_CONFIG (40) unless its code says INVALID_REQUEST; the texts are Kafka's own
/// short diagnostics, which scripts match.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/properties.h"
#include "base/result.h"
#include "config/kafka_config.h"

namespace milena::config {

struct AlterError {
  enum class Code : std::uint8_t { kInvalidConfig, kInvalidRequest };
  Code code = Code::kInvalidConfig;
  std::string message;
};

/// A topic's whole set of own values, as it would stand. Also checks them against each other and against the
/// broker's values. Errors: unknown key, wrong type, not allowed, lags that contradict, tiered storage.
Result<void, AlterError> validate_topic(const Properties& overrides, const KafkaConfig& broker);

/// One dynamic layer of a broker, as it would stand: for one broker, or (`one_broker` false) for all.
/// Errors: keys that are read-only or only for one broker, wrong type, not allowed. Unknown keys are kept.
Result<void, AlterError> validate_broker(const Properties& values, bool one_broker);

/// A group's own values, as they would stand, within the broker's limits.
Result<void, AlterError> validate_group(const Properties& values, const KafkaConfig& broker);

/// A client metrics subscription, as it would stand.
Result<void, AlterError> validate_client_metrics(const Properties& values);

/// The operation of one entry of IncrementalAlterConfigs; numbers as on the wire.
enum class AlterKind : std::uint8_t { kSet = 0, kDelete = 1, kAppend = 2, kSubtract = 3 };
struct AlterOp {
  std::string key;
  AlterKind kind = AlterKind::kSet;
  std::optional<std::string> value;  // none for kDelete
};

/// What a resource's own values become, and which keys change; nullopt: the key is removed.
struct Altered {
  Properties values;
  std::vector<std::pair<std::string, std::optional<std::string>>> changes;
};

/// Applies `ops` in order to a resource's own values; validate the outcome with the functions above.
/// An append or subtract starts from the key's own value, else its default.
/// Errors: append or subtract on a key that is no list, a value missing, a key given twice.
Result<Altered, AlterError> apply_incremental(Scope scope, const Properties& current,
                                              const std::vector<AlterOp>& ops);

/// AlterConfigs: `wanted` replaces everything. `changes` holds what is new, different or gone.
Altered replace_all(const Properties& current, const Properties& wanted);

}  // namespace milena::config
