// ListGroups, DescribeGroups and DeleteGroups.
#include <algorithm>
#include <cctype>

#include "group/coordinator.h"

namespace milena::group {
namespace {

using wire::ErrorCode;

bool same_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return std::tolower(x) == std::tolower(y);
  });
}

/// What can be said of a group that another protocol runs.
std::string_view other_state(const DurableGroup& group) { return group.other_has_members() ? "Stable" : "Empty"; }

bool passes(std::span<const std::string> filter, std::string_view value) {
  return filter.empty() ||
         std::any_of(filter.begin(), filter.end(), [&](const std::string& f) { return same_ignoring_case(f, value); });
}

}  // namespace

std::vector<wire::ListGroupsResponse::ListedGroup> Groups::list_groups(
    std::span<const std::string> states_filter, std::span<const std::string> types_filter) const {
  std::set<std::string> ids;
  for (const auto& [group_id, group] : impl_->durable.groups()) ids.insert(group_id);
  for (const auto& [group_id, group] : impl_->soft.groups) ids.insert(group_id);

  std::vector<wire::ListGroupsResponse::ListedGroup> list;
  for (const std::string& group_id : ids) {
    wire::ListGroupsResponse::ListedGroup entry;
    entry.group_id = group_id;
    std::unique_ptr<ClassicGroup> scratch;
    if (const ClassicGroup* group = impl_->peek_classic(group_id, scratch)) {
      entry.protocol_type = group->protocol_type().value_or("");
      entry.group_state = name(group->state());
      entry.group_type = name(GroupType::classic);
    } else {
      const DurableGroup& stored = *impl_->durable.find(group_id);
      entry.protocol_type = name(stored.type());
      entry.group_state = other_state(stored);
      entry.group_type = name(stored.type());
    }
    if (passes(states_filter, entry.group_state) && passes(types_filter, entry.group_type)) {
      list.push_back(std::move(entry));
    }
  }
  return list;
}

wire::DescribeGroupsResponse::DescribedGroup Groups::describe_group(std::string_view group_id,
                                                                    std::int16_t api_version) const {
  wire::DescribeGroupsResponse::DescribedGroup described;
  described.group_id = group_id;
  std::unique_ptr<ClassicGroup> scratch;
  const ClassicGroup* group = impl_->peek_classic(group_id, scratch);
  if (group == nullptr) {
    described.group_state = name(GroupState::dead);
    if (api_version >= 6) {
      described.error_code = wire::to_int16(ErrorCode::GROUP_ID_NOT_FOUND);
      described.error_message = impl_->type_of(group_id) ? fmt::format("Group {} is not a classic group.", group_id)
                                                         : fmt::format("Group {} not found.", group_id);
    }
    return described;
  }
  bool stable = group->is(GroupState::stable);
  described.group_state = name(group->state());
  described.protocol_type = group->protocol_type().value_or("");
  if (stable) described.protocol_data = group->protocol_name().value_or("");
  for (const auto& [id, member] : group->members()) {
    auto& entry = described.members.emplace_back();
    entry.member_id = id;
    entry.group_instance_id = member.group_instance_id;
    entry.client_id = member.client_id;
    entry.client_host = member.client_host;
    entry.member_assignment = member.assignment;
    if (stable) entry.member_metadata = member.metadata(*group->protocol_name());
  }
  return described;
}

Effects Groups::delete_groups(const wire::DeleteGroupsRequest& request, const RequestInfo& info) {
  Effects out;
  wire::DeleteGroupsResponse response;
  std::set<std::string_view> seen;
  for (const std::string& group_id : request.groups_names) {
    if (!seen.insert(group_id).second) continue;
    auto& result = response.results.emplace_back();
    result.group_id = group_id;
    std::optional<GroupType> type = impl_->type_of(group_id);
    const DurableGroup* stored = impl_->durable.find(group_id);
    ErrorCode code = ErrorCode::NONE;
    if (!type) {
      code = ErrorCode::GROUP_ID_NOT_FOUND;
    } else if (*type == GroupType::classic) {
      if (!impl_->find_classic(group_id)->is(GroupState::empty)) code = ErrorCode::NON_EMPTY_GROUP;
    } else if (stored->other_has_members()) {
      code = ErrorCode::NON_EMPTY_GROUP;
    } else if (*type == GroupType::share) {
      code = ErrorCode::UNSUPPORTED_VERSION;  // its state lies in another log, which nobody would clean
    }
    result.error_code = wire::to_int16(code);
    if (code != ErrorCode::NONE) continue;

    std::set<std::pair<std::string, std::int32_t>> partitions;
    if (stored != nullptr) {
      for (const auto& [topic, offsets] : stored->offsets) {
        for (const auto& [partition, committed] : offsets) partitions.insert({topic, partition});
      }
      for (const auto& [topic, open] : stored->open_transactions) {
        for (const auto& [partition, producers] : open) partitions.insert({topic, partition});
      }
    }
    for (const auto& [topic, partition] : partitions) {
      out.records.push_back(make_offset_tombstone(group_id, topic, PartitionId(partition)));
    }
    impl_->forget(group_id);
    impl_->record_tombstones(group_id, out);
  }
  bool waits = !out.records.empty();
  out.replies.push_back({info.token, waits, std::move(response)});
  return out;
}

}  // namespace milena::group
