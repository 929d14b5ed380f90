// What nodes ask each other and the cluster, and what answers each on one node with success: registrations, producer
// ids, the quorum, snapshots of the metadata log, versions.
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.*;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.requests.DescribeQuorumRequest;

class NodeRequests extends Comparison {
  static final int BROKER = 5;
  static final Uuid INCARNATION = new Uuid(1, 5);
  static final Uuid DIRECTORY = new Uuid(1, 6);
  static final String[] clusterId = new String[2];
  static final long[] brokerEpoch = new long[2];
  static final ApiVersionsResponseData[] versions = new ApiVersionsResponseData[2];

  static String withoutNumbers(ApiMessage answer) {
    return text(answer).replaceAll("(brokerEpoch|producerId|producerIdStart|leaderEpoch|highWatermark|logEndOffset"
        + "|lastFetchTimestamp|lastCaughtUpTimestamp)=\\d+", "$1=SOME")
        .replaceAll("replicaDirectoryId=(?!A{22})[A-Za-z0-9_-]{22}", "replicaDirectoryId=SOME");
  }

  // ---- versions ----------------------------------------------------------------------------------------------

  static ApiVersionsRequestData askVersions(short version, String name, String software) {
    var request = new ApiVersionsRequestData();
    return version < 3 ? request : request.setClientSoftwareName(name).setClientSoftwareVersion(software);
  }

  /** Without the APIs that Milena has not: those are in docs/compatibility.md. */
  static String servedByMilena(ApiMessage answer) {
    var response = (ApiVersionsResponseData) answer.duplicate();
    response.apiKeys().removeIf(key -> versions[MILENA].apiKeys().find(key.apiKey()) == null);
    return text(response.setFinalizedFeaturesEpoch(response.finalizedFeaturesEpoch() < 0 ? -1 : 0));
  }

  static void versions() throws IOException {
    for (Listener listener : Listener.values()) {
      for (int server : SERVERS) {
        versions[server] = (ApiVersionsResponseData) ask(server, listener, ApiKeys.API_VERSIONS, (short) 4,
            askVersions((short) 4, "a", "1"));
      }
      compare("served", listener, ApiKeys.API_VERSIONS, 0, 4, (s, v) -> askVersions(v, "a-b.c", "1.2"),
          NodeRequests::servedByMilena);
      for (String name : List.of("", "-a", "a b", "a_b", "\u00e9", "x".repeat(300))) {
        compare("client " + name, listener, ApiKeys.API_VERSIONS, 3, 4, (s, v) -> askVersions(v, name, "1"),
            NodeRequests::servedByMilena);
        compare("client version " + name, listener, ApiKeys.API_VERSIONS, 3, 4, (s, v) -> askVersions(v, "a", name),
            NodeRequests::servedByMilena);
      }
    }
  }

  // ---- a broker that registers -------------------------------------------------------------------------------

  static BrokerRegistrationRequestData registration(int server, short version) {
    var request = new BrokerRegistrationRequestData().setBrokerId(BROKER).setClusterId(clusterId[server])
        .setIncarnationId(INCARNATION);
    request.listeners().add(new BrokerRegistrationRequestData.Listener().setName("PLAINTEXT").setHost("127.0.0.1")
        .setPort(9).setSecurityProtocol((short) 0));
    for (var feature : versions[KAFKA].supportedFeatures()) {
      // Older versions cannot say 0, so they can only name what is finalized at 1 and above.
      if (version < 4 && versions[KAFKA].finalizedFeatures().find(feature.name()) == null) continue;
      int lowest = version < 4 ? 1 : 0;
      request.features().add(new BrokerRegistrationRequestData.Feature().setName(feature.name())
          .setMinSupportedVersion((short) Math.max(lowest, feature.minVersion()))
          .setMaxSupportedVersion(feature.maxVersion()));
    }
    return version < 2 ? request : request.setLogDirs(List.of(DIRECTORY));
  }

  interface Change {
    BrokerRegistrationRequestData to(BrokerRegistrationRequestData request, int server);
  }

  static void registered(String what, Change change) throws IOException {
    for (int version = 0; version <= 4; version++) {
      ApiMessage[] answers = compared("registration: " + what, Listener.CONTROLLER, ApiKeys.BROKER_REGISTRATION,
          version, (s, v) -> change.to(registration(s, v), s), NodeRequests::withoutNumbers);
      for (int server : SERVERS) {
        var answer = (BrokerRegistrationResponseData) answers[server];
        if (answer != null && answer.errorCode() == 0) brokerEpoch[server] = answer.brokerEpoch();
      }
    }
  }

  static void toController(String what, ApiKeys api, Request request) throws IOException {
    compare(what, Listener.CONTROLLER, api, api.oldestVersion(), api.latestVersion(), request,
        NodeRequests::withoutNumbers);
  }

  static BrokerHeartbeatRequestData heartbeat(int server, int step, boolean fenced, boolean down) {
    return new BrokerHeartbeatRequestData().setBrokerId(BROKER).setBrokerEpoch(brokerEpoch[server] + step)
        .setCurrentMetadataOffset(0).setWantFence(fenced).setWantShutDown(down);
  }

  static AssignReplicasToDirsRequestData assign(int server, Uuid topic, int partition) {
    var request = new AssignReplicasToDirsRequestData().setBrokerId(BROKER).setBrokerEpoch(brokerEpoch[server]);
    var directory = new AssignReplicasToDirsRequestData.DirectoryData().setId(DIRECTORY);
    request.directories().add(directory);
    if (topic == null) return request;
    var asked = new AssignReplicasToDirsRequestData.TopicData().setTopicId(topic);
    asked.partitions().add(new AssignReplicasToDirsRequestData.PartitionData().setPartitionIndex(partition));
    directory.topics().add(asked);
    return request;
  }

  /** What a registration says: the cluster's id and the features that are known. */
  static void learn() throws IOException {
    for (int server : SERVERS) {
      versions[server] = (ApiVersionsResponseData) ask(server, Listener.CONTROLLER, ApiKeys.API_VERSIONS, (short) 4,
          askVersions((short) 4, "a", "1"));
      clusterId[server] = ((MetadataResponseData) ask(server, Listener.BROKER, ApiKeys.METADATA, (short) 12,
          TopicRequests.metadata((short) 12))).clusterId();
    }
  }

  static void broker() throws IOException {
    learn();
    registered("foreign cluster", (r, s) -> r.setClusterId("other"));
    registered("well", (r, s) -> r);
    registered("another incarnation", (r, s) -> r.setIncarnationId(new Uuid(9, 9)));
    registered("no features", (r, s) -> {
      r.features().clear();
      return r;
    });
    registered("no listeners", (r, s) -> {
      r.listeners().clear();
      return r;
    });
    registered("the running broker's id", (r, s) -> r.setBrokerId(1));
    registered("negative id", (r, s) -> r.setBrokerId(-1));
    toController("well", ApiKeys.BROKER_HEARTBEAT, (s, v) -> heartbeat(s, 0, true, false));
    toController("old epoch", ApiKeys.BROKER_HEARTBEAT, (s, v) -> heartbeat(s, -1, true, false));
    toController("unfence, far behind", ApiKeys.BROKER_HEARTBEAT, (s, v) -> heartbeat(s, 0, false, false));
    toController("well", ApiKeys.ALLOCATE_PRODUCER_IDS, (s, v) -> new AllocateProducerIdsRequestData()
        .setBrokerId(BROKER).setBrokerEpoch(brokerEpoch[s]));
    toController("no topics", ApiKeys.ASSIGN_REPLICAS_TO_DIRS, (s, v) -> assign(s, null, 0));
    toController("not its replica", ApiKeys.ASSIGN_REPLICAS_TO_DIRS, (s, v) -> assign(s, ordersId[s], 0));
    toController("no such partition", ApiKeys.ASSIGN_REPLICAS_TO_DIRS, (s, v) -> assign(s, ordersId[s], 9));
    toController("no such topic", ApiKeys.ASSIGN_REPLICAS_TO_DIRS, (s, v) -> assign(s, NO_SUCH_ID, 0));
    toController("wants to stop", ApiKeys.BROKER_HEARTBEAT, (s, v) -> heartbeat(s, 0, true, true));
    for (Listener listener : Listener.values()) {
      compare("unregister", listener, ApiKeys.UNREGISTER_BROKER, 0, 0,
          (s, v) -> new UnregisterBrokerRequestData().setBrokerId(BROKER));
      if (listener == Listener.BROKER) registered("registers again", (r, s) -> r);
    }
  }

  static ControllerRegistrationRequestData controller(int id) {
    var request = new ControllerRegistrationRequestData().setControllerId(id).setIncarnationId(INCARNATION);
    request.listeners().add(new ControllerRegistrationRequestData.Listener().setName("CONTROLLER").setHost("127.0.0.1")
        .setPort(9).setSecurityProtocol((short) 0));
    for (var feature : versions[KAFKA].supportedFeatures()) {
      request.features().add(new ControllerRegistrationRequestData.Feature().setName(feature.name())
          .setMinSupportedVersion(feature.minVersion()).setMaxSupportedVersion(feature.maxVersion()));
    }
    return request;
  }

  static void controllers() throws IOException {
    toController("negative id", ApiKeys.CONTROLLER_REGISTRATION, (s, v) -> controller(-1));
    toController("another controller", ApiKeys.CONTROLLER_REGISTRATION, (s, v) -> controller(7));
    toController("without listeners", ApiKeys.CONTROLLER_REGISTRATION, (s, v) -> {
      var request = controller(8);
      request.listeners().clear();
      return request;
    });
  }

  // ---- the quorum --------------------------------------------------------------------------------------------

  static final TopicPartition METADATA = new TopicPartition("__cluster_metadata", 0);

  static void quorum() throws IOException {
    for (Listener listener : Listener.values()) {
      compare("the quorum", listener, ApiKeys.DESCRIBE_QUORUM, 0, 2,
          (s, v) -> DescribeQuorumRequest.singletonRequest(METADATA), NodeRequests::withoutNumbers);
      compare("partition 1", listener, ApiKeys.DESCRIBE_QUORUM, 0, 2,
          (s, v) -> DescribeQuorumRequest.singletonRequest(new TopicPartition("__cluster_metadata", 1)));
      compare("nothing", listener, ApiKeys.DESCRIBE_QUORUM, 0, 2, (s, v) -> new DescribeQuorumRequestData());
    }
  }

  /** Offset and epoch of the newest snapshot. */
  static long[] newestSnapshot(int server) throws IOException {
    Path folder = Path.of(System.getProperty(server == KAFKA ? "kafka" : "milena"), "data", "__cluster_metadata-0");
    for (int attempt = 0; attempt < 400; attempt++) {
      try (var files = Files.list(folder)) {
        var name = files.map(path -> path.getFileName().toString())
            .filter(path -> path.matches("\\d{20}-\\d{10}\\.checkpoint") && !path.startsWith("0".repeat(20)))
            .max(String::compareTo);
        if (name.isPresent()) {
          return new long[] {Long.parseLong(name.get().substring(0, 20)), Long.parseLong(name.get().substring(21, 31))};
        }
      }
      java.util.concurrent.locks.LockSupport.parkNanos(50_000_000);
    }
    throw new IllegalStateException("no snapshot in " + folder);
  }

  static String snapshotText(ApiMessage answer) {
    var response = (FetchSnapshotResponseData) answer;
    StringBuilder text = new StringBuilder("errorCode=" + response.errorCode());
    for (var topic : response.topics()) {
      for (var one : topic.partitions()) {
        int bytes = one.unalignedRecords().sizeInBytes();
        text.append(" [").append(topic.name()).append('-').append(one.index()).append(" errorCode=")
            .append(one.errorCode()).append(" size ").append(one.size() > 0).append(" from ").append(one.position())
            .append(" bytes ").append(bytes > 100 ? "many" : bytes).append(" leader ")
            .append(one.currentLeader().leaderId()).append("]");
      }
    }
    return text.toString();
  }

  static void snapshots() throws IOException {
    FetchRequests.learnEpochs();
    long[][] newest = {newestSnapshot(KAFKA), newestSnapshot(MILENA)};
    for (int limit : new int[] {Integer.MAX_VALUE, 100, 1}) {
      for (long position : new long[] {0, 10}) {
        compare("snapshot from " + position + ", at most " + limit, Listener.CONTROLLER, ApiKeys.FETCH_SNAPSHOT, 0, 1,
            (s, v) -> snapshot(s, newest[s], position, limit), NodeRequests::snapshotText);
      }
    }
    for (long position : new long[] {-1, 1L << 40}) {
      compare("snapshot from " + position, Listener.CONTROLLER, ApiKeys.FETCH_SNAPSHOT, 0, 1,
          (s, v) -> snapshot(s, newest[s], position, 100), answer -> answer == null ? "CLOSED" : text(answer));
    }
  }

  static FetchSnapshotRequestData snapshot(int server, long[] id, long position, int limit) {
    var request = new FetchSnapshotRequestData().setReplicaId(7).setMaxBytes(limit);
    var topic = new FetchSnapshotRequestData.TopicSnapshot().setName("__cluster_metadata");
    topic.partitions().add(new FetchSnapshotRequestData.PartitionSnapshot().setPosition(position)
        .setCurrentLeaderEpoch(FetchRequests.epochs[server])
        .setSnapshotId(new FetchSnapshotRequestData.SnapshotId().setEndOffset(id[0]).setEpoch((int) id[1])));
    request.topics().add(topic);
    return request;
  }

  // ---- the rest ----------------------------------------------------------------------------------------------

  /** A broker gets its first producer ids when they are asked for, and says meanwhile that it is loading. */
  static void awaitProducerIds() throws IOException {
    for (int server : SERVERS) {
      for (int attempt = 0; attempt < 500; attempt++) {
        var answer = (InitProducerIdResponseData) ask(server, Listener.BROKER, ApiKeys.INIT_PRODUCER_ID, (short) 5,
            new InitProducerIdRequestData().setTransactionalId(null));
        if (answer.errorCode() == 0) break;
        java.util.concurrent.locks.LockSupport.parkNanos(20_000_000);
      }
    }
  }

  static void single() throws IOException {
    awaitProducerIds();
    compare("without a transaction", Listener.BROKER, ApiKeys.INIT_PRODUCER_ID, 0, 5,
        (s, v) -> new InitProducerIdRequestData().setTransactionalId(null), NodeRequests::withoutNumbers);
    compare("of what is there", ApiKeys.OFFSET_FOR_LEADER_EPOCH, 2, 4, (s, v) -> {
      var request = new OffsetForLeaderEpochRequestData();
      if (v >= 3) request.setReplicaId(-1);
      var topic = new OffsetForLeaderEpochRequestData.OffsetForLeaderTopic().setTopic("orders");
      topic.partitions().add(new OffsetForLeaderEpochRequestData.OffsetForLeaderPartition().setPartition(0)
          .setCurrentLeaderEpoch(0).setLeaderEpoch(0));
      request.topics().add(topic);
      return request;
    });
    for (int version = 1; version <= 6; version++) {
      TopicRequests.make("gone" + version);
      compared("one that is there", ApiKeys.DELETE_TOPICS, version, (s, v) -> v < 6
          ? new DeleteTopicsRequestData().setTimeoutMs(5000).setTopicNames(List.of("gone" + v))
          : new DeleteTopicsRequestData().setTimeoutMs(5000).setTopics(
              List.of(new DeleteTopicsRequestData.DeleteTopicState().setName("gone" + v))));
    }
    Uuid[] ids = TopicRequests.make("gone-by-id");
    for (String what : List.of("by id", "by id, again")) {
      compared(what, ApiKeys.DELETE_TOPICS, 6, (s, v) -> new DeleteTopicsRequestData().setTimeoutMs(5000).setTopics(
          List.of(new DeleteTopicsRequestData.DeleteTopicState().setName(null).setTopicId(ids[s]))));
    }
  }

  static void all() throws IOException {
    versions();
    single();
    quorum();
    broker();
    snapshots();
  }
}
