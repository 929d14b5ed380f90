#include "replica/testing/metadata_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>
#include <variant>
#include <vector>

#include "image/builder.h"
#include "image/record.h"
#include "image/replayer.h"
#include "image/writer.h"
#include "log/log_directory.h"
#include "replica/metadata_store.h"

namespace milena::replica {
namespace {

std::string compare_replay(const LoadedMetadata& loaded, const image::Image& live) {
  image::ImageBuilder snapshot;
  for (const image::MetadataRecord& record : loaded.snapshot) {
    auto applied = snapshot.apply(record);
    if (applied.failed()) return applied.error().message;
  }
  if (const auto& id = loaded.recovered.latest_snapshot; id.has_value()) {
    snapshot.set_position(id->end_offset - 1, id->epoch, kNoTimestamp);
  }
  image::Replayer replayer(snapshot.take_image());
  for (const raft::LogBatch& batch : loaded.batches) {
    if (batch.last_offset > live.offset) break;
    std::vector<image::MetadataRecord> records;
    for (const Bytes& value : batch.values) {
      auto record = image::decode_record(value);
      if (record.failed()) return record.error().message;
      records.push_back(std::move(*record));
    }
    auto applied = replayer.apply(records, batch.last_offset, batch.epoch, batch.timestamp);
    if (applied.failed()) return applied.error().message;
  }
  const image::Image& image = replayer.image();
  if (image.offset < live.offset) {
    return fmt::format("the image served is of offset {}, the log gives only {}", live.offset, image.offset);
  }
  return image.same_contents(live)
             ? ""
             : fmt::format("replay up to offset {} gives another image than the one served", live.offset);
}

// The records that make the image, without what is of one life of the node.
std::vector<image::MetadataRecord> lasting_records(const image::Image& image) {
  std::vector<image::MetadataRecord> lasting;
  for (image::MetadataRecord& record : image::to_records(image)) {
    if (std::holds_alternative<wire::RegisterBrokerRecord>(record.message)) continue;
    if (std::holds_alternative<wire::RegisterControllerRecord>(record.message)) continue;
    if (auto* partition = std::get_if<wire::PartitionRecord>(&record.message)) {
      wire::PartitionRecord kept;
      kept.topic_id = partition->topic_id;
      kept.partition_id = partition->partition_id;
      kept.replicas = std::move(partition->replicas);
      kept.directories = std::move(partition->directories);
      kept.adding_replicas = std::move(partition->adding_replicas);
      kept.removing_replicas = std::move(partition->removing_replicas);
      *partition = std::move(kept);
    }
    lasting.push_back(std::move(record));
  }
  return lasting;
}

}  // namespace

std::string replay_difference(io::Disk& disk, const std::string& directory, Timestamp now, const image::Image& live) {
  auto opened = log::LogDirectory::open(disk, directory);
  if (opened.failed()) return opened.error().message;
  LoadedMetadata loaded;
  auto store = MetadataStore::open(disk, **opened, {}, now, loaded);
  if (store.failed()) return store.error().message;
  return compare_replay(loaded, live);
}

std::string restart_difference(const image::Image& before, const image::Image& after) {
  std::vector<image::MetadataRecord> old_records = lasting_records(before);
  std::vector<image::MetadataRecord> new_records = lasting_records(after);
  auto [lost, added] = std::ranges::mismatch(old_records, new_records);
  if (lost == old_records.end() && added == new_records.end()) return "";
  const image::MetadataRecord& record = lost == old_records.end() ? *added : *lost;
  return fmt::format("{} records made the image before the restart, {} make it now; they differ from number {} on, "
                     "a {}",
                     old_records.size(), new_records.size(), std::distance(old_records.begin(), lost),
                     image::type_name(record.message));
}

}  // namespace milena::replica
