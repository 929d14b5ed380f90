/// AlterReplicaLogDirs, api key 34, v1-2. KIP-113. Moves the logs of partitions to other log directories of this node;
/// the answer comes when the moves have begun, DescribeLogDirs tells how far they are. Partitions that do not exist yet
/// will be made in the directory that was asked for.
/// Errors per partition: INVALID_TOPIC_EXCEPTION (name too long), LOG_DIR_NOT_FOUND, KAFKA_STORAGE_ERROR,
/// UNKNOWN_TOPIC_OR_PARTITION, REPLICA_NOT_AVAILABLE.
#pragma once

#include "broker/handler.h"
#include "wire/apis/alter_replica_log_dirs.h"

namespace milena::broker {

struct AlterReplicaLogDirsHandler {
  using Api = wire::AlterReplicaLogDirsApi;
  static constexpr VersionRange versions{1, 2};
  static io::Task<Api::Response> handle(RequestContext context, Api::Request request);
};
extern const HandlerEntry kAlterReplicaLogDirs;

}  // namespace milena::broker
