// Keys of the resources GROUP and CLIENT_METRICS of Apache Kafka 4.3.1. Sorted by name.
#include "config/key_tables.h"

namespace milena::config {
namespace {

using enum Type;
using enum Importance;
using enum Update;

constexpr Key kGroupKeys[] = {
    {"consumer.assignment.interval.ms", kInt, "1000", at_least(0), kMedium, kClusterWide,
     "Least time between two assignments of a consumer group."},
    {"consumer.heartbeat.interval.ms", kInt, "5000", at_least(1), kMedium, kClusterWide,
     "Heartbeat interval told to the members of a consumer group."},
    {"consumer.session.timeout.ms", kInt, "45000", at_least(1), kMedium, kClusterWide,
     "Without a heartbeat for this long a member leaves its consumer group."},
    {"share.assignment.interval.ms", kInt, "1000", at_least(0), kMedium, kClusterWide,
     "Least time between two assignments of a share group."},
    {"share.auto.offset.reset", kString, "latest", rule(Allowed::Rule::kShareOffsetReset), kMedium,
     kClusterWide,
     "Where a share group starts on a partition it has never read: `earliest`, `latest` or `by_duration:` "
     "with an ISO 8601 duration."},
    {"share.delivery.count.limit", kInt, "5", at_least(2), kMedium, kClusterWide,
     "How often a record of a share group is delivered at most."},
    {"share.heartbeat.interval.ms", kInt, "5000", at_least(1), kMedium, kClusterWide,
     "Heartbeat interval told to the members of a share group."},
    {"share.isolation.level", kString, "read_uncommitted", one_of("read_committed read_uncommitted"), kMedium,
     kClusterWide, "Whether a share group sees records of transactions that are not committed."},
    {"share.partition.max.record.locks", kInt, "2000", at_least(100), kMedium, kClusterWide,
     "Most records of one share partition that are out for delivery at a time."},
    {"share.record.lock.duration.ms", kInt, "30000", at_least(1000), kMedium, kClusterWide,
     "How long a share consumer may hold a record before it is offered again."},
    {"share.renew.acknowledge.enable", kBoolean, "true", any(), kMedium, kClusterWide,
     "Whether share consumers may prolong their hold on a record."},
    {"share.session.timeout.ms", kInt, "45000", at_least(1), kMedium, kClusterWide,
     "Without a heartbeat for this long a member leaves its share group."},
    {"streams.assignment.interval.ms", kInt, "1000", at_least(0), kMedium, kClusterWide,
     "Least time between two assignments of a streams group."},
    {"streams.heartbeat.interval.ms", kInt, "5000", at_least(1), kMedium, kClusterWide,
     "Heartbeat interval told to the members of a streams group."},
    {"streams.initial.rebalance.delay.ms", kInt, "3000", at_least(0), kMedium, kClusterWide,
     "How long a new streams group waits for more members before its first assignment."},
    {"streams.num.standby.replicas", kInt, "0", at_least(0), kMedium, kClusterWide,
     "Standby copies of each task's state."},
    {"streams.session.timeout.ms", kInt, "45000", at_least(1), kMedium, kClusterWide,
     "Without a heartbeat for this long a member leaves its streams group."},
};

constexpr Key kClientMetricsKeys[] = {
    {"interval.ms", kInt, "300000", any(), kMedium, kClusterWide,
     "How often the clients of a subscription push their metrics."},
    {"match", kList, "", list(), kMedium, kClusterWide,
     "Patterns `label=expression` that choose the clients of a subscription; empty: all."},
    {"metrics", kList, "", list(), kMedium, kClusterWide,
     "Prefixes of the metrics a subscription asks for; `*` for all."},
};

}  // namespace

std::span<const Key> group_keys() {
  return kGroupKeys;
}
std::span<const Key> client_metrics_keys() {
  return kClientMetricsKeys;
}

}  // namespace milena::config
