// Errors that need a state of their own: a leader whose epoch has risen, too few replicas in sync, a segment smaller
// than a batch may be, offsets that their topic does not take, a feature's level that a broker does not know, a
// version that nobody has.
// After DirectoryRequests, which have led a partition from one epoch to the next.
import java.io.IOException;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.List;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.message.*;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.common.requests.RequestHeader;

class RareErrors extends Comparison {
  static final int SMALLEST_SEGMENT = 1 << 20;
  static final short NO_SUCH_VERSION = 99;
  static final int ABSENT = 76;  // a broker
  static final int VERSION_AT = 6;  // in a frame

  // ---- produce -----------------------------------------------------------------------------------------------

  static MemoryRecords of(int size) {
    return MemoryRecords.withRecords(Compression.NONE, new SimpleRecord(DataRequests.NOW, null, new byte[size]));
  }

  /** Kafka holds to the rate that ControllerRequests have set for every user: it would keep us waiting for minutes. */
  static void unlimited() throws Exception {
    for (int server : SERVERS) {
      var entry = ControllerRequests.entity("user", null);
      entry.ops().add(new AlterClientQuotasRequestData.OpData().setKey(ControllerRequests.RATE).setRemove(true));
      var request = new AlterClientQuotasRequestData();
      request.entries().add(entry);
      ask(server, Listener.BROKER, ApiKeys.ALTER_CLIENT_QUOTAS, (short) 1, request);
    }
    Thread.sleep(1000);
  }

  static void producing() throws IOException {
    Uuid[] strict = TopicRequests.make("strict", "min.insync.replicas", "2");
    for (int acks : new int[] {-1, 1}) {
      compare("min.insync.replicas above the replicas, acks " + acks, ApiKeys.PRODUCE, 3, 13,
          (s, v) -> DataRequests.produce(strict[s], v, "strict", 0, acks, DataRequests.plain(1)));
    }
    Uuid[] narrow = TopicRequests.make("narrow", "segment.bytes", "" + SMALLEST_SEGMENT, "max.message.bytes",
        "" + 4 * SMALLEST_SEGMENT);
    for (int size : new int[] {SMALLEST_SEGMENT / 2, SMALLEST_SEGMENT - 100, SMALLEST_SEGMENT, 2 * SMALLEST_SEGMENT}) {
      compare(size + " bytes in a smaller segment", ApiKeys.PRODUCE, 12, 13,
          (s, v) -> DataRequests.produce(narrow[s], v, "narrow", 0, 1, of(size)));
    }
    compare("end of the narrow one", ApiKeys.LIST_OFFSETS, 11, 11,
        (s, v) -> DataRequests.listOffsets(v, 0, -1, -1, "narrow", 0));
  }

  /** A topic of which another broker, that is never there, has the second replica. */
  static void producingToTooFew() throws IOException {
    compare("a second broker", Listener.CONTROLLER, ApiKeys.BROKER_REGISTRATION, 4, 4,
        (s, v) -> NodeRequests.registration(s, v).setBrokerId(ABSENT).setIncarnationId(new Uuid(7, 76))
            .setLogDirs(List.of(new Uuid(7, 75))), NodeRequests::withoutNumbers);
    Uuid[] ids = new Uuid[2];
    var answers = compared("guarded", ApiKeys.CREATE_TOPICS, 7, (s, v) -> {
      var topic = TopicRequests.topic("guarded", -1, -1, "min.insync.replicas", "2");
      topic.assignments().add(new CreateTopicsRequestData.CreatableReplicaAssignment().setPartitionIndex(0)
          .setBrokerIds(List.of(1, ABSENT)));
      return TopicRequests.create(topic);
    });
    for (int server : SERVERS) {
      ids[server] = ((CreateTopicsResponseData) answers[server]).topics().find("guarded").topicId();
      TopicRequests.awaitServed(server, "guarded");
    }
    for (int acks : new int[] {-1, 1}) {
      compare("too few in sync, acks " + acks, ApiKeys.PRODUCE, 3, 13,
          (s, v) -> DataRequests.produce(ids[s], v, "guarded", 0, acks, DataRequests.plain(1)));
    }
    byte[] good = HandmadeBatch.of(1).bytes();
    compare("too few in sync, two batches", ApiKeys.PRODUCE, 3, 13,
        (s, v) -> DataRequests.produce(ids[s], v, "guarded", 0, -1, HandmadeBatch.joined(good, good)));
    compare("too few in sync, a wrong crc", ApiKeys.PRODUCE, 3, 13, (s, v) -> DataRequests.produce(ids[s], v, "guarded",
        0, -1, HandmadeBatch.joined(HandmadeBatch.of(1).with(b -> b.crcError = 1).bytes())));
    compare("guarded", ApiKeys.DELETE_TOPICS, 5, 5,
        (s, v) -> new DeleteTopicsRequestData().setTopicNames(List.of("guarded")).setTimeoutMs(10_000));
    compare("a second broker", Listener.CONTROLLER, ApiKeys.UNREGISTER_BROKER, 0, 0,
        (s, v) -> new UnregisterBrokerRequestData().setBrokerId(ABSENT));
  }

  // ---- epochs ------------------------------------------------------------------------------------------------

  static final int[] epochs = new int[2];

  static void learnEpochs() throws IOException {
    for (int server : SERVERS) {
      var answer = (MetadataResponseData) ask(server, Listener.BROKER, ApiKeys.METADATA, (short) 12,
          TopicRequests.metadata((short) 12, "assigned"));
      epochs[server] = answer.topics().find("assigned").partitions().get(0).leaderEpoch();
      if (epochs[server] > 0) continue;
      different++;
      System.out.println("the leader's epoch has not risen: server " + server);
    }
  }

  static String withoutEpoch(ApiMessage answer) {
    return text(answer).replaceAll("leaderEpoch=\\d+", "leaderEpoch=SOME");
  }

  static OffsetForLeaderEpochRequestData endOf(int current, int epoch) {
    var topic = new OffsetForLeaderEpochRequestData.OffsetForLeaderTopic().setTopic("assigned");
    topic.partitions().add(new OffsetForLeaderEpochRequestData.OffsetForLeaderPartition().setPartition(0)
        .setCurrentLeaderEpoch(current).setLeaderEpoch(epoch));
    var request = new OffsetForLeaderEpochRequestData().setReplicaId(-1);
    request.topics().add(topic);
    return request;
  }

  static void fencing() throws IOException {
    learnEpochs();
    for (int step : new int[] {-1, 0, 1}) {
      compare("risen epoch, " + step, Listener.BROKER, ApiKeys.LIST_OFFSETS, 4, 11,
          (s, v) -> DataRequests.listOffsets(v, 0, -1, epochs[s] + step, "assigned", 0), RareErrors::withoutEpoch);
      for (int asked : new int[] {-1, 0, 1}) {
        compare("risen epoch, " + step + ", end of " + asked, Listener.BROKER, ApiKeys.OFFSET_FOR_LEADER_EPOCH, 2, 4,
            (s, v) -> endOf(epochs[s] + step, epochs[s] + asked), RareErrors::withoutEpoch);
      }
    }
    for (int epoch : new int[] {-2, 0}) {
      compare("epoch " + epoch + " of a risen one", Listener.BROKER, ApiKeys.LIST_OFFSETS, 4, 11,
          (s, v) -> DataRequests.listOffsets(v, 0, -1, epoch, "assigned", 0), RareErrors::withoutEpoch);
      compare("epoch " + epoch + " of a risen one", Listener.BROKER, ApiKeys.OFFSET_FOR_LEADER_EPOCH, 2, 4,
          (s, v) -> endOf(epoch, 0), RareErrors::withoutEpoch);
    }
  }

  // ---- versions ----------------------------------------------------------------------------------------------

  /** ApiVersions in a version that does not exist: answered in version 0. */
  static void unknownVersion(Listener listener) throws IOException {
    ApiMessage[] answers = new ApiMessage[2];
    for (int server : SERVERS) {
      var body = new ApiVersionsRequestData().setClientSoftwareName("a").setClientSoftwareVersion("1");
      byte[] frame = frame(new RequestHeader(ApiKeys.API_VERSIONS, (short) 4, "differential", correlation), body);
      ByteBuffer.wrap(frame).putShort(VERSION_AT, NO_SUCH_VERSION);
      try (Socket connection = connect(ports[server][listener.ordinal()])) {
        connection.getOutputStream().write(frame);
        answers[server] = receive(connection, new RequestHeader(ApiKeys.API_VERSIONS, (short) 0, "differential",
            correlation++));
      }
    }
    Coverage.note(ApiKeys.API_VERSIONS, NO_SUCH_VERSION, answers[KAFKA]);
    judge(ApiKeys.API_VERSIONS, NO_SUCH_VERSION, "unknown version (" + listener + ")", text(answers[KAFKA]),
        text(answers[MILENA]));
  }

  /** A broker that knows `feature` from `min` to `max` only. */
  static void registering(String feature, int min, int max) throws IOException {
    NodeRequests.registered(feature + " from " + min + " to " + max, (request, server) -> {
      request.features().removeIf(one -> one.name().equals(feature));
      request.features().add(new BrokerRegistrationRequestData.Feature().setName(feature)
          .setMinSupportedVersion((short) min).setMaxSupportedVersion((short) max));
      return request.setBrokerId(77).setIncarnationId(new Uuid(7, 77))
          .setLogDirs(request.logDirs().isEmpty() ? List.of() : List.of(new Uuid(7, 78)));
    });
  }

  // ---- the offsets topic with limits of its own --------------------------------------------------------------

  static void commit(String what, String group, String note) throws IOException {
    compare(what, ApiKeys.OFFSET_COMMIT, 2, 9, (s, v) -> {
      var partition = new OffsetCommitRequestData.OffsetCommitRequestPartition().setPartitionIndex(0)
          .setCommittedOffset(5).setCommittedMetadata(note);
      var topic = new OffsetCommitRequestData.OffsetCommitRequestTopic().setName("orders")
          .setPartitions(List.of(partition));
      return new OffsetCommitRequestData().setGroupId(group).setGenerationIdOrMemberEpoch(-1).setMemberId("")
          .setTopics(List.of(topic));
    });
  }

  static void offsetsTopic(String key, String value) throws Exception {
    compare("offsets: " + key, ApiKeys.INCREMENTAL_ALTER_CONFIGS, 1, 1, (s, v) -> {
      var resource = new IncrementalAlterConfigsRequestData.AlterConfigsResource().setResourceType((byte) 2)
          .setResourceName("__consumer_offsets");
      resource.configs().add(new IncrementalAlterConfigsRequestData.AlterableConfig().setName(key)
          .setConfigOperation((byte) (value == null ? 1 : 0)).setValue(value));
      var request = new IncrementalAlterConfigsRequestData();
      request.resources().add(resource);
      return request;
    });
    Thread.sleep(1000);
  }

  static void offsets() throws Exception {
    commit("as large as ever", "committed", "x".repeat(1000));
    offsetsTopic("max.message.bytes", "300");
    commit("larger than max.message.bytes", "committed", "x".repeat(1000));
    commit("fits", "small", "x");
    offsetsTopic("max.message.bytes", null);
    offsetsTopic("min.insync.replicas", "2");
    commit("min.insync.replicas above the replicas", "committed", "x");
    offsetsTopic("min.insync.replicas", null);
    commit("enough again", "committed", "x");
  }

  static void all() throws Exception {
    unlimited();
    producing();
    NodeRequests.learn();
    producingToTooFew();
    fencing();
    offsets();
    for (Listener listener : Listener.values()) unknownVersion(listener);
    registering("kraft.version", 1, 1);
    registering("metadata.version", 1, 2);
    registering("metadata.version", 500, 501);
    registering("unheard.of", 1, 1);
  }
}
