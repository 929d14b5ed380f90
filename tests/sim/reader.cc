#include "reader.h"

#include <fmt/format.h>

#include "wire/apis/fetch.h"
#include "wire/apis/find_coordinator.h"
#include "wire/apis/list_offsets.h"
#include "wire/apis/metadata.h"
#include "wire/apis/offset_fetch.h"
#include "wire/record.h"

namespace milena::sim {
namespace {

using wire::ErrorCode;

// Notes why a request gave nothing.
void note(Clients* clients, std::string what, std::int16_t error) {
  clients->trouble = std::move(what) + ": " + std::string(wire::name(static_cast<ErrorCode>(error)));
}
void note(Clients* clients, std::string what, const client::ClientError& error) {
  clients->trouble = std::move(what) + ": " + error.message;
}

io::Task<ClientResult<ConnectionPtr>> connect_once(Clients* clients) {
  client::ConnectionOptions options;
  options.client_id = "reader";
  options.connect_timeout = 2s;
  options.request_timeout = 5s;
  io::Endpoint to{kBrokerHost, kBrokerPort};
  co_return co_await client::Connection::open(&clients->loop, to, options);
}

wire::FetchRequest fetch_request(const SimTopic& topic, std::int32_t index, std::int64_t offset) {
  wire::FetchRequest request;
  request.max_wait_ms = 0;
  request.min_bytes = 0;
  request.max_bytes = 1 << 20;
  wire::FetchRequest::FetchTopic one;
  one.topic = topic.name;
  one.topic_id = topic.id;
  wire::FetchRequest::FetchPartition partition;
  partition.partition = index;
  partition.fetch_offset = offset;
  partition.partition_max_bytes = 256 << 10;
  one.partitions.push_back(std::move(partition));
  request.topics.push_back(std::move(one));
  return request;
}

}  // namespace

bool take_records(History& history, PartitionRef where, ByteView records, std::int64_t from,
                  History::Log& into) {
  static thread_local wire::CompressionScratch scratch;  // dear to make
  wire::BatchCursor cursor(records);
  wire::BatchView batch;
  auto damaged = [&](std::string_view what) {
    history.violation(fmt::format("{}: damaged records near offset {}: {}", history.name(where), from, what));
    return false;
  };
  while (cursor.next(batch)) {
    if (!batch.crc_ok()) return damaged("checksum");
    Buffer unpacked;
    auto payload = wire::unpack_payload(batch, 16 << 20, unpacked, scratch);
    if (payload.failed()) return damaged("compression");
    wire::RecordReader reader(batch, *payload);
    wire::RecordView record;
    while (reader.next(record)) {
      if (record.offset.value() < from) continue;
      auto item = record.value.has_value() ? decode_item(as_text(*record.value)) : std::nullopt;
      if (!item.has_value()) return damaged("a value that nobody sent");
      into.emplace_back(record.offset.value(), *item);
    }
    if (reader.error().has_value()) return damaged(wire::describe(*reader.error()));
  }
  if (cursor.error().has_value() && *cursor.error() != wire::BatchError::kIncomplete) {
    return damaged(wire::describe(*cursor.error()));
  }
  return true;
}

namespace {

// One fetch at `next`. False: the broker could not be asked.
io::Task<bool> fetch_once(Clients* clients, client::Connection* connection, PartitionRef where,
                          std::int64_t next, wire::FetchResponse::PartitionData* data) {
  CallOptions options = random_version(*clients, 11, 18);
  auto request = fetch_request(clients->history.topics[where.topic], where.partition, next);
  auto answer = co_await connection->call<wire::FetchApi>(std::move(request), options);
  if (answer.failed()) {
    note(clients, "fetch", answer.error());
    co_return false;
  }
  if (answer->error_code != 0) {
    note(clients, "fetch", answer->error_code);
    co_return false;
  }
  if (answer->responses.empty() || answer->responses[0].partitions.empty()) co_return false;
  *data = std::move(answer->responses[0].partitions[0]);
  co_return true;
}

std::uint64_t whole_batches(ByteView records) {
  wire::BatchCursor cursor(records);
  wire::BatchView batch;
  while (cursor.next(batch)) {
  }
  return cursor.position();
}

}  // namespace

namespace {

io::Task<std::optional<std::int64_t>> offset_at(Clients* clients, client::Connection* connection,
                                                PartitionRef where, std::int64_t timestamp) {
  wire::ListOffsetsRequest request;
  request.replica_id = -1;
  wire::ListOffsetsRequest::ListOffsetsTopic topic;
  topic.name = clients->history.topics[where.topic].name;
  wire::ListOffsetsRequest::ListOffsetsPartition partition;
  partition.partition_index = where.partition;
  partition.timestamp = timestamp;
  topic.partitions.push_back(partition);
  request.topics.push_back(std::move(topic));
  CallOptions options = random_version(*clients, 1, 9);
  auto answer = co_await connection->call<wire::ListOffsetsApi>(std::move(request), options);
  if (answer.failed()) {
    note(clients, "list offsets", answer.error());
    co_return std::nullopt;
  }
  const auto& found = answer->topics.at(0).partitions.at(0);
  if (found.error_code != 0) {
    note(clients, "offsets of " + clients->history.name(where), found.error_code);
    co_return std::nullopt;
  }
  co_return found.offset;
}

}  // namespace

io::Task<std::optional<std::int64_t>> earliest_offset(Clients* clients, client::Connection* connection,
                                                      PartitionRef where) {
  return offset_at(clients, connection, where, -2);
}

io::Task<std::optional<std::int64_t>> latest_offset(Clients* clients, client::Connection* connection,
                                                    PartitionRef where) {
  return offset_at(clients, connection, where, -1);
}

io::Task<std::optional<History::Content>> read_log(Clients* clients, PartitionRef where) {
  auto opened = co_await connect_once(clients);
  if (opened.failed()) {
    note(clients, "connecting", opened.error());
    co_return std::nullopt;
  }
  ConnectionPtr connection = std::move(*opened);
  auto start = co_await earliest_offset(clients, connection.get(), where);
  if (!start.has_value()) co_return std::nullopt;
  History::Content content;
  std::int64_t next = content.start = *start;
  while (true) {
    wire::FetchResponse::PartitionData partition;
    bool asked = co_await fetch_once(clients, connection.get(), where, next, &partition);
    if (!asked) co_return std::nullopt;
    if (partition.error_code != 0) {
      note(clients, "fetch of " + clients->history.name(where), partition.error_code);
      co_return std::nullopt;
    }
    std::size_t before = content.records.size();
    if (partition.records.has_value()) {
      if (!take_records(clients->history, where, *partition.records, next, content.records)) break;
      content.bytes += whole_batches(*partition.records);
    }
    if (content.records.size() > before) {
      next = content.records.back().first + 1;
      continue;
    }
    if (next != partition.high_watermark) {
      clients->history.violation(fmt::format("{}: nothing at offset {} below the high watermark {}",
                                             clients->history.name(where), next, partition.high_watermark));
    }
    break;
  }
  co_return std::optional<History::Content>(std::move(content));
}

io::Task<std::optional<std::set<std::string>>> list_topics(Clients* clients) {
  auto opened = co_await connect_once(clients);
  if (opened.failed()) {
    note(clients, "connecting", opened.error());
    co_return std::nullopt;
  }
  ConnectionPtr connection = std::move(*opened);
  wire::MetadataRequest request;
  request.topics = std::nullopt;
  request.allow_auto_topic_creation = false;
  CallOptions options = random_version(*clients, 4, 13);
  auto answer = co_await connection->call<wire::MetadataApi>(std::move(request), options);
  if (answer.failed()) co_return std::nullopt;
  std::set<std::string> names;
  for (const auto& topic : answer->topics) names.insert(topic.name.value_or(""));
  co_return std::optional<std::set<std::string>>(std::move(names));
}

io::Task<bool> find_coordinator(Clients* clients, client::Connection* connection, std::string group) {
  wire::FindCoordinatorRequest request;
  request.key = group;
  request.coordinator_keys.push_back(std::move(group));
  CallOptions options = random_version(*clients, 0, 6);
  auto answer = co_await connection->call<wire::FindCoordinatorApi>(std::move(request), options);
  if (answer.failed() || answer->error_code != 0) co_return false;
  co_return answer->coordinators.empty() || answer->coordinators[0].error_code == 0;
}

io::Task<std::optional<std::map<PartitionRef, std::int64_t>>> committed_offsets(Clients* clients,
                                                                                std::string group) {
  auto opened = co_await connect_once(clients);
  if (opened.failed()) {
    note(clients, "connecting", opened.error());
    co_return std::nullopt;
  }
  ConnectionPtr connection = std::move(*opened);
  wire::OffsetFetchRequest request;
  request.require_stable = true;
  wire::OffsetFetchRequest::OffsetFetchRequestGroup one;
  one.group_id = group;
  one.topics = std::nullopt;
  request.groups.push_back(std::move(one));
  CallOptions options = random_version(*clients, 8, 9);
  options.min_version = 8;
  auto answer = co_await connection->call<wire::OffsetFetchApi>(std::move(request), options);
  if (answer.failed()) {
    note(clients, "offsets of " + group, answer.error());
    co_return std::nullopt;
  }
  if (answer->groups.size() != 1 || answer->groups[0].error_code != 0) {
    note(clients, "offsets of " + group,
         answer->groups.empty() ? std::int16_t{-1} : answer->groups[0].error_code);
    // Nobody may have looked for a coordinator yet: that makes the topic of the offsets.
    (void)co_await find_coordinator(clients, connection.get(), group);
    co_return std::nullopt;
  }
  std::map<PartitionRef, std::int64_t> offsets;
  const auto& topics = clients->history.topics;
  for (std::size_t i = 0; i < topics.size(); ++i) {
    for (std::int32_t p = 0; p < topics[i].partitions; ++p) offsets[{i, p}] = -1;
    for (const auto& topic : answer->groups[0].topics) {
      if (topic.name != topics[i].name) continue;
      for (const auto& partition : topic.partitions) {
        if (partition.error_code != 0) co_return std::nullopt;
        offsets[{i, partition.partition_index}] = partition.committed_offset;
      }
    }
  }
  co_return std::optional<std::map<PartitionRef, std::int64_t>>(std::move(offsets));
}

}  // namespace milena::sim
