/// A metadata record with the version it was or will be written in, and its bytes in a log.
///
/// The value of a record of `__cluster_metadata` is a frame (KIP-631), all numbers unsigned varints:
///   frame version (1) | api key | message version | message
/// The key of the record is null. Unknown tagged fields are kept by the message structs, so that decoding and
/// encoding gives the same bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "base/bytes.h"
#include "base/result.h"
#include "wire/messages/abort_transaction_record.h"
#include "wire/messages/access_control_entry_record.h"
#include "wire/messages/begin_transaction_record.h"
#include "wire/messages/broker_registration_change_record.h"
#include "wire/messages/clear_elr_record.h"
#include "wire/messages/client_quota_record.h"
#include "wire/messages/config_record.h"
#include "wire/messages/delegation_token_record.h"
#include "wire/messages/end_transaction_record.h"
#include "wire/messages/feature_level_record.h"
#include "wire/messages/fence_broker_record.h"
#include "wire/messages/no_op_record.h"
#include "wire/messages/partition_change_record.h"
#include "wire/messages/partition_record.h"
#include "wire/messages/producer_ids_record.h"
#include "wire/messages/register_broker_record.h"
#include "wire/messages/register_controller_record.h"
#include "wire/messages/remove_access_control_entry_record.h"
#include "wire/messages/remove_delegation_token_record.h"
#include "wire/messages/remove_topic_record.h"
#include "wire/messages/remove_user_scram_credential_record.h"
#include "wire/messages/topic_record.h"
#include "wire/messages/unfence_broker_record.h"
#include "wire/messages/unregister_broker_record.h"
#include "wire/messages/user_scram_credential_record.h"
#include "wire/messages/zk_migration_state_record.h"

namespace milena::image {

/// One alternative per record type. The order is private; `api_key` tells the type's number in the log.
using RecordMessage =
    std::variant<wire::RegisterBrokerRecord, wire::UnregisterBrokerRecord, wire::TopicRecord, wire::PartitionRecord,
                 wire::ConfigRecord, wire::PartitionChangeRecord, wire::FenceBrokerRecord, wire::UnfenceBrokerRecord,
                 wire::RemoveTopicRecord, wire::DelegationTokenRecord, wire::UserScramCredentialRecord,
                 wire::FeatureLevelRecord, wire::ClientQuotaRecord, wire::ProducerIdsRecord,
                 wire::BrokerRegistrationChangeRecord, wire::AccessControlEntryRecord,
                 wire::RemoveAccessControlEntryRecord, wire::NoOpRecord, wire::ZkMigrationStateRecord,
                 wire::RemoveUserScramCredentialRecord, wire::BeginTransactionRecord, wire::EndTransactionRecord,
                 wire::AbortTransactionRecord, wire::RemoveDelegationTokenRecord, wire::RegisterControllerRecord,
                 wire::ClearElrRecord>;

struct MetadataRecord {
  RecordMessage message;
  std::int16_t version = 0;
  bool operator==(const MetadataRecord&) const = default;
};

struct RecordError {
  enum class Kind : std::uint8_t {
    kMalformed,           // cut short, trailing bytes, wrong frame version
    kUnknownType,         // an api key that this release does not know: refuse, never skip
    kUnsupportedVersion,  // a known type in a version that this release does not know
  };
  Kind kind = Kind::kMalformed;
  std::string message;
};

/// The record's type number.
std::int16_t api_key(const RecordMessage& message);
/// The type's name as in Kafka's schemas, e.g. "TopicRecord".
std::string_view type_name(const RecordMessage& message);
/// The newest version of the type that this release knows.
std::int16_t latest_version(const RecordMessage& message);

/// The frame: the value of a log record.
Bytes encode_record(const MetadataRecord& record);
/// `frame` is untrusted.
Result<MetadataRecord, RecordError> decode_record(const Bytes& frame);

}  // namespace milena::image
