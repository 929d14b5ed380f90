#include "raft/quorum_state.h"

#include <fmt/format.h>

#include <cstdint>
#include <limits>
#include <optional>

#include "raft/flat_json.h"

namespace milena::raft {

std::string format_quorum_state(const QuorumState& state) {
  if (state.data_version >= 1) {
    return fmt::format(
        R"({{"leaderId":{},"leaderEpoch":{},"votedId":{},"votedDirectoryId":"{}","data_version":{}}})",
        state.leader_id, state.leader_epoch, state.voted_id, state.voted_directory_id, state.data_version);
  }
  std::string voters;
  for (BrokerId id : state.current_voters) {
    if (!voters.empty()) voters += ',';
    voters += fmt::format(R"({{"voterId":{}}})", id);
  }
  return fmt::format(
      R"({{"clusterId":"","leaderId":{},"leaderEpoch":{},"votedId":{},"appliedOffset":0,"currentVoters":[{}],"data_version":0}})",
      state.leader_id, state.leader_epoch, state.voted_id, voters);
}

namespace {

std::optional<std::int32_t> number(const JsonObject& object, const std::string& key) {
  const auto* value = object.get<std::int64_t>(key);
  if (value == nullptr || *value < std::numeric_limits<std::int32_t>::min() ||
      *value > std::numeric_limits<std::int32_t>::max())
    return std::nullopt;
  return static_cast<std::int32_t>(*value);
}

}  // namespace

Result<QuorumState, QuorumStateError> parse_quorum_state(std::string_view text) {
  std::optional<JsonObject> object = parse_json_object(text);
  if (!object.has_value()) return Err(QuorumStateError{"quorum-state is not a JSON object"});
  auto version = number(*object, "data_version");
  if (!version.has_value()) return Err(QuorumStateError{"quorum-state has no data_version"});
  if (*version < 0 || *version > 1)
    return Err(QuorumStateError{fmt::format("quorum-state has the unknown data_version {}", *version)});
  auto leader = number(*object, "leaderId");
  auto epoch = number(*object, "leaderEpoch");
  auto voted = number(*object, "votedId");
  if (!leader.has_value() || !epoch.has_value() || !voted.has_value())
    return Err(QuorumStateError{"quorum-state lacks leaderId, leaderEpoch or votedId"});
  QuorumState state;
  state.data_version = static_cast<std::int16_t>(*version);
  state.leader_id = BrokerId(*leader);
  state.leader_epoch = Epoch(*epoch);
  state.voted_id = BrokerId(*voted);
  if (*version >= 1) {
    const auto* directory = object->get<std::string>("votedDirectoryId");
    std::optional<Uuid> id = directory == nullptr ? std::nullopt : Uuid::parse(*directory);
    if (!id.has_value()) return Err(QuorumStateError{"quorum-state has no valid votedDirectoryId"});
    state.voted_directory_id = *id;
  } else if (const auto* voters = object->get<std::vector<JsonObject>>("currentVoters")) {
    for (const JsonObject& voter : *voters) {
      auto id = number(voter, "voterId");
      if (!id.has_value()) return Err(QuorumStateError{"quorum-state has a voter without voterId"});
      state.current_voters.emplace_back(*id);
    }
  }
  return state;
}

}  // namespace milena::raft
