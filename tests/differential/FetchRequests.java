// Fetch in every version: limits, errors, sessions; and the metadata log of the controller's listener.
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.*;
import org.apache.kafka.common.protocol.*;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.requests.DescribeQuorumRequest;

class FetchRequests extends Comparison {
  static final int LIMIT = 1 << 20;

  /** Partition, offset, current leader epoch, last fetched epoch. */
  static long[] from(long... numbers) {
    return numbers;
  }

  static FetchRequestData fetch(int server, short version, long[]... partitions) {
    return fetchLimited(server, version, 1, LIMIT, LIMIT, partitions);
  }

  static FetchRequestData fetchLimited(int server, short version, int min, int max, int partitionMax,
      long[]... partitions) {
    var request = new FetchRequestData().setMaxWaitMs(100).setMinBytes(min).setMaxBytes(max).setSessionId(0)
        .setSessionEpoch(-1);
    if (partitions.length == 0) return request;
    var topic = new FetchRequestData.FetchTopic();
    if (version < 13) topic.setTopic("orders");
    else topic.setTopicId(ordersId[server]);
    for (long[] numbers : partitions) {
      var one = new FetchRequestData.FetchPartition().setPartition((int) numbers[0]).setFetchOffset(numbers[1])
          .setPartitionMaxBytes(partitionMax);
      if (version >= 9 && numbers.length > 2) one.setCurrentLeaderEpoch((int) numbers[2]);
      if (version >= 12 && numbers.length > 3) one.setLastFetchedEpoch((int) numbers[3]);
      topic.partitions().add(one);
    }
    request.topics().add(topic);
    return request;
  }

  /** With the records' bytes, which must be the same: offsets, epochs and all. */
  static String text(ApiMessage answer) {
    if (answer == null) return "CLOSED";
    var response = (FetchResponseData) answer;
    StringBuilder text = new StringBuilder("error " + response.errorCode() + ", session "
        + (response.sessionId() != 0) + ", " + masked(response.nodeEndpoints().toString()));
    for (var topic : response.responses()) {
      for (var one : topic.partitions()) {
        var records = (MemoryRecords) one.records();
        String bytes = records == null ? "null" : records.sizeInBytes() + "/" + records.buffer().hashCode();
        text.append("[").append(masked(one.duplicate().setRecords(null).toString())).append(" ").append(topic.topic())
            .append(" bytes ").append(bytes).append("]");
      }
    }
    return text.toString();
  }

  static void fetched(String what, int low, Request request) throws IOException {
    compare(what, Listener.BROKER, ApiKeys.FETCH, low, 18, request, FetchRequests::text);
  }

  static void reading() throws IOException {
    fetched("all", 4, (s, v) -> fetch(s, v, from(0, 0), from(1, 0)));
    fetched("from the middle", 4, (s, v) -> fetch(s, v, from(0, 7), from(1, 3)));
    fetched("from the end", 4, (s, v) -> fetch(s, v, from(0, 275), from(1, 55)));
    fetched("committed", 4, (s, v) -> fetch(s, v, from(0, 0), from(1, 0)).setIsolationLevel((byte) 1));
    int[][] limits = {{1, LIMIT, 10}, {1, 10, LIMIT}, {1, 0, LIMIT}, {1, 500, LIMIT}, {1, LIMIT, 500}, {1, 500, 300},
        {1_000_000, LIMIT, LIMIT}, {0, LIMIT, LIMIT}, {1, LIMIT, 0}};
    for (int[] limit : limits) {
      // One partition: which one comes first is not the same, see docs/compatibility.md.
      fetched("limits " + Arrays.toString(limit), 4,
          (s, v) -> fetchLimited(s, v, limit[0], limit[1], limit[2], from(0, 3)));
    }
  }

  static void errors() throws IOException {
    fetched("beyond the end", 4, (s, v) -> fetch(s, v, from(0, 99999), from(1, 0)));
    fetched("negative offset", 4, (s, v) -> fetch(s, v, from(0, -1)));
    fetched("unknown partition", 4, (s, v) -> fetch(s, v, from(9, 0), from(0, 0)));
    for (long epoch : new long[] {0, 5}) fetched("epoch " + epoch, 9, (s, v) -> fetch(s, v, from(0, 0, epoch)));
    for (long epoch : new long[] {0, 7}) {
      fetched("last fetched epoch " + epoch, 12, (s, v) -> fetch(s, v, from(0, 4, 0, epoch)));
    }
    fetched("diverging", 12, (s, v) -> fetch(s, v, from(0, 40000, 0, 0)));
    fetched("unknown id", 13, (s, v) -> {
      var request = fetch(s, v, from(0, 0));
      request.topics().get(0).setTopicId(NO_SUCH_ID);
      return request;
    });
    compare("unknown name", Listener.BROKER, ApiKeys.FETCH, 4, 12, (s, v) -> {
      var request = fetch(s, v, from(0, 0));
      request.topics().get(0).setTopic("nothing");
      return request;
    }, FetchRequests::text);
    fetched("as a follower", 4, (s, v) -> {
      var request = fetch(s, v, from(0, 0));
      if (v < 15) return request.setReplicaId(7);
      return request.setReplicaState(new FetchRequestData.ReplicaState().setReplicaId(7).setReplicaEpoch(1));
    });
    fetched("nothing", 4, (s, v) -> fetch(s, v));
  }

  // ---- sessions ----------------------------------------------------------------------------------------------

  /** A session on each server and its next epoch. */
  static final int[] session = new int[2];

  static void inSession(String what, short version, int epoch, Request request) throws IOException {
    String[] texts = new String[2];
    for (int server : SERVERS) {
      var asked = (FetchRequestData) request.of(server, version);
      asked.setSessionId(session[server]).setSessionEpoch(epoch);
      var answer = (FetchResponseData) ask(server, Listener.BROKER, ApiKeys.FETCH, version, asked);
      if (server == KAFKA) Coverage.note(ApiKeys.FETCH, version, answer);
      if (epoch == 0 && answer != null) session[server] = answer.sessionId();
      texts[server] = text(answer);
    }
    judge(ApiKeys.FETCH, version, "session: " + what, texts[KAFKA], texts[MILENA]);
  }

  static FetchRequestData forget(int server, short version, int partition) {
    var request = fetch(server, version);
    var forgotten = new FetchRequestData.ForgottenTopic().setPartitions(List.of(partition));
    if (version < 13) forgotten.setTopic("orders");
    else forgotten.setTopicId(ordersId[server]);
    request.forgottenTopicsData().add(forgotten);
    return request;
  }

  static void sessions(short version) throws IOException {
    Arrays.fill(session, 0);
    long end = end(0);
    long other = end(1);
    inSession("unknown", version, 3, (s, v) -> fetch(s, v, from(0, 0)).setSessionId(77));
    inSession("opened", version, 0, (s, v) -> fetch(s, v, from(0, 0), from(1, 0)));
    // What was told is told again until the client moves on.
    inSession("the same again", version, 1, (s, v) -> fetch(s, v));
    inSession("at the ends", version, 2, (s, v) -> fetch(s, v, from(0, end), from(1, other)));
    inSession("no news", version, 3, (s, v) -> fetch(s, v));
    for (int server : SERVERS) {
      ask(server, Listener.BROKER, ApiKeys.PRODUCE, (short) 13,
          DataRequests.produce(ordersId[server], (short) 13, "orders", 1, -1, DataRequests.plain(1)));
    }
    inSession("news of one", version, 4, (s, v) -> fetch(s, v));
    inSession("one is forgotten", version, 5, (s, v) -> forget(s, v, 1));
    inSession("one that is not there", version, 6, (s, v) -> fetch(s, v, from(9, 0)));
    inSession("still not there", version, 7, (s, v) -> fetch(s, v));
    inSession("beyond the end", version, 8, (s, v) -> fetch(s, v, from(0, 99999)));
    inSession("back", version, 9, (s, v) -> fetch(s, v, from(0, end)));
    inSession("wrong epoch", version, 42, (s, v) -> fetch(s, v));
    if (version >= 13) {
      inSession("names in a session of ids", (short) 12, 10, (s, v) -> fetch(s, v));
    }
    inSession("opened anew", version, 0, (s, v) -> fetch(s, v, from(0, end)));
    inSession("all are forgotten", version, 1, (s, v) -> forget(s, v, 0));
    inSession("gone", version, 2, (s, v) -> fetch(s, v));
    inSession("opened for nothing", version, 0, (s, v) -> fetch(s, v));
    inSession("opened last", version, 0, (s, v) -> fetch(s, v, from(0, end)));
    inSession("closed", version, -1, (s, v) -> fetch(s, v, from(0, 0)));
    inSession("closed already", version, 1, (s, v) -> fetch(s, v));
  }

  static long end(int partition) throws IOException {
    var answer = (ListOffsetsResponseData) ask(KAFKA, Listener.BROKER, ApiKeys.LIST_OFFSETS, (short) 7,
        DataRequests.listOffsets((short) 7, 0, -1, -1, "orders", partition));
    return answer.topics().get(0).partitions().get(0).offset();
  }

  // ---- the metadata log --------------------------------------------------------------------------------------

  static final Uuid METADATA_ID = new Uuid(0, 1);
  static final int[] epochs = new int[2];

  static FetchRequestData follow(short version, long offset, int lastEpoch, int epoch) {
    var request = new FetchRequestData().setMaxWaitMs(100).setMinBytes(1).setMaxBytes(LIMIT);
    if (version < 15) request.setReplicaId(7);
    else request.setReplicaState(new FetchRequestData.ReplicaState().setReplicaId(7));
    var topic = new FetchRequestData.FetchTopic();
    if (version < 13) topic.setTopic("__cluster_metadata");
    else topic.setTopicId(METADATA_ID);
    var one = new FetchRequestData.FetchPartition().setFetchOffset(offset).setPartitionMaxBytes(LIMIT);
    if (version >= 9) one.setCurrentLeaderEpoch(epoch);
    if (version >= 12) one.setLastFetchedEpoch(lastEpoch);
    topic.partitions().add(one);
    request.topics().add(topic);
    return request;
  }

  /** The logs differ, so: what kind of answer it is. */
  static String kind(ApiMessage answer) {
    if (answer == null) return "CLOSED";
    var response = (FetchResponseData) answer;
    List<String> kinds = new ArrayList<>();
    for (var topic : response.responses()) {
      for (var one : topic.partitions()) {
        kinds.add(topic.topic() + topic.topicId() + " " + one.partitionIndex() + " error " + one.errorCode()
            + " watermark " + (one.highWatermark() > 0) + " stable " + one.lastStableOffset() + " start "
            + one.logStartOffset() + " diverging " + (one.divergingEpoch().endOffset() > 0) + " snapshot "
            + (one.snapshotId().endOffset() > 0) + " aborted " + one.abortedTransactions()
            + " leader " + one.currentLeader().leaderId()
            + " epoch " + (one.currentLeader().leaderEpoch() > 0) + " records "
            + (one.records() == null ? null : one.records().sizeInBytes() > 0));
      }
    }
    return "error " + response.errorCode() + " " + kinds + " " + masked(response.nodeEndpoints().toString());
  }

  static void followed(String what, int low, Request request) throws IOException {
    compare(what, Listener.CONTROLLER, ApiKeys.FETCH, low, 18, request, FetchRequests::kind);
  }

  static void learnEpochs() throws IOException {
    for (int server : SERVERS) {
      var quorum = (DescribeQuorumResponseData) ask(server, Listener.CONTROLLER, ApiKeys.DESCRIBE_QUORUM, (short) 2,
          DescribeQuorumRequest.singletonRequest(new TopicPartition("__cluster_metadata", 0)));
      epochs[server] = quorum.topics().get(0).partitions().get(0).leaderEpoch();
    }
  }

  static void metadataLog() throws IOException {
    learnEpochs();
    for (int server : SERVERS) NodeRequests.newestSnapshot(server);  // to which followers are sent
    followed("from the start", 4, (s, v) -> follow(v, 0, 0, epochs[s]));
    followed("old epoch", 13, (s, v) -> follow(v, 0, 0, epochs[s] - 1));
    followed("future epoch", 13, (s, v) -> follow(v, 0, 0, epochs[s] + 1));
    followed("negative offset", 13, (s, v) -> follow(v, -1, 0, epochs[s]));
    followed("no last epoch", 13, (s, v) -> follow(v, 0, -1, epochs[s]));
    followed("last epoch in the future", 13, (s, v) -> follow(v, 0, epochs[s] + 1, epochs[s]));
    followed("beyond the end", 13, (s, v) -> follow(v, 99999, epochs[s], epochs[s]));
    followed("foreign cluster", 12, (s, v) -> follow(v, 0, 0, epochs[s]).setClusterId("other"));
    followed("as the leader itself", 13, (s, v) -> v < 15 ? follow(v, 0, 0, epochs[s]).setReplicaId(1)
        : follow(v, 0, 0, epochs[s]).setReplicaState(new FetchRequestData.ReplicaState().setReplicaId(1)));
    followed("another topic", 13, (s, v) -> {
      var request = follow(v, 0, 0, epochs[s]);
      request.topics().get(0).setTopicId(NO_SUCH_ID);
      return request;
    });
    for (String name : List.of("__cluster_metadata", "orders")) {
      for (int step : new int[] {-1, 0, 1}) {
        compare(name + ", no such snapshot, epoch " + step, Listener.CONTROLLER, ApiKeys.FETCH_SNAPSHOT, 0, 1,
            (s, v) -> {
              var request = new FetchSnapshotRequestData().setReplicaId(7).setMaxBytes(100);
              var topic = new FetchSnapshotRequestData.TopicSnapshot().setName(name);
              topic.partitions().add(new FetchSnapshotRequestData.PartitionSnapshot()
                  .setCurrentLeaderEpoch(epochs[s] + step)
                  .setSnapshotId(new FetchSnapshotRequestData.SnapshotId().setEndOffset(12345).setEpoch(1)));
              request.topics().add(topic);
              return request;
            }, answer -> text(answer, epochs));
      }
    }
  }

  static String text(ApiMessage answer, int[] epochs) {
    String text = Comparison.text(answer);
    for (int epoch : epochs) text = text.replace("leaderEpoch=" + epoch, "leaderEpoch=PRESENT");
    return text;
  }

  static void all() throws IOException {
    reading();
    errors();
    for (short version = 7; version <= 18; version++) sessions(version);
    metadataLog();
  }
}
