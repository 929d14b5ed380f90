/// The file `quorum-state` in the metadata log's directory: what this node has promised in the quorum.
///
/// JSON in one line without a newline, keys in this order (Kafka 4.3.1):
///   version 0: clusterId (""), leaderId, leaderEpoch, votedId, appliedOffset (0), currentVoters [{voterId}], data_version
///   version 1: leaderId, leaderEpoch, votedId, votedDirectoryId (22 characters of base64), data_version
/// Version 0 while kraft.version is 0. It must be on disk (written beside, synced, renamed, directory synced)
/// before this node acts in the epoch it names.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"

namespace milena::raft {

inline constexpr std::string_view kQuorumStateFile = "quorum-state";

struct QuorumState {
  Epoch leader_epoch{0};
  BrokerId leader_id = kNoBroker;
  BrokerId voted_id = kNoBroker;
  Uuid voted_directory_id;
  std::int16_t data_version = 1;
  std::vector<BrokerId> current_voters;  // version 0 only
  bool operator==(const QuorumState&) const = default;
};

struct QuorumStateError {
  std::string message;
};

std::string format_quorum_state(const QuorumState& state);
/// `text` is untrusted: unknown keys are ignored, an unknown data_version is an error.
Result<QuorumState, QuorumStateError> parse_quorum_state(std::string_view text);

}  // namespace milena::raft
