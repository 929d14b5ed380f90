/// What a handler is given besides the request: who asks, where, and the node's parts that it may call.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "broker/loop_state.h"
#include "io/net.h"

namespace milena::broker {

/// A listener as configured: `name://host:port`.
struct ListenerInfo {
  std::string name;
  io::Endpoint bound;
  bool controller = false;  // serves controller APIs (controller.listener.names)
};

/// What is known of the client on a connection.
struct ClientInfo {
  io::Endpoint address;
  std::uint64_t connection_id = 0;
  std::string software_name;     // from ApiVersions v3+
  std::string software_version;
  bool close_requested = false;  // by a handler: after this request
  bool closing = false;          // the connection ends; do not wait for anything
};

/// By value into each handler; what it points to outlives the request.
struct RequestContext {
  LoopState* local = nullptr;
  const ListenerInfo* listener = nullptr;
  ClientInfo* client = nullptr;
  /// The metadata that this request sees from start to end.
  replica::ImagePtr image;
  std::int16_t api_version = 0;
  std::string client_id;

  Services& services() const { return local->services; }
  io::Loop& loop() const { return local->loop; }
  void close_connection() const { client->close_requested = true; }
  bool connection_closing() const { return client->closing; }
};

}  // namespace milena::broker
