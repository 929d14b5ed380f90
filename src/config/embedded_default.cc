#include "config/embedded_default.h"

#include <string>
#include <utility>

namespace milena::config {

Settings embedded_default(std::uint16_t port, const Settings& given) {
  std::string client = "127.0.0.1:" + std::to_string(port);
  std::string controller = "127.0.0.1:" + std::to_string(port + 1);
  Settings settings;
  auto put = [&settings](const char* key, std::string value) {
    settings[key] = Setting{std::move(value), ""};
  };
  put("process.roles", "broker,controller");
  if (!given.contains("broker.id")) put("node.id", "1");
  put("listeners", "PLAINTEXT://" + client + ",CONTROLLER://" + controller);
  put("controller.listener.names", "CONTROLLER");
  if (!given.contains("controller.quorum.voters")) put("controller.quorum.bootstrap.servers", controller);
  if (!given.contains("log.dir")) put("log.dirs", "./data");
  put("offsets.topic.replication.factor", "1");
  put("transaction.state.log.replication.factor", "1");
  put("transaction.state.log.min.isr", "1");
  put("share.coordinator.state.topic.replication.factor", "1");
  put("share.coordinator.state.topic.min.isr", "1");
  put("group.initial.rebalance.delay.ms", "0");
  return settings;
}

}  // namespace milena::config
