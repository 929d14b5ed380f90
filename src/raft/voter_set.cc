#include "raft/voter_set.h"

#include <algorithm>

namespace milena::raft {

const Voter* VoterSet::find(BrokerId id) const {
  auto found = std::ranges::find(voters, id, &Voter::id);
  return found == voters.end() ? nullptr : &*found;
}

bool VoterSet::is_voter(BrokerId id, const Uuid& directory_id) const {
  const Voter* voter = find(id);
  return voter != nullptr &&
         (voter->directory_id.is_zero() || voter->directory_id == directory_id);
}

bool VoterSet::is_only_voter(BrokerId id, const Uuid& directory_id) const {
  return voters.size() == 1 && is_voter(id, directory_id);
}

void VoterHistory::truncate(Offset end) {
  while (entries_.size() > 1 && entries_.back().offset >= end) entries_.pop_back();
}

void VoterHistory::forget_before(Offset offset) {
  while (entries_.size() > 1 && entries_[1].offset < offset) entries_.erase(entries_.begin());
}

const VoterSet& VoterHistory::at(Offset offset) const {
  const Entry* found = &entries_.front();
  for (const Entry& entry : entries_)
    if (entry.offset < offset) found = &entry;
  return found->voters;
}

wire::VotersRecord to_record(const VoterSet& voters) {
  wire::VotersRecord record;
  for (const Voter& voter : voters.voters) {
    auto& out = record.voters.emplace_back();
    out.voter_id = voter.id.value();
    out.voter_directory_id = voter.directory_id;
    for (const Endpoint& endpoint : voter.endpoints) {
      auto& to = out.endpoints.emplace_back();
      to.name = endpoint.listener;
      to.host = endpoint.host;
      to.port = endpoint.port;
    }
    out.k_raft_version_feature.min_supported_version = voter.min_kraft_version;
    out.k_raft_version_feature.max_supported_version = voter.max_kraft_version;
  }
  return record;
}

VoterSet from_record(const wire::VotersRecord& record, std::int16_t kraft_version) {
  VoterSet voters;
  voters.kraft_version = kraft_version;
  for (const auto& from : record.voters) {
    Voter& voter = voters.voters.emplace_back();
    voter.id = BrokerId(from.voter_id);
    voter.directory_id = from.voter_directory_id;
    for (const auto& endpoint : from.endpoints)
      voter.endpoints.push_back({endpoint.name, endpoint.host, endpoint.port});
    voter.min_kraft_version = from.k_raft_version_feature.min_supported_version;
    voter.max_kraft_version = from.k_raft_version_feature.max_supported_version;
  }
  std::ranges::sort(voters.voters, {}, &Voter::id);
  return voters;
}

}  // namespace milena::raft
