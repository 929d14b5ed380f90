// AssignReplicasToDirs: a broker tells the controller in which of its directories replicas lie. What it may say, and
// what becomes of a partition whose directory is not online.
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Properties;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.*;
import org.apache.kafka.common.protocol.ApiKeys;

class DirectoryRequests extends Comparison {
  static final long[] epochs = new long[2];
  static final Uuid[] assigned = new Uuid[2];  // the topic
  static final Uuid[] home = new Uuid[2];      // the directory of its only partition
  static final Uuid NO_SUCH_DIRECTORY = new Uuid(8, 8);
  static final Uuid LOST = new Uuid(0, 1);

  static AssignReplicasToDirsRequestData assign(long epoch, Uuid directory, Uuid topic, int... partitions) {
    var to = new AssignReplicasToDirsRequestData.TopicData().setTopicId(topic);
    for (int index : partitions)
      to.partitions().add(new AssignReplicasToDirsRequestData.PartitionData().setPartitionIndex(index));
    return new AssignReplicasToDirsRequestData().setBrokerId(1).setBrokerEpoch(epoch).setDirectories(
        List.of(new AssignReplicasToDirsRequestData.DirectoryData().setId(directory).setTopics(List.of(to))));
  }

  static void compare(String what, Comparison.Request request) throws IOException {
    compare(what, Listener.CONTROLLER, ApiKeys.ASSIGN_REPLICAS_TO_DIRS, 0, 0, request, answer -> {
      String text = text(answer);
      for (Uuid id : home) text = text.replace(id.toString(), "HOME");
      return text;
    });
  }

  /** Nobody tells a broker's epoch but the metadata log: the first that is not stale. */
  static long epochOf(int server) throws IOException {
    for (long epoch = 0; epoch < 10_000; epoch++) {
      var answer = (AssignReplicasToDirsResponseData) ask(server, Listener.CONTROLLER,
          ApiKeys.ASSIGN_REPLICAS_TO_DIRS, (short) 0,
          new AssignReplicasToDirsRequestData().setBrokerId(1).setBrokerEpoch(epoch));
      if (answer.errorCode() == 0) return epoch;
    }
    throw new AssertionError("no epoch is right");
  }

  static void find(int server) throws IOException {
    epochs[server] = epochOf(server);
    var topics = new MetadataRequestData().setTopics(List.of(new MetadataRequestData.MetadataRequestTopic().setName("assigned")));
    var metadata = (MetadataResponseData) ask(server, Listener.BROKER, ApiKeys.METADATA, (short) 12, topics);
    assigned[server] = metadata.topics().find("assigned").topicId();
    var answer = (DescribeLogDirsResponseData) ask(server, Listener.BROKER, ApiKeys.DESCRIBE_LOG_DIRS, (short) 4,
        LogDirRequests.describe("assigned", LogDirRequests.partitions(0)));
    for (var directory : answer.results()) {
      if (directory.topics().isEmpty()) continue;
      Properties properties = new Properties();
      try (var in = Files.newInputStream(Path.of(directory.logDir(), "meta.properties"))) {
        properties.load(in);
      }
      home[server] = Uuid.fromString(properties.getProperty("directory.id"));
    }
  }

  /** Who leads the partition, as the broker sees it. */
  static void leader(String when) throws Exception {
    Thread.sleep(500);
    compare("assigned " + when, Listener.BROKER, ApiKeys.DESCRIBE_TOPIC_PARTITIONS, 0, 0,
        (s, v) -> new DescribeTopicPartitionsRequestData().setTopics(
            List.of(new DescribeTopicPartitionsRequestData.TopicRequest().setName("assigned"))),
        answer -> text(answer).replaceAll("leaderEpoch=\\d+", ""));
  }

  static void all() throws Exception {
    compare("assigned", Listener.BROKER, ApiKeys.CREATE_TOPICS, 7, 7,
        (s, v) -> Differential.create("assigned", 1, 1));
    Thread.sleep(1000);
    for (int server : SERVERS) find(server);
    compare("an old epoch", (s, v) -> assign(epochs[s] - 1, home[s], assigned[s], 0));
    compare("an epoch to come", (s, v) -> assign(epochs[s] + 1, home[s], assigned[s], 0));
    compare("another broker", (s, v) -> assign(epochs[s], home[s], assigned[s], 0).setBrokerId(2));
    compare("where it lies", (s, v) -> assign(epochs[s], home[s], assigned[s], 0));
    compare("no directories", (s, v) -> new AssignReplicasToDirsRequestData().setBrokerId(1).setBrokerEpoch(epochs[s]));
    compare("no such partition", (s, v) -> assign(epochs[s], home[s], assigned[s], 0, 7, -1));
    compare("no such topic", (s, v) -> assign(epochs[s], home[s], NO_SUCH_ID, 0, 1));
    compare("the same twice", (s, v) -> assign(epochs[s], home[s], assigned[s], 0, 0));
    compare("no partitions", (s, v) -> assign(epochs[s], home[s], assigned[s]));
    leader("at home");
    compare("an unknown directory", (s, v) -> assign(epochs[s], NO_SUCH_DIRECTORY, assigned[s], 0));
    compare("home again", (s, v) -> assign(epochs[s], home[s], assigned[s], 0));
    leader("home again");
    compare("a lost directory", (s, v) -> assign(epochs[s], LOST, assigned[s], 0));
    compare("home once more", (s, v) -> assign(epochs[s], home[s], assigned[s], 0));
    leader("home once more");
    compare("on a broker's listener", Listener.BROKER, ApiKeys.ASSIGN_REPLICAS_TO_DIRS, 0, 0,
        (s, v) -> assign(epochs[s], home[s], assigned[s], 0), Comparison::text);
  }
}
