// DescribeLogDirs and AlterReplicaLogDirs in every version: success and what a single node refuses.
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.kafka.common.message.*;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;

class LogDirRequests extends Comparison {
  static DescribeLogDirsRequestData describe(Object... topicsAndPartitions) {
    var topics = new DescribeLogDirsRequestData.DescribableLogDirTopicCollection();
    for (int i = 0; i < topicsAndPartitions.length; i += 2) {
      topics.add(new DescribeLogDirsRequestData.DescribableLogDirTopic().setTopic((String) topicsAndPartitions[i])
          .setPartitions(List.of((Integer[]) topicsAndPartitions[i + 1])));
    }
    return new DescribeLogDirsRequestData().setTopics(topics);
  }

  static Integer[] partitions(Integer... partitions) {
    return partitions;
  }

  /** Each server has directories of its own, and spreads partitions over them as it likes. */
  static String text(ApiMessage answer) {
    return Comparison.text(answer).replaceAll("logDir='/[^']*/(data|more)'", "logDir=DIRECTORY")
        .replaceAll("usableBytes=[1-9]\\d*", "usableBytes=SOME");
  }

  /**
   * The directories and what lies in them, without sizes: those of the offsets topic depend on times. Nor with the
   * transactions' topic: Kafka made it when it was asked for a transactional coordinator.
   */
  static String names(ApiMessage answer) {
    if (answer == null) return "CLOSED";
    List<String> names = new ArrayList<>();
    for (var directory : ((DescribeLogDirsResponseData) answer).results()) {
      names.add("[directory " + directory.errorCode() + " " + (directory.totalBytes() > 0) + "]");
      for (var topic : directory.topics()) {
        if (topic.name().equals("__transaction_state")) continue;
        for (var one : topic.partitions()) {
          names.add("[" + topic.name() + "-" + one.partitionIndex() + " lag " + one.offsetLag() + " future "
              + one.isFutureKey() + "]");
        }
      }
    }
    return names.stream().sorted().collect(Collectors.joining());
  }

  static void described(String what, DescribeLogDirsRequestData request) throws IOException {
    compare(what, Listener.BROKER, ApiKeys.DESCRIBE_LOG_DIRS, 1, 5, (s, v) -> request, LogDirRequests::text);
  }

  static void describing() throws IOException {
    compare("all", Listener.BROKER, ApiKeys.DESCRIBE_LOG_DIRS, 1, 5,
        (s, v) -> new DescribeLogDirsRequestData().setTopics(null), LogDirRequests::names);
    described("two partitions", describe("orders", partitions(0, 1)));
    described("some of two topics", describe("orders", partitions(1), "trimmed", partitions(0)));
    described("no such partition", describe("orders", partitions(9, -1)));
    described("no such topic", describe("nothing", partitions(0), "a b", partitions(0)));
    described("no partitions", describe("orders", partitions()));
    described("the metadata log", describe("__cluster_metadata", partitions(0)));
    described("none", describe());
  }

  // ---- moving ------------------------------------------------------------------------------------------------

  /** Of orders-1: where it lies on a server, and the other directory. A copy that is under way counts as "copy". */
  static Map<String, String> places(int server) throws IOException {
    Map<String, String> places = new HashMap<>();
    var answer = (DescribeLogDirsResponseData) ask(server, Listener.BROKER, ApiKeys.DESCRIBE_LOG_DIRS, (short) 4,
        describe("orders", partitions(1)));
    for (var directory : answer.results()) {
      String what = "other";
      for (var topic : directory.topics()) what = topic.partitions().get(0).isFutureKey() ? "copy" : "present";
      places.put(what, directory.logDir());
    }
    return places;
  }

  interface Path {
    String of(int server);
  }

  static void altered(String what, Path path, String topic, Integer... partitions) throws IOException {
    compare(what, ApiKeys.ALTER_REPLICA_LOG_DIRS, 1, 2, (s, v) -> {
      var asked = new AlterReplicaLogDirsRequestData.AlterReplicaLogDirTopic().setName(topic)
          .setPartitions(List.of(partitions));
      var directory = new AlterReplicaLogDirsRequestData.AlterReplicaLogDir().setPath(path.of(s));
      directory.topics().add(asked);
      var request = new AlterReplicaLogDirsRequestData();
      request.dirs().add(directory);
      return request;
    });
  }

  static void moving() throws Exception {
    List<Map<String, String>> before = List.of(places(KAFKA), places(MILENA));
    Path present = s -> before.get(s).get("present");
    Path other = s -> before.get(s).get("other");
    altered("no such directory", s -> "/no/such/directory", "orders", 0, 1, 9);
    altered("a relative path", s -> "data", "orders", 1);
    altered("a slash behind it", s -> present.of(s) + "/", "orders", 1);
    altered("where it is", present, "orders", 1);
    altered("no such partition", other, "orders", 9, -1);
    for (String name : List.of("nothing", "a b", "")) altered("the topic '" + name + "'", other, name, 0);
    altered("a name too long", other, "x".repeat(249), 0);
    altered("a name too long, no such directory", s -> "/no/such/directory", "x".repeat(249), 0);
    altered("no partitions", other, "orders");
    compare("nothing", ApiKeys.ALTER_REPLICA_LOG_DIRS, 1, 2, (s, v) -> new AlterReplicaLogDirsRequestData());
    altered("to the other directory", other, "orders", 1);
    for (int server : SERVERS) {
      for (int i = 0; i < 200 && !other.of(server).equals(places(server).get("present")); i++) Thread.sleep(50);
    }
    described("when it has moved", describe("orders", partitions(1)));
    LogRequests.producers("when it has moved", "orders", 1);
    compare("when it has moved", ApiKeys.LIST_OFFSETS, 1, 11,
        (s, v) -> DataRequests.listOffsets(v, 0, -1, -1, "orders", 1));
    DataRequests.produced("when it has moved", 1, -1, v -> DataRequests.plain(1));
  }

  static void all() throws Exception {
    describing();
    moving();
  }
}
