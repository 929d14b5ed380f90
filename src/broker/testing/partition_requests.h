/// CreateTopics, Produce, Fetch and ListOffsets requests for one topic, as tests of handlers need them: by name up to
/// the version that brought topic ids, by id from there on.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/uuid.h"
#include "wire/batch_builder.h"
#include "wire/messages/create_topics_request.h"
#include "wire/messages/fetch_request.h"
#include "wire/messages/list_offsets_request.h"
#include "wire/messages/produce_request.h"

namespace milena::broker {

/// One batch of `count` records, the first at `timestamp`, each next one a millisecond later.
inline Bytes batch_of(std::int32_t count, std::int64_t timestamp, std::size_t value_size = 10,
                      wire::BatchOptions options = {}) {
  wire::BatchBuilder builder(options);
  std::string value(value_size, 'v');
  for (std::int32_t i = 0; i < count; ++i) {
    builder.append(Timestamp(timestamp + i), as_bytes(std::string_view("key")), as_bytes(std::string_view(value)));
  }
  return builder.build();
}

/// A topic under both its names.
struct TopicRef {
  std::string name;
  Uuid id;
};

inline wire::CreateTopicsRequest creation_of(const std::string& name, std::int32_t partitions = 1) {
  wire::CreateTopicsRequest request;
  request.timeout_ms = 30000;
  auto& topic = request.topics.emplace_back();
  topic.name = name;
  topic.num_partitions = partitions;
  topic.replication_factor = 1;
  return request;
}

inline wire::ProduceRequest produce_to(const TopicRef& topic, std::int32_t partition, Bytes records,
                                       std::int16_t acks = -1) {
  wire::ProduceRequest request;
  request.acks = acks;
  request.timeout_ms = 5000;
  auto& data = request.topic_data.emplace_back();
  data.name = topic.name;
  data.topic_id = topic.id;
  auto& one = data.partition_data.emplace_back();
  one.index = partition;
  one.records = std::move(records);
  return request;
}

struct FetchFrom {
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  std::int32_t max_bytes = 1 << 20;
  std::int32_t leader_epoch = -1;
  std::int32_t last_fetched_epoch = -1;
};

inline wire::FetchRequest fetch_from(const TopicRef& topic, const std::vector<FetchFrom>& partitions,
                                     std::int32_t max_wait_ms = 0) {
  wire::FetchRequest request;
  request.max_wait_ms = max_wait_ms;
  request.min_bytes = 1;
  auto& asked = request.topics.emplace_back();
  asked.topic = topic.name;
  asked.topic_id = topic.id;
  for (const FetchFrom& from : partitions) {
    auto& one = asked.partitions.emplace_back();
    one.partition = from.partition;
    one.fetch_offset = from.offset;
    one.partition_max_bytes = from.max_bytes;
    one.current_leader_epoch = from.leader_epoch;
    one.last_fetched_epoch = from.last_fetched_epoch;
  }
  return request;
}

inline wire::ListOffsetsRequest offsets_at(const TopicRef& topic, std::int32_t partition, std::int64_t timestamp) {
  wire::ListOffsetsRequest request;
  auto& asked = request.topics.emplace_back();
  asked.name = topic.name;
  auto& one = asked.partitions.emplace_back();
  one.partition_index = partition;
  one.timestamp = timestamp;
  return request;
}

}  // namespace milena::broker
