#include "broker/handlers/alter_replica_log_dirs.h"

#include <map>
#include <string>
#include <utility>

namespace milena::broker {
namespace {

using wire::ErrorCode;
using Request = AlterReplicaLogDirsHandler::Api::Request;
using Response = AlterReplicaLogDirsHandler::Api::Response;

// Of a partition that is named twice the last directory counts.
using Wanted = std::map<log::PartitionName, std::string>;
using Outcome = std::map<log::PartitionName, ErrorCode>;

io::Task<Outcome> move_all(replica::LogManager* logs, Wanted wanted) {
  Outcome outcome;
  for (const auto& [name, path] : wanted) {
    ErrorCode error = co_await logs->move_replica(name, path);
    outcome[name] = error;
  }
  co_return std::move(outcome);
}

}  // namespace

io::Task<Response> AlterReplicaLogDirsHandler::handle(RequestContext context, Request request) {
  Wanted wanted;
  for (const auto& directory : request.dirs) {
    for (const auto& topic : directory.topics) {
      for (std::int32_t index : topic.partitions) wanted[{topic.name, PartitionId(index)}] = directory.path;
    }
  }
  replica::LogManager* logs = &context.services().logs;
  auto work = [logs, wanted = std::move(wanted)] { return move_all(logs, wanted); };
  Outcome outcome = co_await io::run_on(context.services().control, std::move(work));
  Response response;
  for (const auto& [name, error] : outcome) {
    if (response.results.empty() || response.results.back().topic_name != name.topic) {
      response.results.emplace_back().topic_name = name.topic;
    }
    auto& partition = response.results.back().partitions.emplace_back();
    partition.partition_index = name.partition.value();
    partition.error_code = wire::to_int16(error);
  }
  co_return response;
}

const HandlerEntry kAlterReplicaLogDirs = make_handler<AlterReplicaLogDirsHandler>();

}  // namespace milena::broker
