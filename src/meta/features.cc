#include "meta/features.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <string>
#include <utility>

namespace milena::meta {
namespace {

using image::ResourceType;
using wire::ErrorCode;
using Reason = std::optional<std::string>;  // why not

enum class UpgradeType : std::int8_t { kUpgrade = 1, kSafeDowngrade = 2, kUnsafeDowngrade = 3 };

constexpr const char* kMinInsyncReplicas = "min.insync.replicas";

/// What a feature at level 1 or above needs of metadata.version.
std::int16_t needed_metadata_version(std::string_view feature) {
  constexpr std::int16_t kForElr = 23;  // 4.0-IV1, whose partition records have it
  return feature == image::kElrFeature ? kForElr : image::kMinMetadataVersion;
}

Reason out_of_range(std::int16_t level, std::int16_t low, std::int16_t high, std::string_view who) {
  if (level >= low && level <= high) return std::nullopt;
  if (high == 0) return fmt::format("{} does not support this feature.", who);
  return fmt::format("{} supports levels {} to {}.", who, low, high);
}

template <class Features>
Reason node_lacks(const Features& features, std::string_view name, std::int16_t level, std::string_view who) {
  for (const auto& feature : features)
    if (feature.name == name)
      return out_of_range(level, feature.min_supported_version, feature.max_supported_version, who);
  return out_of_range(level, 0, 0, who);
}

/// Whether this node and all registered ones can work at that level.
Reason not_supported(const Context& context, const std::string& name, std::int16_t level) {
  const auto* known = std::ranges::find(image::kSupportedFeatures, name, &image::SupportedFeature::name);
  bool unknown = known == std::ranges::end(image::kSupportedFeatures);
  Reason reason = unknown ? out_of_range(level, 0, 0, "The controller")
                          : out_of_range(level, known->min_level, known->max_level, "The controller");
  if (reason.has_value()) return reason;
  for (const auto& [id, broker] : context.image.brokers) {
    reason = node_lacks(broker->features, name, level, fmt::format("Broker {}", id));
    if (reason.has_value()) return reason;
  }
  if (!context.image.metadata_version().controller_registration()) return std::nullopt;
  for (const auto& [id, controller] : context.image.controllers) {
    if (id == context.settings.node_id) continue;
    reason = node_lacks(controller->features, name, level, fmt::format("Controller {}", id));
    if (reason.has_value()) return reason;
  }
  return unknown ? Reason("There is no such feature.") : std::nullopt;
}

struct Update {
  const std::string& name;
  std::int16_t level;
  std::int8_t type;
  std::int16_t now;

  bool is(UpgradeType wanted) const { return type == static_cast<std::int8_t>(wanted); }
  bool any_downgrade() const { return is(UpgradeType::kSafeDowngrade) || is(UpgradeType::kUnsafeDowngrade); }
};

Reason metadata_version_refused(const Update& update) {
  if (update.level >= update.now || !image::metadata_changed_between(update.level, update.now)) return std::nullopt;
  if (update.is(UpgradeType::kUnsafeDowngrade)) return "An unsafe downgrade of the metadata is not supported.";
  return "The downgrade might lose metadata.";
}

Reason kraft_version_refused(const Update& update) {
  if (update.level == update.now) return std::nullopt;
  if (update.any_downgrade()) return "This feature cannot be downgraded.";
  return "This release cannot change kraft.version: it is what the log directories were formatted with.";
}

Reason refused(const Context& context, const Update& update, std::int16_t metadata_version) {
  if (!update.is(UpgradeType::kUpgrade) && !update.any_downgrade()) return "The upgrade type is unknown.";
  if (update.level < 0) return "A level is at least 0.";
  if (Reason reason = not_supported(context, update.name, update.level)) return reason;
  if (update.level < update.now && !update.any_downgrade())
    return "A downgrade must be asked for as safe or unsafe downgrade.";
  if (update.level > update.now && update.any_downgrade()) return "A downgrade does not lead to a higher level.";
  if (update.name == image::kMetadataVersionFeature) return metadata_version_refused(update);
  if (update.name == image::kKRaftVersionFeature) return kraft_version_refused(update);
  std::int16_t needed = needed_metadata_version(update.name);
  if (update.level > 0 && metadata_version < needed)
    return fmt::format("It depends on metadata.version {} ({}).", needed, image::metadata_version_name(needed));
  return std::nullopt;
}

image::MetadataRecord level_record(const std::string& name, std::int16_t level) {
  wire::FeatureLevelRecord record;
  record.name = name;
  record.feature_level = level;
  return {std::move(record), 0};
}

image::MetadataRecord min_isr_record(const std::string& broker, std::optional<std::string> value) {
  wire::ConfigRecord record;
  record.resource_type = static_cast<std::int8_t>(ResourceType::kBroker);
  record.resource_name = broker;
  record.name = kMinInsyncReplicas;
  record.value = std::move(value);
  return {std::move(record), 0};
}

/// An ELR has a meaning only if all brokers agree on min.insync.replicas: the cluster gets a value, brokers lose theirs.
std::vector<image::MetadataRecord> one_min_isr(const Context& context) {
  std::vector<image::MetadataRecord> records;
  const image::Image& image = context.image;
  if (image.config(ResourceType::kBroker, "", kMinInsyncReplicas) == nullptr)
    records.push_back(min_isr_record("", fmt::format("{}", context.settings.min_insync_replicas)));
  for (const auto& [resource, values] : image.configs) {
    bool broker = resource.type == static_cast<std::int8_t>(ResourceType::kBroker) && !resource.name.empty();
    if (broker && values->contains(kMinInsyncReplicas)) records.push_back(min_isr_record(resource.name, std::nullopt));
  }
  return records;
}

}  // namespace

Decision<wire::UpdateFeaturesResponse> update_features(const Context& context,
                                                       const wire::UpdateFeaturesRequest& request,
                                                       std::int16_t version, std::int16_t kraft_version) {
  Decision<wire::UpdateFeaturesResponse> decision;
  decision.response.error_message = std::nullopt;
  struct Wish {
    std::int16_t level;
    std::int8_t type;
  };
  std::map<std::string, Wish> wishes;  // of a feature named twice the last one counts
  for (const auto& update : request.feature_updates)
    wishes.insert_or_assign(update.feature, Wish{update.max_version_level, update.upgrade_type});
  std::int16_t metadata_version = context.image.metadata_version().level;
  std::int16_t wished_metadata_version = metadata_version;
  if (auto found = wishes.find(std::string(image::kMetadataVersionFeature)); found != wishes.end())
    wished_metadata_version = found->second.level;
  bool elr = false;
  for (const auto& [name, wish] : wishes) {
    Update update{name, wish.level, wish.type, context.image.feature_level(name)};
    if (name == image::kMetadataVersionFeature) update.now = metadata_version;
    if (name == image::kKRaftVersionFeature) update.now = kraft_version;
    if (Reason reason = refused(context, update, wished_metadata_version)) {
      decision.records.clear();
      decision.response.error_code = wire::to_int16(ErrorCode::INVALID_UPDATE_VERSION);
      decision.response.error_message = fmt::format("No feature was updated: {} cannot be set to {}. {}", name,
                                                    wish.level, *reason);
      return decision;
    }
    if (name != image::kKRaftVersionFeature) decision.records.push_back(level_record(name, wish.level));
    elr = elr || (name == image::kElrFeature && wish.level > 0);
  }
  if (elr) {
    std::vector<image::MetadataRecord> records = one_min_isr(context);
    std::ranges::move(decision.records, std::back_inserter(records));
    decision.records = std::move(records);
  }
  if (request.validate_only) decision.records.clear();
  if (version > 1) return decision;
  for (const auto& update : request.feature_updates) {
    auto& result = decision.response.results.emplace_back();
    result.feature = update.feature;
    result.error_message = std::nullopt;
  }
  return decision;
}

}  // namespace milena::meta
