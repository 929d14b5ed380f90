// DescribeLogDirs in every version: success and what a single node refuses.
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
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

  static void all() throws IOException {
    describing();
  }
}
