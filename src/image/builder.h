/// ImageBuilder: applies metadata records to an image and notes what they change.
///
/// Every change costs O(log n) and shares the rest with the image it began from. A record that does not fit the
/// image (an unknown topic, a partition change for nothing) is an error: the log is not what this release
/// understands, and serving it would be a guess. Transaction markers are not for here: see replayer.h.
/// Threads: for one thread.
#pragma once

#include <string>
#include <utility>

#include "base/result.h"
#include "image/delta.h"
#include "image/image.h"
#include "image/record.h"

namespace milena::image {

struct ReplayError {
  std::string message;
};

class ImageBuilder {
 public:
  explicit ImageBuilder(Image base = {}) : image_(std::move(base)) {}

  /// Applies one record. After an error the builder is of no more use.
  Result<void, ReplayError> apply(const MetadataRecord& record);

  /// The image so far, with offset, epoch and timestamp still those of the base.
  const Image& image() const { return image_; }
  const Delta& delta() const { return delta_; }
  /// Where the last applied record stands in the log.
  void set_position(Offset offset, Epoch epoch, Timestamp timestamp);
  Image take_image() { return std::move(image_); }

 private:
  using Applied = Result<void, ReplayError>;
  Applied on(const wire::RegisterBrokerRecord& record);
  Applied on(const wire::UnregisterBrokerRecord& record);
  Applied on(const wire::TopicRecord& record);
  Applied on(const wire::PartitionRecord& record);
  Applied on(const wire::ConfigRecord& record);
  Applied on(const wire::PartitionChangeRecord& record);
  Applied on(const wire::FenceBrokerRecord& record);
  Applied on(const wire::UnfenceBrokerRecord& record);
  Applied on(const wire::RemoveTopicRecord& record);
  Applied on(const wire::DelegationTokenRecord& record);
  Applied on(const wire::UserScramCredentialRecord& record);
  Applied on(const wire::FeatureLevelRecord& record);
  Applied on(const wire::ClientQuotaRecord& record);
  Applied on(const wire::ProducerIdsRecord& record);
  Applied on(const wire::BrokerRegistrationChangeRecord& record);
  Applied on(const wire::AccessControlEntryRecord& record);
  Applied on(const wire::RemoveAccessControlEntryRecord& record);
  Applied on(const wire::NoOpRecord& record);
  Applied on(const wire::ZkMigrationStateRecord& record);
  Applied on(const wire::RemoveUserScramCredentialRecord& record);
  Applied on(const wire::BeginTransactionRecord& record);
  Applied on(const wire::EndTransactionRecord& record);
  Applied on(const wire::AbortTransactionRecord& record);
  Applied on(const wire::RemoveDelegationTokenRecord& record);
  Applied on(const wire::RegisterControllerRecord& record);
  Applied on(const wire::ClearElrRecord& record);
  Applied change_broker(BrokerId id, std::int64_t epoch, int fenced, int in_controlled_shutdown,
                        const wire::BrokerRegistrationChangeRecord* directories);

  Image image_;
  Delta delta_;
};

/// The partition after `change`; partition and leader epochs grow as Kafka has them grow.
Partition merge(const Partition& partition, const wire::PartitionChangeRecord& change);

}  // namespace milena::image
