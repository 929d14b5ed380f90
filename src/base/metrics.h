/// MetricSet: what a scrape says, before it is text: families of samples with labels. Made anew for each scrape from
/// copies of the counters, so that nothing here is shared or hot.
///
/// Threads: none of its own.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace milena {

enum class MetricType : std::uint8_t { kCounter, kGauge, kSummary, kHistogram };

using MetricLabels = std::vector<std::pair<std::string, std::string>>;

struct MetricSample {
  std::string suffix;  // "_count", "_sum", "_bucket"; empty: the family's name
  MetricLabels labels;
  double value = 0;
};

struct MetricFamily {
  MetricType type = MetricType::kGauge;
  std::string help;
  std::vector<MetricSample> samples;
};

class MetricSet {
 public:
  /// One sample. REQUIRES: a counter's name ends in "_total"; one name always has one type.
  void counter(std::string_view name, std::string_view help, double value, MetricLabels labels = {}) {
    add(name, MetricType::kCounter, help, "", value, std::move(labels));
  }
  void gauge(std::string_view name, std::string_view help, double value, MetricLabels labels = {}) {
    add(name, MetricType::kGauge, help, "", value, std::move(labels));
  }
  void add(std::string_view name, MetricType type, std::string_view help, std::string_view suffix, double value,
           MetricLabels labels) {
    MetricFamily& family = families_[std::string(name)];
    if (family.samples.empty()) {
      family.type = type;
      family.help = help;
    }
    family.samples.push_back({std::string(suffix), std::move(labels), value});
  }
  /// By name.
  const std::map<std::string, MetricFamily>& families() const { return families_; }

 private:
  std::map<std::string, MetricFamily> families_;
};

/// What a scrape asks for: how many series of each kind that grows with the cluster.
struct MetricsQuery {
  std::size_t topics = 1000;
  std::size_t partitions = 1000;
  std::size_t group_offsets = 1000;
  bool jvm = false;  // names of a JVM's metrics for the process's own values
};

}  // namespace milena
