#include "reader.h"

#include <fmt/format.h>

#include "wire/apis/fetch.h"
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
  wire::CompressionScratch scratch;
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

io::Task<std::optional<History::Log>> read_log(Clients* clients, PartitionRef where) {
  auto opened = co_await connect_once(clients);
  if (opened.failed()) {
    note(clients, "connecting", opened.error());
    co_return std::nullopt;
  }
  ConnectionPtr connection = std::move(*opened);
  const SimTopic& topic = clients->history.topics[where.topic];
  History::Log log;
  std::int64_t next = 0;
  while (true) {
    CallOptions options = random_version(*clients, 11, 18);
    auto request = fetch_request(topic, where.partition, next);
    auto answer = co_await connection->call<wire::FetchApi>(std::move(request), options);
    if (answer.failed()) {
      note(clients, "fetch", answer.error());
      co_return std::nullopt;
    }
    if (answer->error_code != 0) {
      note(clients, "fetch", answer->error_code);
      co_return std::nullopt;
    }
    if (answer->responses.empty() || answer->responses[0].partitions.empty()) co_return std::nullopt;
    const auto& partition = answer->responses[0].partitions[0];
    if (partition.error_code != 0) {
      note(clients, "fetch of " + clients->history.name(where), partition.error_code);
      co_return std::nullopt;
    }
    std::size_t before = log.size();
    if (partition.records.has_value() &&
        !take_records(clients->history, where, *partition.records, next, log)) {
      co_return std::optional<History::Log>(std::move(log));
    }
    if (log.size() > before) {
      next = log.back().first + 1;
    } else {
      if (next != partition.high_watermark) {
        clients->history.violation(fmt::format("{}: nothing at offset {} below the high watermark {}",
                                               clients->history.name(where), next, partition.high_watermark));
      }
      co_return std::optional<History::Log>(std::move(log));
    }
  }
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
