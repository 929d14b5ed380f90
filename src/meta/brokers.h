/// Broker and controller registration, heartbeats, fencing: decisions about nodes.
///
/// Registration (KIP-631, KIP-966): a broker registers fenced under the epoch of the batch's first offset. An
/// incarnation other than the registered one is refused while the old one's session is valid. When ELR is on and
/// the broker does not name its last epoch (unclean stop), it first leaves every ISR and ELR.
#pragma once

#include "meta/decision.h"
#include "wire/messages/broker_heartbeat_request.h"
#include "wire/messages/broker_heartbeat_response.h"
#include "wire/messages/broker_registration_request.h"
#include "wire/messages/broker_registration_response.h"
#include "wire/messages/controller_registration_request.h"
#include "wire/messages/controller_registration_response.h"
#include "wire/messages/unregister_broker_request.h"
#include "wire/messages/unregister_broker_response.h"

namespace milena::meta {

/// Errors: INCONSISTENT_CLUSTER_ID, DUPLICATE_BROKER_REGISTRATION, INVALID_REGISTRATION, UNSUPPORTED_VERSION,
/// BROKER_ID_NOT_REGISTERED (a broker that migrates from ZooKeeper).
/// Soft state follows from the replay of the record.
Decision<wire::BrokerRegistrationResponse> register_broker(const Context& context,
                                                           const wire::BrokerRegistrationRequest& request);

/// Unfences a broker that has read up to its registration, fences on wish, moves leaders away before a controlled
/// shutdown. Errors: STALE_BROKER_EPOCH, BROKER_ID_NOT_REGISTERED.
/// Soft state: call `apply_heartbeat` with the decision's outcome after the records were replayed.
struct HeartbeatDecision : Decision<wire::BrokerHeartbeatResponse> {
  bool accepted = false;  // the broker is known and its epoch is right
  bool fenced = false;    // after the records
  bool enters_shutdown = false;
};
HeartbeatDecision broker_heartbeat(const Context& context, const wire::BrokerHeartbeatRequest& request);
/// `log_end`: after the decision's records.
void apply_heartbeat(Heartbeats& heartbeats, const wire::BrokerHeartbeatRequest& request,
                     const HeartbeatDecision& decision, Offset log_end, Instant now);

/// Leader changes away from the broker, then its fencing. REQUIRES: it is registered.
std::vector<image::MetadataRecord> fence_broker(const Context& context, BrokerId id);

/// Errors: BROKER_ID_NOT_REGISTERED.
Decision<wire::UnregisterBrokerResponse> unregister_broker(const Context& context,
                                                           const wire::UnregisterBrokerRequest& request);

/// Errors: UNSUPPORTED_VERSION below metadata.version 15.
Decision<wire::ControllerRegistrationResponse> register_controller(
    const Context& context, const wire::ControllerRegistrationRequest& request);

}  // namespace milena::meta
