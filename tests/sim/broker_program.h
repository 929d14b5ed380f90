/// BrokerProgram: the shipped broker as the program of a simulated node: broker::Node from a server
/// configuration, as `milena server` starts it. A node that says it cannot go on is killed, as the process
/// would end itself.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "broker/node.h"
#include "io/sim/sim_world.h"

namespace milena::sim {

inline constexpr std::uint16_t kBrokerPort = 9092;
inline constexpr const char* kBrokerHost = "broker";
inline constexpr const char* kDataDirectory = "/data";

using Overrides = std::vector<std::pair<std::string, std::string>>;

struct BrokerConfig {
  std::shared_ptr<const config::KafkaConfig> config;
  config::ServerConfig server;
  std::size_t open_files_limit = 0;  // of the process; 0: none
};
/// A single node's configuration with `overrides`; ends the program when they are wrong.
BrokerConfig make_config(const Overrides& overrides);

struct BrokerProgram {
  std::unique_ptr<broker::Node> node;
  bool ready = false;    // serves clients
  bool stopped = false;  // a clean stop has ended
};

/// Called on the node's loop when the process would end itself with an error.
using GiveUp = std::function<void(const std::string& why)>;
io::SimProgram broker_program(const BrokerConfig& config, GiveUp give_up);
/// The process' program. REQUIRES: the node runs a broker_program.
std::shared_ptr<BrokerProgram> program_of(const io::SimNode& node);
/// Begins a clean stop; `stopped` tells when it has ended.
void begin_stop(io::SimNode& node);

}  // namespace milena::sim
