#include "broker_program.h"

#include <cstdio>
#include <cstdlib>

#include "config/settings.h"

namespace milena::sim {
namespace {

const Overrides kSingleNode = {
    {"process.roles", "broker,controller"},
    {"node.id", "1"},
    {"listeners", "PLAINTEXT://:9092,CONTROLLER://:9093"},
    {"advertised.listeners", "PLAINTEXT://broker:9092,CONTROLLER://broker:9093"},
    {"controller.listener.names", "CONTROLLER"},
    {"controller.quorum.bootstrap.servers", "broker:9093"},
    {"log.dirs", kDataDirectory},
    {"offsets.topic.replication.factor", "1"},
    {"offsets.topic.num.partitions", "3"},
    {"group.initial.rebalance.delay.ms", "0"},
    {"auto.create.topics.enable", "false"},
};

[[noreturn]] void refuse(const config::ConfigErrors& errors) {
  for (const config::ConfigError& error : errors) std::fprintf(stderr, "%s\n", error.text().c_str());
  std::abort();
}

io::Task<void> run_start(std::shared_ptr<BrokerProgram> program, GiveUp give_up) {
  auto started = co_await program->node->start();
  if (started.failed()) {
    give_up(started.error().message);
    co_return;
  }
  program->ready = true;
}

io::Task<void> run_stop(BrokerProgram* program) {
  co_await program->node->stop();
  program->stopped = true;
}

}  // namespace

BrokerConfig make_config(const Overrides& overrides) {
  auto settings =
      config::merge(config::settings_from_overrides(kSingleNode), config::settings_from_overrides(overrides));
  auto parsed = config::KafkaConfig::parse(std::move(settings));
  if (parsed.failed()) refuse(parsed.error());
  BrokerConfig made;
  made.config = std::make_shared<const config::KafkaConfig>(std::move(*parsed));
  auto server = config::server_config(*made.config);
  if (server.failed()) refuse(server.error());
  made.server = std::move(*server);
  return made;
}

io::SimProgram broker_program(const BrokerConfig& config, GiveUp give_up) {
  return [config, give_up](io::Runtime& runtime) -> std::shared_ptr<void> {
    auto program = std::make_shared<BrokerProgram>();
    broker::NodeOptions options;
    options.config = config.config;
    options.server = config.server;
    options.open_files_limit = config.open_files_limit;
    options.on_fatal = [own = program.get(), give_up](const std::string& why) {
      own->ready = false;
      give_up(why);
    };
    program->node = std::make_unique<broker::Node>(runtime, std::move(options));
    runtime.control_loop().spawn(run_start(program, give_up));
    return program;
  };
}

std::shared_ptr<BrokerProgram> program_of(const io::SimNode& node) {
  return std::static_pointer_cast<BrokerProgram>(node.program());
}

void begin_stop(io::SimNode& node) {
  auto program = program_of(node);
  program->ready = false;
  node.spawn(run_stop(program.get()));
}

}  // namespace milena::sim
