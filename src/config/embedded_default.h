/// The configuration of a node that was given no file: of `milena server`, and of the verbs that look at its
/// directories.
#pragma once

#include <cstdint>

#include "config/settings.h"

namespace milena::config {

/// Where clients find a node that was told no other port; controllers get the next one.
inline constexpr std::uint16_t kDefaultPort = 9092;

/// One node that is a cluster of its own, for the first ten minutes: loopback only, clients on `port`, the
/// controller on the next one, everything in ./data. A key of it stands back where `given` (environment,
/// overrides) says the same with another key. Its settings have no source: nobody wrote them.
Settings embedded_default(std::uint16_t port, const Settings& given);

}  // namespace milena::config
