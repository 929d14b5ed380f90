#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "image/writer.h"
#include "meta/brokers.h"
#include "meta/partition_change.h"

namespace milena::meta {
namespace {

using wire::ErrorCode;

bool reserved_directory(const Uuid& id) { return id.is_reserved(); }

ErrorCode check_directories(const Context& context, const wire::BrokerRegistrationRequest& request) {
  if (!context.image.metadata_version().directories()) return ErrorCode::NONE;
  std::set<Uuid> directories(request.log_dirs.begin(), request.log_dirs.end());
  if (directories.empty() || directories.size() != request.log_dirs.size() ||
      std::ranges::any_of(directories, reserved_directory))
    return ErrorCode::INVALID_REGISTRATION;
  for (const auto& [id, broker] : context.image.brokers)
    if (id != BrokerId(request.broker_id) &&
        std::ranges::any_of(broker->log_dirs, [&](const Uuid& dir) { return directories.contains(dir); }))
      return ErrorCode::INVALID_REGISTRATION;
  return ErrorCode::NONE;
}

/// Every finalized feature must lie in the range the broker supports; one that it does not name must not be there.
ErrorCode check_features(const Context& context, const wire::BrokerRegistrationRequest& request) {
  std::set<std::string> named;
  for (const auto& feature : request.features) {
    named.insert(feature.name);
    std::int16_t level = context.image.feature_level(feature.name);
    if (feature.name == image::kMetadataVersionFeature) level = context.image.metadata_version().level;
    if (level < feature.min_supported_version || level > feature.max_supported_version)
      return ErrorCode::UNSUPPORTED_VERSION;
  }
  if (!named.contains(std::string(image::kMetadataVersionFeature))) return ErrorCode::INVALID_REGISTRATION;
  for (const auto& [name, level] : context.image.features)
    if (!named.contains(name) && level != 0) return ErrorCode::UNSUPPORTED_VERSION;
  return ErrorCode::NONE;
}

ErrorCode check(const Context& context, const wire::BrokerRegistrationRequest& request,
                const image::Broker* existing) {
  if (request.cluster_id != context.settings.cluster_id) return ErrorCode::INCONSISTENT_CLUSTER_ID;
  if (existing != nullptr && existing->incarnation_id != request.incarnation_id &&
      context.heartbeats.has_valid_session(BrokerId(request.broker_id), context.now))
    return ErrorCode::DUPLICATE_BROKER_REGISTRATION;
  if (request.is_migrating_zk_broker) return ErrorCode::BROKER_ID_NOT_REGISTERED;
  ErrorCode error = check_directories(context, request);
  return error != ErrorCode::NONE ? error : check_features(context, request);
}

template <class Request, class Record>
void copy_listeners_and_features(const Request& request, Record& record) {
  for (const auto& listener : request.listeners) {
    auto& endpoint = record.end_points.emplace_back();
    endpoint.name = listener.name;
    endpoint.host = listener.host;
    endpoint.port = listener.port;
    endpoint.security_protocol = listener.security_protocol;
  }
  for (const auto& feature : request.features) {
    auto& supported = record.features.emplace_back();
    supported.name = feature.name;
    supported.min_supported_version = feature.min_supported_version;
    supported.max_supported_version = feature.max_supported_version;
  }
}

wire::RegisterBrokerRecord registration(const wire::BrokerRegistrationRequest& request,
                                        image::MetadataVersion version) {
  wire::RegisterBrokerRecord record;
  record.broker_id = request.broker_id;
  record.incarnation_id = request.incarnation_id;
  record.rack = request.rack;
  copy_listeners_and_features(request, record);
  if (version.directories()) record.log_dirs = request.log_dirs;
  return record;
}

}  // namespace

Decision<wire::BrokerRegistrationResponse> register_broker(const Context& context,
                                                           const wire::BrokerRegistrationRequest& request) {
  Decision<wire::BrokerRegistrationResponse> decision;
  BrokerId id(request.broker_id);
  const image::Broker* existing = context.image.broker(id);
  if (ErrorCode error = check(context, request, existing); error != ErrorCode::NONE) {
    decision.response.error_code = wire::to_int16(error);
    return decision;
  }
  wire::RegisterBrokerRecord record = registration(request, context.image.metadata_version());
  if (existing != nullptr && existing->incarnation_id == request.incarnation_id) {
    record.fenced = existing->fenced;
    record.in_controlled_shutdown = existing->in_controlled_shutdown;
    record.broker_epoch = existing->broker_epoch;
  } else {
    // What the broker says about its last epoch tells a clean stop from an unclean one; nothing known: epoch -2.
    bool clean = existing != nullptr && existing->broker_epoch == request.previous_broker_epoch;
    bool forget = context.image.elr_enabled() && !clean;
    decision.records = leader_and_isr_updates(context, forget ? kNoBroker : id, kNoBroker, forget ? id : kNoBroker);
    record.broker_epoch = context.next_offset.value();
  }
  decision.response.broker_epoch = record.broker_epoch;
  decision.records.push_back(image::broker_record(record, context.image.metadata_version()));
  return decision;
}

Decision<wire::UnregisterBrokerResponse> unregister_broker(const Context& context,
                                                           const wire::UnregisterBrokerRequest& request) {
  Decision<wire::UnregisterBrokerResponse> decision;
  BrokerId id(request.broker_id);
  const image::Broker* broker = context.image.broker(id);
  decision.response.error_message = std::nullopt;
  if (broker == nullptr) {
    decision.response.error_code = wire::to_int16(ErrorCode::BROKER_ID_NOT_REGISTERED);
    decision.response.error_message = fmt::format("Broker ID {} is not currently registered", id);
    return decision;
  }
  decision.records = leader_and_isr_updates(context, kNoBroker, kNoBroker, id);
  wire::UnregisterBrokerRecord record;
  record.broker_id = request.broker_id;
  record.broker_epoch = broker->broker_epoch;
  decision.records.push_back({record, 0});
  return decision;
}

Decision<wire::ControllerRegistrationResponse> register_controller(
    const Context& context, const wire::ControllerRegistrationRequest& request) {
  Decision<wire::ControllerRegistrationResponse> decision;
  decision.response.error_message = std::nullopt;
  if (!context.image.metadata_version().controller_registration()) {
    decision.response.error_code = wire::to_int16(ErrorCode::UNSUPPORTED_VERSION);
    decision.response.error_message = "The metadata.version is too old for controller registrations.";
    return decision;
  }
  wire::RegisterControllerRecord record;
  record.controller_id = request.controller_id;
  record.incarnation_id = request.incarnation_id;
  copy_listeners_and_features(request, record);
  decision.records.push_back({std::move(record), 0});
  return decision;
}

}  // namespace milena::meta
