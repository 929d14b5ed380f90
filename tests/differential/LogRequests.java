// DeleteRecords and DescribeProducers in every version: success and what a single node refuses.
import java.io.IOException;
import java.util.List;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.*;
import org.apache.kafka.common.protocol.ApiKeys;

class LogRequests extends Comparison {
  static final long TO_HIGH_WATERMARK = -1;

  // ---- deleting ----------------------------------------------------------------------------------------------

  static DeleteRecordsRequestData delete(String topic, long... partitionsAndOffsets) {
    var asked = new DeleteRecordsRequestData.DeleteRecordsTopic().setName(topic);
    for (int i = 0; i < partitionsAndOffsets.length; i += 2) {
      asked.partitions().add(new DeleteRecordsRequestData.DeleteRecordsPartition()
          .setPartitionIndex((int) partitionsAndOffsets[i]).setOffset(partitionsAndOffsets[i + 1]));
    }
    return new DeleteRecordsRequestData().setTimeoutMs(5000).setTopics(List.of(asked));
  }

  interface Offset {
    long of(short version);
  }

  static void deleted(String what, String topic, Offset offset) throws IOException {
    compare(what, ApiKeys.DELETE_RECORDS, 0, 2, (s, v) -> delete(topic, 0, offset.of(v)));
  }

  /** Ten records in a new topic, which Kafka may take a moment to know. */
  static void filled(Uuid[] ids, String topic) throws Exception {
    for (int server : SERVERS) {
      short error = -1;
      for (int attempt = 0; error != 0 && attempt < 200; attempt++) {
        if (attempt > 0) Thread.sleep(50);
        var answer = (ProduceResponseData) ask(server, Listener.BROKER, ApiKeys.PRODUCE, (short) 13,
            DataRequests.produce(ids[server], (short) 13, topic, 0, -1, DataRequests.plain(10)));
        error = answer.responses().iterator().next().partitionResponses().get(0).errorCode();
      }
      if (error != 0) throw new IllegalStateException(topic + " on server " + server + ": error " + error);
    }
  }

  static void deleting() throws Exception {
    Uuid[] trimmed = TopicRequests.make("trimmed", "retention.ms", "-1");
    filled(trimmed, "trimmed");
    deleted("offset -2", "trimmed", v -> -2);
    deleted("beyond the high watermark", "trimmed", v -> 11);
    deleted("from the start", "trimmed", v -> 0);
    deleted("some", "trimmed", v -> 3 + v);
    deleted("gone already", "trimmed", v -> 1);
    compare("what is left", ApiKeys.LIST_OFFSETS, 1, 11,
        (s, v) -> DataRequests.listOffsets(v, 0, -2, -1, "trimmed", 0));
    compare("of what is gone", ApiKeys.LIST_OFFSETS, 1, 11,
        (s, v) -> DataRequests.listOffsets(v, 0, DataRequests.NOW, -1, "trimmed", 0));
    deleted("all", "trimmed", v -> TO_HIGH_WATERMARK);
    deleted("all again", "trimmed", v -> 10);
    deleted("beyond the end", "trimmed", v -> 11);
    compare("one of two", ApiKeys.DELETE_RECORDS, 0, 2, (s, v) -> delete("trimmed", 0, 10, 7, 0, -1, 0));
    compare("the same twice", ApiKeys.DELETE_RECORDS, 0, 2, (s, v) -> delete("trimmed", 0, 99, 0, 2));
    compare("no partitions", ApiKeys.DELETE_RECORDS, 0, 2, (s, v) -> delete("trimmed"));
    compare("nothing", ApiKeys.DELETE_RECORDS, 0, 2, (s, v) -> delete("x").setTopics(List.of()));
    for (String name : List.of("nothing", "a b", "", "__cluster_metadata")) {
      deleted("of the topic '" + name + "'", name, v -> 0);
    }
    for (long partition : new long[] {0, 999}) {
      compare("internal topic, partition " + partition, ApiKeys.DELETE_RECORDS, 0, 2,
          (s, v) -> delete("__consumer_offsets", partition, TO_HIGH_WATERMARK));
    }
    for (String policy : List.of("compact", "compact,delete")) {
      String name = "trimmed-" + policy.length();
      filled(TopicRequests.make(name, "cleanup.policy", policy), name);
      deleted(policy, name, v -> 2 + v);
      deleted(policy + ", beyond the end", name, v -> 11);
      deleted(policy + ", offset -2", name, v -> -2);
    }
  }

  // ---- producers ---------------------------------------------------------------------------------------------

  static void producers(String what, String topic, Integer... partitions) throws IOException {
    compare(what, ApiKeys.DESCRIBE_PRODUCERS, 0, 0, (s, v) -> new DescribeProducersRequestData()
        .setTopics(List.of(new DescribeProducersRequestData.TopicRequest().setName(topic)
            .setPartitionIndexes(List.of(partitions)))));
  }

  static void describingProducers() throws IOException {
    producers("of many batches and epochs", "orders", 1);
    producers("none, some, no such partition", "orders", 0, 1, 9, -1);
    producers("no partitions", "orders");
    producers("twice", "orders", 1, 1);
    producers("internal topic", "__consumer_offsets", 0, 999);
    for (String name : List.of("nothing", "a b", "", ".", "x".repeat(250))) {
      producers("topic " + (name.length() > 20 ? name.length() + " long" : "'" + name + "'"), name, 0);
    }
    compare("nothing", ApiKeys.DESCRIBE_PRODUCERS, 0, 0, (s, v) -> new DescribeProducersRequestData());
  }

  static void all() throws Exception {
    deleting();
    describingProducers();
  }
}
