// milena topic list, describe: what only reads.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/name_filter.h"
#include "cli/suggest.h"
#include "cli/topic.h"
#include "wire/apis/describe_configs.h"
#include "wire/apis/list_offsets.h"

namespace milena::cli {
namespace {

using Topic = wire::MetadataResponse_MetadataResponseTopic;

constexpr std::int8_t kTopicResource = 2;
constexpr std::int8_t kDynamicTopicConfig = 1;  // config_source: set on the topic itself

Failure unknown_topic(const std::string& name, const std::vector<std::string>& all) {
  return {Exit::kNotFound,
          fmt::format("topic '{}' does not exist{}", name, did_you_mean(name, all)),
          {},
          fmt::format("milena topic list; or milena topic create {}", name)};
}

}  // namespace

io::Task<Outcome<std::vector<Topic>>> select_topics(Session* session, TopicOptions options) {
  auto metadata = co_await session->cluster().fetch_metadata(std::nullopt);
  if (metadata.failed()) co_return Err(client_failure("cannot list topics", metadata.error()));
  std::vector<Topic> topics = (*metadata)->topics;
  std::sort(topics.begin(), topics.end(), [](const Topic& a, const Topic& b) { return a.name < b.name; });
  std::vector<std::string> all;
  all.reserve(topics.size());
  for (const Topic& topic : topics) all.push_back(topic.name.value_or(""));
  std::vector<std::string> wanted = options.names;
  if (options.regex) {
    auto matched = matching(options.names, all);
    if (matched.failed()) co_return Err(usage(matched.error(), "quote what is meant literally with \\; all topics: --regex '.*'"));
    wanted = std::move(*matched);
  }
  bool by_name = !options.names.empty();
  if (by_name && !options.regex)
    for (const std::string& name : wanted)
      if (std::find(all.begin(), all.end(), name) == all.end()) co_return Err(unknown_topic(name, all));
  std::vector<Topic> selected;
  for (Topic& topic : topics) {
    std::string name = topic.name.value_or("");
    bool named = std::find(wanted.begin(), wanted.end(), name) != wanted.end();
    if (by_name ? named : (options.internal || !topic.is_internal)) selected.push_back(std::move(topic));
  }
  co_return selected;
}

io::Task<int> list_topics(Session* session, TopicOptions options) {
  auto topics = co_await select_topics(session, std::move(options));
  if (topics.failed()) co_return session->fail(topics.error());
  std::vector<Json> rows;
  for (const Topic& topic : *topics) {
    Json row;
    row["name"] = topic.name.value_or("");
    row["partitions"] = topic.partitions.size();
    std::size_t replicas = 0;
    std::size_t offline = 0;
    std::size_t short_of_replicas = 0;
    for (const auto& partition : topic.partitions) {
      replicas = std::max(replicas, partition.replica_nodes.size());
      offline += partition.leader_id < 0 ? 1 : 0;
      short_of_replicas += partition.isr_nodes.size() < partition.replica_nodes.size() ? 1 : 0;
    }
    row["replication_factor"] = replicas;
    row["topic_id"] = topic.topic_id.to_string();
    row["internal"] = topic.is_internal;
    row["offline_partitions"] = offline;
    row["under_replicated_partitions"] = short_of_replicas;
    rows.push_back(std::move(row));
  }
  std::vector<Column> columns{{"NAME", "name"},
                              {"PARTITIONS", "partitions"},
                              {"REPLICAS", "replication_factor"},
                              {"ID", "topic_id", true},
                              {"INTERNAL", "internal", true},
                              {"OFFLINE", "offline_partitions", true},
                              {"UNDER-REPLICATED", "under_replicated_partitions", true}};
  session->context().print(columns, rows);
  bool table = session->context().format() <= OutputFormat::kWide;
  if (rows.empty() && table && session->context().terminal.out_is_tty())
    session->context().terminal.talk("no topics yet; create one: milena topic create orders\n");
  co_return 0;
}

io::Task<client::ClientResult<TopicOffsets>> list_offsets(Session* session, std::string topic,
                                                          std::vector<std::int32_t> partitions,
                                                          std::int64_t timestamp) {
  std::map<client::ConnectionPtr, std::vector<std::int32_t>> by_leader;
  for (std::int32_t partition : partitions) {
    auto leader = co_await session->cluster().leader(topic, PartitionId(partition));
    if (leader.failed()) co_return Err(std::move(leader.error()));
    by_leader[*leader].push_back(partition);
  }
  TopicOffsets offsets;
  for (auto& [leader, ids] : by_leader) {
    wire::ListOffsetsRequest request;
    request.replica_id = -1;
    auto& asked = request.topics.emplace_back();
    asked.name = topic;
    for (std::int32_t id : ids) {
      auto& partition = asked.partitions.emplace_back();
      partition.partition_index = id;
      partition.timestamp = timestamp;
    }
    client::CallOptions call;
    call.min_version = 1;  // the first with one offset a partition
    auto response = co_await leader->call<wire::ListOffsetsApi>(std::move(request), call);
    if (response.failed()) co_return Err(std::move(response.error()));
    for (const auto& answered : response->topics)
      for (const auto& partition : answered.partitions)
        if (partition.error_code == 0) offsets[partition.partition_index] = partition.offset;
  }
  co_return offsets;
}

namespace {

// The configurations of a topic: by key, and which of them are set on the topic itself.
struct TopicConfigs {
  Json values = Json::object();
  Json overrides = Json::object();
};

io::Task<client::ClientResult<TopicConfigs>> describe_configs(Session* session, std::string topic) {
  auto connection = co_await session->cluster().any();
  if (connection.failed()) co_return Err(std::move(connection.error()));
  wire::DescribeConfigsRequest request;
  auto& resource = request.resources.emplace_back();
  resource.resource_type = kTopicResource;
  resource.resource_name = topic;
  resource.configuration_keys.reset();
  auto response = co_await (*connection)->call<wire::DescribeConfigsApi>(std::move(request));
  if (response.failed()) co_return Err(std::move(response.error()));
  TopicConfigs configs;
  for (const auto& result : response->results) {
    if (result.error_code != 0)
      co_return Err(client::broker_error("DescribeConfigs", wire::error_code_from(result.error_code),
                                         result.error_message.value_or("")));
    for (const auto& config : result.configs) {
      Json value;
      if (config.value) value = *config.value;
      if (config.is_sensitive) value = "(hidden)";
      configs.values[config.name] = value;
      if (config.config_source == kDynamicTopicConfig) configs.overrides[config.name] = value;
    }
  }
  co_return configs;
}

Json partition_row(const wire::MetadataResponse_MetadataResponsePartition& partition,
                   const TopicOffsets& starts, const TopicOffsets& ends) {
  Json row;
  row["partition"] = partition.partition_index;
  row["leader"] = partition.leader_id;
  row["leader_epoch"] = partition.leader_epoch;
  row["replicas"] = partition.replica_nodes;
  row["isr"] = partition.isr_nodes;
  row["offline"] = partition.offline_replicas;
  row["start_offset"] = nullptr;
  row["end_offset"] = nullptr;
  if (auto found = starts.find(partition.partition_index); found != starts.end())
    row["start_offset"] = found->second;
  if (auto found = ends.find(partition.partition_index); found != ends.end())
    row["end_offset"] = found->second;
  if (partition.error_code != 0) row["error"] = wire::name(wire::error_code_from(partition.error_code));
  return row;
}

io::Task<Outcome<Json>> describe_topic(Session* session, Topic topic) {
  std::string name = topic.name.value_or("");
  Json row;
  row["name"] = name;
  row["topic_id"] = topic.topic_id.to_string();
  row["internal"] = topic.is_internal;
  std::sort(topic.partitions.begin(), topic.partitions.end(),
            [](const auto& a, const auto& b) { return a.partition_index < b.partition_index; });
  std::vector<std::int32_t> with_leader;
  for (const auto& partition : topic.partitions)
    if (partition.leader_id >= 0) with_leader.push_back(partition.partition_index);
  std::vector<std::int32_t> same = with_leader;
  auto starts = co_await list_offsets(session, name, std::move(same), -2);
  auto ends = co_await list_offsets(session, name, std::move(with_leader), -1);
  if (starts.failed() || ends.failed()) {
    const client::ClientError& error = starts.failed() ? starts.error() : ends.error();
    session->context().terminal.talk(fmt::format("warning: no offsets of '{}': {}\n", name, error.message));
  }
  TopicOffsets none;
  row["partitions"] = Json::array();
  for (const auto& partition : topic.partitions)
    row["partitions"].push_back(partition_row(partition, starts.value_or(none), ends.value_or(none)));
  auto configs = co_await describe_configs(session, name);
  if (configs.failed()) {
    session->context().terminal.talk(
        fmt::format("warning: no configuration of '{}': {}\n", name, configs.error().message));
  } else {
    row["configs"] = configs->values;
    row["overrides"] = configs->overrides;
  }
  co_return row;
}

void print_topic(Context& context, const Json& topic) {
  std::string text =
      fmt::format("Topic {}  id {}  {}\n", topic["name"].get<std::string>(),
                  topic["topic_id"].get<std::string>(), counted(topic["partitions"].size(), "partition"));
  bool wide = context.format() == OutputFormat::kWide;
  const char* key = wide ? "configs" : "overrides";
  if (topic.contains(key))
    for (const auto& [name, value] : topic[key].items())
      text += fmt::format("  {}={}\n", name, value.is_string() ? value.get<std::string>() : "");
  context.terminal.out(text);
  std::vector<Column> columns{{"PARTITION", "partition"}, {"LEADER", "leader"}, {"EPOCH", "leader_epoch"},
                              {"REPLICAS", "replicas"},   {"ISR", "isr"},       {"OFFLINE", "offline", true},
                              {"START", "start_offset"},  {"END", "end_offset"}};
  context.print(columns, topic["partitions"].get<std::vector<Json>>());
}

}  // namespace

io::Task<int> describe_topics(Session* session, TopicOptions options) {
  auto topics = co_await select_topics(session, std::move(options));
  if (topics.failed()) co_return session->fail(topics.error());
  std::vector<Json> rows;
  for (const Topic& topic : *topics) {
    Topic copy = topic;
    auto row = co_await describe_topic(session, std::move(copy));
    if (row.failed()) co_return session->fail(row.error());
    rows.push_back(std::move(*row));
  }
  Context& context = session->context();
  if (context.format() > OutputFormat::kWide) {
    context.print({{"NAME", "name"}}, rows);
    co_return 0;
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i > 0) context.terminal.out("\n");
    print_topic(context, rows[i]);
  }
  co_return 0;
}

}  // namespace milena::cli
