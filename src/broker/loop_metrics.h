/// LoopMetrics: what one data loop counts for itself: plain integers on memory of its own, no lock, no atomic, nothing
/// shared. A scrape asks the loop for a copy (node_metrics.h).
///
/// Memory: an entry per topic with traffic here, forgotten with the topic; one per API that was called.
/// Threads: its loop only.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/histogram.h"
#include "base/ids.h"
#include "image/image.h"

namespace milena::broker {

struct TopicTraffic {
  std::uint64_t messages_in = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t produce_requests = 0;  // partitions of Produce requests
  std::uint64_t fetch_requests = 0;    // partitions of Fetch requests
  std::uint64_t failed_produce_requests = 0;
  std::uint64_t failed_fetch_requests = 0;
  void add(const TopicTraffic& other);
};

struct ApiTraffic {
  static constexpr std::size_t kVersions = 32;
  std::array<std::uint64_t, kVersions> requests{};  // by version
  std::uint64_t request_bytes = 0;
  std::uint64_t response_bytes = 0;
  RecentHistogram time_us;  // from the whole request to its answer
};

struct ListenerTraffic {
  std::uint64_t opened = 0;
  std::uint64_t closed = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t requests = 0;
  std::uint64_t responses = 0;
};

class LoopMetrics {
 public:
  static constexpr std::size_t kApis = 128;

  /// The counters of a topic. Valid until the next call.
  TopicTraffic& topic(const TopicId& id, const image::Image& image) {
    if (last_ != nullptr && last_id_ == id) return *last_;
    return find_topic(id, image);
  }
  /// `key` of a handler in the list.
  ApiTraffic& api(std::int16_t key) {
    std::unique_ptr<ApiTraffic>& slot = apis_[static_cast<std::size_t>(key) % kApis];
    if (slot == nullptr) slot = std::make_unique<ApiTraffic>();
    return *slot;
  }
  /// Stays valid.
  ListenerTraffic& listener(const std::string& name) { return listeners_[name]; }

  TopicTraffic all;  // of all topics, those that are gone, too

  /// A copy to look at elsewhere. Topics that `image` does not know are left out, and forgotten here.
  struct Copy {
    TopicTraffic all;
    std::vector<std::pair<TopicId, TopicTraffic>> topics;
    std::vector<std::pair<std::int16_t, ApiTraffic>> apis;  // by key
    std::map<std::string, ListenerTraffic> listeners;
  };
  Copy copy(const image::Image& image);

 private:
  TopicTraffic& find_topic(const TopicId& id, const image::Image& image);
  void forget_gone(const image::Image& image);

  std::unordered_map<TopicId, TopicTraffic> topics_;
  std::size_t forget_at_ = 64;
  TopicId last_id_;
  TopicTraffic* last_ = nullptr;
  std::array<std::unique_ptr<ApiTraffic>, kApis> apis_;
  std::map<std::string, ListenerTraffic> listeners_;
};

}  // namespace milena::broker
