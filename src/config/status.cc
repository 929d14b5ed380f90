#include "config/status.h"

#include <algorithm>
#include <iterator>
#include <span>

namespace milena::config {
namespace {

using enum Status;

struct Row {
  std::string_view key;
  Status status;
  std::string_view note = {};
};

// Sorted by key. A key that is not here has no effect yet.
constexpr Row kBrokerRows[] = {
    {"advertised.listeners", kWorks},
    {"alter.config.policy.class.name", kRefused, "Java classes cannot be loaded; remove the key"},
    {"authorizer.class.name", kRefused,
     "accepted where it would let everybody do everything: `allow.everyone.if.no.acl.found=true`, or "
     "`User:ANONYMOUS` among `super.users`; else remove the key"},
    {"auto.create.topics.enable", kWorks},
    {"background.threads", kNoEffectYet, "there is no such pool"},
    {"broker.heartbeat.interval.ms", kWorks},
    {"broker.id", kWorks},
    {"broker.rack", kWorks},
    {"broker.session.timeout.ms", kWorks},
    {"client.quota.callback.class", kRefused, "Java classes cannot be loaded; remove the key"},
    {"compression.gzip.level", kWorks},
    {"compression.lz4.level", kWorks},
    {"compression.type", kWorks},
    {"compression.zstd.level", kWorks},
    {"config.providers", kWorks, "`file`, `directory` and `env`; another class is refused; read at the start"},
    {"connections.max.idle.ms", kWorks},
    {"controlled.shutdown.enable", kWorks},
    {"controller.listener.names", kWorks},
    {"controller.quorum.append.linger.ms", kNoEffectYet, "metadata records are written at once"},
    {"controller.quorum.bootstrap.servers", kWorks,
     "one server, this node; several are refused where the directories are empty"},
    {"controller.quorum.election.backoff.max.ms", kNoEffectYet, "there is one voter, so no election and nobody to fetch from"},
    {"controller.quorum.election.timeout.ms", kNoEffectYet, "there is one voter, so no election and nobody to fetch from"},
    {"controller.quorum.fetch.timeout.ms", kNoEffectYet, "there is one voter, so no election and nobody to fetch from"},
    {"controller.quorum.voters", kWorks, "one voter; more are refused"},
    {"cordoned.log.dirs", kWorks},
    {"create.topic.policy.class.name", kRefused, "Java classes cannot be loaded; remove the key"},
    {"default.replication.factor", kWorks},
    {"delete.topic.enable", kWorks},
    {"fetch.max.bytes", kWorks},
    {"follower.replication.throttled.rate", kNoEffectYet, "there are no followers yet"},
    {"group.coordinator.background.threads", kNoEffectYet, "groups live on the event loops"},
    {"group.coordinator.cached.buffer.max.bytes", kNoEffectYet, "no such buffer is kept"},
    {"group.coordinator.threads", kNoEffectYet, "groups live on the event loops"},
    {"group.initial.rebalance.delay.ms", kWorks},
    {"group.max.session.timeout.ms", kWorks},
    {"group.max.size", kWorks},
    {"group.min.session.timeout.ms", kWorks},
    {"group.share.persister.class.name", kRefused, "Java classes cannot be loaded; remove the key"},
    {"inter.broker.listener.name", kNoEffectYet, "checked; there is no other broker to reach yet"},
    {"kafka.metrics.reporters", kNoEffectYet, "Java classes cannot be loaded"},
    {"leader.replication.throttled.rate", kNoEffectYet, "there are no followers yet"},
    {"listener.security.protocol.map", kWorks,
     "PLAINTEXT only; a listener with another protocol is refused; read from the file, at the start"},
    {"listeners", kWorks, "PLAINTEXT only; another protocol is refused; read from the file, at the start: a change while the node runs is kept and told, and takes a restart with the new value in the file"},
    {"log.cleaner.backoff.ms", kNoEffectYet, "nothing is compacted yet"},
    {"log.cleaner.dedupe.buffer.size", kNoEffectYet, "nothing is compacted yet"},
    {"log.cleaner.delete.retention.ms", kNoEffectYet, "nothing is compacted yet"},
    {"log.cleaner.enable", kNoEffectYet, "nothing is compacted yet"},
    {"log.cleaner.io.buffer.load.factor", kNoEffectYet, "nothing is compacted yet"},
    {"log.cleaner.io.buffer.size", kNoEffectYet, "nothing is compacted yet"},
    {"log.cleaner.io.max.bytes.per.second", kNoEffectYet, "nothing is compacted yet"},
    {"log.cleaner.max.compaction.lag.ms", kNoEffectYet, "nothing is compacted yet"},
    {"log.cleaner.min.cleanable.ratio", kNoEffectYet, "nothing is compacted yet"},
    {"log.cleaner.min.compaction.lag.ms", kNoEffectYet, "nothing is compacted yet"},
    {"log.cleaner.threads", kNoEffectYet, "nothing is compacted yet"},
    {"log.cleanup.policy", kWorks,
     "`compact` is accepted and keeps everything: nothing is compacted yet"},
    {"log.dir", kWorks},
    {"log.dir.failure.timeout.ms", kNoEffectYet, "the controller is this node and knows at once"},
    {"log.dirs", kWorks},
    {"log.flush.interval.messages", kWorks},
    {"log.flush.interval.ms", kWorks},
    {"log.flush.offset.checkpoint.interval.ms", kWorks},
    {"log.flush.scheduler.interval.ms", kWorks},
    {"log.flush.start.offset.checkpoint.interval.ms", kNoEffectYet, "written together with `log.flush.offset.checkpoint.interval.ms`"},
    {"log.index.interval.bytes", kWorks},
    {"log.index.size.max.bytes", kWorks},
    {"log.local.retention.bytes", kNoEffectYet, "tiered storage is not there yet"},
    {"log.local.retention.ms", kNoEffectYet, "tiered storage is not there yet"},
    {"log.message.timestamp.after.max.ms", kWorks},
    {"log.message.timestamp.before.max.ms", kWorks},
    {"log.message.timestamp.type", kWorks},
    {"log.preallocate", kWorks, "for segments that are made from then on"},
    {"log.retention.bytes", kWorks},
    {"log.retention.check.interval.ms", kWorks},
    {"log.retention.hours", kWorks},
    {"log.retention.minutes", kWorks},
    {"log.retention.ms", kWorks},
    {"log.roll.hours", kWorks},
    {"log.roll.jitter.hours", kWorks},
    {"log.roll.jitter.ms", kWorks},
    {"log.roll.ms", kWorks},
    {"log.segment.bytes", kWorks},
    {"log.segment.delete.delay.ms", kWorks},
    {"max.connection.creation.rate", kWorks, "also for one listener"},
    {"max.connections", kWorks, "also for one listener"},
    {"max.connections.per.ip", kWorks},
    {"max.connections.per.ip.overrides", kWorks, "addresses as they are usually written, and `localhost`; no other names"},
    {"max.incremental.fetch.session.cache.slots", kWorks, "for each event loop"},
    {"max.request.partition.size.limit", kWorks},
    {"message.max.bytes", kWorks},
    {"metadata.log.dir", kWorks},
    {"metadata.log.max.record.bytes.between.snapshots", kWorks},
    {"metadata.log.max.snapshot.interval.ms", kWorks},
    {"metadata.log.segment.bytes", kWorks},
    {"metadata.log.segment.ms", kWorks},
    {"metadata.max.idle.interval.ms", kWorks},
    {"metadata.max.retention.bytes", kWorks},
    {"metadata.max.retention.ms", kWorks},
    {"metric.reporters", kNoEffectYet, "Java classes cannot be loaded"},
    {"min.insync.replicas", kWorks},
    {"node.id", kWorks},
    {"num.io.threads", kNoEffectYet, "requests are handled on the event loops, see `num.network.threads`"},
    {"num.network.threads", kWorks, "unset: one loop per usable CPU; read from the file, at the start: a change while the node runs is kept and told, and takes a restart with the new value in the file"},
    {"num.partitions", kWorks},
    {"num.recovery.threads.per.data.dir", kNoEffectYet, "at the start the pool for slow work opens the logs, two at a time; a change while the node runs is kept and told, and does nothing"},
    {"num.replica.alter.log.dirs.threads", kNoEffectYet, "copies run on the event loops"},
    {"num.replica.fetchers", kNoEffectYet, "there are no followers yet"},
    {"offset.metadata.max.bytes", kWorks},
    {"offsets.commit.timeout.ms", kNoEffectYet, "a commit waits for no other broker"},
    {"offsets.retention.check.interval.ms", kWorks},
    {"offsets.retention.minutes", kWorks},
    {"offsets.topic.num.partitions", kWorks},
    {"offsets.topic.replication.factor", kWorks},
    {"offsets.topic.segment.bytes", kWorks},
    {"principal.builder.class", kRefused, "Java classes cannot be loaded; remove the key"},
    {"process.roles", kWorks},
    {"producer.id.expiration.ms", kWorks},
    {"queued.max.requests", kNoEffectYet, "requests are not queued between threads"},
    {"remote.log.storage.system.enable", kRefused, "tiered storage is not there yet; remove the key"},
    {"replica.alter.log.dirs.io.max.bytes.per.second", kWorks},
    {"replica.high.watermark.checkpoint.interval.ms", kWorks},
    {"replica.lag.time.max.ms", kNoEffectYet, "there are no followers yet"},
    {"replica.selector.class", kNoEffectYet, "consumers read from the leader"},
    {"request.timeout.ms", kNoEffectYet, "a node asks no other node yet"},
    {"security.inter.broker.protocol", kRefused, "only PLAINTEXT is there yet; remove the key"},
    {"security.providers", kNoEffectYet, "Java classes cannot be loaded"},
    {"socket.listen.backlog.size", kNoEffectYet, "the system's own limit holds"},
    {"socket.receive.buffer.bytes", kNoEffectYet, "the system sizes the buffers"},
    {"socket.request.max.bytes", kWorks},
    {"socket.send.buffer.bytes", kNoEffectYet, "the system sizes the buffers"},
    {"transaction.partition.verification.enable", kNoEffectYet, "there are no transactions yet"},
    {"transaction.two.phase.commit.enable", kRefused, "two-phase commit is not there yet; remove the key"},
    {"unclean.leader.election.enable", kWorks},
};

constexpr Row kTopicRows[] = {
    {"cleanup.policy", kWorks, "`compact` is accepted and keeps everything: nothing is compacted yet"},
    {"compression.gzip.level", kWorks},
    {"compression.lz4.level", kWorks},
    {"compression.type", kWorks},
    {"compression.zstd.level", kWorks},
    {"delete.retention.ms", kNoEffectYet, "nothing is compacted yet"},
    {"file.delete.delay.ms", kWorks},
    {"flush.messages", kWorks},
    {"flush.ms", kWorks},
    {"follower.replication.throttled.replicas", kNoEffectYet, "there are no followers yet"},
    {"index.interval.bytes", kWorks},
    {"leader.replication.throttled.replicas", kNoEffectYet, "there are no followers yet"},
    {"local.retention.bytes", kNoEffectYet, "tiered storage is not there yet"},
    {"local.retention.ms", kNoEffectYet, "tiered storage is not there yet"},
    {"max.compaction.lag.ms", kNoEffectYet, "nothing is compacted yet"},
    {"max.message.bytes", kWorks},
    {"message.timestamp.after.max.ms", kWorks},
    {"message.timestamp.before.max.ms", kWorks},
    {"message.timestamp.type", kWorks},
    {"min.cleanable.dirty.ratio", kNoEffectYet, "nothing is compacted yet"},
    {"min.compaction.lag.ms", kNoEffectYet, "nothing is compacted yet"},
    {"min.insync.replicas", kWorks},
    {"preallocate", kWorks, "for segments that are made from then on"},
    {"remote.log.copy.disable", kNoEffectYet, "tiered storage is not there yet"},
    {"remote.log.delete.on.disable", kNoEffectYet, "tiered storage is not there yet"},
    {"remote.storage.enable", kRefused, "tiered storage is not there yet"},
    {"retention.bytes", kWorks},
    {"retention.ms", kWorks},
    {"segment.bytes", kWorks},
    {"segment.index.bytes", kWorks},
    {"segment.jitter.ms", kWorks},
    {"segment.ms", kWorks},
    {"unclean.leader.election.enable", kWorks},
};

std::span<const Row> rows(Scope scope) {
  switch (scope) {
    case Scope::kBroker:
      return kBrokerRows;
    case Scope::kTopic:
      return kTopicRows;
    case Scope::kGroup:
    case Scope::kClientMetrics:
      return {};  // nothing yet
  }
  return {};
}

}  // namespace

KeyStatus key_status(Scope scope, std::string_view name) {
  std::span<const Row> table = rows(scope);
  auto at = std::ranges::lower_bound(table, name, {}, &Row::key);
  if (at == table.end() || at->key != name) return {};
  return {at->status, at->note};
}

bool follows_changes(std::string_view broker_key) {
  constexpr std::string_view kReadAtStart[] = {"config.providers", "listener.security.protocol.map", "listeners",
                                               "num.network.threads"};
  return key_status(Scope::kBroker, broker_key).status == Status::kWorks &&
         std::ranges::find(kReadAtStart, broker_key) == std::end(kReadAtStart);
}

std::vector<std::pair<Scope, std::vector<std::string_view>>> status_rows() {
  std::vector<std::pair<Scope, std::vector<std::string_view>>> all;
  for (Scope scope : {Scope::kBroker, Scope::kTopic, Scope::kGroup, Scope::kClientMetrics}) {
    all.emplace_back(scope, std::vector<std::string_view>());
    for (const Row& row : rows(scope)) all.back().second.push_back(row.key);
  }
  return all;
}

std::string_view status_name(Status status) {
  switch (status) {
    case kWorks:
      return "works";
    case kNoEffectYet:
      return "no effect yet";
    case kRefused:
      return "refused";
  }
  return "";
}

}  // namespace milena::config
