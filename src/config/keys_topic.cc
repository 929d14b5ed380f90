// Topic keys of Apache Kafka 4.3.1. Sorted by name.
#include "config/key_tables.h"

namespace milena::config {
namespace {

using enum Type;
using enum Importance;
using enum Update;
constexpr bool kInternal = true;

constexpr Key kKeys[] = {
    {"cleanup.policy", kList, "delete", list("compact delete"), kMedium, kClusterWide,
     "What happens to old segments: `delete`, `compact`, both, or nothing."},
    {"compression.gzip.level", kInt, "-1", rule(Allowed::Rule::kGzipLevel), kMedium, kClusterWide,
     "Level used when the server itself compresses with gzip; -1 is the codec's own default."},
    {"compression.lz4.level", kInt, "9", between(1, 17), kMedium, kClusterWide,
     "Level used when the server itself compresses with lz4."},
    {"compression.type", kString, "producer", one_of("uncompressed zstd lz4 snappy gzip producer"), kMedium,
     kClusterWide, "Compression the topic is stored with; `producer` keeps what the producer chose."},
    {"compression.zstd.level", kInt, "3", between(-131072, 22), kMedium, kClusterWide,
     "Level used when the server itself compresses with zstd."},
    {"delete.retention.ms", kLong, "86400000", at_least(0), kMedium, kClusterWide,
     "How long a delete marker stays in a compacted log."},
    {"file.delete.delay.ms", kLong, "60000", at_least(0), kMedium, kClusterWide,
     "How long a removed segment's file stays on disk."},
    {"flush.messages", kLong, "9223372036854775807", at_least(1), kMedium, kClusterWide,
     "Records after which a log is synced to disk."},
    {"flush.ms", kLong, "9223372036854775807", at_least(0), kMedium, kClusterWide,
     "Longest time a record stays unsynced."},
    {"follower.replication.throttled.replicas", kList, "", rule(Allowed::Rule::kReplicas), kMedium,
     kClusterWide, "Replicas whose fetching is throttled, `partition:broker` each, or `*`."},
    {"index.interval.bytes", kInt, "4096", at_least(0), kMedium, kClusterWide,
     "Bytes of log between two entries of the offset index."},
    {"internal.segment.bytes", kInt, kNull, any(), kMedium, kClusterWide,
     "Segment size for tests; wins over `segment.bytes`.", kInternal},
    {"leader.replication.throttled.replicas", kList, "", rule(Allowed::Rule::kReplicas), kMedium,
     kClusterWide, "Replicas whose serving to followers is throttled, `partition:broker` each, or `*`."},
    {"local.retention.bytes", kLong, "-2", at_least(-2), kMedium, kClusterWide,
     "Bytes of a tiered partition kept on local disk; -2: as `retention.bytes`."},
    {"local.retention.ms", kLong, "-2", at_least(-2), kMedium, kClusterWide,
     "How long a tiered partition's segments stay on local disk; -2: as `retention.ms`."},
    {"max.compaction.lag.ms", kLong, "9223372036854775807", at_least(1), kMedium, kClusterWide,
     "Longest time a record may stay out of compaction."},
    {"max.message.bytes", kInt, "1048588", at_least(0), kMedium, kClusterWide,
     "Largest record batch that is accepted."},
    {"message.timestamp.after.max.ms", kLong, "3600000", at_least(0), kMedium, kClusterWide,
     "How far a record's time may lie ahead of the server's clock."},
    {"message.timestamp.before.max.ms", kLong, "9223372036854775807", at_least(0), kMedium, kClusterWide,
     "How far a record's time may lie behind the server's clock."},
    {"message.timestamp.type", kString, "CreateTime", one_of("CreateTime LogAppendTime"), kMedium,
     kClusterWide, "Whether a record keeps its producer's time or gets the time of the append."},
    {"min.cleanable.dirty.ratio", kDouble, "0.5", between(0, 1), kMedium, kClusterWide,
     "Share of a log that is not yet compacted above which it is compacted."},
    {"min.compaction.lag.ms", kLong, "0", at_least(0), kMedium, kClusterWide,
     "Shortest time a record stays out of compaction."},
    {"min.insync.replicas", kInt, "1", at_least(1), kMedium, kClusterWide,
     "Replicas that must be in sync for a write with `acks=all` to be accepted."},
    {"preallocate", kBoolean, "false", any(), kMedium, kClusterWide,
     "Whether a new segment file is given its full size at once."},
    {"remote.log.copy.disable", kBoolean, "false", any(), kMedium, kClusterWide,
     "Whether new segments of a tiered topic stay on local disk only."},
    {"remote.log.delete.on.disable", kBoolean, "false", any(), kMedium, kClusterWide,
     "Whether tiered segments are deleted when tiered storage is turned off for the topic."},
    {"remote.storage.enable", kBoolean, "false", any(), kMedium, kClusterWide,
     "Whether old segments go to tiered storage."},
    {"retention.bytes", kLong, "-1", any(), kMedium, kClusterWide,
     "Size above which a partition's oldest segments are deleted; -1: no limit."},
    {"retention.ms", kLong, "604800000", at_least(-1), kMedium, kClusterWide,
     "Age at which segments are deleted; -1: no limit."},
    {"segment.bytes", kInt, "1073741824", at_least(1048576), kMedium, kClusterWide,
     "Size at which a new segment is begun."},
    {"segment.index.bytes", kInt, "10485760", at_least(4), kMedium, kClusterWide,
     "Largest offset index of a segment."},
    {"segment.jitter.ms", kLong, "0", at_least(0), kMedium, kClusterWide,
     "Largest random part taken off the age at which a segment is rolled."},
    {"segment.ms", kLong, "604800000", at_least(1), kMedium, kClusterWide,
     "Age at which a new segment is begun."},
    {"unclean.leader.election.enable", kBoolean, "false", any(), kMedium, kClusterWide,
     "Whether a replica that is not in sync may lead when no other is left; records may be lost."},
};

}  // namespace

std::span<const Key> topic_keys() {
  return kKeys;
}

}  // namespace milena::config
