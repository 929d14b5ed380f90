// Fills a real Kafka's coordinators with groups of many kinds, then prints what Kafka's administration client
// and ConsumerGroupCommand say of them, in the lines that golden_groups prints. The members stay in their
// groups: the program ends without saying goodbye.
//
//   java -cp LIBS GoldenGroups.java BOOTSTRAP OUTPUT
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.*;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.*;
import org.apache.kafka.tools.consumer.group.ConsumerGroupCommand;

public class GoldenGroups {
    static String bootstrap;
    static final TreeSet<String> lines = new TreeSet<>();
    static final Set<KafkaConsumer<String, String>> ready = ConcurrentHashMap.newKeySet();

    static Map<String, Object> base() {
        return new HashMap<>(Map.of("bootstrap.servers", bootstrap,
            "key.deserializer", "org.apache.kafka.common.serialization.StringDeserializer",
            "value.deserializer", "org.apache.kafka.common.serialization.StringDeserializer",
            "key.serializer", "org.apache.kafka.common.serialization.StringSerializer",
            "value.serializer", "org.apache.kafka.common.serialization.StringSerializer",
            "auto.offset.reset", "earliest", "enable.auto.commit", "false"));
    }

    // A consumer on its own thread: reads, and commits with metadata what it has read.
    static void consumer(String group, String client, Map<String, Object> more, List<String> topics) {
        Thread thread = new Thread(() -> {
            Map<String, Object> config = base();
            config.put("group.id", group);
            config.put("client.id", client);
            config.putAll(more);
            KafkaConsumer<String, String> c = new KafkaConsumer<>(config);
            c.subscribe(topics);
            while (true) {
                boolean read = !c.poll(Duration.ofMillis(100)).isEmpty();
                if (!c.assignment().isEmpty()) ready.add(c);
                if (!read) continue;
                Map<TopicPartition, OffsetAndMetadata> commit = new HashMap<>();
                for (TopicPartition p : c.assignment())
                    commit.put(p, new OffsetAndMetadata(c.position(p), Optional.of(0), "by " + client + " é😀"));
                try { c.commitSync(commit); } catch (Exception e) { ready.remove(c); }
            }
        });
        thread.setDaemon(true);
        thread.start();
    }

    @SuppressWarnings("removal")
    static void transactions() {
        Map<TopicPartition, OffsetAndMetadata> first = Map.of(new TopicPartition("golden", 0), new OffsetAndMetadata(1));
        Map<TopicPartition, OffsetAndMetadata> second = Map.of(new TopicPartition("golden", 0), new OffsetAndMetadata(2),
            new TopicPartition("golden", 1), new OffsetAndMetadata(9));
        String[] ends = {"commit", "abort", "open"};
        for (int i = 0; i < 3; i++) {
            Map<String, Object> config = base();
            config.put("transactional.id", "golden-" + ends[i]);
            KafkaProducer<String, String> producer = new KafkaProducer<>(config);
            producer.initTransactions();
            producer.beginTransaction();
            producer.sendOffsetsToTransaction(i == 0 ? first : second, new ConsumerGroupMetadata("transactional"));
            if (i == 0) producer.commitTransaction();
            if (i == 1) producer.abortTransaction();
        }
        lines.add("unstable transactional golden-0");
    }

    static void print(Admin admin) throws Exception {
        for (GroupListing g : admin.listGroups().all().get()) {
            lines.add("group " + g.groupId() + " type=" + g.type().get().toString().toLowerCase() + " state="
                + g.groupState().get() + " protocol=" + g.protocol());
            if (g.type().get() == GroupType.CLASSIC) describe(admin, g.groupId());
            for (var e : admin.listConsumerGroupOffsets(g.groupId()).partitionsToOffsetAndMetadata().get().entrySet()) {
                OffsetAndMetadata o = e.getValue();
                lines.add("offset " + g.groupId() + " " + e.getKey() + " " + o.offset() + " epoch="
                    + o.leaderEpoch().orElse(-1) + " [" + o.metadata() + "]");
            }
        }
    }

    static void describe(Admin admin, String group) throws Exception {
        ClassicGroupDescription d = admin.describeClassicGroups(List.of(group)).all().get().get(group);
        lines.add("described " + group + " " + d.state() + " " + d.protocolData());
        for (MemberDescription m : d.members()) {
            String partitions = m.assignment().topicPartitions().stream().map(TopicPartition::toString).sorted()
                .collect(Collectors.joining(","));
            lines.add("member " + group + " " + m.consumerId() + " instance=" + m.groupInstanceId().orElse("-")
                + " client=" + m.clientId() + " host=" + m.host() + " [" + partitions + "]");
        }
    }

    // What the command line tool prints, as "tool GROUP TOPIC-PARTITION OFFSET MEMBER HOST CLIENT".
    static void tool() {
        PrintStream out = System.out;
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        System.setOut(new PrintStream(text));
        ConsumerGroupCommand.main(new String[] {"--bootstrap-server", bootstrap, "--describe", "--all-groups", "--offsets"});
        System.setOut(out);
        for (String line : text.toString(StandardCharsets.UTF_8).split("\n")) {
            String[] w = line.trim().split("\\s+");
            if (w.length != 9 || w[0].equals("GROUP")) continue;
            lines.add("tool " + w[0] + " " + w[1] + "-" + w[2] + " " + w[3] + " " + w[6] + " " + w[7] + " " + w[8]);
        }
    }

    public static void main(String[] args) throws Exception {
        bootstrap = args[0];
        Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap));
        admin.createTopics(List.of(new NewTopic("golden", 4, (short) 1), new NewTopic("other", 2, (short) 1))).all().get();
        try (KafkaProducer<String, String> p = new KafkaProducer<>(base())) {
            for (int i = 0; i < 100; i++) {
                p.send(new ProducerRecord<>("golden", i % 4, null, "v" + i));
                p.send(new ProducerRecord<>("other", i % 2, null, "v" + i));
            }
        }
        Map<String, Object> kip848 = Map.of("group.protocol", "consumer");
        consumer("two-classic", "a", Map.of(), List.of("golden"));
        consumer("two-classic", "b", Map.of(), List.of("golden", "other"));
        consumer("static-sticky", "s1", Map.of("group.instance.id", "i1",
            "partition.assignment.strategy", "org.apache.kafka.clients.consumer.CooperativeStickyAssignor"), List.of("golden"));
        consumer("kip-848", "n1", kip848, List.of("golden"));
        consumer("kip-848", "n2", kip848, List.of("golden"));
        admin.alterConsumerGroupOffsets("by-hand-ü", Map.of(new TopicPartition("golden", 2), new OffsetAndMetadata(7))).all().get();
        admin.alterConsumerGroupOffsets("deleted", Map.of(new TopicPartition("golden", 2), new OffsetAndMetadata(7))).all().get();
        admin.deleteConsumerGroups(List.of("deleted")).all().get();
        Map<String, Object> config = base();
        config.put("group.id", "left");
        try (KafkaConsumer<String, String> c = new KafkaConsumer<>(config)) {
            c.subscribe(List.of("other"));
            while (c.poll(Duration.ofMillis(100)).isEmpty()) { }
            c.commitSync();
        }
        transactions();
        for (int i = 0; i < 600 && ready.size() < 5; i++) Thread.sleep(100);
        if (ready.size() < 5) throw new IllegalStateException("only " + ready.size() + " consumers got anywhere");
        // Until nothing moves any more.
        String before = "";
        for (int i = 0; i < 30; i++) {
            Thread.sleep(2000);
            TreeSet<String> kept = new TreeSet<>(lines);
            print(admin);
            String now = String.join("\n", lines);
            if (now.equals(before) && !now.contains("Rebalanc") && !now.contains("RECONCIL") && !now.contains("ASSIGNING")) break;
            before = now;
            lines.clear();
            lines.addAll(kept);
        }
        tool();
        Files.write(Path.of(args[1]), lines, StandardCharsets.UTF_8);
        Runtime.getRuntime().halt(lines.size() < 20 ? 1 : 0);
    }
}
