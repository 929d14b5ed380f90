#include "meta/activation.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

namespace milena::meta {
namespace {

image::MetadataRecord feature(std::string_view name, std::int16_t level) {
  wire::FeatureLevelRecord record;
  record.name = name;
  record.feature_level = level;
  return {std::move(record), 0};
}

std::int16_t level_in(std::span<const image::MetadataRecord> bootstrap, std::string_view name) {
  for (const image::MetadataRecord& record : bootstrap)
    if (const auto* level = std::get_if<wire::FeatureLevelRecord>(&record.message); level != nullptr && level->name == name)
      return level->feature_level;
  return 0;
}

image::MetadataRecord abort_record(std::string reason) {
  wire::AbortTransactionRecord abort;
  abort.reason = std::move(reason);
  return {std::move(abort), 0};
}

}  // namespace

std::vector<image::MetadataRecord> activation_records(const image::Image& image, bool in_transaction,
                                                      std::span<const image::MetadataRecord> bootstrap,
                                                      const Settings& settings) {
  std::vector<image::MetadataRecord> records;
  bool empty = image.feature_level(image::kMetadataVersionFeature) == 0;
  if (in_transaction)
    records.push_back(abort_record(empty ? "incomplete bootstrap transaction" : "controller failover"));
  if (!empty) return records;
  bool transaction = image::MetadataVersion{level_in(bootstrap, image::kMetadataVersionFeature)}.transactions();
  if (transaction) {
    wire::BeginTransactionRecord begin;
    begin.name = "Bootstrap records";
    records.push_back({std::move(begin), 0});
  }
  records.insert(records.end(), bootstrap.begin(), bootstrap.end());
  if (level_in(bootstrap, image::kElrFeature) > 0) {
    wire::ConfigRecord config;
    config.resource_type = static_cast<std::int8_t>(image::ResourceType::kBroker);
    config.name = "min.insync.replicas";
    config.value = fmt::format("{}", settings.min_insync_replicas);
    records.push_back({std::move(config), 0});
  }
  if (transaction) records.push_back({wire::EndTransactionRecord{}, 0});
  return records;
}

std::optional<std::string> unsupported_feature(const image::Image& image) {
  for (const auto& [name, level] : image.features) {
    const auto* known = std::ranges::find(image::kSupportedFeatures, name, &image::SupportedFeature::name);
    if (known == std::ranges::end(image::kSupportedFeatures)) {
      return fmt::format("feature {} is finalized at level {} (FeatureLevelRecord), and it is not known", name, level);
    }
    if (level < known->min_level || level > known->max_level) {
      return fmt::format("feature {} is finalized at level {} (FeatureLevelRecord); known are levels {} to {}", name,
                         level, known->min_level, known->max_level);
    }
  }
  return std::nullopt;
}

std::vector<image::MetadataRecord> default_bootstrap() {
  std::vector<image::MetadataRecord> records = {
      feature(image::kMetadataVersionFeature, image::kLatestMetadataVersion)};
  for (const image::SupportedFeature& supported : image::kSupportedFeatures)
    if (supported.name != image::kMetadataVersionFeature && supported.name != image::kKRaftVersionFeature)
      records.push_back(feature(supported.name, supported.default_level));
  return records;
}

}  // namespace milena::meta
