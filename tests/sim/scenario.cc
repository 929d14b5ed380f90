#include "scenario.h"

#include <fmt/format.h>

#include "admin.h"
#include "base/coverage.h"
#include "config_admin.h"
#include "consumer.h"
#include "directory_admin.h"
#include "group_admin.h"
#include "mutants.h"
#include "nemesis.h"
#include "plain_producer.h"
#include "producer.h"
#include "records_admin.h"
#include "world.h"

namespace milena::sim {
namespace {

constexpr Duration kLeastLength = 300s;  // of a run, in virtual time

void draw_topics(World& world) {
  Random random = world.sim.stream("topics");
  world.history.durable_offsets = random.one_in(2);
  auto count = static_cast<std::size_t>(random.between(2, 3));
  for (std::size_t i = 0; i < count; ++i) {
    SimTopic topic;
    topic.durable = i == 0 || (i > 1 && random.one_in(2));
    topic.name = (topic.durable ? "durable-" : "plain-") + std::to_string(i);
    topic.partitions = static_cast<std::int32_t>(random.between(1, 3));
    world.history.topics.push_back(std::move(topic));
  }
  SimTopic kept;
  kept.name = "short-" + std::to_string(count);
  kept.durable = random.one_in(2);
  kept.partitions = static_cast<std::int32_t>(random.between(1, 2));
  kept.retention_bytes = 0;  // by draw_topic_configs
  world.history.topics.push_back(std::move(kept));
}

Overrides draw_topic_configs(World& world) {
  Random random = world.sim.stream("topic configs");
  std::int64_t segment = 8192 << random.below(4);
  Overrides configs{{"internal.segment.bytes", std::to_string(segment)},
                    {"index.interval.bytes", std::to_string(64 << random.below(7))}};
  for (std::size_t i = 0; i < world.history.topics.size(); ++i) {
    SimTopic& topic = world.history.topics[i];
    topic.segment_bytes = segment;
    if (topic.retention_bytes < 0) continue;
    topic.retention_bytes = segment * random.between(1, 4);
    world.history.retention_sent(i, topic.retention_bytes);
    world.history.retention_set(i, topic.retention_bytes);
  }
  return configs;
}

// Who takes part in this run. Each seed leaves some out, so that the others are met alone, too.
struct Swarm {
  bool plain, pipelined, several, groups, admin, config_admin, records_admin, group_admin, moves;
};

Swarm draw_swarm(World& world) {
  Random random = world.sim.stream("swarm");
  auto most = [&random] { return !random.one_in(4); };
  Swarm swarm{};
  swarm.plain = most();
  swarm.pipelined = most();
  swarm.several = most();
  swarm.groups = most();
  swarm.admin = most();
  swarm.config_admin = most();
  swarm.records_admin = most();
  swarm.group_admin = most();
  swarm.moves = most() && world.directories.size() > 1;
  world.say(fmt::format("actors: idempotent producers{}{}{}{}{}{}{}{}{}",
                        swarm.plain ? ", plain producers" : "", swarm.pipelined ? ", requests in flight" : "",
                        swarm.several ? ", several partitions a request" : "", swarm.groups ? ", groups" : "",
                        swarm.admin ? ", topics" : "", swarm.config_admin ? ", configurations" : "",
                        swarm.records_admin ? ", deleted records" : "",
                        swarm.group_admin ? ", deleted groups" : "", swarm.moves ? ", moved logs" : ""));
  return swarm;
}

std::vector<PartitionRef> draw_partitions(const History& history, Random& random) {
  std::vector<PartitionRef> drawn;
  for (std::size_t t = 0; t < history.topics.size(); ++t) {
    for (std::int32_t p = 0; p < history.topics[t].partitions; ++p) {
      if (random.one_in(2)) drawn.push_back({t, p});
    }
  }
  if (drawn.empty()) drawn.push_back({0, 0});
  return drawn;
}

void start_producers(World& world, const Swarm& swarm, Random& random) {
  Clients* clients = world.clients.get();
  std::uint32_t sender = 1;
  std::uint32_t plain = kFirstPlainSender;
  auto in_flight = [&](std::int64_t most) {
    return swarm.pipelined && random.one_in(3) ? static_cast<int>(random.between(2, most)) : 1;
  };
  for (std::size_t t = 0; t < world.history.topics.size(); ++t) {
    for (std::int32_t p = 0; p < world.history.topics[t].partitions; ++p) {
      for (std::uint64_t n = 1 + (random.one_in(3) ? 1 : 0); n > 0; --n)
        world.client->spawn(run_producer(clients, sender++, {{t, p}}, in_flight(3)));
      if (swarm.plain && random.one_in(3))
        world.client->spawn(run_plain_producer(clients, plain++, {{t, p}}));
    }
  }
  if (!swarm.several) return;
  for (std::uint64_t n = 1 + random.below(2); n > 0; --n) {
    int most = swarm.pipelined ? static_cast<int>(random.between(1, 5)) : 1;
    world.client->spawn(run_producer(clients, sender++, draw_partitions(world.history, random), most));
  }
  if (swarm.plain)
    world.client->spawn(run_plain_producer(clients, plain++, draw_partitions(world.history, random)));
}

void start_actors(World& world) {
  Random random = world.sim.stream("actors");
  Swarm swarm = draw_swarm(world);
  Clients* clients = world.clients.get();
  start_producers(world, swarm, random);
  for (std::uint64_t g = swarm.groups ? 1 + random.below(2) : 0; g > 0; --g) {
    std::string group = "group-" + std::to_string(g);
    world.groups.push_back(group);
    for (int n = static_cast<int>(random.between(1, 3)); n > 0; --n) {
      world.client->spawn(run_consumer(clients, group, n));
    }
  }
  if (swarm.admin) world.client->spawn(run_admin(clients));
  if (swarm.config_admin) world.client->spawn(run_config_admin(clients));
  if (swarm.records_admin) world.client->spawn(run_records_admin(clients));
  if (swarm.group_admin) world.client->spawn(run_group_admin(clients));
  if (swarm.moves) world.client->spawn(run_directory_admin(clients, world.directories));
}

void play(World& world) {
  if (!world.bring_up()) return;
  bool created = false;
  Overrides configs = draw_topic_configs(world);
  world.client->spawn(create_topics(world.clients.get(), configs, &created));
  if (!world.sim.run_until([&] { return created || world.failed(); }, 60s))
    world.history.violation("no topics after 60 s");
  if (world.failed()) return;
  start_actors(world);
  auto rounds = static_cast<int>(world.sim.stream("rounds").between(4, 8));
  Nemesis nemesis(world, kLeastLength * 3 / 2 / rounds);
  for (int i = 0; i < rounds && !world.failed(); ++i) nemesis.round();
  if (!world.failed()) nemesis.rest_until(Instant() + kLeastLength);
  if (!world.failed()) world.finish();
}

}  // namespace

RunResult run_scenario(std::uint64_t seed, const RunOptions& options) {
  RunResult result;
  result.seed = seed;
  plant_mutant(options.mutant);
  {
    World world(seed, options.verbose, options.mutant);
    draw_topics(world);
    play(world);
    result.trace_hash = world.sim.trace_hash();
    result.events = world.sim.events();
    result.virtual_seconds = std::chrono::duration<double>(world.sim.now().since_start()).count();
    result.acknowledged = world.history.acknowledged_count();
    result.consumed = world.history.consumed_count();
    result.commits = world.history.commits();
    result.lost = world.history.lost_count();
    for (const auto& [name, count] : world.sim.marks()) result.marks[name] = count;
    for (const auto& [name, count] : world.history.counts()) result.marks[name] = count;
    for (const std::string& name : reached_marks()) result.marks[name] = 1;  // a run has a process of its own
    result.violations = world.history.violations();
    if (result.violations.empty() && result.acknowledged == 0)
      result.violations.push_back("nothing was acknowledged");
  }
  return result;
}

}  // namespace milena::sim
