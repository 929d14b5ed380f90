// What controllers keep and decide: resources, client quotas, elections, reassignments, features.
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.*;
import org.apache.kafka.common.protocol.*;

class ControllerRequests extends Comparison {
  /** Without the topic that Kafka makes for transactions. */
  static String ofSharedTopics(ApiMessage answer) {
    return text(answer).replaceAll("(ReplicaElectionResult\\(topic|ConfigResource\\(resourceName)"
        + "='__transaction_state'[^)]*\\)", "").replace("[, ", "[").replace(", , ", ", ").replace(", ]", "]");
  }

  // ---- resources ---------------------------------------------------------------------------------------------

  static void listResources(String what, int low, int... types) throws IOException {
    Function<ApiMessage, String> toText = ControllerRequests::ofSharedTopics;
    compare(what, Listener.BROKER, ApiKeys.LIST_CONFIG_RESOURCES, low, 1, (s, v) ->
        new ListConfigResourcesRequestData().setResourceTypes(Arrays.stream(types).mapToObj(t -> (byte) t).toList()),
        toText);
  }

  static void resources() throws IOException {
    listResources("any type", 0);
    for (int type : new int[] {0, 1, 2, 4, 7, 8, 16, 32, -1}) listResources("type " + type, 1, type);
    listResources("some types", 1, 32, 2, 32);
    listResources("known and unknown type", 1, 2, 7);
  }

  // ---- client quotas -----------------------------------------------------------------------------------------

  /** `parts`: type, name (null: the default), type, name, ... */
  static AlterClientQuotasRequestData.EntryData entity(String... parts) {
    var entry = new AlterClientQuotasRequestData.EntryData();
    for (int i = 0; i < parts.length; i += 2) {
      entry.entity().add(new AlterClientQuotasRequestData.EntityData().setEntityType(parts[i])
          .setEntityName(parts[i + 1]));
    }
    return entry;
  }

  static AlterClientQuotasRequestData.EntryData set(AlterClientQuotasRequestData.EntryData entry, String key,
      Double value) {
    entry.ops().add(new AlterClientQuotasRequestData.OpData().setKey(key).setValue(value == null ? 0 : value)
        .setRemove(value == null));
    return entry;
  }

  static void alterQuotas(String what, Listener listener, boolean validate,
      AlterClientQuotasRequestData.EntryData... entries) throws IOException {
    compare(what, listener, ApiKeys.ALTER_CLIENT_QUOTAS, 0, 1,
        (s, v) -> new AlterClientQuotasRequestData().setEntries(List.of(entries)).setValidateOnly(validate));
  }

  /** `parts`: type, kind of match, name, ... */
  static void describeQuotas(String what, boolean strict, Object... parts) throws IOException {
    compare(what + (strict ? ", strict" : ""), ApiKeys.DESCRIBE_CLIENT_QUOTAS, 0, 1, (s, v) -> {
      var request = new DescribeClientQuotasRequestData().setStrict(strict);
      for (int i = 0; i < parts.length; i += 3) {
        request.components().add(new DescribeClientQuotasRequestData.ComponentData()
            .setEntityType((String) parts[i]).setMatchType(((Integer) parts[i + 1]).byteValue())
            .setMatch((String) parts[i + 2]));
      }
      return request;
    });
  }

  static final String RATE = "producer_byte_rate";
  static final String CONNECTIONS = "connection_creation_rate";

  static void alterQuotas(Listener listener) throws IOException {
    alterQuotas("user", listener, false, set(set(entity("user", "alice"), RATE, 1000.0), "request_percentage", 12.5));
    alterQuotas("default user", listener, false, set(entity("user", null), RATE, 2000.0));
    alterQuotas("client", listener, false, set(entity("client-id", "c"), "consumer_byte_rate", 3000.0));
    alterQuotas("user and client", listener, false,
        set(entity("user", "alice", "client-id", "c"), RATE, 4000.0),
        set(entity("client-id", null, "user", "alice"), "controller_mutation_rate", 0.5));
    alterQuotas("address", listener, false, set(entity("ip", "10.0.0.1"), CONNECTIONS, 5.0),
        set(entity("ip", null), CONNECTIONS, 6.0), set(entity("ip", "2001:db8::1"), CONNECTIONS, 7.0));
    alterQuotas("removed", listener, false, set(entity("user", "alice"), "request_percentage", null));
    alterQuotas("removed, never set", listener, false, set(entity("user", "bob"), RATE, null));
    alterQuotas("removed, unknown key", listener, false, set(entity("user", "bob"), "no_such_rate", null));
    alterQuotas("only checked", listener, true, set(entity("user", "carol"), RATE, 5.0));
    alterQuotas("nothing", listener, false);
    alterQuotas("no operations", listener, false, entity("user", "dave"));
    alterQuotas("a type twice", listener, false, set(entity("user", "one", "user", "two"), RATE, 5.0));
    alterQuotas("good and bad", listener, false, set(entity("user", "erin"), RATE, 5.0),
        set(set(entity("user", "frank"), RATE, 6.0), "consumer_byte_rate", -1.0));
    alterQuotas("entity twice", listener, false, set(entity("user", "gina"), RATE, 5.0),
        set(entity("user", "gina"), RATE, 6.0));
    alterQuotas("key twice", listener, false, set(set(entity("user", "hans"), RATE, 5.0), RATE, 6.0));

    alterQuotas("no entity", listener, false, set(entity(), RATE, 5.0));
    alterQuotas("unknown type", listener, false, set(entity("group", "g"), RATE, 5.0));
    alterQuotas("empty name", listener, false, set(entity("user", ""), RATE, 5.0));
    alterQuotas("address and user", listener, false, set(entity("ip", "10.0.0.1", "user", "x"), CONNECTIONS, 5.0));
    alterQuotas("address and default client", listener, false,
        set(entity("ip", null, "client-id", null), CONNECTIONS, 5.0));
    for (String address : List.of(":::", "127.1", "[::1]", "1.2.3.4.5.", "::ffff:1.2.3.4")) {
      alterQuotas("address " + address, listener, true, set(entity("ip", address), CONNECTIONS, 5.0));
    }
    alterQuotas("name of a host", listener, true, set(entity("ip", "localhost"), CONNECTIONS, 5.0));
    alterQuotas("unknown key", listener, false, set(entity("user", "x"), "no_such_rate", 5.0));
    alterQuotas("key of users", listener, false, set(entity("ip", "10.0.0.1"), RATE, 5.0));
    alterQuotas("key of addresses", listener, false, set(entity("user", "x"), CONNECTIONS, 5.0));
    for (String key : List.of(RATE, "request_percentage")) {
      for (double value : new double[] {0, -1, 1e-9, 1.5, 1e19, Double.POSITIVE_INFINITY}) {
        alterQuotas(key + " " + value, listener, true, set(entity("user", "x"), key, value));
      }
    }
    for (double value : new double[] {0, 0.5, 2147483647.0, 2147483648.0}) {
      alterQuotas(CONNECTIONS + " " + value, listener, true, set(entity("ip", "10.0.0.1"), CONNECTIONS, value));
    }
    alterQuotas("not a number", listener, true, set(entity("user", "x"), RATE, Double.NaN));
  }

  static void quotas() throws IOException {
    for (Listener listener : Listener.values()) alterQuotas(listener);
    int exact = 0;
    int byDefault = 1;
    int anyOfType = 2;
    for (boolean strict : new boolean[] {false, true}) {
      describeQuotas("all", strict);
      describeQuotas("user", strict, "user", exact, "alice");
      describeQuotas("nobody", strict, "user", exact, "nobody");
      describeQuotas("default user", strict, "user", byDefault, null);
      describeQuotas("users", strict, "user", anyOfType, null);
      describeQuotas("clients", strict, "client-id", anyOfType, null);
      describeQuotas("user's clients", strict, "user", exact, "alice", "client-id", anyOfType, null);
      describeQuotas("user's default client", strict, "user", exact, "alice", "client-id", byDefault, null);
      describeQuotas("users' clients", strict, "user", anyOfType, null, "client-id", anyOfType, null);
      describeQuotas("addresses", strict, "ip", anyOfType, null);
      describeQuotas("address", strict, "ip", exact, "10.0.0.1");
    }
    describeQuotas("empty type", false, "", exact, "x");
    describeQuotas("unknown type", false, "group", exact, "x");
    describeQuotas("type twice", false, "user", exact, "x", "user", anyOfType, null);
    describeQuotas("unknown type twice", false, "group", exact, "x", "group", exact, "x");
    describeQuotas("exact without a name", false, "user", exact, null);
    describeQuotas("default with a name", false, "user", byDefault, "x");
    describeQuotas("type with a name", false, "user", anyOfType, "x");
    describeQuotas("unknown match", false, "user", 3, null);
    describeQuotas("address and user", false, "ip", anyOfType, null, "user", exact, "x");
  }

  // ---- elections and reassignments ---------------------------------------------------------------------------

  /** `parts`: topic, partition, ...; null: all. */
  static void elect(String what, int type, Object... parts) throws IOException {
    Function<ApiMessage, String> toText = ControllerRequests::ofSharedTopics;
    for (Listener listener : Listener.values()) {
      compare(what + ", type " + type, listener, ApiKeys.ELECT_LEADERS, type == 0 ? 0 : 1, 2, (s, v) -> {
        var request = new ElectLeadersRequestData().setTimeoutMs(5000).setElectionType((byte) type);
        if (parts == null) return request.setTopicPartitions(null);
        for (int i = 0; i < parts.length; i += 2) {
          var topic = new ElectLeadersRequestData.TopicPartitions().setTopic((String) parts[i]);
          topic.partitions().add((Integer) parts[i + 1]);
          request.topicPartitions().mustAdd(topic);
        }
        return request;
      }, toText);
    }
  }

  static void elections() throws Exception {
    for (int type : new int[] {0, 1, 2}) {
      elect("not needed and unknown", type, "orders", 0, "orders", 9, "orders", -1, "nothing", 0);
      elect("twice", type, "orders", 0, "orders", 0);
      elect("all", type, (Object[]) null);
      elect("none", type);
    }
    for (Listener listener : Listener.values()) {
      for (boolean named : new boolean[] {false, true}) {
        compare(named ? "named" : "all", listener, ApiKeys.LIST_PARTITION_REASSIGNMENTS, 0, 0, (s, v) -> {
          var request = new ListPartitionReassignmentsRequestData().setTimeoutMs(5000).setTopics(null);
          if (!named) return request;
          return request.setTopics(List.of(
              new ListPartitionReassignmentsRequestData.ListPartitionReassignmentsTopics().setName("orders")
                  .setPartitionIndexes(List.of(0, 1, 9, -1)),
              new ListPartitionReassignmentsRequestData.ListPartitionReassignmentsTopics().setName("nothing")
                  .setPartitionIndexes(List.of(0))));
        });
      }
      compare("none", listener, ApiKeys.LIST_PARTITION_REASSIGNMENTS, 0, 0,
          (s, v) -> new ListPartitionReassignmentsRequestData().setTopics(List.of()));
    }
  }

  static final int GUEST = 5;
  static final long[] guestEpoch = new long[2];

  /** A second broker that only this test plays. It may do less than all features. */
  static void registerGuest() throws IOException {
    for (int server : SERVERS) {
      var cluster = (DescribeClusterResponseData) ask(server, Listener.BROKER, ApiKeys.DESCRIBE_CLUSTER, (short) 0,
          new DescribeClusterRequestData());
      var request = new BrokerRegistrationRequestData().setBrokerId(GUEST).setClusterId(cluster.clusterId())
          .setIncarnationId(new Uuid(8, 8)).setLogDirs(List.of(new Uuid(9, 9)));
      request.listeners().add(new BrokerRegistrationRequestData.Listener().setName("PLAINTEXT").setHost("127.0.0.1")
          .setPort(1).setSecurityProtocol((short) 0));
      for (var feature : features(server).supportedFeatures()) {
        request.features().add(new BrokerRegistrationRequestData.Feature().setName(feature.name())
            .setMinSupportedVersion(feature.minVersion())
            .setMaxSupportedVersion(feature.name().equals("group.version") ? 1 : feature.maxVersion()));
      }
      var answer = (BrokerRegistrationResponseData) ask(server, Listener.CONTROLLER, ApiKeys.BROKER_REGISTRATION,
          (short) 4, request);
      if (answer.errorCode() != 0) throw new IllegalStateException("registration: " + answer);
      guestEpoch[server] = answer.brokerEpoch();
    }
  }

  static void guestIs(boolean alive) throws IOException {
    for (int server : SERVERS) {
      var answer = (BrokerHeartbeatResponseData) ask(server, Listener.CONTROLLER, ApiKeys.BROKER_HEARTBEAT, (short) 1,
          new BrokerHeartbeatRequestData().setBrokerId(GUEST).setBrokerEpoch(guestEpoch[server])
              .setCurrentMetadataOffset(1L << 40).setWantFence(!alive));
      if (answer.errorCode() != 0 || answer.isFenced() == alive) throw new IllegalStateException("guest: " + answer);
    }
  }

  static void visited(String name, List<Integer> replicas) throws IOException {
    for (int server : SERVERS) {
      CreateTopicsRequestData request = Differential.create(name, -1, -1);
      request.topics().find(name).assignments().add(new CreateTopicsRequestData.CreatableReplicaAssignment()
          .setPartitionIndex(0).setBrokerIds(replicas));
      var answer = (CreateTopicsResponseData) ask(server, Listener.BROKER, ApiKeys.CREATE_TOPICS, (short) 7, request);
      if (answer.topics().find(name).errorCode() != 0) throw new IllegalStateException(name + ": " + answer);
    }
  }

  /** Partitions whose preferred leader is the guest, who comes and goes. */
  static void electionsWithAGuest() throws Exception {
    registerGuest();
    guestIs(true);
    visited("visited", List.of(GUEST, 1));
    visited("visitor", List.of(GUEST));
    elect("guest leads", 0, "visited", 0, "visitor", 0);
    guestIs(false);
    for (int type : new int[] {0, 1}) {
      elect("guest gone", type, "visited", 0, "visitor", 0);
      elect("guest gone, all", type, (Object[]) null);
    }
    guestIs(true);
    elect("guest back", 0, "visited", 0, "visitor", 0);
    guestIs(false);
    compare("with a fenced replica", ApiKeys.DELETE_TOPICS, 5, 5, (s, v) -> new DeleteTopicsRequestData()
        .setTimeoutMs(5000).setTopicNames(List.of("visited", "visitor")));
    compare("guest", ApiKeys.UNREGISTER_BROKER, 0, 0,
        (s, v) -> new UnregisterBrokerRequestData().setBrokerId(GUEST));
  }

  // ---- features ----------------------------------------------------------------------------------------------

  static ApiVersionsResponseData features(int server) throws IOException {
    return (ApiVersionsResponseData) ask(server, Listener.BROKER, ApiKeys.API_VERSIONS, (short) 4,
        new ApiVersionsRequestData().setClientSoftwareName("differential").setClientSoftwareVersion("1"));
  }

  static void finalized(String what) throws Exception {
    Thread.sleep(300);  // what the controller has committed is on its way to the broker
    compare(what, Listener.BROKER, ApiKeys.API_VERSIONS, 3, 4, (s, v) -> new ApiVersionsRequestData()
        .setClientSoftwareName("differential").setClientSoftwareVersion("1"),
        answer -> ((ApiVersionsResponseData) answer).finalizedFeatures().toString());
  }

  static final int UPGRADE = 1;
  static final int SAFE = 2;
  static final int UNSAFE = 3;

  /** `parts`: feature, level, upgrade type, ... */
  static void update(String what, int low, boolean validate, Object... parts) throws IOException {
    for (Listener listener : Listener.values()) {
      compare(what, listener, ApiKeys.UPDATE_FEATURES, low, 2, (s, v) -> {
        var request = new UpdateFeaturesRequestData().setTimeoutMs(5000);
        if (v > 0) request.setValidateOnly(validate);
        for (int i = 0; i < parts.length; i += 3) {
          int type = (Integer) parts[i + 2];
          var update = new UpdateFeaturesRequestData.FeatureUpdateKey().setFeature((String) parts[i])
              .setMaxVersionLevel(((Integer) parts[i + 1]).shortValue());
          if (v == 0) update.setAllowDowngrade(type != UPGRADE);
          else update.setUpgradeType((byte) type);
          request.featureUpdates().add(update);
        }
        return request;
      });
    }
  }

  static void updateFeatures() throws Exception {
    String transactions = "transaction.version";
    String elr = "eligible.leader.replicas.version";
    finalized("as formatted");
    update("nothing", 0, false);
    update("as it is", 0, false, transactions, 2, UPGRADE);
    update("as it is, twice", 0, false, transactions, 2, UPGRADE, transactions, 2, UPGRADE);
    update("down without saying so", 0, false, transactions, 1, UPGRADE);
    update("down in v0", 0, true, transactions, 1, SAFE);
    for (String feature : List.of(transactions, "group.version", "share.version", "streams.version")) {
      update(feature + " down, only checked", 1, true, feature, 0, SAFE);
      update(feature + " down", 1, false, feature, 0, SAFE);
      finalized(feature + " down");
      update(feature + " up as a downgrade", 1, false, feature, 1, UNSAFE);
      update(feature + " up", 0, false, feature, feature.equals(transactions) ? 2 : 1, UPGRADE);
      update(feature + " too far", 0, false, feature, 3, UPGRADE);
    }
    update("down unsafely", 1, false, transactions, 1, UNSAFE);
    update("up again", 0, false, transactions, 2, UPGRADE);
    for (int type : new int[] {0, 4, -1}) update("upgrade type " + type, 1, false, transactions, 1, type);
    update("below 0", 0, false, transactions, -1, UNSAFE);
    for (String unknown : List.of("no.such.feature", "test.feature.version", "")) {
      update("unknown '" + unknown + "'", 0, false, unknown, 1, UPGRADE);
      update("unknown '" + unknown + "' at 0", 0, false, unknown, 0, SAFE);
    }
    update("good and bad", 0, false, transactions, 2, UPGRADE, "no.such.feature", 1, UPGRADE);
    update("two", 0, true, transactions, 2, UPGRADE, "group.version", 1, UPGRADE);
    for (int level : new int[] {0, 6, 7, 23, 29, 30, 31, 99}) {
      for (int type : new int[] {UPGRADE, SAFE, UNSAFE}) {
        update("metadata.version " + level + " by " + type, 1, false, "metadata.version", level, type);
      }
    }
    for (int type : new int[] {UPGRADE, SAFE, UNSAFE}) {
      update("kraft.version as it is, by " + type, 1, false, "kraft.version", 0, type);
      update("kraft.version up by " + type, 1, true, "kraft.version", 1, type);
      update("kraft.version too far", 1, true, "kraft.version", 2, type);
    }

    update("ELR off", 1, false, elr, 0, SAFE);
    finalized("ELR off");
    Differential.alter(Listener.BROKER, Differential.BROKER, "", "min.insync.replicas", Differential.DELETE, null);
    Differential.alter(Listener.BROKER, Differential.BROKER, "1", "min.insync.replicas", Differential.SET, "1");
    update("ELR only checked", 1, true, elr, 1, UPGRADE);
    update("ELR on", 1, false, elr, 1, UPGRADE);
    finalized("ELR on");
    for (String broker : List.of("", "1")) {
      AlteringRequests.describe(Listener.BROKER, Differential.BROKER, broker, "min.insync.replicas");
    }
    Differential.alter(Listener.BROKER, Differential.BROKER, "1", "min.insync.replicas", Differential.SET, "1");
  }

  static void all() throws Exception {
    resources();
    quotas();
    elections();
    electionsWithAGuest();
    updateFeatures();
  }
}
