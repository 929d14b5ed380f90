/// For tests: a configuration of a combined node, with more properties on top.
#pragma once

#include <gtest/gtest.h>

#include "config/kafka_config.h"

namespace milena::config {

inline KafkaConfig parse_config(const Properties& more) {
  Properties all = {{"process.roles", "broker,controller"},
                    {"node.id", "1"},
                    {"controller.listener.names", "CONTROLLER"},
                    {"listeners", "PLAINTEXT://:9092,CONTROLLER://:9093"},
                    {"controller.quorum.bootstrap.servers", "a:1"}};
  for (const auto& [key, value] : more) all[key] = value;
  auto config = KafkaConfig::parse(settings_from_file(all, "server.properties"));
  if (config.failed()) {
    ADD_FAILURE() << config.error().front().text();
    std::abort();
  }
  return std::move(*config);
}

}  // namespace milena::config
