#include "io/sim/sim_world.h"

namespace milena::io {

SimWorld::SimWorld(std::uint64_t seed, SimOptions options) : core_(seed), net_(core_, options.net) {
  core_.log_level = options.log_level;
  core_.log_to_stderr = options.log_to_stderr;
}

SimWorld::~SimWorld() {
  for (auto& node : nodes_) {
    if (node->running()) node->crash(SimNet::Down::kProcess);
  }
  core_.forget(SimCore::kWorld);
}

SimNode& SimWorld::add_node(SimNodeOptions options) {
  nodes_.push_back(std::make_unique<SimNode>(core_, net_, nodes_.size(), std::move(options)));
  SimNode& node = *nodes_.back();
  restart(node);
  return node;
}

bool SimWorld::step(Instant limit) {
  CHECK(!inside_event_, "the world runs already");
  settle();
  inside_event_ = true;
  bool ran = core_.step(limit);
  inside_event_ = false;
  settle();
  return ran;
}

// Does what events asked to be done after them.
void SimWorld::settle() {
  while (!deferred_.empty()) {
    auto actions = std::move(deferred_);
    deferred_.clear();
    for (auto& action : actions) action();
  }
  for (auto& node : nodes_) {
    if (node->dying_ && node->running()) crash_now(*node, SimCrash::kKill);
  }
}

bool SimWorld::run_until(const std::function<bool()>& done, Duration limit) {
  Instant end = core_.now() + limit;
  while (!done()) {
    if (!step(end)) return done();
  }
  return true;
}

void SimWorld::run_for(Duration duration) {
  Instant end = core_.now() + duration;
  while (step(end)) {
  }
}

void SimWorld::crash_now(SimNode& node, SimCrash how) {
  if (!node.running()) return;
  core_.mark(how == SimCrash::kKill ? "node.killed" : "node.lost_power");
  node.crash(how == SimCrash::kKill ? SimNet::Down::kProcess : SimNet::Down::kPower);
}

void SimWorld::crash(SimNode& node, SimCrash how) {
  if (inside_event_) {
    deferred_.emplace_back([this, &node, how] { crash_now(node, how); });
  } else {
    crash_now(node, how);
  }
}

void SimWorld::restart(SimNode& node) {
  auto start = [this, &node] {
    if (node.running()) return;
    core_.mark("node.started");
    node.start();
  };
  if (inside_event_) {
    deferred_.emplace_back(start);
  } else {
    start();
  }
}

void SimWorld::pause(SimNode& node, Duration duration) {
  core_.mark("node.paused");
  node.pause(duration);
}

}  // namespace milena::io
