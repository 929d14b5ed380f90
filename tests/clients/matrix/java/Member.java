import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Properties;
import java.util.TreeSet;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;

/** A member of a group on a thread of its own: reads, commits after each poll, says what it has been given. */
final class Member implements ConsumerRebalanceListener {
    private final KafkaConsumer<byte[], byte[]> consumer;
    private final Thread thread;
    private final List<ObjectNode> records = new ArrayList<>();
    private final TreeSet<String> owned = new TreeSet<>();
    private volatile boolean leaving;
    private int total;
    private int revoked;
    private int rebalances;

    Member(JsonNode request) {
        Properties settings = new Properties();
        settings.put("group.id", request.get("group").asText());
        settings.put("session.timeout.ms", request.get("session_ms").asText());
        settings.put("heartbeat.interval.ms", "200");
        settings.put("partition.assignment.strategy", assignor(request.get("strategy").asText()));
        if (request.hasNonNull("instance")) {
            settings.put("group.instance.id", request.get("instance").asText());
        }
        List<String> topics = new ArrayList<>();
        request.get("topics").forEach(topic -> topics.add(topic.asText()));
        consumer = MatrixDriver.consumer(settings);
        consumer.subscribe(topics, this);
        thread = new Thread(this::read);
        thread.start();
    }

    private static String assignor(String strategy) {
        switch (strategy) {
            case "roundrobin": return "org.apache.kafka.clients.consumer.RoundRobinAssignor";
            case "sticky": return "org.apache.kafka.clients.consumer.StickyAssignor";
            case "cooperative": return "org.apache.kafka.clients.consumer.CooperativeStickyAssignor";
            default: return "org.apache.kafka.clients.consumer.RangeAssignor";
        }
    }

    private void read() {
        while (!leaving) {
            try {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(100))) {
                    took(MatrixDriver.fromRecord(record));
                }
                consumer.commitSync();
            } catch (KafkaException error) {
                error.printStackTrace();  // a commit into a rebalance or a restart; the next one covers it
            }
        }
        consumer.close();
    }

    private synchronized void took(ObjectNode record) {
        records.add(record);
        total++;
    }

    @Override
    public synchronized void onPartitionsAssigned(Collection<TopicPartition> partitions) {
        rebalances++;
        partitions.forEach(partition -> owned.add(partition.topic() + "/" + partition.partition()));
    }

    @Override
    public synchronized void onPartitionsRevoked(Collection<TopicPartition> partitions) {
        revoked += partitions.size();
        partitions.forEach(partition -> owned.remove(partition.topic() + "/" + partition.partition()));
    }

    synchronized ObjectNode state() {
        ObjectNode answer = MatrixDriver.JSON.createObjectNode();
        ObjectNode assignment = answer.putObject("assignment");
        for (String partition : owned) {
            String[] parts = partition.split("/");
            assignment.withArray("/" + parts[0]).add(Integer.parseInt(parts[1]));
        }
        ArrayNode list = answer.putArray("records");
        list.addAll(records);
        records.clear();
        return answer.put("total", total).put("revoked", revoked).put("rebalances", rebalances);
    }

    ObjectNode leave() throws InterruptedException {
        leaving = true;
        thread.join();
        return state();
    }
}
