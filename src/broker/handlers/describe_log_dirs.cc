#include "broker/handlers/describe_log_dirs.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <utility>

namespace milena::broker {
namespace {

using wire::ErrorCode;
using Request = DescribeLogDirsHandler::Api::Request;
using Response = DescribeLogDirsHandler::Api::Response;

// Nothing: all partitions.
using Asked = std::optional<std::set<log::PartitionName>>;

Asked asked_for(const Request& request) {
  if (!request.topics.has_value()) return std::nullopt;
  Asked asked(std::in_place);
  for (const auto& topic : *request.topics) {
    for (std::int32_t index : topic.partitions) asked->insert({topic.topic, PartitionId(index)});
  }
  return asked;
}

// As Kafka: what does not fit is as much as can be told.
std::int64_t told(std::uint64_t bytes) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
  return static_cast<std::int64_t>(std::min(bytes, kMost));
}

Response::DescribeLogDirsResult describe(const replica::LogManager::DescribedDirectory& directory,
                                         const Asked& asked) {
  Response::DescribeLogDirsResult result;
  result.log_dir = directory.path;
  result.is_cordoned = directory.cordoned;
  if (directory.failed) {
    result.error_code = wire::to_int16(ErrorCode::KAFKA_STORAGE_ERROR);
    return result;
  }
  result.total_bytes = told(directory.space.total);
  result.usable_bytes = told(directory.space.usable);
  for (const auto& log : directory.logs) {  // in the order of their names
    if (asked.has_value() && !asked->contains(log.name)) continue;
    if (result.topics.empty() || result.topics.back().name != log.name.topic) {
      result.topics.emplace_back().name = log.name.topic;
    }
    auto& partition = result.topics.back().partitions.emplace_back();
    partition.partition_index = log.name.partition.value();
    partition.partition_size = told(log.size);
    partition.offset_lag = log.offset_lag;
    partition.is_future_key = log.future;
  }
  return result;
}

}  // namespace

io::Task<Response> DescribeLogDirsHandler::handle(RequestContext context, Request request) {
  replica::LogManager* logs = &context.services().logs;
  auto ask = [logs] { return logs->describe(); };
  auto directories = co_await io::run_on(context.services().control, std::move(ask));
  Asked asked = asked_for(request);
  Response response;
  for (const auto& directory : directories) response.results.push_back(describe(directory, asked));
  co_return response;
}

const HandlerEntry kDescribeLogDirs = make_handler<DescribeLogDirsHandler>();

}  // namespace milena::broker
