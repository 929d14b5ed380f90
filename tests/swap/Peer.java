// The swap tests' client side: one JVM for all cases, told what to do by lines on its standard input. Each gets one
// answer: "ok ..." or "fail ..."; stack traces go to the standard error.
//
//   new BOOTSTRAP          a new cluster, of which nothing is known yet
//   topics | records | kafka-only | trim | groups | abort-open | busy-start | busy-stop
//   modern COUNT           a member of the KIP-848 group goes on from its offsets
//   share COUNT            a member of the share group gets records that none before has had
//   late TOPIC | delete TOPIC
//   config TYPE NAME KEY VALUE
//   verify kafka|milena    everything is there
//   cluster                what Kafka's quorum and feature tools say
//   format FILE CLUSTER [--standalone]   StorageTool, with that server.properties
//   dump DIR[,DIR...]      DumpLogSegments over the directories of a stopped server
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.*;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.config.ConfigResource;

public final class Peer {
    private String bootstrap;
    private Expected expected;
    private Admin admin;
    private Writer writer;

    private String obey(String[] words) throws Exception {
        switch (words[0]) {
            case "new" -> {
                if (admin != null) admin.close();
                bootstrap = words[1];
                expected = new Expected();
                admin = Admin.create(Map.of("bootstrap.servers", bootstrap, "default.api.timeout.ms", 30_000));
                writer = new Writer(bootstrap, expected, admin);
            }
            case "topics" -> writer.topics();
            case "records" -> writer.records();
            case "kafka-only" -> writer.kafkaOnly();
            case "trim" -> writer.trim();
            case "groups" -> {
                writer.joinAndCommit("classic", "classic", 70);
                writer.joinAndCommit("reads-all", "classic", Integer.MAX_VALUE);
            }
            case "modern" -> writer.joinAndCommit("modern", "consumer", Integer.parseInt(words[1]));
            case "share" -> writer.share(Integer.parseInt(words[1]));
            case "late" -> writer.late(words[1]);
            case "delete" -> writer.delete(words[1]);
            case "abort-open" -> writer.abortOpen();
            case "busy-start" -> writer.startBusy();
            case "busy-stop" -> writer.stopBusy();
            case "config" -> {
                String name = words[2].equals("-") ? "" : words[2];
                writer.config(ConfigResource.Type.valueOf(words[1]), name, words[3], words[4]);
            }
            case "verify" -> {
                return "compared " + new Reader(bootstrap, expected, admin).verify(words[1].equals("kafka"));
            }
            case "cluster" -> {
                return Inspector.cluster(bootstrap);
            }
            case "format" -> Inspector.format(Arrays.asList(words).subList(1, words.length));
            case "dump" -> {
                return "read " + Inspector.dump(List.of(words[1].split(",")));
            }
            default -> throw new IllegalArgumentException("unknown word");
        }
        return "";
    }

    public static void main(String[] args) throws Exception {
        Peer peer = new Peer();
        var answers = System.out;
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String answer;
            try {
                answer = "ok " + peer.obey(line.trim().split("\\s+"));
            } catch (Throwable e) {
                e.printStackTrace();
                Throwable cause = e.getCause() == null ? e : e.getCause();
                answer = "fail " + (e + (cause == e ? "" : " " + cause)).replace("\n", " | ");
            }
            answers.println(answer);
            answers.flush();
        }
        Runtime.getRuntime().halt(0);
    }
}
