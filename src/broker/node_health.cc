// What the node says of its health, and of itself for its metrics.
#include <fmt/format.h>

#include "broker/node.h"

namespace milena::broker {

Health Node::health() const {
  Health health;
  health.emplace_back("node", phase_ == kServing, phase_);
  // Until then the pool works on what is asked below.
  if (!loaded_) return health;
  bool led = metadata_.active();
  health.emplace_back("controller", led, led ? "active" : "not active");
  const image::Broker* self = newest_image_ == nullptr ? nullptr : newest_image_->broker(state_.node_id);
  bool registered = self != nullptr && self->incarnation_id == state_.incarnation_id;
  bool unfenced = registered && !self->fenced;
  std::string_view fence = unfenced ? "unfenced" : "fenced by the controller";
  health.emplace_back("broker", unfenced, std::string(registered ? fence : "not registered"));
  std::string failed;
  std::size_t online = 0;
  for (const replica::LogManager::DirectoryHealth& directory : logs_.directory_health()) {
    if (directory.failed) failed += (failed.empty() ? "" : ", ") + directory.path;
    else ++online;
  }
  health.emplace_back("log_dirs", failed.empty(), failed.empty() ? fmt::format("{} online", online) : "offline: " + failed);
  bool loaded = groups_.inspect([](const group::Groups&) {});
  health.emplace_back("groups", loaded, loaded ? "loaded" : "loading");
  return health;
}

io::Task<std::shared_ptr<const MetricSet>> Node::metrics(MetricsQuery query) {
  co_return co_await numbers_.gather(query);
}

NodeMetrics::ControlFacts Node::control_facts() const {
  NodeMetrics::ControlFacts facts;
  facts.stopping = stopping_;
  facts.starting = !stopping_ && phase_ != kServing;
  facts.config = config_.now();
  if (!loaded_) return facts;  // the pool works on the rest
  facts.active_controller = metadata_.active();
  facts.directories = logs_.directory_health();
  facts.unserved = logs_.unserved();
  facts.image = metadata_.committed();
  facts.loaded = true;
  const raft::Raft& raft = metadata_.raft();
  facts.quorum_role = raft::name(raft.role());
  for (char& c : facts.quorum_role) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;  // as Kafka has it
  facts.quorum_leader = raft.leader_id();
  facts.quorum_epoch = raft.epoch();
  facts.quorum_high_watermark = raft.high_watermark();
  facts.quorum_log_end = raft.log_end();
  facts.applied = applied_;
  return facts;
}

}  // namespace milena::broker
