// Compares what a server serves with Expected: records in both isolation levels, offsets, times, groups, configurations.
import java.time.Duration;
import java.util.*;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.quota.*;

final class Reader {
    private final String bootstrap;
    private final Expected expected;
    private final Admin admin;
    private final List<String> differences = new ArrayList<>();
    private long compared;

    Reader(String bootstrap, Expected expected, Admin admin) {
        this.bootstrap = bootstrap;
        this.expected = expected;
        this.admin = admin;
    }

    static Map<String, Object> config(String bootstrap, boolean committed) {
        return Map.of("bootstrap.servers", bootstrap, "enable.auto.commit", "false", "auto.offset.reset", "none",
            "isolation.level", committed ? "read_committed" : "read_uncommitted", "fetch.max.wait.ms", 100,
            "key.deserializer", "org.apache.kafka.common.serialization.StringDeserializer",
            "value.deserializer", "org.apache.kafka.common.serialization.ByteArrayDeserializer");
    }

    private void same(String what, Object want, Object got) {
        compared++;
        if (!Objects.equals(want, got)) differences.add(what + ": expected " + want + ", found " + got);
    }

    /** The number of comparisons; throws with the first differences. */
    long verify(boolean kafka) throws Exception {
        topics();
        records(false);
        records(true);
        times();
        for (var group : expected.offsets.entrySet()) offsets(group.getKey(), group.getValue());
        if (!expected.configs.isEmpty()) configs();
        if (kafka) quota();
        if (!differences.isEmpty())
            throw new IllegalStateException(differences.size() + " differences:\n  "
                + differences.stream().limit(12).collect(Collectors.joining("\n  ")));
        return compared;
    }

    private void topics() throws Exception {
        same("topics", expected.topics.keySet(), admin.listTopics().names().get());
        for (TopicDescription d : admin.describeTopics(expected.topics.keySet()).allTopicNames().get().values()) {
            same("id of " + d.name(), expected.topics.get(d.name()), d.topicId());
            same("partitions of " + d.name(), expected.partitions.get(d.name()), d.partitions().size());
            d.partitions().forEach(p -> {
                same("leader of " + d.name() + "-" + p.partition(), 1, p.leader() == null ? -1 : p.leader().id());
                same("ISR of " + d.name() + "-" + p.partition(), List.of(1), p.isr().stream().map(n -> n.id()).toList());
            });
        }
    }

    private List<TopicPartition> partitions() {
        List<TopicPartition> all = new ArrayList<>();
        expected.partitions.forEach((topic, n) -> {
            for (int p = 0; p < n; p++) all.add(new TopicPartition(topic, p));
        });
        return all;
    }

    private void records(boolean committed) {
        List<TopicPartition> all = partitions();
        String level = committed ? " read_committed" : " read_uncommitted";
        try (KafkaConsumer<String, byte[]> consumer = new KafkaConsumer<>(config(bootstrap, committed))) {
            consumer.assign(all);
            consumer.seekToBeginning(all);
            Map<TopicPartition, Long> begins = consumer.beginningOffsets(all), ends = consumer.endOffsets(all);
            Map<TopicPartition, Integer> seen = new HashMap<>();
            for (TopicPartition p : all) {
                same("start of " + p, expected.starts.getOrDefault(p, 0L), begins.get(p));
                OptionalLong open = expected.open(p);
                if (committed && open.isPresent()) same("last stable offset of " + p, open.getAsLong(), ends.get(p));
                else if (!expected.of(p).isEmpty() && ends.get(p) <= expected.of(p).lastKey())
                    differences.add("end of " + p + level + ": " + ends.get(p) + ", last record " + expected.of(p).lastKey());
            }
            long deadline = System.currentTimeMillis() + 30_000;
            while (all.stream().anyMatch(p -> consumer.position(p) < ends.get(p)) && System.currentTimeMillis() < deadline)
                for (ConsumerRecord<String, byte[]> r : consumer.poll(Duration.ofMillis(200))) {
                    TopicPartition p = new TopicPartition(r.topic(), r.partition());
                    seen.merge(p, 1, Integer::sum);
                    record(r, expected.visible(p, committed).get(r.offset()), level);
                }
            for (TopicPartition p : all) {
                same("records of " + p + level, expected.visible(p, committed).size(), seen.getOrDefault(p, 0));
                same("reached the end of " + p + level, true, consumer.position(p) >= ends.get(p));
            }
        }
    }

    private void record(ConsumerRecord<String, byte[]> r, Expected.Row row, String level) {
        String place = r.topic() + "-" + r.partition() + "@" + r.offset() + level;
        same(place, row == null ? "nothing" : row.print, Expected.print(r));
        if (row == null) return;
        if (row.epoch < 0) row.epoch = r.leaderEpoch().orElse(-2);
        same("leader epoch of " + place, row.epoch, r.leaderEpoch().orElse(-2));
    }

    /**
     * Time look-ups: for some records, the first one whose timestamp is not smaller. The end of a transaction is a
     * record too, with a time of its own: where there are any, whatever was answered first must stay the answer.
     */
    private void times() {
        try (KafkaConsumer<String, byte[]> consumer = new KafkaConsumer<>(config(bootstrap, false))) {
            for (int round = 0; round < 6; round++) {
                Map<TopicPartition, Long> ask = new HashMap<>(), want = new HashMap<>();
                for (TopicPartition p : partitions()) {
                    NavigableMap<Long, Expected.Row> rows = expected.visible(p, false);
                    if (rows.isEmpty()) continue;
                    Expected.Row at = new ArrayList<>(rows.values()).get((rows.size() - 1) * round / 5);
                    ask.put(p, at.timestamp);
                    want.put(p, rows.entrySet().stream().filter(e -> e.getValue().timestamp >= at.timestamp).findFirst().get().getKey());
                }
                consumer.offsetsForTimes(ask).forEach((p, found) -> {
                    Long offset = found == null ? null : found.offset();
                    boolean ends = expected.of(p).values().stream().anyMatch(row -> row.fate != Expected.Fate.PLAIN);
                    Long due = ends ? expected.times.computeIfAbsent(p + " " + ask.get(p), k -> offset) : want.get(p);
                    same("offset of " + p + " at time " + ask.get(p), due, offset);
                });
            }
        }
    }

    private void offsets(String group, Map<TopicPartition, OffsetAndMetadata> want) throws Exception {
        same("offsets of group " + group, want, admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get());
    }

    private void configs() throws Exception {
        Map<ConfigResource, Config> found = admin.describeConfigs(expected.configs.keySet()).all().get();
        expected.configs.forEach((resource, values) -> values.forEach((key, value) -> {
            ConfigEntry entry = found.get(resource).get(key);
            same(resource + " " + key, value, entry == null ? null : entry.value());
        }));
    }

    private void quota() throws Exception {
        var all = admin.describeClientQuotas(ClientQuotaFilter.all()).entities().get();
        var want = expected.topics.containsKey("open")
            ? Map.of(new ClientQuotaEntity(Map.of(ClientQuotaEntity.USER, "swap")), Map.of("producer_byte_rate", 1e9)) : Map.of();
        same("quotas", want, all);
    }
}
