// Writes to whichever server runs: topics, configurations, records in all codecs, transactions, groups.
// Whatever was acknowledged goes into Expected.
import java.time.Duration;
import java.util.*;
import java.util.concurrent.*;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.quota.*;

final class Writer {
    static final List<String> CODECS = List.of("none", "gzip", "snappy", "lz4", "zstd");
    private final String bootstrap;
    private final Expected expected;
    private final Admin admin;
    private final Random random = new Random(4301);
    private final Queue<Exception> failures = new ConcurrentLinkedQueue<>();
    private final Map<String, Producer<String, byte[]>> held = new HashMap<>();

    Writer(String bootstrap, Expected expected, Admin admin) {
        this.bootstrap = bootstrap;
        this.expected = expected;
        this.admin = admin;
    }

    Producer<String, byte[]> producer(Map<String, Object> more) {
        Map<String, Object> config = new HashMap<>(Map.of("bootstrap.servers", bootstrap, "linger.ms", 20, "batch.size", 8192,
            "key.serializer", "org.apache.kafka.common.serialization.StringSerializer",
            "value.serializer", "org.apache.kafka.common.serialization.ByteArraySerializer"));
        config.putAll(more);
        return new KafkaProducer<>(config);
    }

    void topic(String name, int partitions, Map<String, String> configs) throws Exception {
        NewTopic topic = new NewTopic(name, partitions, (short) 1).configs(configs);
        CreateTopicsResult result = admin.createTopics(List.of(topic));
        expected.topics.put(name, result.topicId(name).get());
        expected.partitions.put(name, partitions);
        if (!configs.isEmpty()) expected.configs.put(new ConfigResource(ConfigResource.Type.TOPIC, name), new TreeMap<>(configs));
    }

    void topics() throws Exception {
        topic("codecs", 3, Map.of());
        topic("compacted", 1, Map.of(TopicConfig.CLEANUP_POLICY_CONFIG, "compact"));
        topic("stamped", 1, Map.of(TopicConfig.MESSAGE_TIMESTAMP_TYPE_CONFIG, "LogAppendTime"));
        topic("recompressed", 1, Map.of(TopicConfig.COMPRESSION_TYPE_CONFIG, "zstd"));
        topic("segments", 1, Map.of(TopicConfig.SEGMENT_BYTES_CONFIG, "1048576", TopicConfig.MAX_MESSAGE_BYTES_CONFIG, "2000000"));
        topic("carried", 2, Map.of());
        topic("busy", 2, Map.of(TopicConfig.SEGMENT_BYTES_CONFIG, "1048576"));
        topic("empty", 2, Map.of());
        topic("trimmed", 1, Map.of());
    }

    /** What Milena does not write yet, but has to serve and to hand back: only on Kafka. */
    void kafkaOnly() throws Exception {
        topic("transactions", 2, Map.of());
        topic("open", 1, Map.of());
        topic("deleted", 2, Map.of());
        write("deleted", 2, 10, Map.of());
        delete("deleted");
        transactions();
        quota();
        joinAndCommit("modern", "consumer", 50);
        config(ConfigResource.Type.GROUP, "sharing", "share.auto.offset.reset", "earliest");
        share(15);
    }

    /** A topic of this turn's own, which the next server has to take over in turn. */
    void late(String name) throws Exception {
        topic(name, 2, Map.of(TopicConfig.RETENTION_MS_CONFIG, "900000000"));
        write(name, 2, 20, Map.of("compression.type", "zstd"));
    }

    void delete(String name) throws Exception {
        admin.deleteTopics(List.of(name)).all().get();
        expected.topics.remove(name);
        expected.partitions.remove(name);
        expected.rows.keySet().removeIf(partition -> partition.topic().equals(name));
        expected.configs.remove(new ConfigResource(ConfigResource.Type.TOPIC, name));
    }

    /** A share group: no record twice, and the next member gets those that are left. */
    void share(int count) throws Exception {
        Map<String, Object> config = new HashMap<>(Map.of("bootstrap.servers", bootstrap, "group.id", "sharing",
            "key.deserializer", "org.apache.kafka.common.serialization.StringDeserializer",
            "value.deserializer", "org.apache.kafka.common.serialization.ByteArrayDeserializer", "max.poll.records", 5));
        TopicPartition partition = new TopicPartition("compacted", 0);
        int until = Math.min(expected.shared.size() + count, expected.of(partition).size());
        try (KafkaShareConsumer<String, byte[]> consumer = new KafkaShareConsumer<>(config)) {
            consumer.subscribe(List.of("compacted"));
            long deadline = System.currentTimeMillis() + 40_000;
            while (expected.shared.size() < until) {
                if (System.currentTimeMillis() > deadline)
                    throw new IllegalStateException("share group read " + expected.shared.size() + " of " + until);
                for (ConsumerRecord<String, byte[]> r : consumer.poll(Duration.ofMillis(200)))
                    if (!expected.shared.add(r.offset())) throw new IllegalStateException("shared twice: " + r);
            }
            consumer.commitSync();
        }
    }

    /** Kafka writes the new start down every minute at best: only for cases that stop cleanly. */
    void trim() throws Exception {
        admin.deleteRecords(Map.of(new TopicPartition("trimmed", 0), RecordsToDelete.beforeOffset(13))).all().get();
        expected.starts.put(new TopicPartition("trimmed", 0), 13L);
    }

    private void quota() throws Exception {
        ClientQuotaEntity user = new ClientQuotaEntity(Map.of(ClientQuotaEntity.USER, "swap"));
        admin.alterClientQuotas(List.of(new ClientQuotaAlteration(user,
            List.of(new ClientQuotaAlteration.Op("producer_byte_rate", 1e9))))).all().get();
    }

    void config(ConfigResource.Type type, String name, String key, String value) throws Exception {
        ConfigResource resource = new ConfigResource(type, name);
        AlterConfigOp op = new AlterConfigOp(new ConfigEntry(key, value), AlterConfigOp.OpType.SET);
        admin.incrementalAlterConfigs(Map.of(resource, List.of(op))).all().get();
        expected.configs.computeIfAbsent(resource, r -> new TreeMap<>()).put(key, value);
    }

    private byte[] value(int i) {
        if (i % 7 == 3) return null;
        byte[] bytes = new byte[random.nextInt(i % 10 == 0 ? 3000 : 200)];
        random.nextBytes(bytes);
        Arrays.fill(bytes, bytes.length / 2, bytes.length, (byte) 'm'); // half of it can be compressed
        return bytes;
    }

    private RecordHeaders headers(int i) {
        RecordHeaders headers = new RecordHeaders();
        for (int h = 0; h < i % 4; h++) headers.add("h" + h % 2, h == 2 ? null : new byte[] {(byte) i, (byte) h});
        return headers;
    }

    Future<RecordMetadata> send(Producer<String, byte[]> producer, ProducerRecord<String, byte[]> record, Expected.Fate fate) {
        return producer.send(record, (meta, error) -> {
            if (error != null) {
                failures.add(error);
                return;
            }
            // Of a batch that was sent again both servers say one time for all of it, whatever its records hold.
            long stamp = meta.topic().equals("stamped") ? meta.timestamp() : record.timestamp();
            Expected.Row row = new Expected.Row(stamp, Expected.print(stamp, record.key(), record.value(), record.headers()), fate);
            if (expected.of(new TopicPartition(meta.topic(), meta.partition())).put(meta.offset(), row) != null)
                failures.add(new IllegalStateException("two records at " + meta));
        });
    }

    private void batch(Producer<String, byte[]> producer, String topic, int partitions, int count, Expected.Fate fate) {
        long now = System.currentTimeMillis() - 60_000;
        for (int i = 0; i < count; i++) {
            String key = i % 5 == 4 && !topic.equals("compacted") ? null : "k" + i % 20;
            send(producer, new ProducerRecord<>(topic, i % partitions, now + i, key, value(i), headers(i)), fate);
        }
        producer.flush();
    }

    void write(String topic, int partitions, int count, Map<String, Object> config) throws Exception {
        try (Producer<String, byte[]> producer = producer(config)) {
            batch(producer, topic, partitions, count, Expected.Fate.PLAIN);
        }
        failed();
    }

    /** Everything that both servers take. */
    void records() throws Exception {
        for (String codec : CODECS) write("codecs", 3, 60, Map.of("compression.type", codec));
        write("compacted", 1, 40, Map.of("compression.type", "lz4"));
        write("stamped", 1, 40, Map.of());
        write("recompressed", 1, 40, Map.of("compression.type", "gzip"));
        write("trimmed", 1, 25, Map.of());
        if (expected.topics.containsKey("open")) write("open", 1, 20, Map.of());
        try (Producer<String, byte[]> producer = producer(Map.of("max.request.size", 2_000_000))) {
            for (int i = 0; i < 3; i++) {
                byte[] large = new byte[900_000];
                random.nextBytes(large);
                send(producer, new ProducerRecord<>("segments", 0, System.currentTimeMillis(), "large", large), Expected.Fate.PLAIN);
                producer.flush();
            }
            batch(producer, "segments", 1, 30, Expected.Fate.PLAIN);
        }
        // One idempotent producer for all servers: each must know the sequence numbers that the one before has seen.
        batch(held.computeIfAbsent("carried", k -> producer(Map.of())), "carried", 2, 50, Expected.Fate.PLAIN);
        failed();
    }

    @SuppressWarnings("removal") // the group's name is all there is to say here
    private void transactions() throws Exception {
        Producer<String, byte[]> first = transactional("first"), second = transactional("second");
        for (int round = 0; round < 3; round++) {
            first.beginTransaction();
            second.beginTransaction();
            batch(first, "transactions", 2, 10, Expected.Fate.COMMITTED);
            batch(second, "transactions", 2, 10, Expected.Fate.ABORTED);
            write("transactions", 2, 6, Map.of());
            batch(first, "transactions", 2, 4, Expected.Fate.COMMITTED);
            var offset = Map.of(new TopicPartition("codecs", 1), new OffsetAndMetadata(round + 1, Optional.empty(), "in a transaction"));
            first.sendOffsetsToTransaction(offset, new ConsumerGroupMetadata("transactional"));
            second.sendOffsetsToTransaction(Map.of(new TopicPartition("codecs", 1), new OffsetAndMetadata(77)),
                new ConsumerGroupMetadata("transactional"));
            second.abortTransaction();
            first.commitTransaction();
            expected.offsets.put("transactional", offset);
        }
        first.close();
        second.close();
        write("open", 1, 10, Map.of());
        Producer<String, byte[]> open = transactional("open");
        open.beginTransaction();
        batch(open, "open", 1, 10, Expected.Fate.OPEN);
        held.put("open", open);
        failed();
    }

    private Producer<String, byte[]> transactional(String id) {
        Producer<String, byte[]> producer =
            producer(Map.of("transactional.id", id, "transaction.timeout.ms", 900_000, "compression.type", "snappy"));
        producer.initTransactions();
        return producer;
    }

    /** Ends the transaction that all the servers left open: Kafka's coordinator must still know of it. */
    void abortOpen() {
        held.remove("open").close(Duration.ZERO);
        transactional("open").close(); // the same id again: the older transaction is aborted
        expected.of(new TopicPartition("open", 0)).values().stream().filter(row -> row.fate == Expected.Fate.OPEN)
            .forEach(row -> row.fate = Expected.Fate.ABORTED);
    }

    /**
     * A member of the group goes on from the committed offsets, reads `count` records or all there are, and commits.
     */
    void joinAndCommit(String group, String protocol, int count) throws Exception {
        Map<TopicPartition, OffsetAndMetadata> before = expected.offsets.getOrDefault(group, Map.of());
        Map<TopicPartition, OffsetAndMetadata> after = new HashMap<>(before);
        Map<String, Object> config = new HashMap<>(Reader.config(bootstrap, false));
        config.putAll(Map.of("group.id", group, "group.protocol", protocol, "max.poll.records", 20,
            "auto.offset.reset", before.isEmpty() ? "earliest" : "none"));
        int read = 0, left = 0;
        for (int p = 0; p < 3; p++) {
            TopicPartition partition = new TopicPartition("codecs", p);
            long next = before.containsKey(partition) ? before.get(partition).offset() : 0;
            left += expected.of(partition).tailMap(next, true).size();
        }
        try (KafkaConsumer<String, byte[]> consumer = new KafkaConsumer<>(config)) {
            consumer.subscribe(List.of("codecs"));
            long deadline = System.currentTimeMillis() + 40_000;
            while (read < Math.min(count, left)) {
                if (System.currentTimeMillis() > deadline)
                    throw new IllegalStateException("group " + group + " read " + read + " of " + Math.min(count, left));
                for (ConsumerRecord<String, byte[]> r : consumer.poll(Duration.ofMillis(200))) {
                    TopicPartition partition = new TopicPartition(r.topic(), r.partition());
                    long next = after.containsKey(partition) ? after.get(partition).offset() : 0;
                    if (r.offset() != next) throw new IllegalStateException(group + ": " + r + " where " + next + " was due");
                    after.put(partition, new OffsetAndMetadata(r.offset() + 1, r.leaderEpoch(), "by " + group + " é"));
                    read++;
                }
            }
            for (int p = 0; p < 3; p++) // each partition has an offset, so that the next member needs no reset
                after.putIfAbsent(new TopicPartition("codecs", p), new OffsetAndMetadata(0));
            consumer.commitSync(after);
        }
        expected.offsets.put(group, after);
    }

    private volatile boolean busy;
    private Thread busyThread;

    /** Starts an idempotent producer that goes on through crashes and changes of server, until stopBusy. */
    void startBusy() {
        busy = true;
        busyThread = new Thread(() -> {
            Producer<String, byte[]> producer = held.computeIfAbsent("busy", k -> producer(Map.of("compression.type", "lz4",
                "delivery.timeout.ms", 180_000, "max.block.ms", 180_000, "request.timeout.ms", 10_000)));
            for (int i = 0; busy; i++) {
                send(producer, new ProducerRecord<>("busy", i % 2, System.currentTimeMillis(), "b" + i, value(i)), Expected.Fate.PLAIN);
                try {
                    Thread.sleep(i % 2);
                } catch (InterruptedException e) {
                    return;
                }
            }
            producer.flush();
        });
        busyThread.start();
    }

    void stopBusy() throws Exception {
        busy = false;
        busyThread.join();
        failed();
    }

    private void failed() throws Exception {
        if (!failures.isEmpty()) throw new IllegalStateException(failures.size() + " failures, the first:", failures.poll());
    }
}
