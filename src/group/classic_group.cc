#include "group/classic_group.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/mutant.h"
#include "group/partition.h"
#include "wire/reader.h"

namespace milena::group {

using wire::ErrorCode;

Bytes ClassicMember::metadata(std::string_view protocol) const {
  for (const MemberProtocol& p : protocols) {
    if (p.name == protocol) return p.metadata;
  }
  return {};
}

std::vector<MemberProtocol> copy_protocols(const wire::JoinGroupRequest& request) {
  std::vector<MemberProtocol> protocols;
  for (const auto& p : request.protocols) {
    bool known = std::any_of(protocols.begin(), protocols.end(), [&](const auto& q) { return q.name == p.name; });
    if (!known) protocols.push_back({p.name, Bytes::copy(p.metadata.view())});
  }
  return protocols;
}

ClassicGroup::ClassicGroup(std::string group_id, Timestamp now)
    : group_id_(std::move(group_id)), state_timestamp_(now) {}

ClassicGroup::ClassicGroup(std::string group_id, const wire::GroupMetadataValue& value)
    : group_id_(std::move(group_id)),
      state_(value.members.empty() ? GroupState::empty : GroupState::stable),
      state_timestamp_(value.current_state_timestamp),
      generation_(value.generation),
      protocol_name_(value.protocol),
      leader_(value.leader) {
  if (!value.protocol_type.empty()) protocol_type_ = value.protocol_type;
  if (!value.members.empty() && !protocol_name_) protocol_name_ = "";
  for (const auto& m : value.members) {
    if (members_.contains(m.member_id)) continue;  // never written, but a file can say anything
    ClassicMember member;
    member.member_id = m.member_id;
    if (m.group_instance_id && !static_members_.contains(*m.group_instance_id)) {
      member.group_instance_id = m.group_instance_id;
    }
    member.client_id = m.client_id;
    member.client_host = m.client_host;
    member.session_timeout_ms = m.session_timeout;
    member.rebalance_timeout_ms = m.rebalance_timeout == -1 ? m.session_timeout : m.rebalance_timeout;
    member.protocols.push_back({value.protocol.value_or(""), m.subscription});
    member.assignment = m.assignment;
    add(std::move(member), value.protocol_type);
  }
  if (!members_.empty() && find(*leader_) == nullptr) leader_ = members_.begin()->first;
  compute_subscribed_topics();
}

ClassicMember* ClassicGroup::find(std::string_view member_id) {
  auto at = members_.find(member_id);
  return at == members_.end() ? nullptr : &at->second;
}

const ClassicMember* ClassicGroup::find(std::string_view member_id) const {
  auto at = members_.find(member_id);
  return at == members_.end() ? nullptr : &at->second;
}

const std::string* ClassicGroup::static_member_id(std::string_view group_instance_id) const {
  auto at = static_members_.find(group_instance_id);
  return at == static_members_.end() ? nullptr : &at->second;
}

Duration ClassicGroup::rebalance_timeout() const {
  std::int32_t longest = 0;
  for (const auto& [id, member] : members_) longest = std::max(longest, member.rebalance_timeout_ms);
  return from_ms(longest);
}

bool ClassicGroup::is_subscribed_to(std::string_view topic) const {
  if (!subscribed_topics_) return uses_consumer_protocol();
  return subscribed_topics_->contains(topic);
}

void ClassicGroup::transition_to(GroupState state, Timestamp now) {
  previous_state_ = std::exchange(state_, state);
  state_timestamp_ = now;
}

void ClassicGroup::count_protocols(const ClassicMember& member, int delta) {
  for (const MemberProtocol& p : member.protocols) {
    std::int32_t& count = protocol_counts_[p.name];
    count += delta;
    if (count == 0) protocol_counts_.erase(p.name);
  }
}

void ClassicGroup::add(ClassicMember member, std::string_view protocol_type) {
  if (members_.empty()) protocol_type_ = std::string(protocol_type);
  if (member.group_instance_id) static_members_[*member.group_instance_id] = member.member_id;
  if (!leader_) leader_ = member.member_id;
  if (member.awaiting_join) ++awaiting_join_count_;
  pending_join_.erase(member.member_id);
  count_protocols(member, 1);
  std::string id = member.member_id;
  members_.insert_or_assign(std::move(id), std::move(member));
}

void ClassicGroup::remove(std::string_view member_id) {
  auto at = members_.find(member_id);
  if (at != members_.end()) {
    const ClassicMember& member = at->second;
    count_protocols(member, -1);
    if (member.awaiting_join) --awaiting_join_count_;
    if (member.group_instance_id) {
      const std::string* current = static_member_id(*member.group_instance_id);
      if (current != nullptr && *current == member.member_id) static_members_.erase(*member.group_instance_id);
    }
    bool led = is_leader(member_id);
    members_.erase(at);
    if (led) leader_ = members_.empty() ? std::nullopt : std::optional(members_.begin()->first);
  }
  if (auto p = pending_join_.find(member_id); p != pending_join_.end()) pending_join_.erase(p);
  if (auto p = pending_sync_.find(member_id); p != pending_sync_.end()) pending_sync_.erase(p);
}

void ClassicGroup::set_awaiting_join(ClassicMember& member, std::optional<ParkedRequest> join) {
  awaiting_join_count_ += static_cast<int>(join.has_value()) - static_cast<int>(member.awaiting_join.has_value());
  member.awaiting_join = join;
}

void ClassicGroup::update(ClassicMember& member, const wire::JoinGroupRequest& request,
                          std::optional<ParkedRequest> join) {
  count_protocols(member, -1);
  member.protocols = copy_protocols(request);
  count_protocols(member, 1);
  member.rebalance_timeout_ms = request.rebalance_timeout_ms;
  member.session_timeout_ms = request.session_timeout_ms;
  set_awaiting_join(member, join);
}

ClassicMember& ClassicGroup::rename_static(const std::string& old_id, const std::string& new_id) {
  auto node = members_.extract(old_id);
  CHECK(!node.empty() && node.mapped().group_instance_id);
  CHECK(!node.mapped().awaiting_join && !node.mapped().awaiting_sync);
  node.key() = new_id;
  node.mapped().member_id = new_id;
  node.mapped().is_new = false;
  static_members_[*node.mapped().group_instance_id] = new_id;
  if (is_leader(old_id)) leader_ = new_id;
  if (pending_sync_.erase(old_id) > 0) pending_sync_.insert(new_id);
  return members_.insert(std::move(node)).position->second;
}

bool ClassicGroup::elect_joined_leader() {
  if (!leader_) return false;
  const ClassicMember* present = find(*leader_);
  if (present != nullptr && present->awaiting_join) return true;
  for (const auto& [id, member] : members_) {
    if (member.awaiting_join) {
      leader_ = id;
      return true;
    }
  }
  return false;
}

void ClassicGroup::next_generation(Timestamp now) {
  ++generation_;
  if (members_.empty()) {
    protocol_name_.reset();
    compute_subscribed_topics();
    transition_to(GroupState::empty, now);
  } else {
    protocol_name_ = select_protocol();
    compute_subscribed_topics();
    transition_to(GroupState::completing_rebalance, now);
  }
  pending_sync_.clear();
}

bool ClassicGroup::supports_protocols(const wire::JoinGroupRequest& request) const {
  if (is(GroupState::empty)) return !request.protocol_type.empty() && !request.protocols.empty();
  if (protocol_type_ != request.protocol_type) return false;
  return std::any_of(request.protocols.begin(), request.protocols.end(), [&](const auto& p) {
    auto at = protocol_counts_.find(p.name);
    return static_cast<std::size_t>(at == protocol_counts_.end() ? 0 : at->second) == members_.size();
  });
}

std::string ClassicGroup::select_protocol() const {
  CHECK(!members_.empty());
  // Each member votes for the first of its protocols that all members have.
  std::map<std::string, std::int32_t> votes;
  for (const auto& [id, member] : members_) {
    for (const MemberProtocol& p : member.protocols) {
      auto at = protocol_counts_.find(p.name);
      if (static_cast<std::size_t>(at->second) != members_.size()) continue;
      ++votes[p.name];
      break;
    }
  }
  CHECK(!votes.empty(), "group {}", group_id_);
  // Among equals Kafka takes the first in the order of a Java HashMap; so do we, for the same choice.
  std::uint32_t capacity = 16;
  while (votes.size() * 4 > capacity * 3) capacity *= 2;
  auto slot = [&](const std::string& protocol) {
    auto hash = static_cast<std::uint32_t>(java_hash_code(protocol));
    return (hash ^ hash >> 16) & (capacity - 1);
  };
  auto best = votes.begin();
  for (auto at = std::next(votes.begin()); at != votes.end(); ++at) {
    if (at->second > best->second || (at->second == best->second && slot(at->first) < slot(best->first))) best = at;
  }
  return best->first;
}

ErrorCode ClassicGroup::validate_member(std::string_view member_id,
                                        const std::optional<std::string>& group_instance_id) const {
  if (group_instance_id) {
    const std::string* current = static_member_id(*group_instance_id);
    if (current == nullptr) return ErrorCode::UNKNOWN_MEMBER_ID;
    if (*current != member_id) {
      return MILENA_MUTANT("two-selves") ? ErrorCode::NONE : ErrorCode::FENCED_INSTANCE_ID;
    }
  }
  return find(member_id) == nullptr ? ErrorCode::UNKNOWN_MEMBER_ID : ErrorCode::NONE;
}

std::vector<wire::JoinGroupResponse::JoinGroupResponseMember> ClassicGroup::members_for_leader() const {
  std::vector<wire::JoinGroupResponse::JoinGroupResponseMember> list;
  for (const auto& [id, member] : members_) {
    auto& entry = list.emplace_back();
    entry.member_id = id;
    entry.group_instance_id = member.group_instance_id;
    entry.metadata = member.metadata(protocol_name_.value_or(""));
  }
  return list;
}

wire::GroupMetadataValue ClassicGroup::to_value() const {
  wire::GroupMetadataValue value;
  value.protocol_type = protocol_type_.value_or("");
  value.generation = generation_;
  value.protocol = protocol_name_;
  value.leader = leader_;
  value.current_state_timestamp = state_timestamp_.value();
  for (const auto& [id, member] : members_) {
    auto& entry = value.members.emplace_back();
    entry.member_id = id;
    entry.group_instance_id = member.group_instance_id;
    entry.client_id = member.client_id;
    entry.client_host = member.client_host;
    entry.rebalance_timeout = member.rebalance_timeout_ms;
    entry.session_timeout = member.session_timeout_ms;
    entry.subscription = member.metadata(protocol_name_.value_or(""));
    entry.assignment = member.assignment;
  }
  return value;
}

void ClassicGroup::compute_subscribed_topics() {
  subscribed_topics_.reset();
  if (!uses_consumer_protocol()) return;
  std::set<std::string, std::less<>> topics;
  if (!members_.empty() && !protocol_name_) return;
  for (const auto& [id, member] : members_) {
    // The consumer's subscription: int16 version, then an array of topic names in every version.
    wire::Reader reader(member.metadata(*protocol_name_));
    reader.read_int16();
    std::int32_t count = reader.read_array_count(false, 2);
    for (std::int32_t i = 0; i < count && reader.ok(); ++i) topics.insert(reader.read_string(false));
    if (!reader.ok()) return;
  }
  subscribed_topics_ = std::move(topics);
}

void ClassicGroup::check_invariants() const {
  std::int32_t awaiting = 0;
  std::map<std::string, std::int32_t, std::less<>> counts;
  std::size_t instances = 0;
  for (const auto& [id, member] : members_) {
    CHECK(id == member.member_id);
    awaiting += member.awaiting_join.has_value();
    for (const MemberProtocol& p : member.protocols) ++counts[p.name];
    if (member.group_instance_id) {
      ++instances;
      CHECK(static_members_.at(*member.group_instance_id) == id, "{}", id);
    }
    CHECK(!pending_join_.contains(id), "{}", id);
    if (member.awaiting_join) CHECK(is(GroupState::preparing_rebalance), "{} {}", group_id_, name(state_));
    if (member.awaiting_sync) CHECK(is(GroupState::completing_rebalance), "{} {}", group_id_, name(state_));
  }
  CHECK(awaiting == awaiting_join_count_, "{} {}", awaiting, awaiting_join_count_);
  CHECK(counts == protocol_counts_, "{}", group_id_);
  CHECK(instances == static_members_.size(), "{}", group_id_);
  if (is(GroupState::empty)) CHECK(members_.empty(), "{}", group_id_);
  if (leader_ && !members_.empty()) CHECK(members_.contains(*leader_), "{}", *leader_);
  if (is(GroupState::stable) || is(GroupState::completing_rebalance)) {
    CHECK(!members_.empty() && leader_ && protocol_name_, "{}", group_id_);
  }
  for (const std::string& id : pending_sync_) CHECK(members_.contains(id), "{}", id);
}

}  // namespace milena::group
