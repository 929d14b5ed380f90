// milena group list, describe, lag.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/group.h"
#include "wire/apis/list_groups.h"

namespace milena::cli {
io::Task<Outcome<std::map<std::string, ListedGroup>>> all_groups(Session* session) {
  std::optional<std::vector<std::string>> no_topics(std::in_place);
  auto metadata = co_await session->cluster().fetch_metadata(std::move(no_topics));
  if (metadata.failed()) co_return Err(client_failure("cannot list groups", metadata.error()));
  std::map<std::string, ListedGroup> groups;
  auto brokers = session->cluster().brokers();
  for (const auto& [id, endpoint] : brokers) {
    auto connection = co_await session->cluster().broker(BrokerId(id));
    if (connection.failed()) co_return Err(client_failure("cannot list groups", connection.error()));
    Instant begin = session->cluster().loop().now();
    wire::ListGroupsRequest request;
    auto response = co_await (*connection)->call<wire::ListGroupsApi>(request);
    while (response.has_value()) {
      // Right after a start: without another try its groups would seem not to be there.
      bool again = co_await worth_another_try(session, wire::error_code_from(response->error_code), begin);
      if (!again) break;
      response = co_await (*connection)->call<wire::ListGroupsApi>(request);
    }
    if (response.failed()) co_return Err(client_failure("cannot list groups", response.error()));
    wire::ErrorCode code = wire::error_code_from(response->error_code);
    if (code == wire::ErrorCode::COORDINATOR_NOT_AVAILABLE) continue;  // it coordinates nothing yet
    if (code != wire::ErrorCode::NONE) co_return Err(broker_failure("cannot list groups", code, ""));
    for (const auto& group : response->groups)
      groups[group.group_id] = ListedGroup{group.group_state, group.group_type, group.protocol_type, id};
  }
  co_return groups;
}

std::optional<std::int64_t> PartitionLag::lag() const {
  if (!committed || !end) return std::nullopt;
  return std::max<std::int64_t>(0, *end - *committed);
}

io::Task<Outcome<std::vector<PartitionLag>>> lag_of(Session* session, std::string group,
                                                    std::vector<TopicPartition> also) {
  auto committed = co_await committed_offsets(session, std::move(group));
  if (committed.failed()) co_return Err(std::move(committed.error()));
  std::vector<TopicPartition> partitions = std::move(also);
  for (const auto& [partition, offset] : *committed) partitions.push_back(partition);
  std::sort(partitions.begin(), partitions.end());
  partitions.erase(std::unique(partitions.begin(), partitions.end()), partitions.end());
  std::vector<TopicPartition> copy = partitions;
  auto ends = co_await offsets_at(session, std::move(copy), -1);
  std::vector<PartitionLag> result;
  for (const TopicPartition& partition : partitions) {
    PartitionLag& lag = result.emplace_back();
    lag.partition = partition;
    if (auto found = committed->find(partition); found != committed->end()) lag.committed = found->second;
    if (auto found = ends.find(partition); found != ends.end()) lag.end = found->second;
  }
  co_return result;
}

namespace {

Json lag_row(const PartitionLag& one) {
  Json row;
  row["topic"] = one.partition.first;
  row["partition"] = one.partition.second;
  row["committed"] = nullptr;
  row["end_offset"] = nullptr;
  row["lag"] = nullptr;
  if (one.committed) row["committed"] = *one.committed;
  if (one.end) row["end_offset"] = *one.end;
  if (auto lag = one.lag()) row["lag"] = *lag;
  return row;
}

Json member_row(const GroupMember& member) {
  Json row;
  row["member_id"] = member.member_id;
  row["instance_id"] = nullptr;
  if (!member.instance_id.empty()) row["instance_id"] = member.instance_id;
  row["client_id"] = member.client_id;
  row["host"] = member.host;
  row["partitions"] = member.assignment.size();
  return row;
}

Json group_row(const GroupDescription& group, const std::vector<PartitionLag>& lags) {
  Json row;
  row["group"] = group.group;
  row["state"] = group.state;
  row["type"] = group.type;
  row["protocol"] = group.protocol;
  row["members"] = Json::array();
  for (const GroupMember& member : group.members) row["members"].push_back(member_row(member));
  row["partitions"] = Json::array();
  for (const PartitionLag& lag : lags) {
    Json partition = lag_row(lag);
    partition["member_id"] = nullptr;
    partition["client_id"] = nullptr;
    partition["host"] = nullptr;
    for (const GroupMember& member : group.members) {
      if (std::find(member.assignment.begin(), member.assignment.end(), lag.partition) ==
          member.assignment.end())
        continue;
      partition["member_id"] = member.member_id;
      partition["client_id"] = member.client_id;
      partition["host"] = member.host;
    }
    row["partitions"].push_back(std::move(partition));
  }
  return row;
}

std::vector<Column> lag_columns() {
  return {{"TOPIC", "topic"},
          {"PARTITION", "partition"},
          {"COMMITTED", "committed"},
          {"END", "end_offset"},
          {"LAG", "lag"}};
}

}  // namespace

io::Task<int> list_groups(Session* session, GroupOptions) {
  auto groups = co_await all_groups(session);
  if (groups.failed()) co_return session->fail(groups.error());
  std::vector<Json> rows;
  for (const auto& [name, group] : *groups) {
    Json row;
    row["group"] = name;
    row["state"] = group.state;
    row["type"] = group.type;
    row["protocol"] = group.protocol;
    row["coordinator"] = group.coordinator;
    rows.push_back(std::move(row));
  }
  std::vector<Column> columns{{"GROUP", "group"},
                              {"STATE", "state"},
                              {"TYPE", "type"},
                              {"PROTOCOL", "protocol", true},
                              {"COORDINATOR", "coordinator", true}};
  session->context().print(columns, rows);
  co_return 0;
}

io::Task<int> describe_groups(Session* session, GroupOptions options) {
  std::vector<Json> rows;
  for (const std::string& name : options.groups) {
    std::string group = name;
    auto description = co_await describe_group(session, std::move(group));
    if (description.failed()) co_return session->fail(description.error());
    std::vector<TopicPartition> assigned;
    for (const GroupMember& member : description->members)
      assigned.insert(assigned.end(), member.assignment.begin(), member.assignment.end());
    group = name;
    auto lags = co_await lag_of(session, std::move(group), std::move(assigned));
    if (lags.failed()) co_return session->fail(lags.error());
    rows.push_back(group_row(*description, *lags));
  }
  Context& context = session->context();
  if (context.format() > OutputFormat::kWide) {
    context.print({{"GROUP", "group"}}, rows);
    co_return 0;
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Json& row = rows[i];
    context.terminal.out(fmt::format("{}Group {}  {}  {}  {}\n", i > 0 ? "\n" : "",
                                     row["group"].get<std::string>(), row["state"].get<std::string>(),
                                     row["type"].get<std::string>(),
                                     counted(row["members"].size(), "member")));
    std::vector<Column> columns = lag_columns();
    columns.push_back({"CLIENT", "client_id"});
    columns.push_back({"HOST", "host"});
    columns.push_back({"MEMBER", "member_id", true});
    context.print(columns, row["partitions"].get<std::vector<Json>>());
  }
  co_return 0;
}

io::Task<int> show_lag(Session* session, GroupOptions options) {
  std::vector<std::string> names = options.groups;
  if (names.empty()) {
    auto groups = co_await all_groups(session);
    if (groups.failed()) co_return session->fail(groups.error());
    for (const auto& [name, group] : *groups) names.push_back(name);
  } else {
    for (const std::string& name : names) {
      std::string group = name;
      auto known = co_await describe_group(session, std::move(group));
      if (known.failed()) co_return session->fail(known.error());
    }
  }
  std::vector<Json> rows;
  for (const std::string& name : names) {
    std::string group = name;
    std::vector<TopicPartition> none;
    auto lags = co_await lag_of(session, std::move(group), std::move(none));
    if (lags.failed()) co_return session->fail(lags.error());
    for (const PartitionLag& lag : *lags) {
      Json row;
      row["group"] = name;
      row.update(lag_row(lag));
      rows.push_back(std::move(row));
    }
  }
  std::vector<Column> columns = lag_columns();
  columns.insert(columns.begin(), Column{"GROUP", "group"});
  session->context().print(columns, rows);
  co_return 0;
}

}  // namespace milena::cli
