#include "broker/loop_metrics.h"

#include <algorithm>

namespace milena::broker {

void TopicTraffic::add(const TopicTraffic& other) {
  messages_in += other.messages_in;
  bytes_in += other.bytes_in;
  bytes_out += other.bytes_out;
  produce_requests += other.produce_requests;
  fetch_requests += other.fetch_requests;
  failed_produce_requests += other.failed_produce_requests;
  failed_fetch_requests += other.failed_fetch_requests;
}

TopicTraffic& LoopMetrics::find_topic(const TopicId& id, const image::Image& image) {
  if (topics_.size() >= forget_at_ && !topics_.contains(id)) forget_gone(image);
  last_ = &topics_[id];  // elements of an unordered_map stay where they are
  last_id_ = id;
  return *last_;
}

void LoopMetrics::forget_gone(const image::Image& image) {
  std::erase_if(topics_, [&image](const auto& entry) { return image.topic(entry.first) == nullptr; });
  forget_at_ = 2 * topics_.size() + 64;
  last_ = nullptr;
}

LoopMetrics::Copy LoopMetrics::copy(const image::Image& image) {
  forget_gone(image);
  Copy copied;
  copied.all = all;
  copied.topics.assign(topics_.begin(), topics_.end());
  std::ranges::sort(copied.topics, {}, [](const auto& entry) { return entry.first; });
  for (std::size_t key = 0; key < kApis; ++key) {
    if (apis_[key] != nullptr) copied.apis.emplace_back(static_cast<std::int16_t>(key), *apis_[key]);
  }
  copied.listeners = listeners_;
  return copied;
}

}  // namespace milena::broker
