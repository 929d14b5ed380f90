// The families of a scrape, from what was gathered. Kafka's names; each function a group of MBeans.
#include <fmt/format.h>

#include <algorithm>

#include "broker/handlers/handler_list.h"
#include "broker/metric_facts.h"

namespace milena::broker {
namespace {

double number(std::uint64_t value) { return static_cast<double>(value); }
double number(Offset value) { return static_cast<double>(value.value()); }
std::string text(PartitionId id) { return std::to_string(id.value()); }

// ---- BrokerTopicMetrics ------------------------------------------------------------------------------------

struct TrafficName {
  const char* name;
  const char* help;
  std::uint64_t TopicTraffic::*value;
};
constexpr TrafficName kTraffic[] = {
    {"kafka_server_brokertopicmetrics_messagesin_total", "Records produced.", &TopicTraffic::messages_in},
    {"kafka_server_brokertopicmetrics_bytesin_total", "Bytes of batches produced.", &TopicTraffic::bytes_in},
    {"kafka_server_brokertopicmetrics_bytesout_total", "Bytes of batches fetched.", &TopicTraffic::bytes_out},
    {"kafka_server_brokertopicmetrics_totalproducerequests_total", "Partitions in Produce requests.",
     &TopicTraffic::produce_requests},
    {"kafka_server_brokertopicmetrics_totalfetchrequests_total", "Partitions in Fetch requests.",
     &TopicTraffic::fetch_requests},
    {"kafka_server_brokertopicmetrics_failedproducerequests_total", "Of those, with records that were refused.",
     &TopicTraffic::failed_produce_requests},
    {"kafka_server_brokertopicmetrics_failedfetchrequests_total", "Of those, that failed.",
     &TopicTraffic::failed_fetch_requests},
};

void add_traffic(MetricSet& set, const TopicTraffic& traffic, const MetricLabels& labels) {
  for (const TrafficName& one : kTraffic) set.counter(one.name, one.help, number(traffic.*one.value), labels);
}

void add_topics(MetricSet& set, const MetricFacts& facts) {
  TopicTraffic all;
  std::map<std::string, TopicTraffic> topics;  // by name
  for (const LoopFacts& loop : facts.loops) {
    all.add(loop.counters.all);
    for (const auto& [id, traffic] : loop.counters.topics) {
      const image::Topic* topic = facts.control.image == nullptr ? nullptr : facts.control.image->topic(id);
      if (topic != nullptr) topics[topic->name].add(traffic);
    }
  }
  add_traffic(set, all, {});
  std::size_t told = 0;
  for (const auto& [name, traffic] : topics) {
    if (told++ < facts.query.topics) add_traffic(set, traffic, {{"topic", name}});
  }
  set.gauge("milena_metrics_left_out", "Series that a scrape leaves out; ask with ?topics=all and so on.",
            number(topics.size() - std::min(topics.size(), facts.query.topics)), {{"kind", "topics"}});
}

// ---- RequestMetrics ----------------------------------------------------------------------------------------

constexpr std::pair<const char*, double> kQuantiles[] = {{"0.50", 0.5},  {"0.75", 0.75},  {"0.95", 0.95},
                                                         {"0.98", 0.98}, {"0.99", 0.99}, {"0.999", 0.999}};
constexpr std::uint64_t kBoundsUs[] = {100,     250,     500,       1'000,     2'500,     5'000,      10'000,    25'000,
                                       50'000,  100'000, 250'000,   500'000,   1'000'000, 2'500'000, 5'000'000, 10'000'000};

struct ApiTotals {
  std::array<std::uint64_t, ApiTraffic::kVersions> requests{};
  std::uint64_t request_bytes = 0;
  std::uint64_t response_bytes = 0;
  Histogram all;
  Histogram recent;
};

void add_times(MetricSet& set, const std::string& request, const ApiTotals& totals) {
  const char* name = "kafka_network_requestmetrics_totaltimems";
  const char* help = "Milliseconds from a whole request to its answer; quantiles of the last minute or two.";
  const Histogram& seen = totals.recent.count() > 0 ? totals.recent : totals.all;
  for (const auto& [label, q] : kQuantiles) {
    set.add(name, MetricType::kSummary, help, "", number(seen.quantile(q)) / 1000,
            {{"request", request}, {"quantile", label}});
  }
  set.add(name, MetricType::kSummary, help, "_count", number(totals.all.count()), {{"request", request}});
  set.add(name, MetricType::kSummary, help, "_sum", number(totals.all.sum()) / 1000, {{"request", request}});
}

void add_true_histogram(MetricSet& set, const std::string& request, const ApiTotals& totals) {
  const char* name = "milena_request_duration_seconds";
  const char* help = "From a whole request to its answer.";
  for (std::uint64_t bound : kBoundsUs) {
    set.add(name, MetricType::kHistogram, help, "_bucket", number(totals.all.count_up_to(bound)),
            {{"request", request}, {"le", fmt::format("{}", number(bound) / 1e6)}});
  }
  set.add(name, MetricType::kHistogram, help, "_bucket", number(totals.all.count()),
          {{"request", request}, {"le", "+Inf"}});
  set.add(name, MetricType::kHistogram, help, "_sum", number(totals.all.sum()) / 1e6, {{"request", request}});
  set.add(name, MetricType::kHistogram, help, "_count", number(totals.all.count()), {{"request", request}});
}

void add_api(MetricSet& set, const std::string& request, const ApiTotals& totals) {
  for (std::size_t version = 0; version < totals.requests.size(); ++version) {
    if (totals.requests[version] == 0) continue;
    set.counter("kafka_network_requestmetrics_requests_total", "Requests served.", number(totals.requests[version]),
                {{"request", request}, {"version", std::to_string(version)}});
  }
  set.counter("milena_request_bytes_total", "Bytes of requests.", number(totals.request_bytes), {{"request", request}});
  set.counter("milena_response_bytes_total", "Bytes of responses.", number(totals.response_bytes),
              {{"request", request}});
  add_times(set, request, totals);
}

void add_requests(MetricSet& set, const MetricFacts& facts, Instant now) {
  std::map<std::int16_t, ApiTotals> apis;
  for (const LoopFacts& loop : facts.loops) {
    for (const auto& [key, traffic] : loop.counters.apis) {
      ApiTotals& totals = apis[key];
      for (std::size_t v = 0; v < totals.requests.size(); ++v) totals.requests[v] += traffic.requests[v];
      totals.request_bytes += traffic.request_bytes;
      totals.response_bytes += traffic.response_bytes;
      totals.all.merge(traffic.time_us.total());
      totals.recent.merge(traffic.time_us.recent(now));
    }
  }
  for (const auto& [key, totals] : apis) {
    const HandlerEntry* handler = find_handler(key);
    if (handler == nullptr) continue;
    std::string name(handler->name);
    add_api(set, name, totals);
    add_true_histogram(set, name, totals);
    // Kafka tells consumers' fetches apart; nobody else fetches from this node's partitions.
    if (name == "Fetch") add_times(set, "FetchConsumer", totals);
  }
}

// ---- SocketServer ------------------------------------------------------------------------------------------

void add_listeners(MetricSet& set, const MetricFacts& facts) {
  const std::string prefix = "kafka_server_socket_server_metrics_";
  for (std::size_t i = 0; i < facts.loops.size(); ++i) {
    for (const auto& [name, traffic] : facts.loops[i].counters.listeners) {
      MetricLabels labels{{"listener", name}, {"networkProcessor", std::to_string(i)}};
      set.gauge(prefix + "connection_count", "Open connections.", number(traffic.opened - traffic.closed), labels);
      set.counter(prefix + "connection_creation_total", "Connections accepted.", number(traffic.opened), labels);
      set.counter(prefix + "connection_close_total", "Connections closed.", number(traffic.closed), labels);
      set.counter(prefix + "incoming_byte_total", "Bytes received.", number(traffic.bytes_in), labels);
      set.counter(prefix + "outgoing_byte_total", "Bytes sent.", number(traffic.bytes_out), labels);
      set.counter(prefix + "request_total", "Requests received.", number(traffic.requests), labels);
      set.counter(prefix + "response_total", "Responses sent.", number(traffic.responses), labels);
    }
  }
}

// ---- KafkaController, ReplicaManager, raft, LogManager ---------------------------------------------------------

void add_controller(MetricSet& set, const ClusterCounts& counts, bool active) {
  const std::string prefix = "kafka_controller_kafkacontroller_";
  set.gauge(prefix + "activecontrollercount", "1: this node is the active controller.", active ? 1 : 0);
  if (!active) return;  // Kafka's other controllers say 0
  set.gauge(prefix + "activebrokercount", "Brokers that are registered and not fenced.", number(counts.brokers_active));
  set.gauge(prefix + "fencedbrokercount", "Brokers that are fenced.", number(counts.brokers_fenced));
  set.gauge(prefix + "globaltopiccount", "Topics.", number(counts.topics));
  set.gauge(prefix + "globalpartitioncount", "Partitions.", number(counts.partitions));
  set.gauge(prefix + "offlinepartitionscount", "Partitions without a leader.", number(counts.offline));
  set.gauge(prefix + "preferredreplicaimbalancecount", "Partitions led by another than their first replica.",
            number(counts.not_preferred));
}

void add_replicas(MetricSet& set, const ClusterCounts& counts) {
  const std::string prefix = "kafka_server_replicamanager_";
  set.gauge(prefix + "partitioncount", "Partitions with a replica here.", number(counts.replicas));
  set.gauge(prefix + "leadercount", "Partitions led by this node.", number(counts.leaders));
  set.gauge(prefix + "offlinereplicacount", "Replicas that are not served: damaged, or their log directory is lost.", number(counts.offline_replicas));
  set.gauge(prefix + "underreplicatedpartitions", "Led here, with replicas out of the ISR.",
            number(counts.under_replicated));
  set.gauge(prefix + "underminisrpartitioncount", "Led here, with fewer replicas in the ISR than min.insync.replicas.",
            number(counts.under_min_isr));
  set.gauge(prefix + "atminisrpartitioncount", "Led here, with just min.insync.replicas in the ISR.",
            number(counts.at_min_isr));
}

void add_quorum(MetricSet& set, const NodeMetrics::ControlFacts& control) {
  const std::string prefix = "kafka_server_raftmetrics_";
  set.gauge(prefix + "current_state", "1, with this node's role in the metadata quorum as a label.", 1,
            {{"current_state", control.quorum_role}});
  set.gauge(prefix + "current_leader", "Node id of the quorum's leader; -1: none.",
            static_cast<double>(control.quorum_leader.value()));
  set.gauge(prefix + "current_epoch", "Epoch of the quorum.", static_cast<double>(control.quorum_epoch.value()));
  set.gauge(prefix + "high_watermark", "Committed end of the metadata log.", number(control.quorum_high_watermark));
  set.gauge(prefix + "log_end_offset", "End of the metadata log.", number(control.quorum_log_end));
  const std::string broker = "kafka_server_brokermetadatametrics_";
  set.gauge(broker + "last_applied_record_offset", "Metadata that the broker acts on.", number(control.applied));
  set.gauge(broker + "last_applied_record_timestamp", "When that was written, ms since the epoch.",
            static_cast<double>(control.image->timestamp.value()));
}

void add_node(MetricSet& set, const NodeMetrics::ControlFacts& control) {
  // Kafka's BrokerState: 1 starting, 3 running, 6 controlled shutdown.
  int state = control.stopping ? 6 : control.starting ? 1 : 3;
  set.gauge("kafka_server_kafkaserver_brokerstate", "1 starting, 3 running, 6 stopping.", state);
  if (!control.loaded) return;
  std::size_t offline = 0;
  for (const auto& directory : control.directories) {
    offline += directory.failed ? 1 : 0;
    set.gauge("kafka_log_logmanager_logdirectoryoffline", "1: the log directory has failed.", directory.failed ? 1 : 0,
              {{"logDirectory", directory.path}});
  }
  set.gauge("kafka_log_logmanager_offlinelogdirectorycount", "Log directories that have failed.", number(offline));
}

// ---- Partitions ----------------------------------------------------------------------------------------------

void add_partition(MetricSet& set, const PartitionFacts& one, const image::Partition& partition, bool served) {
  MetricLabels labels{{"topic", one.topic}, {"partition", text(one.id.partition)}};
  if (one.here) {
    set.gauge("kafka_log_log_size", "Bytes of the log.", number(one.size), labels);
    set.gauge("kafka_log_log_logstartoffset", "First offset of the log.", number(one.start), labels);
    set.gauge("kafka_log_log_logendoffset", "Offset of the next record.", number(one.end), labels);
    set.gauge("kafka_log_log_numlogsegments", "Segments of the log.", number(one.segments), labels);
    set.gauge("kafka_topic_partition_current_offset", "Offset behind the last committed record.",
              number(one.high_watermark), labels);
    set.gauge("kafka_topic_partition_oldest_offset", "First offset.", number(one.start), labels);
  }
  set.gauge("kafka_cluster_partition_replicascount", "Replicas.", number(partition.replicas.size()), labels);
  set.gauge("kafka_cluster_partition_insyncreplicascount", "Replicas in the ISR.", number(partition.isr.size()), labels);
  bool under = partition.isr.size() < partition.replicas.size();
  set.gauge("kafka_cluster_partition_underreplicated", "1: replicas are out of the ISR.", under ? 1 : 0, labels);
  set.gauge("kafka_topic_partition_replicas", "Replicas.", number(partition.replicas.size()), labels);
  set.gauge("kafka_topic_partition_in_sync_replica", "Replicas in the ISR.", number(partition.isr.size()), labels);
  set.gauge("kafka_topic_partition_leader", "Node id of the leader; -1: none.",
            served ? static_cast<double>(partition.leader.value()) : -1, labels);
  bool preferred = served && !partition.replicas.empty() && partition.leader == partition.replicas.front();
  set.gauge("kafka_topic_partition_leader_is_preferred", "1: the first replica leads.", preferred ? 1 : 0, labels);
  set.gauge("kafka_topic_partition_under_replicated_partition", "1: replicas are out of the ISR.", under ? 1 : 0,
            labels);
}

void add_min_isr(MetricSet& set, const PartitionFacts& one, const image::Partition& partition, std::size_t min) {
  MetricLabels labels{{"topic", one.topic}, {"partition", text(one.id.partition)}};
  std::size_t needed = std::min(min, partition.replicas.size());
  set.gauge("kafka_cluster_partition_underminisr", "1: fewer replicas in the ISR than min.insync.replicas.",
            partition.isr.size() < needed ? 1 : 0, labels);
  set.gauge("kafka_cluster_partition_atminisr", "1: just min.insync.replicas in the ISR.",
            partition.isr.size() == needed ? 1 : 0, labels);
}

void add_partitions(MetricSet& set, const MetricFacts& facts) {
  const image::Image& image = *facts.control.image;
  auto usual_min = static_cast<std::size_t>(facts.control.config->integer("min.insync.replicas"));
  for (const PartitionFacts& one : facts.partitions) {
    const image::Partition* partition = image.partition(one.id);
    if (partition == nullptr) continue;
    add_partition(set, one, *partition, !facts.control.unserved.contains(one.id));
    add_min_isr(set, one, *partition, min_isr(image, one.topic, usual_min));
  }
  std::size_t told = 0;
  for (const auto& [name, id] : image.topic_ids) {
    if (told++ >= facts.query.topics) break;
    const image::Topic* topic = image.topic(id);
    if (topic != nullptr)
      set.gauge("kafka_topic_partitions", "Partitions of the topic.", number(topic->partitions.size()), {{"topic", name}});
  }
  set.gauge("milena_metrics_left_out", "", number(facts.partitions_left_out), {{"kind", "partitions"}});
}

// ---- Groups ----------------------------------------------------------------------------------------------------

void add_groups(MetricSet& set, const MetricFacts& facts) {
  const std::string prefix = "kafka_coordinator_group_groupmetadatamanager_";
  const GroupFacts& groups = facts.groups;
  set.gauge(prefix + "numgroups", "Groups that this node coordinates.", number(groups.groups));
  set.gauge(prefix + "numoffsets", "Committed offsets of those.",
            number(groups.offsets.size() + groups.offsets_left_out));
  constexpr std::pair<const char*, const char*> kStates[] = {{"Stable", "numgroupsstable"},
                                                             {"Empty", "numgroupsempty"},
                                                             {"Dead", "numgroupsdead"},
                                                             {"PreparingRebalance", "numgroupspreparingrebalance"},
                                                             {"CompletingRebalance", "numgroupscompletingrebalance"}};
  for (const auto& [state, name] : kStates) {
    auto found = groups.by_state.find(state);
    set.gauge(prefix + name, fmt::format("Groups in the state {}.", state),
              found == groups.by_state.end() ? 0 : number(found->second));
  }
  std::map<std::pair<std::string_view, PartitionId>, const PartitionFacts*> logs;
  for (const PartitionFacts& one : facts.partitions) logs[{one.topic, one.id.partition}] = &one;
  for (const GroupOffset& one : groups.offsets) {
    MetricLabels labels{{"consumergroup", one.group}, {"topic", one.topic}, {"partition", text(one.partition)}};
    set.gauge("kafka_consumergroup_current_offset", "Committed offset.", number(one.committed), labels);
    auto log = logs.find({one.topic, one.partition});
    if (log == logs.end() || !log->second->here) continue;
    std::int64_t lag = std::max<std::int64_t>(log->second->high_watermark.value() - one.committed.value(), 0);
    set.gauge("kafka_consumergroup_lag", "Committed records that the group has not committed yet.",
              static_cast<double>(lag), labels);
  }
  set.gauge("milena_metrics_left_out", "", number(groups.offsets_left_out), {{"kind", "group_offsets"}});
}

}  // namespace

MetricSet build_metrics(const MetricFacts& facts, Instant now) {
  MetricSet set;
  add_topics(set, facts);
  add_requests(set, facts, now);
  add_listeners(set, facts);
  add_node(set, facts.control);
  if (!facts.control.loaded) return set;
  ClusterCounts counts =
      without_unserved(*facts.counts, *facts.control.image, facts.self, facts.control.unserved);
  add_controller(set, counts, facts.control.active_controller);
  add_replicas(set, counts);
  add_quorum(set, facts.control);
  add_partitions(set, facts);
  add_groups(set, facts);
  return set;
}

}  // namespace milena::broker
