// What must be found in the cluster, whoever serves it: filled by what the servers acknowledged, compared by Reader.
import java.util.*;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;

final class Expected {
    /** How the transaction of a record ended; PLAIN and COMMITTED ones are for everyone. */
    enum Fate { PLAIN, COMMITTED, ABORTED, OPEN }

    /** One record: its printed form, and the leader epoch that the first reader saw (-1: not read yet). */
    static final class Row {
        final long timestamp;
        final String print;
        volatile Fate fate;
        int epoch = -1;

        Row(long timestamp, String print, Fate fate) {
            this.timestamp = timestamp;
            this.print = print;
            this.fate = fate;
        }
    }

    final Map<TopicPartition, ConcurrentSkipListMap<Long, Row>> rows = new ConcurrentHashMap<>();
    final Map<TopicPartition, Long> starts = new HashMap<>();
    final Map<String, Uuid> topics = new TreeMap<>();
    final Map<String, Integer> partitions = new TreeMap<>();
    final Map<String, Map<TopicPartition, OffsetAndMetadata>> offsets = new TreeMap<>();
    final Set<Long> shared = new TreeSet<>();
    final Map<String, Long> times = new HashMap<>();
    final Map<ConfigResource, Map<String, String>> configs = new LinkedHashMap<>();

    ConcurrentSkipListMap<Long, Row> of(TopicPartition partition) {
        return rows.computeIfAbsent(partition, p -> new ConcurrentSkipListMap<>());
    }

    /** The first record of a transaction that is still open: where the last stable offset stands. */
    OptionalLong open(TopicPartition partition) {
        return of(partition).entrySet().stream().filter(e -> e.getValue().fate == Fate.OPEN)
            .mapToLong(Map.Entry::getKey).min();
    }

    /** Which records a reader of this isolation level gets. */
    NavigableMap<Long, Row> visible(TopicPartition partition, boolean committed) {
        NavigableMap<Long, Row> all = of(partition).tailMap(starts.getOrDefault(partition, 0L), true);
        if (!committed) return all;
        TreeMap<Long, Row> some = new TreeMap<>(all.headMap(open(partition).orElse(Long.MAX_VALUE), false));
        some.values().removeIf(row -> row.fate == Fate.ABORTED);
        return some;
    }

    static String print(long timestamp, String key, byte[] value, Headers headers) {
        StringBuilder out = new StringBuilder().append(timestamp).append(" key=").append(key).append(" value=");
        if (value == null) out.append("null");
        else out.append(value.length).append('#').append(Arrays.hashCode(value));
        for (Header h : headers)
            out.append(' ').append(h.key()).append('=').append(h.value() == null ? "null" : Arrays.toString(h.value()));
        return out.toString();
    }

    static String print(ConsumerRecord<String, byte[]> r) {
        return print(r.timestamp(), r.key(), r.value(), r.headers());
    }
}
