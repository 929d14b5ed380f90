/// Exposition: a MetricSet as the text that Prometheus reads, in one of two formats.
/// Sources: the Prometheus text format 0.0.4; OpenMetrics 1.0.0.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/metrics.h"

namespace milena::console {

enum class Exposition : std::uint8_t { kPrometheus, kOpenMetrics };

/// The format that an Accept header prefers; Prometheus' own where it says nothing of either.
Exposition choose_exposition(std::string_view accept);
std::string_view content_type(Exposition format);
/// Families by name, samples in their order.
std::string expose(const MetricSet& metrics, Exposition format);

}  // namespace milena::console
