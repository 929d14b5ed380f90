/// FetchSessions: incremental fetch sessions (KIP-227) of one loop. A session remembers which partitions a client
/// fetches and what it was told last, so that requests and responses carry only what changes; its FetchSources know
/// which of them are ready, so that a request costs what is ready and what it changes, not what the session holds. A
/// fetch without a session has one of its own that ends with it.
///
/// A session lives on the loop of the connection that made it; a client that comes back on another loop is told
/// FETCH_SESSION_ID_NOT_FOUND and begins a new one, as the protocol provides. When all slots are taken, the
/// session that was used least recently gives way if it has been idle for two minutes; else the client goes on
/// without a session.
///
/// Between a request and its answer the loop does other things: another connection may go on with the session,
/// change its partitions or close it. So a request takes nothing from a session across the wait but its key, and
/// asks `FetchPlan::is_current` before it answers.
/// Threads: one loop.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/random.h"
#include "base/time.h"
#include "broker/fetch_sources.h"
#include "wire/error_code.h"
#include "wire/messages/fetch_request.h"

namespace milena::broker {

/// A partition as its client names it: by topic id (v13 and later) or by name.
struct FetchKey {
  TopicId topic_id;
  std::string topic;  // empty with an id
  PartitionId partition;
  friend auto operator<=>(const FetchKey&, const FetchKey&) = default;
};

struct FetchPartition {
  FetchKey key;
  Offset fetch_offset{0};
  std::int32_t max_bytes = 0;
  Epoch current_leader_epoch = kNoEpoch;
  Epoch last_fetched_epoch = kNoEpoch;
  Offset log_start_offset = kNoOffset;  // the follower's
  // What the client was told last; kNoOffset: nothing yet.
  Offset told_high_watermark = kNoOffset;
  Offset told_log_start = kNoOffset;
  bool told_error = false;

  std::uint64_t turn = 0;   // answers tell of partitions in the order of their turns
  FetchPlace place;         // nowhere: not read, for `refused`, or because it is `changed`
  TopicIdPartition id;      // what is read
  wire::ErrorCode refused = wire::ErrorCode::NONE;  // by the metadata, at the last look
  bool changed = false;     // by its client, since it was put where it is read
  std::size_t slot = SIZE_MAX;  // of the fetch under way
};

/// What one read found of a partition.
struct FetchNews {
  Offset high_watermark = kNoOffset;
  Offset log_start = kNoOffset;
  bool data = false;
  bool error = false;
  bool diverging = false;
};

struct FetchSession {
  std::int32_t id = 0;     // 0: of one request
  std::int32_t epoch = 0;  // expected next
  bool uses_topic_ids = false;
  Instant last_used;
  std::list<FetchPartition> partitions;  // those that had data go to the end
  std::map<FetchKey, std::list<FetchPartition>::iterator> by_key;  // none without an id
  std::uint64_t next_turn = 0;
  /// To look at before the next read: changed, or refused the last time.
  std::vector<FetchPartition*> pending;
  bool read_committed = false;  // as the partitions were put
  std::unique_ptr<FetchSources> sources;  // from its first read on

  void put(FetchPartition partition);
  void forget(const FetchKey& key);
  /// To be resolved and put anew by the next request.
  void look_again(FetchPartition& partition);
};

/// What a request fetches, with or without a session.
struct FetchPlan {
  wire::ErrorCode error = wire::ErrorCode::NONE;  // of the whole request
  std::shared_ptr<FetchSession> session;          // null with an error
  std::int32_t session_epoch = 0;                 // the session's, when this request had been taken in
  bool incremental = false;                       // answer only with what changed
  FetchPlan() = default;

  const std::list<FetchPartition>& partitions() const { return session->partitions; }
  std::int32_t session_id() const { return session->id; }
  /// No other request went on with the session since. False: the answer is INVALID_FETCH_SESSION_EPOCH, for this
  /// client's idea of the session is no longer ours.
  bool is_current() const { return session->epoch == session_epoch; }
  /// Takes a note of what the answer tells. False: the client knows all that already; leave the partition out.
  bool tell(const FetchKey& key, const FetchNews& news);
};

class FetchSessions {
 public:
  explicit FetchSessions(std::size_t slots) : slots_(slots) {}

  /// Errors: FETCH_SESSION_ID_NOT_FOUND, INVALID_FETCH_SESSION_EPOCH, FETCH_SESSION_TOPIC_ID_ERROR.
  FetchPlan plan(const wire::FetchRequest& request, std::int16_t version, Instant now, Random& random);
  std::size_t size() const { return sessions_.size(); }

  /// Sources for a session that has none yet.
  std::unique_ptr<FetchSources> take_sources(io::Loop& loop, replica::Partitions& partitions);
  /// Those of a session that ends with its request, for another one.
  void give_back(std::unique_ptr<FetchSources> sources);

 private:
  static constexpr std::size_t kIdleSources = 64;
  static constexpr std::size_t kIdlePlaces = 16384;  // of all of them
  std::shared_ptr<FetchSession> create(bool topic_ids, Instant now, Random& random);
  std::size_t slots_;
  std::vector<std::unique_ptr<FetchSources>> idle_;
  std::size_t idle_places_ = 0;
  std::map<std::int32_t, std::shared_ptr<FetchSession>> sessions_;
};

}  // namespace milena::broker
