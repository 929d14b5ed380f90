/// The node's configuration under the values that the metadata holds for all brokers and for this one (KIP-226).
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/ids.h"
#include "config/kafka_config.h"
#include "image/image.h"

namespace milena::broker {

/// Threads: the control loop; the configurations given out are immutable and may go anywhere.
class DynamicConfig {
 public:
  DynamicConfig(std::shared_ptr<const config::KafkaConfig> own, BrokerId self) : now_(std::move(own)), self_(self) {}

  const std::shared_ptr<const config::KafkaConfig>& now() const { return now_; }
  /// Whether a change of these resources is one of this broker's configuration.
  bool concerned(const std::set<image::ConfigResource>& changed) const;
  /// Takes over what `image` says. Returns lines for the log: values that are left out, keys that do nothing.
  std::vector<std::string> follow(const image::Image& image);
  /// Why a node must not start under the values in `image`; empty: it may.
  config::ConfigErrors refusals(const image::Image& image) const;

 private:
  config::KafkaConfig under(const image::Image& image, config::ConfigErrors* ignored) const;

  std::shared_ptr<const config::KafkaConfig> now_;
  BrokerId self_;
};

}  // namespace milena::broker
