import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Drives Apache Kafka's Java client, 3.x and 4.x, as the scenarios ask (../README.md): MatrixDriver BOOTSTRAP. */
public final class MatrixDriver {
    static final ObjectMapper JSON = new ObjectMapper();
    static final int MAX_BYTES = 16 << 20;
    static String bootstrap;

    private static final Map<String, KafkaConsumer<byte[], byte[]>> READERS = new HashMap<>();
    private static final Map<String, TopicPartition> READ = new HashMap<>();
    private static final Map<String, List<ConsumerRecord<byte[], byte[]>>> LEFT = new HashMap<>();
    private static final Map<String, Member> MEMBERS = new HashMap<>();
    private static final Map<String, Stream> STREAMS = new HashMap<>();

    public static void main(String[] arguments) throws IOException {
        bootstrap = arguments[0];
        PrintStream out = System.out;
        System.setOut(System.err);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, "UTF-8"), 1 << 20);
        AdminVerbs admin = new AdminVerbs(common());
        for (String line; (line = in.readLine()) != null; ) {
            JsonNode request = JSON.readTree(line);
            ObjectNode answer = JSON.createObjectNode();
            answer.set("id", request.get("id"));
            try {
                answer.set("result", serve(admin, request));
            } catch (Throwable thrown) {
                answer.set("error", error(thrown));
            }
            out.println(JSON.writeValueAsString(answer));
            out.flush();
        }
        System.exit(0);
    }

    private static ObjectNode error(Throwable thrown) {
        Throwable cause = thrown instanceof ExecutionException && thrown.getCause() != null ? thrown.getCause() : thrown;
        Errors known = Errors.forException(cause);
        ObjectNode error = JSON.createObjectNode();
        if (known == Errors.UNKNOWN_SERVER_ERROR) {
            thrown.printStackTrace();
            error.putNull("code");
        } else {
            error.put("code", known.code());
        }
        return error.put("text", cause.toString());
    }

    private static ObjectNode serve(AdminVerbs admin, JsonNode request) throws Exception {
        String name = request.path("name").asText();
        switch (request.get("verb").asText()) {
            case "produce": return produce(request);
            case "consume": return consume(request);
            case "reader_open": return readerOpen(name, request);
            case "reader_seek": return readerSeek(name, request.get("to").asLong());
            case "reader_take": return readerTake(name, request);
            case "reader_close": READERS.remove(name).close(); return null;
            case "offsets": return offsets(request);
            case "join": MEMBERS.put(name, new Member(request)); return null;
            case "member": return MEMBERS.get(name).state();
            case "leave": return MEMBERS.remove(name).leave();
            case "stream": STREAMS.put(name, new Stream(request)); return null;
            case "stream_status": return STREAMS.get(name).status();
            default: return admin.serve(request);
        }
    }

    static Properties common() {
        Properties settings = new Properties();
        settings.put("bootstrap.servers", bootstrap);
        settings.put("reconnect.backoff.max.ms", "200");
        settings.put("metadata.max.age.ms", "2000");
        return settings;
    }

    static KafkaProducer<byte[], byte[]> producer(JsonNode request, boolean idempotent) {
        Properties settings = common();
        settings.put("enable.idempotence", Boolean.toString(idempotent));
        settings.put("acks", request.path("acks").asText("-1"));
        settings.put("compression.type", request.path("codec").asText("none"));
        settings.put("max.request.size", MAX_BYTES);
        settings.put("buffer.memory", 4L * MAX_BYTES);
        settings.put("linger.ms", "5");
        return new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
    }

    static KafkaConsumer<byte[], byte[]> consumer(Properties more) {
        Properties settings = common();
        settings.put("enable.auto.commit", "false");
        settings.put("auto.offset.reset", "earliest");
        settings.put("fetch.max.wait.ms", "100");  // a close waits for the fetch that is under way
        settings.put("fetch.max.bytes", 4 * MAX_BYTES);
        settings.put("max.partition.fetch.bytes", MAX_BYTES);
        settings.putAll(more);
        return new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    private static byte[] bytes(JsonNode node) throws IOException {
        return node == null || node.isNull() ? null : node.binaryValue();
    }

    private static ProducerRecord<byte[], byte[]> toRecord(String topic, JsonNode record) throws IOException {
        List<Header> headers = new ArrayList<>();
        for (JsonNode header : record.get("h")) {
            headers.add(new RecordHeader(header.get("n").asText(), bytes(header.get("v"))));
        }
        Long time = record.get("t").isNull() ? null : record.get("t").asLong();
        return new ProducerRecord<>(topic, record.get("p").asInt(), time, bytes(record.get("k")), bytes(record.get("v")),
            headers);
    }

    static ObjectNode fromRecord(ConsumerRecord<byte[], byte[]> record) {
        ObjectNode node = JSON.createObjectNode().put("p", record.partition()).put("o", record.offset());
        node.put("k", record.key()).put("v", record.value()).put("t", record.timestamp());
        ArrayNode headers = node.putArray("h");
        for (Header header : record.headers()) {
            headers.addObject().put("n", header.key()).put("v", header.value());
        }
        return node;
    }

    private static ObjectNode produce(JsonNode request) throws Exception {
        ObjectNode answer = JSON.createObjectNode();
        ArrayNode offsets = answer.putArray("offsets");
        try (KafkaProducer<byte[], byte[]> producer = producer(request, request.path("idempotent").asBoolean())) {
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            for (JsonNode record : request.get("records")) {
                sent.add(producer.send(toRecord(request.get("topic").asText(), record)));
            }
            for (Future<RecordMetadata> one : sent) {
                offsets.add(one.get().offset());
            }
        }
        return answer;
    }

    private static void seek(KafkaConsumer<byte[], byte[]> consumer, TopicPartition partition, long to) {
        if (to == -2) {
            consumer.seekToBeginning(List.of(partition));
        } else if (to == -1) {
            consumer.seekToEnd(List.of(partition));
        } else {
            consumer.seek(partition, to);
        }
        consumer.position(partition);  // a place with a name is looked up only now
    }

    /** Up to `count` records within the time; what a poll gives beyond that stays in `left`. */
    private static ObjectNode take(KafkaConsumer<byte[], byte[]> consumer, JsonNode request,
            List<ConsumerRecord<byte[], byte[]>> left) {
        ObjectNode answer = JSON.createObjectNode();
        ArrayNode found = answer.putArray("records");
        int count = request.get("count").asInt();
        long deadline = System.nanoTime() + request.get("wait_ms").asLong() * 1_000_000;
        while (found.size() < count) {
            if (left.isEmpty()) {
                consumer.poll(Duration.ofMillis(200)).forEach(left::add);
            }
            while (!left.isEmpty() && found.size() < count) {
                found.add(fromRecord(left.remove(0)));
            }
            if (System.nanoTime() > deadline) {
                break;
            }
        }
        return answer;
    }

    private static ObjectNode consume(JsonNode request) {
        try (KafkaConsumer<byte[], byte[]> consumer = consumer(new Properties())) {
            Map<TopicPartition, Long> places = new HashMap<>();
            request.get("from").fields().forEachRemaining(place -> places.put(
                new TopicPartition(request.get("topic").asText(), Integer.parseInt(place.getKey())),
                place.getValue().asLong()));
            consumer.assign(places.keySet());
            places.forEach((partition, to) -> seek(consumer, partition, to));
            return take(consumer, request, new ArrayList<>());
        }
    }

    private static ObjectNode readerOpen(String name, JsonNode request) {
        TopicPartition partition = new TopicPartition(request.get("topic").asText(), request.get("partition").asInt());
        KafkaConsumer<byte[], byte[]> reader = consumer(new Properties());
        reader.assign(List.of(partition));
        READERS.put(name, reader);
        READ.put(name, partition);
        LEFT.put(name, new ArrayList<>());
        return null;
    }

    private static ObjectNode readerSeek(String name, long to) {
        LEFT.get(name).clear();
        seek(READERS.get(name), READ.get(name), to);
        return null;
    }

    private static ObjectNode readerTake(String name, JsonNode request) {
        return take(READERS.get(name), request, LEFT.get(name));
    }

    private static ObjectNode offsets(JsonNode request) {
        long at = request.get("at").asLong();
        List<TopicPartition> partitions = new ArrayList<>();
        for (int number = 0; number < request.get("partitions").asInt(); number++) {
            partitions.add(new TopicPartition(request.get("topic").asText(), number));
        }
        ObjectNode answer = JSON.createObjectNode();
        ObjectNode found = answer.putObject("offsets");
        try (KafkaConsumer<byte[], byte[]> consumer = consumer(new Properties())) {
            if (at < 0) {
                Map<TopicPartition, Long> ends =
                    at == -2 ? consumer.beginningOffsets(partitions) : consumer.endOffsets(partitions);
                ends.forEach((partition, offset) -> found.put("" + partition.partition(), offset));
            } else {
                Map<TopicPartition, Long> times = new HashMap<>();
                partitions.forEach(partition -> times.put(partition, at));
                consumer.offsetsForTimes(times).forEach((partition, place) ->
                    found.put("" + partition.partition(), place == null ? -1 : place.offset()));
            }
        }
        return answer;
    }
}
