#include "meta/client_quotas.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "meta/ip_literal.h"
#include "meta/topics.h"

namespace milena::meta {
namespace {

using image::QuotaEntity;
using wire::ErrorCode;

constexpr std::string_view kUser = "user";
constexpr std::string_view kClientId = "client-id";
constexpr std::string_view kIp = "ip";

enum class Number : std::uint8_t { kDouble, kLong, kInt };
struct QuotaKey {
  std::string_view name;
  Number type;
};
constexpr QuotaKey kUserAndClientKeys[] = {
    {"producer_byte_rate", Number::kLong},
    {"consumer_byte_rate", Number::kLong},
    {"request_percentage", Number::kDouble},
    {"controller_mutation_rate", Number::kDouble},
};
constexpr QuotaKey kIpKeys[] = {{"connection_creation_rate", Number::kInt}};

bool known_type(std::string_view type) { return type == kUser || type == kClientId || type == kIp; }

ApiError invalid(std::string message) { return {ErrorCode::INVALID_REQUEST, std::move(message)}; }

ApiError check_entity(const QuotaEntity& entity) {
  if (entity.empty()) return invalid("A client quota needs an entity.");
  for (const auto& [type, name] : entity) {
    if (!known_type(type)) return invalid(fmt::format("Unknown type of a quota's entity: {}", type));
    if (name.has_value() && name->empty()) return invalid(fmt::format("An empty {} is not a name.", type));
    if (type != kIp) continue;
    if (entity.size() > 1) return invalid("An ip goes with neither user nor client-id.");
    if (name.has_value() && !is_ip_literal(*name)) return invalid(fmt::format("{} is not an IP address.", *name));
  }
  return {};
}

std::span<const QuotaKey> keys_of(const QuotaEntity& entity) {
  if (entity.front().first == kIp) return kIpKeys;
  return kUserAndClientKeys;
}

ApiError check_value(std::span<const QuotaKey> keys, std::string_view key, double value) {
  constexpr double kFraction = 1e-6;
  constexpr double kLongMax = 9223372036854775807.0;
  constexpr double kIntMax = 2147483647.0;
  auto known = std::ranges::find(keys, key, &QuotaKey::name);
  if (known == keys.end()) return invalid(fmt::format("Invalid quota key {}.", key));
  if (std::isnan(value)) return invalid(fmt::format("Quota {} must be a number.", key));
  if (value <= 0) return invalid(fmt::format("Quota {} must be greater than 0.", key));
  if (known->type == Number::kDouble) return {};
  if (value > (known->type == Number::kLong ? kLongMax : kIntMax))
    return invalid(fmt::format("Quota {} is too large.", key));
  if (std::fmod(value, 1.0) > kFraction) return invalid(fmt::format("Quota {} must be a whole number.", key));
  return {};
}

image::MetadataRecord quota_record(const QuotaEntity& entity, const std::string& key, std::optional<double> value) {
  wire::ClientQuotaRecord record;
  for (const auto& [type, name] : entity) {
    auto& part = record.entity.emplace_back();
    part.entity_type = type;
    part.entity_name = name;
  }
  record.key = key;
  record.value = value.value_or(0);
  record.remove = !value.has_value();
  return {std::move(record), 0};
}

ApiError alter_entity(const image::Image& image, const QuotaEntity& entity,
                      const std::map<std::string, std::optional<double>>& changes,
                      std::vector<image::MetadataRecord>& records) {
  ApiError error = check_entity(entity);
  if (error.failed()) return error;
  const auto* found = image.client_quotas.find(entity);
  image::QuotaValues now = found == nullptr ? image::QuotaValues() : **found;
  std::vector<image::MetadataRecord> changed;
  for (const auto& [key, value] : changes) {
    auto before = now.find(key);
    if (value.has_value()) {
      error = check_value(keys_of(entity), key, *value);
      if (error.failed()) return error;
      if (before != now.end() && before->second == *value) continue;
    } else if (before == now.end()) {
      continue;
    }
    changed.push_back(quota_record(entity, key, value));
  }
  std::ranges::move(changed, std::back_inserter(records));
  return {};
}

/// The parts as a map has them: each type once, the last one counts.
QuotaEntity entity_of(const wire::AlterClientQuotasRequest::EntryData& entry) {
  std::map<std::string, std::optional<std::string>> parts;
  for (const auto& part : entry.entity) parts[part.entity_type] = part.entity_name;
  return {parts.begin(), parts.end()};
}

/// What a filter asks of an entity; a name without a value: the default.
struct Filter {
  std::map<std::string, std::optional<std::string>> exact;
  std::vector<std::string> types;
  bool strict = false;

  bool asks(std::string_view type) const {
    return exact.contains(std::string(type)) || std::ranges::find(types, type) != types.end();
  }
  bool fits(const QuotaEntity& entity) const {
    if (strict && entity.size() != exact.size() + types.size()) return false;
    auto has = [&](const auto& part) { return std::ranges::find(entity, part) != entity.end(); };
    auto has_type = [&](const std::string& type) {
      return std::ranges::find(entity, type, &QuotaEntity::value_type::first) != entity.end();
    };
    return std::ranges::all_of(exact, [&](const auto& part) { return has(QuotaEntity::value_type(part)); }) &&
           std::ranges::all_of(types, has_type);
  }
};

// DescribeClientQuotas: 0 a name, 1 the default entity, 2 any.
constexpr std::int8_t kMatchExact = 0;
constexpr std::int8_t kMatchSpecified = 2;

ApiError add_component(const wire::DescribeClientQuotasRequest::ComponentData& component, Filter& filter) {
  const std::string& type = component.entity_type;
  if (type.empty()) return invalid("An entity type is empty.");
  if (filter.asks(type)) return invalid(fmt::format("Entity type {} appears more than once in the filter.", type));
  if (!known_type(type)) return {ErrorCode::UNSUPPORTED_VERSION, fmt::format("Unknown entity type {}.", type)};
  if (component.match_type < kMatchExact || component.match_type > kMatchSpecified)
    return invalid(fmt::format("Unknown match type {}.", component.match_type));
  bool exact = component.match_type == kMatchExact;
  if (exact && !component.match.has_value()) return invalid("An exact match needs a name.");
  if (!exact && component.match.has_value()) return invalid("Only an exact match has a name.");
  if (component.match_type == kMatchSpecified) filter.types.push_back(type);
  else filter.exact[type] = component.match;
  return {};
}

ApiError make_filter(const wire::DescribeClientQuotasRequest& request, Filter& filter) {
  filter.strict = request.strict;
  for (const auto& component : request.components) {
    ApiError error = add_component(component, filter);
    if (error.failed()) return error;
  }
  if (filter.asks(kIp) && (filter.asks(kUser) || filter.asks(kClientId)))
    return invalid("An ip goes with neither user nor client-id.");
  return {};
}

}  // namespace

Decision<wire::AlterClientQuotasResponse> alter_client_quotas(const Context& context,
                                                              const wire::AlterClientQuotasRequest& request) {
  Decision<wire::AlterClientQuotasResponse> decision;
  std::map<QuotaEntity, ApiError> results;
  for (const auto& entry : request.entries) {
    QuotaEntity entity = entity_of(entry);
    std::map<std::string, std::optional<double>> changes;
    bool twice = results.contains(entity);
    for (const auto& op : entry.ops) {
      auto value = op.remove ? std::nullopt : std::optional(op.value);
      if (!changes.emplace(op.key, value).second) twice = true;
    }
    ApiError error = invalid("An entity, or a key of an entity, is altered twice.");
    if (!twice) error = alter_entity(context.image, entity, changes, decision.records);
    results[std::move(entity)] = std::move(error);
  }
  bool too_many = decision.records.size() > kMaxRecordsPerRequest;
  for (auto& [entity, error] : results) {
    if (too_many) error = {ErrorCode::POLICY_VIOLATION, "Unable to perform excessively large batch operation."};
    auto& out = decision.response.entries.emplace_back();
    out.error_code = error.number();
    out.error_message = error.text();
    for (const auto& [type, name] : entity) {
      auto& part = out.entity.emplace_back();
      part.entity_type = type;
      part.entity_name = name;
    }
  }
  if (request.validate_only || too_many) decision.records.clear();
  return decision;
}

wire::DescribeClientQuotasResponse describe_client_quotas(const image::Image& image,
                                                          const wire::DescribeClientQuotasRequest& request) {
  wire::DescribeClientQuotasResponse response;
  Filter filter;
  ApiError error = make_filter(request, filter);
  if (error.failed()) {
    response.error_code = error.number();
    response.error_message = error.text();
    response.entries.reset();
    return response;
  }
  for (const auto& [entity, values] : image.client_quotas) {
    if (!filter.fits(entity)) continue;
    auto& entry = response.entries->emplace_back();
    for (const auto& [type, name] : entity) {
      auto& part = entry.entity.emplace_back();
      part.entity_type = type;
      part.entity_name = name;
    }
    for (const auto& [key, value] : *values) {
      auto& out = entry.values.emplace_back();
      out.key = key;
      out.value = value;
    }
  }
  return response;
}

}  // namespace milena::meta
