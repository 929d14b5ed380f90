#include "broker/dynamic_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "config/startup.h"

namespace milena::broker {

using image::ResourceType;

bool DynamicConfig::concerned(const std::set<image::ConfigResource>& changed) const {
  std::string own = fmt::format("{}", self_);
  return std::ranges::any_of(changed, [&](const image::ConfigResource& resource) {
    return resource.type == static_cast<std::int8_t>(ResourceType::kBroker) &&
           (resource.name.empty() || resource.name == own);
  });
}

config::KafkaConfig DynamicConfig::under(const image::Image& image, config::ConfigErrors* ignored) const {
  return now_->with_dynamic(image.config(ResourceType::kBroker, ""),
                            image.config(ResourceType::kBroker, fmt::format("{}", self_)), ignored);
}

std::vector<std::string> DynamicConfig::follow(const image::Image& image) {
  config::ConfigErrors ignored;
  auto newer = std::make_shared<const config::KafkaConfig>(under(image, &ignored));
  std::vector<std::string> lines;
  for (const config::ConfigError& error : ignored) {
    lines.push_back(fmt::format("a dynamic value is left out: {}", error.message));
  }
  std::string idle = config::dynamic_keys_without_effect(*now_, *newer);
  if (!idle.empty()) lines.push_back(std::move(idle));
  now_ = std::move(newer);
  return lines;
}

config::ConfigErrors DynamicConfig::refusals(const image::Image& image) const {
  return config::startup_refusals(under(image, nullptr));
}

}  // namespace milena::broker
