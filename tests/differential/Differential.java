// Sends the same requests to Apache Kafka and to Milena and compares the decoded answers. See README.md.
// java Differential KAFKA_PORT KAFKA_CONTROLLER_PORT MILENA_PORT MILENA_CONTROLLER_PORT
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.*;
import org.apache.kafka.common.protocol.*;
import org.apache.kafka.common.requests.*;

public class Differential extends Comparison {
  static final int LEAST_REQUESTS = 400;
  static final int LEAST_BAD_BATCHES = 60;
  static final int LEAST_MUTATIONS = 500;

  // ---- topics ------------------------------------------------------------------------------------------------

  static CreateTopicsRequestData create(String name, int partitions, int replicas) {
    CreateTopicsRequestData request = new CreateTopicsRequestData().setTimeoutMs(10_000);
    request.topics().add(new CreateTopicsRequestData.CreatableTopic().setName(name).setNumPartitions(partitions)
        .setReplicationFactor((short) replicas));
    return request;
  }

  static void makeOrders() throws Exception {
    for (int server : SERVERS) {
      var answer = (CreateTopicsResponseData) ask(server, Listener.BROKER, ApiKeys.CREATE_TOPICS, (short) 7,
          create("orders", 2, 1));
      ordersId[server] = answer.topics().find("orders").topicId();
    }
    Thread.sleep(1000);
  }

  static void topics() throws IOException {
    compare("exists", ApiKeys.CREATE_TOPICS, 2, 7, (s, v) -> create("orders", 2, 1));
    compare("bad name", ApiKeys.CREATE_TOPICS, 2, 7, (s, v) -> create("a b", 2, 1));
    compare("too many replicas", ApiKeys.CREATE_TOPICS, 2, 7, (s, v) -> create("r", 2, 3));
    compare("known and bad name", ApiKeys.METADATA, 0, 13, (s, v) -> new MetadataRequestData()
        .setAllowAutoTopicCreation(v < 4).setTopics(List.of(
            new MetadataRequestData.MetadataRequestTopic().setName("orders"),
            new MetadataRequestData.MetadataRequestTopic().setName("a b"))));
    compare("same, unknown", ApiKeys.CREATE_PARTITIONS, 0, 3, (s, v) -> {
      var request = new CreatePartitionsRequestData().setTimeoutMs(5000).setValidateOnly(true);
      for (String name : List.of("orders", "nothing")) {
        request.topics().add(new CreatePartitionsRequestData.CreatePartitionsTopic().setName(name).setCount(2)
            .setAssignments(null));
      }
      return request;
    });
    compare("bad assignment", ApiKeys.CREATE_PARTITIONS, 0, 3, (s, v) -> {
      var request = new CreatePartitionsRequestData().setTimeoutMs(5000);
      request.topics().add(new CreatePartitionsRequestData.CreatePartitionsTopic().setName("orders").setCount(3)
          .setAssignments(List.of(
              new CreatePartitionsRequestData.CreatePartitionsAssignment().setBrokerIds(List.of(7)))));
      return request;
    });
    compare("unknown, twice", ApiKeys.DELETE_TOPICS, 1, 5, (s, v) -> new DeleteTopicsRequestData()
        .setTimeoutMs(5000).setTopicNames(List.of("nothing", "twice", "twice")));
    for (var topic : List.of(new DeleteTopicsRequestData.DeleteTopicState().setName("nothing"),
        new DeleteTopicsRequestData.DeleteTopicState().setName(null).setTopicId(NO_SUCH_ID),
        new DeleteTopicsRequestData.DeleteTopicState().setName("both").setTopicId(NO_SUCH_ID),
        new DeleteTopicsRequestData.DeleteTopicState().setName(null))) {
      compare(topic.toString(), ApiKeys.DELETE_TOPICS, 6, 6, (s, v) -> new DeleteTopicsRequestData()
          .setTimeoutMs(5000).setTopics(List.of(topic.duplicate())));
    }
    describePartitions("mixed", 2000, null, "orders", "nothing", "a b");
    describePartitions("limit within a topic", 1, null, "orders", "zzz");
    describePartitions("limit between topics", 2, null, "orders", "zzz");
    describePartitions("cursor outside", 2000, "nothing/0", "orders");
    describePartitions("cursor inside", 2000, "orders/1", "orders");
    describePartitions("cursor behind the end", 2000, "orders/9", "orders");
    describePartitions("negative cursor", 2000, "orders/-1", "orders");
  }

  static void describePartitions(String what, int limit, String cursor, String... names) throws IOException {
    compare(what, ApiKeys.DESCRIBE_TOPIC_PARTITIONS, 0, 0, (s, v) -> {
      var request = new DescribeTopicPartitionsRequestData().setResponsePartitionLimit(limit);
      for (String name : names) {
        request.topics().add(new DescribeTopicPartitionsRequestData.TopicRequest().setName(name));
      }
      if (cursor == null) return request;
      String[] place = cursor.split("/");
      return request.setCursor(new DescribeTopicPartitionsRequestData.Cursor().setTopicName(place[0])
          .setPartitionIndex(Integer.parseInt(place[1])));
    });
  }

  // ---- groups ------------------------------------------------------------------------------------------------

  static FindCoordinatorRequestData find(short version, int type, String... keys) {
    var request = new FindCoordinatorRequestData();
    if (version >= 1) request.setKeyType((byte) type);
    return version < 4 ? request.setKey(keys[0]) : request.setCoordinatorKeys(List.of(keys));
  }

  /** The first look-up creates the offsets topic, after which its partitions take a moment to load. */
  static void findCoordinators() throws Exception {
    for (int server : SERVERS) {
      for (int attempt = 0; attempt < 50; attempt++) {
        var answer = (FindCoordinatorResponseData) ask(server, Listener.BROKER, ApiKeys.FIND_COORDINATOR, (short) 0,
            find((short) 0, 0, "g"));
        if (answer.errorCode() == 0) break;
        Thread.sleep(200);
      }
    }
    Thread.sleep(3000);
    for (String key : List.of("g", "", "\u00e9")) {
      compare("group '" + key + "'", ApiKeys.FIND_COORDINATOR, 0, 6, (s, v) -> find(v, 0, key, "another"));
    }
    compare("share", ApiKeys.FIND_COORDINATOR, 1, 5, (s, v) -> find(v, 2, "g"));
    compare("unknown type", ApiKeys.FIND_COORDINATOR, 1, 6, (s, v) -> find(v, 5, "g"));
  }

  static JoinGroupRequestData join(String group, short version) {
    var request = new JoinGroupRequestData().setGroupId(group).setSessionTimeoutMs(10_000).setMemberId("")
        .setProtocolType("consumer");
    if (version >= 1) request.setRebalanceTimeoutMs(10_000);
    var protocols = new JoinGroupRequestData.JoinGroupRequestProtocolCollection();
    protocols.add(new JoinGroupRequestData.JoinGroupRequestProtocol().setName("range")
        .setMetadata(new byte[] {1, 2}));
    return request.setProtocols(protocols);
  }

  static LeaveGroupRequestData leave(String group, short version) {
    var request = new LeaveGroupRequestData().setGroupId(group);
    return version < 3 ? request.setMemberId("m")
        : request.setMembers(List.of(new LeaveGroupRequestData.MemberIdentity().setMemberId("m")));
  }

  static void membership() throws IOException {
    for (String group : List.of("g", "")) {
      compare("group '" + group + "'", ApiKeys.HEARTBEAT, 0, 4,
          (s, v) -> new HeartbeatRequestData().setGroupId(group).setMemberId("m").setGenerationId(1));
      compare("group '" + group + "'", ApiKeys.LEAVE_GROUP, 0, 5, (s, v) -> leave(group, v));
      compare("group '" + group + "'", ApiKeys.SYNC_GROUP, 0, 5, (s, v) -> {
        var request = new SyncGroupRequestData().setGroupId(group).setMemberId("m").setGenerationId(1);
        return v < 5 ? request : request.setProtocolType("consumer").setProtocolName("range");
      });
    }
    compare("no protocol", ApiKeys.SYNC_GROUP, 5, 5,
        (s, v) -> new SyncGroupRequestData().setGroupId("g").setMemberId("m").setGenerationId(1));
    compare("a group of its own", ApiKeys.JOIN_GROUP, 0, 9, (s, v) -> join("joined" + v, v));
    compare("short session", ApiKeys.JOIN_GROUP, 0, 9, (s, v) -> join("short", v).setSessionTimeoutMs(1));
    compare("no group", ApiKeys.JOIN_GROUP, 0, 9, (s, v) -> join("", v));
    compare("unknown member", ApiKeys.JOIN_GROUP, 0, 9, (s, v) -> join("joined" + v, v).setMemberId("x"));
    compare("other protocol", ApiKeys.JOIN_GROUP, 0, 9, (s, v) -> join("joined0", v).setProtocolType("connect"));
    compare("no protocols", ApiKeys.JOIN_GROUP, 0, 9, (s, v) -> join("none", v)
        .setProtocols(new JoinGroupRequestData.JoinGroupRequestProtocolCollection()));
    compare("known, unknown, empty", ApiKeys.DESCRIBE_GROUPS, 0, 6, (s, v) -> new DescribeGroupsRequestData()
        .setGroups(List.of("joined0", "nothing", "")).setIncludeAuthorizedOperations(v >= 3));
    compare("all", ApiKeys.LIST_GROUPS, 0, 5, (s, v) -> new ListGroupsRequestData());
    compare("by state", ApiKeys.LIST_GROUPS, 4, 5,
        (s, v) -> new ListGroupsRequestData().setStatesFilter(List.of("stable", "CompletingRebalance")));
    for (String type : List.of("Classic", "nonsense")) {
      compare("by type " + type, ApiKeys.LIST_GROUPS, 5, 5,
          (s, v) -> new ListGroupsRequestData().setTypesFilter(List.of(type)));
    }
  }

  static OffsetCommitRequestData commit(String group, int server, short version) {
    var request = new OffsetCommitRequestData().setGroupId(group);
    for (boolean known : new boolean[] {true, false}) {
      var topic = new OffsetCommitRequestData.OffsetCommitRequestTopic();
      if (version < 10) topic.setName(known ? "orders" : "nothing");
      else topic.setTopicId(known ? ordersId[server] : NO_SUCH_ID);
      for (int partition : new int[] {0, 9}) {
        topic.partitions().add(new OffsetCommitRequestData.OffsetCommitRequestPartition()
            .setPartitionIndex(partition).setCommittedOffset(5).setCommittedMetadata("note"));
      }
      request.topics().add(topic);
    }
    return request;
  }

  static OffsetFetchRequestData fetchOffsets(String group, boolean all, int server, short version) {
    var request = new OffsetFetchRequestData();
    List<Integer> partitions = List.of(0, 1, 9);
    if (version < 8) {
      request.setGroupId(group);
      if (all && version >= 2) return request.setTopics(null);
      for (String name : List.of("orders", "nothing")) {
        request.topics().add(new OffsetFetchRequestData.OffsetFetchRequestTopic().setName(name)
            .setPartitionIndexes(partitions));
      }
      return request;
    }
    var asked = new OffsetFetchRequestData.OffsetFetchRequestGroup().setGroupId(group);
    if (all) {
      asked.setTopics(null);
    } else {
      for (boolean known : new boolean[] {true, false}) {
        var topic = new OffsetFetchRequestData.OffsetFetchRequestTopics().setPartitionIndexes(partitions);
        if (version < 10) topic.setName(known ? "orders" : "nothing");
        else topic.setTopicId(known ? ordersId[server] : NO_SUCH_ID);
        asked.topics().add(topic);
      }
    }
    request.groups().add(asked);
    return request;
  }

  static OffsetDeleteRequestData deleteOffsets(String group) {
    var request = new OffsetDeleteRequestData().setGroupId(group);
    for (String name : List.of("orders", "nothing")) {
      var topic = new OffsetDeleteRequestData.OffsetDeleteRequestTopic().setName(name);
      for (int partition : new int[] {0, 9}) {
        topic.partitions().add(new OffsetDeleteRequestData.OffsetDeleteRequestPartition()
            .setPartitionIndex(partition));
      }
      request.topics().add(topic);
    }
    return request;
  }

  static void offsets() throws IOException {
    for (String group : List.of("simple", "joined0", "")) {
      compare("group '" + group + "'", ApiKeys.OFFSET_COMMIT, 2, 10, (s, v) -> commit(group, s, v));
    }
    compare("with a generation", ApiKeys.OFFSET_COMMIT, 2, 10,
        (s, v) -> commit("members", s, v).setGenerationIdOrMemberEpoch(3).setMemberId("m"));
    for (boolean all : new boolean[] {false, true}) {
      for (String group : List.of("simple", "nothing", "")) {
        compare("group '" + group + "'", ApiKeys.OFFSET_FETCH, 1, 10, (s, v) -> fetchOffsets(group, all, s, v));
      }
    }
    for (String group : List.of("simple", "nothing", "")) {
      compare("group '" + group + "'", ApiKeys.OFFSET_DELETE, 0, 0, (s, v) -> deleteOffsets(group));
    }
    compare("members, unknown, twice", ApiKeys.DELETE_GROUPS, 0, 2,
        (s, v) -> new DeleteGroupsRequestData().setGroupsNames(List.of("joined0", "nothing", "joined0")));
  }

  // ---- producers, cluster, controller ------------------------------------------------------------------------

  static void producers() throws IOException {
    compare("half an identity", ApiKeys.INIT_PRODUCER_ID, 3, 5,
        (s, v) -> new InitProducerIdRequestData().setTransactionalId(null).setProducerId(4));
    compare("empty transactional id", ApiKeys.INIT_PRODUCER_ID, 0, 5,
        (s, v) -> new InitProducerIdRequestData().setTransactionalId(""));
    int[][] questions = {{0, -1, 0}, {0, -1, 5}, {0, 0, 0}, {0, 3, 0}, {1, -1, -1}, {9, -1, 0}};
    compare("epochs", ApiKeys.OFFSET_FOR_LEADER_EPOCH, 2, 4, (s, v) -> {
      var request = new OffsetForLeaderEpochRequestData();
      if (v >= 3) request.setReplicaId(-1);
      for (String name : List.of("orders", "nothing")) {
        var topic = new OffsetForLeaderEpochRequestData.OffsetForLeaderTopic().setTopic(name);
        for (int[] question : questions) {
          topic.partitions().add(new OffsetForLeaderEpochRequestData.OffsetForLeaderPartition()
              .setPartition(question[0]).setCurrentLeaderEpoch(question[1]).setLeaderEpoch(question[2]));
        }
        request.topics().add(topic);
      }
      return request;
    });
  }

  static void cluster() throws IOException {
    for (Listener listener : Listener.values()) {
      for (int type : new int[] {1, 2, 5}) {
        compare("endpoint type " + type, listener, ApiKeys.DESCRIBE_CLUSTER, 0, 2, (s, v) -> {
          var request = new DescribeClusterRequestData().setIncludeClusterAuthorizedOperations(true);
          return v < 1 ? request : request.setEndpointType((byte) type);
        });
      }
      compare("another topic", listener, ApiKeys.DESCRIBE_QUORUM, 0, 2,
          (s, v) -> DescribeQuorumRequest.singletonRequest(new TopicPartition("orders", 0)));
    }
    Listener controller = Listener.CONTROLLER;
    compare("foreign cluster", controller, ApiKeys.BROKER_REGISTRATION, 0, 4, (s, v) ->
        new BrokerRegistrationRequestData().setBrokerId(5).setClusterId("other").setIncarnationId(new Uuid(1, 1)));
    compare("unknown broker", controller, ApiKeys.BROKER_HEARTBEAT, 0, 2,
        (s, v) -> new BrokerHeartbeatRequestData().setBrokerId(5).setBrokerEpoch(3));
    compare("unknown broker", controller, ApiKeys.ALLOCATE_PRODUCER_IDS, 0, 0,
        (s, v) -> new AllocateProducerIdsRequestData().setBrokerId(5).setBrokerEpoch(3));
    compare("unknown broker", controller, ApiKeys.ASSIGN_REPLICAS_TO_DIRS, 0, 0,
        (s, v) -> new AssignReplicasToDirsRequestData().setBrokerId(5).setBrokerEpoch(3));
    compare("unknown broker", ApiKeys.UNREGISTER_BROKER, 0, 0,
        (s, v) -> new UnregisterBrokerRequestData().setBrokerId(5));
  }

  // ---- configurations ----------------------------------------------------------------------------------------

  static final int TOPIC = 2;
  static final int BROKER = 4;
  static final int LOGGER = 8;
  static final int METRICS = 16;
  static final int GROUP = 32;
  static final int SET = 0;
  static final int DELETE = 1;
  static final int APPEND = 2;
  static final int SUBTRACT = 3;

  static void describe(Listener listener, int type, String name) throws IOException {
    compare(type + "/" + name, listener, ApiKeys.DESCRIBE_CONFIGS, 1, 4, (s, v) -> {
      var request = new DescribeConfigsRequestData().setIncludeSynonyms(true);
      request.resources().add(new DescribeConfigsRequestData.DescribeConfigsResource()
          .setResourceType((byte) type).setResourceName(name).setConfigurationKeys(null));
      return request;
    });
  }

  static void alter(Listener listener, int type, String name, String key, int operation, String value)
      throws IOException {
    compare(type + "/" + name + " " + key + " " + operation + " " + value, listener,
        ApiKeys.INCREMENTAL_ALTER_CONFIGS, 0, 1, (s, v) -> {
          var resource = new IncrementalAlterConfigsRequestData.AlterConfigsResource()
              .setResourceType((byte) type).setResourceName(name);
          resource.configs().add(new IncrementalAlterConfigsRequestData.AlterableConfig().setName(key)
              .setConfigOperation((byte) operation).setValue(value));
          var request = new IncrementalAlterConfigsRequestData();
          request.resources().add(resource);
          return request;
        });
  }

  static void configs(Listener listener) throws IOException {
    for (String name : List.of("orders", "nothing", "a b")) describe(listener, TOPIC, name);
    for (String name : List.of("", "2", "x")) describe(listener, BROKER, name);
    for (String name : List.of("", "2", "x")) describe(listener, LOGGER, name);
    for (int type : new int[] {METRICS, GROUP}) {
      for (String name : List.of("one", "")) describe(listener, type, name);
    }
    for (int type : new int[] {0, 7}) describe(listener, type, "unknown type");

    alter(listener, TOPIC, "orders", "no.such.key", SET, "1");
    alter(listener, TOPIC, "orders", "retention.ms", SET, "soon");
    alter(listener, TOPIC, "orders", "retention.ms", APPEND, "1");
    alter(listener, TOPIC, "nothing", "retention.ms", SET, "1");
    alter(listener, TOPIC, "", "retention.ms", SET, "1");
    alter(listener, TOPIC, "orders", "cleanup.policy", APPEND, "compact");
    describe(listener, TOPIC, "orders");
    alter(listener, TOPIC, "orders", "cleanup.policy", SUBTRACT, "delete");
    alter(listener, TOPIC, "orders", "cleanup.policy", DELETE, null);
    alter(listener, BROKER, "1", "log.cleaner.threads", SET, "2");
    alter(listener, BROKER, "", "log.cleaner.threads", SET, "1");
    alter(listener, BROKER, "2", "log.cleaner.threads", SET, "2");
    alter(listener, BROKER, "x", "log.cleaner.threads", SET, "2");
    alter(listener, BROKER, "1", "log.cleaner.threads", APPEND, "2");
    alter(listener, BROKER, "1", "no.such.key", APPEND, "2");
    alter(listener, BROKER, "1", "min.insync.replicas", SET, "2");
    alter(listener, BROKER, "", "min.insync.replicas", DELETE, null);
    alter(listener, BROKER, "", "min.insync.replicas", SET, "1");
    alter(listener, METRICS, "one", "interval.ms", SET, "1");
    alter(listener, METRICS, "one", "interval.ms", SET, "60000");
    alter(listener, METRICS, "one", "no.such.key", SET, "1");
    alter(listener, METRICS, "", "interval.ms", SET, "60000");
    alter(listener, GROUP, "one", "consumer.session.timeout.ms", SET, "1");
    alter(listener, GROUP, "one", "consumer.session.timeout.ms", SET, "50000");
    alter(listener, GROUP, "one", "no.such.key", SET, "1");
    alter(listener, GROUP, "", "consumer.session.timeout.ms", SET, "50000");
    alter(listener, 7, "unknown type", "a", SET, "b");
  }

  /** What Kafka's controllers take without a look, or what makes them resign: only brokers are asked. */
  static void brokersOwnConfigs() throws IOException {
    alter(Listener.BROKER, TOPIC, "orders", "retention.ms", SET, null);
    alter(Listener.BROKER, BROKER, "1", "log.dirs", SET, "/elsewhere");
    alter(Listener.BROKER, BROKER, "1", "log.cleaner.threads", SET, "x");
    alter(Listener.BROKER, BROKER, "", "num.partitions", SET, "x");
    alter(Listener.BROKER, BROKER, "1", "no.such.key", SET, "2");
    compare("the same key twice", ApiKeys.INCREMENTAL_ALTER_CONFIGS, 0, 1, (s, v) -> {
      var resource = new IncrementalAlterConfigsRequestData.AlterConfigsResource().setResourceType((byte) TOPIC)
          .setResourceName("orders");
      for (int operation : new int[] {SET, DELETE}) {
        resource.configs().add(new IncrementalAlterConfigsRequestData.AlterableConfig().setName("retention.ms")
            .setValue("1").setConfigOperation((byte) operation));
      }
      var request = new IncrementalAlterConfigsRequestData();
      request.resources().add(resource);
      return request;
    });
  }

  static void everything() throws Exception {
    makeOrders();
    DataRequests.all();
    FetchRequests.all();
    TopicRequests.all();
    topics();
    findCoordinators();
    compare("transactional", ApiKeys.FIND_COORDINATOR, 1, 6, (s, v) -> find(v, 1, "t"));
    membership();
    offsets();
    producers();
    LogRequests.all();
    LogDirRequests.all();
    cluster();
    for (Listener listener : Listener.values()) configs(listener);
    brokersOwnConfigs();
    NodeRequests.all();
    ControllerRequests.all();
    NodeRequests.controllers();  // last: features cannot be changed past a controller that is not there
    AlteringRequests.all();
    DynamicKeyRequests.all();
    DirectoryRequests.all();
    RareErrors.all();
    GroupRequests.all();
    BadBatches.all();
    Names.all();
    Mutations.all();
  }

  /** A part that asks next to nothing is no proof. */
  static List<String> sizes() {
    List<String> result = new ArrayList<>();
    if (Coverage.requests() < LEAST_REQUESTS) result.add("only " + Coverage.requests() + " requests");
    if (BadBatches.cases < LEAST_BAD_BATCHES) result.add("only " + BadBatches.cases + " bad batches");
    if (Mutations.sent() < LEAST_MUTATIONS) result.add("only " + Mutations.sent() + " mutated frames");
    return result;
  }

  /** Four ports; more arguments name the classes that alone shall ask. */
  public static void main(String[] arguments) throws Exception {
    int[] given = Arrays.stream(arguments).limit(4).mapToInt(Integer::parseInt).toArray();
    ports = new int[][] {{given[0], given[1]}, {given[2], given[3]}};
    Path folder = Path.of(System.getProperty("tests"));
    Reviewed.load(folder.resolve("reviewed.txt"));
    List<String> complaints = new ArrayList<>();
    if (arguments.length > 4) {
      makeOrders();
      findCoordinators();
      for (String part : Arrays.copyOfRange(arguments, 4, arguments.length)) {
        Class.forName(part).getDeclaredMethod("all").invoke(null);
        complaints.addAll(Coverage.complaints(folder.resolve("reachable.txt"), part));
      }
    } else {
      everything();
      complaints.addAll(Coverage.complaints(folder.resolve("reachable.txt")));
      complaints.addAll(sizes());
      complaints.addAll(Reviewed.complaints(folder.resolve("../../docs/compatibility.md")));
    }
    for (String complaint : complaints) System.out.println(complaint);
    System.out.println(Coverage.requests() + " requests: " + equal + " answers equal, " + reviewed
        + " differ as reviewed, " + different + " different, " + complaints.size() + " complaints");
    System.exit(different == 0 && complaints.isEmpty() ? 0 : 1);
  }
}
