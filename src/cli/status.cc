// milena status: how the cluster is, on one screen.
#include "cli/status.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/checks.h"
#include "cli/group.h"
#include "cli/session_verb.h"
#include "cli/verbs.h"
#include "wire/apis/describe_cluster.h"
#include "wire/apis/describe_log_dirs.h"
#include "wire/apis/describe_quorum.h"

namespace milena::cli {
namespace {

struct StatusOptions {
  std::int64_t wait_s = 0;
};

// What was found, and what is wrong with it.
struct Found {
  Json row;
  std::vector<std::string> problems;
};

constexpr Duration kLookAgain = std::chrono::milliseconds(500);
constexpr std::size_t kNamesShown = 5;

std::string some_of(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size() && i < kNamesShown; ++i) text += (text.empty() ? "" : ", ") + names[i];
  if (names.size() > kNamesShown) text += fmt::format(" and {} more", names.size() - kNamesShown);
  return text;
}

io::Task<Outcome<void>> look_at_brokers(Session* session, Found* found) {
  auto response = co_await describe_cluster(session);
  if (response.failed()) co_return Err(std::move(response.error()));
  found->row["cluster_id"] = response->cluster_id;
  found->row["brokers"] = Json::array();
  std::ranges::sort(response->brokers, {}, [](const auto& broker) { return broker.broker_id; });
  for (const auto& broker : response->brokers) {
    Json one;
    one["id"] = broker.broker_id;
    one["address"] = io::to_string({broker.host, static_cast<std::uint16_t>(broker.port)});
    one["rack"] = nullptr;
    if (broker.rack) one["rack"] = *broker.rack;
    one["fenced"] = broker.is_fenced;
    if (broker.is_fenced) found->problems.push_back(fmt::format("broker {} is fenced", broker.broker_id));
    found->row["brokers"].push_back(std::move(one));
  }
  co_return Outcome<void>();
}

io::Task<void> look_at_quorum(Session* session, Found* found) {
  Json quorum;
  auto response = co_await describe_quorum(session);
  if (response.failed()) {
    found->problems.push_back(fmt::format("{}: {}", response.error().what, response.error().why));
    found->row["controller"] = nullptr;
    co_return;
  }
  const auto& partition = response->topics[0].partitions[0];
  quorum["leader_id"] = partition.leader_id;
  quorum["epoch"] = partition.leader_epoch;
  quorum["voters"] = partition.current_voters.size();
  quorum["observers"] = partition.observers.size();
  if (partition.leader_id < 0) found->problems.emplace_back("the metadata quorum has no leader");
  found->row["controller"] = std::move(quorum);
}

io::Task<Outcome<void>> look_at_topics(Session* session, Found* found) {
  auto metadata = co_await session->cluster().fetch_metadata(std::nullopt);
  if (metadata.failed()) co_return Err(client_failure("cannot list topics", metadata.error()));
  std::size_t partitions = 0;
  std::size_t internal = 0;
  std::vector<std::string> offline;
  std::vector<std::string> under_replicated;
  for (const auto& topic : (*metadata)->topics) {
    internal += topic.is_internal ? 1 : 0;
    for (const auto& partition : topic.partitions) {
      ++partitions;
      std::string name = fmt::format("{}-{}", topic.name.value_or(""), partition.partition_index);
      if (partition.leader_id < 0) offline.push_back(name);
      if (partition.isr_nodes.size() < partition.replica_nodes.size()) under_replicated.push_back(name);
    }
  }
  Json row;
  row["count"] = (*metadata)->topics.size();
  row["internal"] = internal;
  row["partitions"] = partitions;
  row["offline_partitions"] = offline;
  row["under_replicated_partitions"] = under_replicated;
  if (!offline.empty())
    found->problems.push_back(fmt::format("{} without a leader: {}", counted(offline.size(), "partition"), some_of(offline)));
  if (!under_replicated.empty())
    found->problems.push_back(fmt::format("{} short of replicas: {}", counted(under_replicated.size(), "partition"),
                                          some_of(under_replicated)));
  found->row["topics"] = std::move(row);
  co_return Outcome<void>();
}

void note_directory(const wire::DescribeLogDirsResponse_DescribeLogDirsResult& directory, std::int32_t broker,
                    Found* found) {
  Json row;
  row["broker"] = broker;
  row["path"] = directory.log_dir;
  std::int64_t used = 0;
  std::size_t logs = 0;
  for (const auto& topic : directory.topics) {
    for (const auto& partition : topic.partitions) {
      used += partition.partition_size;
      ++logs;
    }
  }
  row["log_bytes"] = used;
  row["logs"] = logs;
  row["free_bytes"] = nullptr;
  row["disk_bytes"] = nullptr;
  if (directory.usable_bytes >= 0) row["free_bytes"] = directory.usable_bytes;
  if (directory.total_bytes >= 0) row["disk_bytes"] = directory.total_bytes;
  row["offline"] = directory.error_code != 0;
  if (directory.error_code != 0)
    found->problems.push_back(fmt::format("log directory {} of broker {} is offline", directory.log_dir, broker));
  found->row["disks"].push_back(std::move(row));
}

io::Task<void> look_at_disks(Session* session, Found* found) {
  found->row["disks"] = Json::array();
  auto brokers = session->cluster().brokers();
  for (const auto& [id, endpoint] : brokers) {
    auto connection = co_await session->cluster().broker(BrokerId(id));
    if (connection.failed()) {
      found->problems.push_back(fmt::format("broker {}: {}", id, connection.error().message));
      continue;
    }
    wire::DescribeLogDirsRequest request;
    request.topics.reset();
    auto response = co_await (*connection)->call<wire::DescribeLogDirsApi>(std::move(request));
    if (response.failed()) {
      found->problems.push_back(fmt::format("broker {}: {}", id, response.error().message));
      continue;
    }
    for (const auto& directory : response->results) note_directory(directory, id, found);
  }
}

io::Task<void> look_at_groups(Session* session, Found* found) {
  Json row;
  auto groups = co_await all_groups(session);
  if (groups.failed()) {
    found->problems.push_back(fmt::format("{}: {}", groups.error().what, groups.error().why));
    found->row["groups"] = nullptr;
    co_return;
  }
  std::map<std::string, std::size_t> states;
  std::vector<std::pair<std::int64_t, std::string>> lags;
  std::int64_t total = 0;
  for (const auto& [name, group] : *groups) {
    ++states[group.state];
    std::string asked = name;
    std::vector<TopicPartition> none;
    auto partitions = co_await lag_of(session, std::move(asked), std::move(none));
    if (partitions.failed()) continue;  // deleted meanwhile
    std::int64_t lag = 0;
    for (const PartitionLag& one : *partitions) lag += one.lag().value_or(0);
    total += lag;
    lags.emplace_back(-lag, name);
  }
  std::ranges::sort(lags);
  row["count"] = groups->size();
  row["by_state"] = states;
  row["lag"] = total;
  row["largest_lag"] = Json::array();
  for (std::size_t i = 0; i < lags.size() && i < kNamesShown; ++i)
    if (lags[i].first < 0) row["largest_lag"].push_back({{"group", lags[i].second}, {"lag", -lags[i].first}});
  found->row["groups"] = std::move(row);
}

io::Task<Outcome<Found>> look(Session* session) {
  Found found;
  auto brokers = co_await look_at_brokers(session, &found);
  if (brokers.failed()) co_return Err(std::move(brokers.error()));
  co_await look_at_quorum(session, &found);
  auto topics = co_await look_at_topics(session, &found);
  if (topics.failed()) co_return Err(std::move(topics.error()));
  co_await look_at_disks(session, &found);
  co_await look_at_groups(session, &found);
  found.row["health"] = found.problems.empty() ? "ok" : "problems";
  found.row["problems"] = found.problems;
  co_return found;
}

std::string disk_line(const Json& disk) {
  std::string line = fmt::format("broker {}  {}  ", disk["broker"].get<std::int32_t>(), disk["path"].get<std::string>());
  if (disk["offline"].get<bool>()) return line + "offline";
  line += fmt::format("{} in {}", bytes_text(disk["log_bytes"].get<std::uint64_t>()),
                      counted(disk["logs"].get<std::size_t>(), "log"));
  if (disk["free_bytes"].is_number() && disk["disk_bytes"].is_number())
    line += fmt::format(", {} of {} free", bytes_text(disk["free_bytes"].get<std::uint64_t>()),
                        bytes_text(disk["disk_bytes"].get<std::uint64_t>()));
  return line;
}

std::string groups_line(const Json& groups) {
  if (groups.is_null()) return "not known";
  std::string states;
  for (const auto& [state, count] : groups["by_state"].items())
    states += fmt::format("{}{} {}", states.empty() ? "" : ", ", count.get<std::size_t>(), state);
  std::string line = counted(groups["count"].get<std::size_t>(), "group");
  if (!states.empty()) line += " (" + states + ")";
  line += fmt::format(", lag {}", groups["lag"].get<std::int64_t>());
  std::string largest;
  for (const Json& one : groups["largest_lag"])
    largest += fmt::format("{}{} {}", largest.empty() ? "" : ", ", one["group"].get<std::string>(),
                           one["lag"].get<std::int64_t>());
  return largest.empty() ? line : line + ": " + largest;
}

std::string page(const Json& row) {
  std::string text = fmt::format("Cluster     {}\n", row["cluster_id"].get<std::string>());
  const Json& controller = row["controller"];
  if (controller.is_null()) text += "Controller  not known\n";
  else
    text += fmt::format("Controller  node {}, epoch {}, {}, {}\n", controller["leader_id"].get<std::int32_t>(),
                        controller["epoch"].get<std::int32_t>(), counted(controller["voters"].get<std::size_t>(), "voter"),
                        counted(controller["observers"].get<std::size_t>(), "observer"));
  const char* title = "Brokers     ";
  for (const Json& broker : row["brokers"]) {
    text += fmt::format("{}{}  {}{}{}\n", std::exchange(title, "            "), broker["id"].get<std::int32_t>(),
                        broker["address"].get<std::string>(),
                        broker["rack"].is_string() ? "  rack " + broker["rack"].get<std::string>() : "",
                        broker["fenced"].get<bool>() ? "  fenced" : "");
  }
  const Json& topics = row["topics"];
  text += fmt::format("Topics      {}, {}; {} offline, {} under-replicated\n",
                      counted(topics["count"].get<std::size_t>(), "topic"),
                      counted(topics["partitions"].get<std::size_t>(), "partition"), topics["offline_partitions"].size(),
                      topics["under_replicated_partitions"].size());
  title = "Disks       ";
  for (const Json& disk : row["disks"]) text += std::exchange(title, "            ") + disk_line(disk) + "\n";
  text += "Groups      " + groups_line(row["groups"]) + "\n";
  text += fmt::format("Health      {}\n",
                      row["problems"].empty() ? "ok" : counted(row["problems"].size(), "problem") + ", see below");
  for (const Json& problem : row["problems"]) text += "  - " + problem.get<std::string>() + "\n";
  return text;
}

io::Task<int> show_status(Session* session, StatusOptions options) {
  io::Loop& loop = session->cluster().loop();
  Instant give_up = loop.now() + std::chrono::seconds(options.wait_s);
  while (true) {
    auto found = co_await look(session);
    bool healthy = found.has_value() && found->problems.empty();
    if (!healthy && options.wait_s > 0 && loop.now() + kLookAgain < give_up) {
      co_await io::sleep_for(loop, kLookAgain);
      continue;
    }
    if (found.failed()) co_return session->fail(found.error());
    Context& context = session->context();
    if (context.format() <= OutputFormat::kWide) context.terminal.out(page(found->row));
    else context.print({{"CLUSTER", "cluster_id"}}, {found->row});
    co_return healthy ? 0 : static_cast<int>(Exit::kFailed);
  }
}

}  // namespace

io::Task<Outcome<wire::DescribeClusterResponse>> describe_cluster(Session* session) {
  const std::string what = "cannot describe the cluster";
  auto connection = co_await session->cluster().any();
  if (connection.failed()) co_return Err(client_failure("cannot reach the cluster", connection.error()));
  constexpr std::int8_t kBrokers = 1;
  constexpr std::int8_t kControllers = 2;
  std::int8_t asked = kBrokers;
  while (true) {
    wire::DescribeClusterRequest request;
    request.include_fenced_brokers = asked == kBrokers;
    request.endpoint_type = asked;
    auto response = co_await (*connection)->call<wire::DescribeClusterApi>(std::move(request));
    if (response.failed()) co_return Err(client_failure(what, response.error()));
    wire::ErrorCode code = wire::error_code_from(response->error_code);
    if (code == wire::ErrorCode::NONE) co_return std::move(*response);
    if (code != wire::ErrorCode::MISMATCHED_ENDPOINT_TYPE || asked == kControllers)
      co_return Err(broker_failure(what, code, response->error_message.value_or("")));
    asked = kControllers;
  }
}

io::Task<Outcome<wire::DescribeQuorumResponse>> describe_quorum(Session* session) {
  const std::string what = "cannot describe the metadata quorum";
  auto connection = co_await session->cluster().any();
  if (connection.failed()) co_return Err(client_failure(what, connection.error()));
  wire::DescribeQuorumRequest request;
  auto& topic = request.topics.emplace_back();
  topic.topic_name = "__cluster_metadata";
  topic.partitions.emplace_back().partition_index = 0;
  auto response = co_await (*connection)->call<wire::DescribeQuorumApi>(std::move(request));
  if (response.failed()) co_return Err(client_failure(what, response.error()));
  wire::ErrorCode code = wire::error_code_from(response->error_code);
  if (code != wire::ErrorCode::NONE) co_return Err(broker_failure(what, code, response->error_message.value_or("")));
  if (response->topics.size() != 1 || response->topics[0].partitions.size() != 1)
    co_return Err(Failure{Exit::kFailed, what, "the answer is not about one partition", {}});
  code = wire::error_code_from(response->topics[0].partitions[0].error_code);
  if (code != wire::ErrorCode::NONE)
    co_return Err(broker_failure(what, code, response->topics[0].partitions[0].error_message.value_or("")));
  co_return std::move(*response);
}

std::string bytes_text(std::uint64_t bytes) {
  constexpr const char* kUnits[] = {"B", "KB", "MB", "GB", "TB", "PB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1024 && unit + 1 < std::size(kUnits); ++unit) value /= 1024;
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, kUnits[unit]);
}

std::string ago_text(std::int64_t ms) {
  return fmt::format("{:.1f} s ago", static_cast<double>(std::max<std::int64_t>(ms, 0)) / 1000);
}

void add_status_verb(CLI::App& root, Context& context) {
  auto options = std::make_shared<StatusOptions>();
  CLI::App& app = add_session_verb(root, context, "status", "Show how the cluster is; exit code 1: not well", options,
                                   show_status);
  app.add_option("--wait", options->wait_s, "seconds to wait until it is well")
      ->check(whole_number(1, 86'400))
      ->type_name("SECONDS");
  app.add_flag_callback("--json", [&context] { context.common.output = "json"; }, "the same as -o json");
  app.footer(R"(Shows the controller, brokers, topics, disks, groups with their lag, and what is wrong.

Examples:
  milena status
  milena status --wait 30 && echo "ready"
  milena status -o json | jq '.[0].problems')");
}

}  // namespace milena::cli
