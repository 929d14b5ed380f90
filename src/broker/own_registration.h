/// What this node says of itself when it registers: its listeners and the features it supports.
#pragma once

#include <span>

#include "broker/request_context.h"
#include "config/server_config.h"
#include "wire/messages/broker_registration_request.h"
#include "wire/messages/controller_registration_request.h"

namespace milena::broker {

/// `bound`: the node's listeners as they are bound; they tell the port where 0 is advertised. The caller adds the log
/// directories and the previous broker epoch.
wire::BrokerRegistrationRequest broker_registration(const config::ServerConfig& server, const BrokerState& broker,
                                                    std::span<const ListenerInfo> bound);
wire::ControllerRegistrationRequest controller_registration(const config::ServerConfig& server,
                                                            const BrokerState& broker,
                                                            std::span<const ListenerInfo> bound);

}  // namespace milena::broker
