/// Who votes in the metadata quorum, and how that is known.
///
/// kraft.version 0: the voters are those of `controller.quorum.voters`, fixed, known by id. kraft.version 1
/// (KIP-853): the log says who they are (KRaftVoters control records), known by id and directory id.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "wire/messages/voters_record.h"

namespace milena::raft {

struct Endpoint {
  std::string listener;
  std::string host;
  std::uint16_t port = 0;
  bool operator==(const Endpoint&) const = default;
};

struct Voter {
  BrokerId id = kNoBroker;
  Uuid directory_id;  // zero where it is not known (kraft.version 0)
  std::vector<Endpoint> endpoints;
  std::int16_t min_kraft_version = 0;
  std::int16_t max_kraft_version = 0;
  bool operator==(const Voter&) const = default;
};

struct VoterSet {
  std::int16_t kraft_version = 0;
  std::vector<Voter> voters;  // sorted by id
  bool operator==(const VoterSet&) const = default;

  const Voter* find(BrokerId id) const;
  /// `directory_id` counts only where both sides know one.
  bool is_voter(BrokerId id, const Uuid& directory_id) const;
  bool is_only_voter(BrokerId id, const Uuid& directory_id) const;
  std::size_t majority() const { return voters.size() / 2 + 1; }
};

wire::VotersRecord to_record(const VoterSet& voters);
VoterSet from_record(const wire::VotersRecord& record, std::int16_t kraft_version);

}  // namespace milena::raft
