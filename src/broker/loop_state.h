/// LoopState: what one data loop holds for its connections: the metadata image it serves from, its partitions, its
/// fetch sessions. Used on that loop only: a request takes no lock and counts no reference that another loop counts
/// too.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>

#include "base/random.h"
#include "broker/fetch_sessions.h"
#include "broker/loop_metrics.h"
#include "broker/services.h"
#include "broker/stand_ins.h"
#include "image/image.h"
#include "io/signal.h"

namespace milena::broker {

using replica::ImagePtr;

class Connection;

struct LoopState {
  LoopState(io::Loop& own_loop, std::size_t own_index, Services& node_services,
            std::shared_ptr<const config::KafkaConfig> node_config)
      : loop(own_loop),
        index(own_index),
        services(node_services),
        image(std::make_shared<const image::Image>()),
        config(std::move(node_config)),
        partitions(node_services.partitions.on_loop(own_index)),
        fetch_sessions(node_services.limits.fetch_session_slots),
        random(own_loop.entropy().random64()),
        connection_ended(own_loop) {}

  io::Loop& loop;
  std::size_t index;
  Services& services;
  ImagePtr image;
  std::shared_ptr<const config::KafkaConfig> config;
  replica::LoopPartitions& partitions;
  FetchSessions fetch_sessions;
  StandIns stand_ins;
  Random random;  // ids of fetch sessions, turns: nothing that must be hard to guess
  std::uint64_t next_connection_id = 1;
  /// Connections here or on their way; read by the acceptors, which run elsewhere.
  std::atomic<std::size_t> connections{0};
  std::map<std::uint64_t, Connection*> live;  // open connections by id, to be closed at a stop
  io::Signal connection_ended;                // one left `live`
  LoopMetrics metrics;

  /// What is counted for a topic, on this loop.
  TopicTraffic& traffic(const TopicId& id) { return metrics.topic(id, *image); }

  /// Takes over an image unless a newer one is here already. Its requests share a reference count of this loop's own,
  /// which holds one reference of `newer`.
  void see(const ImagePtr& newer) {
    if (newer == nullptr || newer->offset <= image->offset) return;
    auto held = std::make_shared<const ImagePtr>(newer);
    image = ImagePtr(held, held->get());
  }
};

}  // namespace milena::broker
