/// DescribeLogDirs, api key 35, v1-5. KIP-113, KIP-827 (total and usable bytes, v4), KIP-1066 (cordoned, v5). The log
/// directories of this node, and the size of each log in them; null asks for all partitions.
/// Errors per directory: KAFKA_STORAGE_ERROR (it has failed).
#pragma once

#include "broker/handler.h"
#include "wire/apis/describe_log_dirs.h"

namespace milena::broker {

struct DescribeLogDirsHandler {
  using Api = wire::DescribeLogDirsApi;
  static constexpr VersionRange versions{1, 5};
  static io::Task<Api::Response> handle(RequestContext context, Api::Request request);
};
extern const HandlerEntry kDescribeLogDirs;

}  // namespace milena::broker
