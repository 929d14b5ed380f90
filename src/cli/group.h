/// The verbs of `milena group`, and what they share.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/context.h"

namespace milena::cli {

struct GroupOptions {
  std::vector<std::string> groups;
  std::vector<std::string> topics;
  std::vector<std::int32_t> partitions;
  std::string to;
  bool dry_run = false;
  bool yes = false;
};

io::Task<int> list_groups(Session* session, GroupOptions options);
io::Task<int> describe_groups(Session* session, GroupOptions options);
io::Task<int> show_lag(Session* session, GroupOptions options);
io::Task<int> delete_groups(Session* session, GroupOptions options);
io::Task<int> seek_group(Session* session, GroupOptions options);

using TopicPartition = std::pair<std::string, std::int32_t>;

struct GroupMember {
  std::string member_id;
  std::string instance_id;  // empty: none
  std::string client_id;
  std::string host;
  std::vector<TopicPartition> assignment;
};

struct GroupDescription {
  std::string group;
  std::string state;
  std::string type;      // "classic", "consumer"
  std::string protocol;  // assignor; empty: none
  std::vector<GroupMember> members;
};

struct ListedGroup {
  std::string state;
  std::string type;
  std::string protocol;
  std::int32_t coordinator = -1;
};
/// All groups of the cluster: each broker knows those it coordinates. Waits for those that are still loading.
io::Task<Outcome<std::map<std::string, ListedGroup>>> all_groups(Session* session);

struct PartitionLag {
  TopicPartition partition;
  std::optional<std::int64_t> committed;
  std::optional<std::int64_t> end;
  std::optional<std::int64_t> lag() const;  // where both are known
};
/// Committed offsets of a group, and `also`, with the partitions' ends.
io::Task<Outcome<std::vector<PartitionLag>>> lag_of(Session* session, std::string group,
                                                    std::vector<TopicPartition> also);

/// The group's coordinator, once it has read its log: a node that has just started takes a moment.
io::Task<client::ClientResult<client::ConnectionPtr>> ready_coordinator(Session* session, std::string group);
/// Waits a little where asking a coordinator again may help; false: `code` is final, or --timeout is over.
io::Task<bool> worth_another_try(Session* session, wire::ErrorCode code, Instant begin);

/// Errors: a group that does not exist (kNotFound), and what the coordinator says.
io::Task<Outcome<GroupDescription>> describe_group(Session* session, std::string group);
/// Committed offsets; partitions without one are not in it.
io::Task<Outcome<std::map<TopicPartition, std::int64_t>>> committed_offsets(Session* session,
                                                                            std::string group);
/// ListOffsets for partitions of many topics; what is not known is left out. `timestamp`: see topic.h.
io::Task<std::map<TopicPartition, std::int64_t>> offsets_at(Session* session,
                                                            std::vector<TopicPartition> partitions,
                                                            std::int64_t timestamp);

}  // namespace milena::cli
