#include <set>
#include <utility>

#include "broker/node.h"
#include "broker/own_registration.h"
#include "meta/brokers.h"

namespace milena::broker {

io::Task<void> Node::register_anew(replica::ImagePtr image) {
  image::MetadataVersion version = image->metadata_version();
  const image::Broker* broker = image->broker(state_.node_id);
  bool ours = broker != nullptr && broker->incarnation_id == state_.incarnation_id;
  if (!ours || !metadata_.active()) co_return;  // what registers next does so under the new level
  if (version.controller_registration() && !image->controllers.contains(state_.node_id)) {
    wire::ControllerRegistrationRequest own = controller_registration(options_.server, state_, bound_listeners());
    auto ask = [own](const meta::Context& context) { return meta::register_controller(context, own); };
    auto registered = co_await metadata_.decide(std::move(ask));
    if (!registered.has_value()) co_return;
  }
  if (!version.directories() || !broker->log_dirs.empty()) co_return;
  // The same incarnation again: the broker keeps its epoch and its state.
  wire::BrokerRegistrationRequest request = registration();
  auto ask = [request](const meta::Context& context) { return meta::register_broker(context, request); };
  auto decision = co_await metadata_.decide(std::move(ask));
  if (!decision.has_value()) co_return;
  if (decision->response.error_code != 0) {
    auto code = static_cast<wire::ErrorCode>(decision->response.error_code);
    loop_.log().warn("controller", "this broker could not register its directories: {}", wire::name(code));
    co_return;
  }
  std::set<TopicIdPartition> everything;
  for (const auto& [topic_id, topic] : image->topics)
    for (const auto& [index, partition] : topic->partitions) everything.insert({topic_id, index});
  co_await assign_directories(metadata_.committed(), std::move(everything));
}

}  // namespace milena::broker
