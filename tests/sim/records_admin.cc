#include "records_admin.h"

#include <fmt/format.h>

#include "reader.h"
#include "wire/apis/delete_records.h"
#include "wire/apis/list_offsets.h"

namespace milena::sim {
namespace {

using wire::ErrorCode;

// Deletes what is below `offset`; -1: all that is committed.
io::Task<void> delete_records(Clients* clients, client::Connection* connection, PartitionRef where,
                              std::int64_t offset, std::int64_t at_most) {
  History& history = clients->history;
  wire::DeleteRecordsRequest request;
  request.timeout_ms = 3000;
  auto& topic = request.topics.emplace_back();
  topic.name = history.topics[where.topic].name;
  auto& partition = topic.partitions.emplace_back();
  partition.partition_index = where.partition;
  partition.offset = offset;
  history.deletion_sent(where, at_most);
  int life = clients->lives;
  CallOptions options = random_version(*clients, 1, 2);
  auto answer = co_await connection->call<wire::DeleteRecordsApi>(std::move(request), options);
  if (answer.failed()) co_return;
  const auto& result = answer->topics.at(0).partitions.at(0);
  auto error = static_cast<ErrorCode>(result.error_code);
  switch (error) {
    case ErrorCode::NONE:
      break;
    case ErrorCode::NOT_LEADER_OR_FOLLOWER:
    case ErrorCode::KAFKA_STORAGE_ERROR:
    case ErrorCode::OFFSET_OUT_OF_RANGE:  // the log is shorter after a restart
    case ErrorCode::REQUEST_TIMED_OUT:
      co_return;
    default:
      history.violation(fmt::format("{}: DeleteRecords is answered with {}", history.name(where), wire::name(error)));
      co_return;
  }
  history.deleted(where, result.low_watermark);
  history.count("client.records_deleted");
  if (result.low_watermark < offset)
    history.violation(fmt::format("{}: deleted up to {}, and the log begins at {}", history.name(where), offset,
                                  result.low_watermark));
  auto earliest = co_await earliest_offset(clients, connection, where);
  if (earliest.has_value() && life == clients->lives && *earliest < result.low_watermark)
    history.violation(fmt::format("{}: began at {} after a deletion, now at {}", history.name(where),
                                  result.low_watermark, *earliest));
}

io::Task<void> delete_some(Clients* clients, client::Connection* connection) {
  const auto& topics = clients->history.topics;
  PartitionRef where;
  where.topic = clients->random.below(topics.size());
  where.partition = static_cast<std::int32_t>(
      clients->random.below(static_cast<std::uint64_t>(topics[where.topic].partitions)));
  auto start = co_await earliest_offset(clients, connection, where);
  if (!start.has_value()) co_return;
  auto end = co_await latest_offset(clients, connection, where);
  if (!end.has_value() || *end <= *start) co_return;
  co_await pass_gate(clients);
  if (clients->random.one_in(8))  // whatever is committed when it arrives
    co_return co_await delete_records(clients, connection, where, -1, *end + 100'000);
  std::int64_t offset = clients->random.between(*start, *start + (*end - *start) / 2);
  co_await delete_records(clients, connection, where, offset, offset);
}

}  // namespace

io::Task<void> run_records_admin(Clients* clients) {
  ConnectionPtr connection;
  ++clients->running;
  while (!clients->stopping) {
    co_await pause_up_to(clients, 2s);
    co_await pass_gate(clients);
    if (connection == nullptr || !connection->is_open()) {
      connection = co_await connect(clients, "records-admin");
      continue;
    }
    co_await delete_some(clients, connection.get());
  }
  --clients->running;
  clients->changed.notify_all();
}

}  // namespace milena::sim
