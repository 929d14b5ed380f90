// milena group delete, seek.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "cli/group.h"
#include "cli/position.h"
#include "cli/topic.h"
#include "wire/apis/delete_groups.h"
#include "wire/apis/offset_commit.h"

namespace milena::cli {

io::Task<int> delete_groups(Session* session, GroupOptions options) {
  int exit = 0;
  std::vector<Json> rows;
  for (const std::string& group : options.groups) {
    std::string what = fmt::format("cannot delete group '{}'", group);
    auto coordinator = co_await ready_coordinator(session, group);
    if (coordinator.failed()) co_return session->fail(what, coordinator.error());
    wire::DeleteGroupsRequest request;
    request.groups_names.push_back(group);
    auto response = co_await (*coordinator)->call<wire::DeleteGroupsApi>(std::move(request));
    if (response.failed()) co_return session->fail(what, response.error());
    for (const auto& result : response->results) {
      wire::ErrorCode code = wire::error_code_from(result.error_code);
      if (code == wire::ErrorCode::NONE) {
        Json row;
        row["group"] = result.group_id;
        row["deleted"] = true;
        rows.push_back(std::move(row));
        continue;
      }
      std::string next = "milena group list";
      if (code == wire::ErrorCode::NON_EMPTY_GROUP)
        next = fmt::format("stop its members: milena group describe {}", group);
      int failed = session->fail(broker_failure(what, code, "", next));
      if (exit == 0) exit = failed;
    }
  }
  std::vector<Column> columns{{"GROUP", "group"}, {"DELETED", "deleted"}};
  if (!rows.empty()) session->context().print(columns, rows);
  co_return exit;
}

namespace {

// A partition whose committed offset moves.
struct Move {
  TopicPartition partition;
  std::optional<std::int64_t> before;
  std::int64_t after = 0;
};

bool wanted(const GroupOptions& options, std::int32_t partition) {
  return options.partitions.empty() || std::find(options.partitions.begin(), options.partitions.end(),
                                                 partition) != options.partitions.end();
}

// The partitions to move: of the named topics all, else those with a committed offset.
io::Task<Outcome<std::vector<TopicPartition>>> partitions_to_seek(Session* session, GroupOptions options,
                                                                  std::vector<TopicPartition> committed) {
  std::vector<TopicPartition> partitions;
  if (options.topics.empty()) {
    for (const TopicPartition& partition : committed)
      if (wanted(options, partition.second)) partitions.push_back(partition);
  } else {
    TopicOptions selection;
    selection.names = options.topics;
    auto topics = co_await select_topics(session, std::move(selection));
    if (topics.failed()) co_return Err(std::move(topics.error()));
    for (const auto& topic : *topics)
      for (const auto& partition : topic.partitions)
        if (wanted(options, partition.partition_index))
          partitions.emplace_back(topic.name.value_or(""), partition.partition_index);
  }
  if (partitions.empty())
    co_return Err(Failure{Exit::kNotFound,
                          fmt::format("group '{}' has no offsets to move", options.groups[0]),
                          {},
                          "name a topic with --topic"});
  std::sort(partitions.begin(), partitions.end());
  co_return partitions;
}

// Stays at the end of the range where the sum would leave it.
std::int64_t sum_of(std::int64_t offset, std::int64_t by) {
  std::int64_t sum = 0;
  if (!__builtin_add_overflow(offset, by, &sum)) return sum;
  return by > 0 ? std::numeric_limits<std::int64_t>::max() : std::numeric_limits<std::int64_t>::min();
}

io::Task<Outcome<std::vector<Move>>> plan_moves(Session* session, GroupOptions options, Position to) {
  std::string group = options.groups[0];
  auto committed = co_await committed_offsets(session, std::move(group));
  if (committed.failed()) co_return Err(std::move(committed.error()));
  std::vector<TopicPartition> known;
  for (const auto& [partition, offset] : *committed) known.push_back(partition);
  auto partitions = co_await partitions_to_seek(session, options, std::move(known));
  if (partitions.failed()) co_return Err(std::move(partitions.error()));
  auto starts = co_await offsets_at(session, *partitions, -2);
  auto ends = co_await offsets_at(session, *partitions, -1);
  std::map<TopicPartition, std::int64_t> times;
  if (to.kind == Position::Kind::kTimestamp) times = co_await offsets_at(session, *partitions, to.value);
  std::vector<Move> moves;
  for (const TopicPartition& partition : *partitions) {
    if (!starts.contains(partition) || !ends.contains(partition))
      co_return Err(
          Failure{Exit::kFailed,
                  fmt::format("the offsets of {}-{} are not known", partition.first, partition.second),
                  {},
                  {}});
    Move move{partition, std::nullopt, 0};
    if (auto found = committed->find(partition); found != committed->end()) move.before = found->second;
    switch (to.kind) {
      case Position::Kind::kStart:
        move.after = starts[partition];
        break;
      case Position::Kind::kEnd:
        move.after = ends[partition];
        break;
      case Position::Kind::kOffset:
        move.after = to.value;
        break;
      case Position::Kind::kRelative:
        move.after = sum_of(move.before.value_or(starts[partition]), to.value);
        break;
      case Position::Kind::kTimestamp:
        move.after = times.contains(partition) && times[partition] >= 0 ? times[partition] : ends[partition];
        break;
    }
    std::int64_t start = starts[partition];
    std::int64_t end = std::max(start, ends[partition]);  // they were asked for one after the other
    std::int64_t nearest = std::clamp(move.after, start, end);
    if (nearest != move.after)
      session->context().terminal.talk(fmt::format("{}-{} has offsets {} to {}, not {}: {} is the nearest\n",
                                                   partition.first, partition.second, start, end, move.after,
                                                   nearest));
    move.after = nearest;
    moves.push_back(move);
  }
  co_return moves;
}

// Commits as an administrator: no member, no generation.
io::Task<Outcome<void>> commit(Session* session, std::string group, std::vector<Move> moves) {
  std::string what = fmt::format("cannot move group '{}'", group);
  auto coordinator = co_await ready_coordinator(session, group);
  if (coordinator.failed()) co_return Err(client_failure(what, coordinator.error()));
  wire::OffsetCommitRequest request;
  request.group_id = group;
  for (const Move& move : moves) {
    if (request.topics.empty() || request.topics.back().name != move.partition.first)
      request.topics.emplace_back().name = move.partition.first;
    auto& partition = request.topics.back().partitions.emplace_back();
    partition.partition_index = move.partition.second;
    partition.committed_offset = move.after;
  }
  client::CallOptions call;
  call.min_version = 1;
  call.max_version = 9;  // the last that names topics
  auto response = co_await (*coordinator)->call<wire::OffsetCommitApi>(std::move(request), call);
  if (response.failed()) co_return Err(client_failure(what, response.error()));
  for (const auto& topic : response->topics)
    for (const auto& partition : topic.partitions) {
      wire::ErrorCode code = wire::error_code_from(partition.error_code);
      if (code == wire::ErrorCode::NONE) continue;
      std::string next;
      if (code == wire::ErrorCode::UNKNOWN_MEMBER_ID || code == wire::ErrorCode::REBALANCE_IN_PROGRESS)
        next = fmt::format("the group has members; stop them: milena group describe {}", group);
      co_return Err(broker_failure(what, code, "", next));
    }
  co_return Outcome<void>();
}

}  // namespace

io::Task<int> seek_group(Session* session, GroupOptions options) {
  auto to = parse_position(options.to);
  if (to.failed()) co_return session->fail(usage("wrong --to: " + to.error(), "milena group seek --help"));
  auto moves = co_await plan_moves(session, options, *to);
  if (moves.failed()) co_return session->fail(moves.error());
  bool do_it = options.yes && !options.dry_run;
  if (do_it) {
    auto committed = co_await commit(session, options.groups[0], *moves);
    if (committed.failed()) co_return session->fail(committed.error());
  }
  std::vector<Json> rows;
  for (const Move& move : *moves) {
    Json row;
    row["group"] = options.groups[0];
    row["topic"] = move.partition.first;
    row["partition"] = move.partition.second;
    row["before"] = nullptr;
    if (move.before) row["before"] = *move.before;
    row["after"] = move.after;
    row["moved"] = do_it;
    rows.push_back(std::move(row));
  }
  std::vector<Column> columns{{"GROUP", "group"},   {"TOPIC", "topic"}, {"PARTITION", "partition"},
                              {"BEFORE", "before"}, {"AFTER", "after"}, {"MOVED", "moved"}};
  session->context().print(columns, rows);
  if (do_it || options.dry_run) co_return 0;
  co_return session->fail(
      usage("nothing was changed: moving offsets needs to be confirmed", "add --yes to do it"));
}

}  // namespace milena::cli
