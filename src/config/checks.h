/// Checks of values that only make sense together, as Kafka does at its start.
#pragma once

#include "config/kafka_config.h"

namespace milena::config {

/// What does not fit together: node ids, voters and roles, retention and roll times, buffer sizes, time
/// limits. Empty when all is well. Listeners are checked by read_listeners().
ConfigErrors check_values(const KafkaConfig& config);

}  // namespace milena::config
