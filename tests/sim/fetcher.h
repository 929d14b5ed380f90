/// Fetcher: what a consumer reads with: plain Fetch requests, or an incremental fetch session (KIP-227),
/// which names a partition again only when its position has moved. A session must not leave out what can be
/// read: now and then the same position is read without it first.
#pragma once

#include <map>

#include "client_side.h"

namespace milena::sim {

struct Fetcher {
  Fetcher(Clients* own, bool with_sessions) : clients(own), sessions(with_sessions) {}

  Clients* clients;
  bool sessions;
  ConnectionPtr connection;
  /// Next offset of each partition that is consumed; to be set by the owner.
  std::map<PartitionRef, std::int64_t> positions;

  // The session; id 0: none yet.
  std::int32_t session_id = 0;
  std::int32_t session_epoch = 0;
  std::map<PartitionRef, std::int64_t> known;  // positions that the broker has in the session
  CallOptions version;                         // one session, one version: topics by name or by id
};

/// Fetches once and notes what was read. False: the connection is not to be used again.
io::Task<bool> fetch(Fetcher* self);

}  // namespace milena::sim
