/// dispatch: from a frame to its answer. Reads the request header, finds the handler in the list, checks the
/// version and the listener, and lets the handler decode, work and encode.
///
/// What cannot be answered closes the connection, as in Kafka: an unknown API, a version that is not served
/// (ApiVersions excepted: it is answered with UNSUPPORTED_VERSION in its v0 form), a malformed body.
#pragma once

#include <cstdint>

#include "broker/handler.h"

namespace milena::broker {

struct Dispatched {
  std::int32_t correlation_id = 0;
  bool flexible_header = false;  // response header v1
  Answer answer;
  Dispatched() = default;
};

/// Whether the frame's request may be begun while others that may, too, are being served: HandlerEntry::overlaps.
bool may_overlap(ByteView frame);

/// REQUIRES: what is pointed to outlives the request.
io::Task<Dispatched> dispatch(LoopState* local, const ListenerInfo* listener, ClientInfo* client, Bytes frame);

}  // namespace milena::broker
