#include "image/builder.h"

#include <fmt/format.h>

#include <algorithm>

namespace milena::image {
namespace {

template <class... Args>
auto error(fmt::format_string<Args...> format, Args&&... args) {
  return Err(ReplayError{fmt::format(format, std::forward<Args>(args)...)});
}

}  // namespace

Result<void, ReplayError> ImageBuilder::apply(const MetadataRecord& record) {
  return std::visit([&](const auto& message) { return on(message); }, record.message);
}

void ImageBuilder::set_position(Offset offset, Epoch epoch, Timestamp timestamp) {
  image_.offset = offset;
  image_.epoch = epoch;
  image_.timestamp = timestamp;
}

ImageBuilder::Applied ImageBuilder::on(const wire::RegisterBrokerRecord& record) {
  image_.brokers.insert(BrokerId(record.broker_id), Cow<Broker>(record));
  delta_.brokers.insert(BrokerId(record.broker_id));
  return {};
}

ImageBuilder::Applied ImageBuilder::on(const wire::UnregisterBrokerRecord& record) {
  const Broker* broker = image_.broker(BrokerId(record.broker_id));
  if (broker == nullptr || broker->broker_epoch != record.broker_epoch)
    return error("unregistration of broker {} epoch {}, which is not registered", record.broker_id, record.broker_epoch);
  image_.brokers.erase(BrokerId(record.broker_id));
  delta_.brokers.insert(BrokerId(record.broker_id));
  return {};
}

ImageBuilder::Applied ImageBuilder::change_broker(BrokerId id, std::int64_t epoch, int fenced,
                                                  int in_controlled_shutdown,
                                                  const wire::BrokerRegistrationChangeRecord* directories) {
  const Broker* broker = image_.broker(id);
  if (broker == nullptr || broker->broker_epoch != epoch)
    return error("change of broker {} epoch {}, which is not registered", id, epoch);
  if (fenced < -1 || fenced > 1 || in_controlled_shutdown < 0 || in_controlled_shutdown > 1)
    return error("change of broker {} to fenced {}, in controlled shutdown {}", id, fenced, in_controlled_shutdown);
  Broker& changed = image_.brokers.edit(id).edit();
  if (fenced != 0) changed.fenced = fenced == 1;
  if (in_controlled_shutdown == 1) changed.in_controlled_shutdown = true;
  if (directories != nullptr) {
    if (!directories->log_dirs.empty()) changed.log_dirs = directories->log_dirs;
    if (directories->cordoned_log_dirs.has_value()) changed.cordoned_log_dirs = directories->cordoned_log_dirs;
  }
  delta_.brokers.insert(id);
  return {};
}

ImageBuilder::Applied ImageBuilder::on(const wire::FenceBrokerRecord& record) {
  return change_broker(BrokerId(record.id), record.epoch, 1, 0, nullptr);
}

ImageBuilder::Applied ImageBuilder::on(const wire::UnfenceBrokerRecord& record) {
  return change_broker(BrokerId(record.id), record.epoch, -1, 0, nullptr);
}

ImageBuilder::Applied ImageBuilder::on(const wire::BrokerRegistrationChangeRecord& record) {
  return change_broker(BrokerId(record.broker_id), record.broker_epoch, record.fenced, record.in_controlled_shutdown,
                       &record);
}

ImageBuilder::Applied ImageBuilder::on(const wire::RegisterControllerRecord& record) {
  image_.controllers.insert(BrokerId(record.controller_id), Cow<Controller>(record));
  delta_.controllers.insert(BrokerId(record.controller_id));
  return {};
}

ImageBuilder::Applied ImageBuilder::on(const wire::ConfigRecord& record) {
  ConfigResource resource{record.resource_type, record.resource_name};
  if (record.value.has_value()) {
    image_.configs.edit(resource).edit()[record.name] = *record.value;
  } else if (image_.configs.contains(resource)) {
    ConfigMap& values = image_.configs.edit(resource).edit();
    values.erase(record.name);
    if (values.empty()) image_.configs.erase(resource);
  }
  delta_.configs.insert(std::move(resource));
  return {};
}

ImageBuilder::Applied ImageBuilder::on(const wire::FeatureLevelRecord& record) {
  if (record.feature_level == 0) image_.features.erase(record.name);
  else image_.features.insert(record.name, record.feature_level);
  delta_.features = true;
  return {};
}

ImageBuilder::Applied ImageBuilder::on(const wire::ClientQuotaRecord& record) {
  QuotaEntity entity;
  for (const auto& part : record.entity) entity.emplace_back(part.entity_type, part.entity_name);
  std::ranges::sort(entity);
  if (!record.remove) {
    image_.client_quotas.edit(entity).edit()[record.key] = record.value;
  } else if (image_.client_quotas.contains(entity)) {
    QuotaValues& values = image_.client_quotas.edit(entity).edit();
    values.erase(record.key);
    if (values.empty()) image_.client_quotas.erase(entity);
  }
  delta_.client_quotas = true;
  return {};
}

ImageBuilder::Applied ImageBuilder::on(const wire::ProducerIdsRecord& record) {
  image_.producer_ids = ProducerIds{BrokerId(record.broker_id), record.broker_epoch, record.next_producer_id};
  delta_.producer_ids = true;
  return {};
}

ImageBuilder::Applied ImageBuilder::on(const wire::AccessControlEntryRecord& record) {
  image_.acls.insert(record.id, record);
  delta_.acls = true;
  return {};
}

ImageBuilder::Applied ImageBuilder::on(const wire::RemoveAccessControlEntryRecord& record) {
  if (!image_.acls.erase(record.id)) return error("removal of ACL {}, which is not there", record.id);
  delta_.acls = true;
  return {};
}

ImageBuilder::Applied ImageBuilder::on(const wire::UserScramCredentialRecord& record) {
  image_.scram.insert(ScramKey{record.mechanism, record.name}, record);
  delta_.scram = true;
  return {};
}

ImageBuilder::Applied ImageBuilder::on(const wire::RemoveUserScramCredentialRecord& record) {
  if (!image_.scram.erase(ScramKey{record.mechanism, record.name}))
    return error("removal of the credential of user {}, which is not there", record.name);
  delta_.scram = true;
  return {};
}

ImageBuilder::Applied ImageBuilder::on(const wire::DelegationTokenRecord& record) {
  image_.delegation_tokens.insert(record.token_id, record);
  delta_.delegation_tokens = true;
  return {};
}

ImageBuilder::Applied ImageBuilder::on(const wire::RemoveDelegationTokenRecord& record) {
  image_.delegation_tokens.erase(record.token_id);
  delta_.delegation_tokens = true;
  return {};
}

ImageBuilder::Applied ImageBuilder::on(const wire::NoOpRecord&) { return {}; }
ImageBuilder::Applied ImageBuilder::on(const wire::ZkMigrationStateRecord&) { return {}; }  // of the past (3.x)

ImageBuilder::Applied ImageBuilder::on(const wire::BeginTransactionRecord&) {
  return error("a transaction begins where none may");
}
ImageBuilder::Applied ImageBuilder::on(const wire::EndTransactionRecord&) {
  return error("a transaction ends that did not begin");
}
ImageBuilder::Applied ImageBuilder::on(const wire::AbortTransactionRecord&) {
  return error("a transaction is aborted that did not begin");
}

}  // namespace milena::image
