// AlterConfigs, CreatePartitions, OffsetDelete and DeleteGroups: success and what a single node refuses.
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor;
import org.apache.kafka.clients.consumer.internals.ConsumerProtocol;
import org.apache.kafka.common.message.*;
import org.apache.kafka.common.protocol.ApiKeys;

class AlteringRequests extends Comparison {
  // ---- configurations, the old way ---------------------------------------------------------------------------

  static AlterConfigsRequestData.AlterConfigsResource resource(int type, String name, String... values) {
    var resource = new AlterConfigsRequestData.AlterConfigsResource().setResourceType((byte) type)
        .setResourceName(name);
    for (int i = 0; i < values.length; i += 2) {
      resource.configs().add(new AlterConfigsRequestData.AlterableConfig().setName(values[i]).setValue(values[i + 1]));
    }
    return resource;
  }

  static void replace(Listener listener, boolean validate, AlterConfigsRequestData.AlterConfigsResource... resources)
      throws IOException {
    StringBuilder what = new StringBuilder();
    for (var resource : resources) {
      what.append(resource.resourceType()).append('/').append(resource.resourceName());
      for (var config : resource.configs()) what.append(' ').append(config.name()).append('=').append(config.value());
      what.append(' ');
    }
    compare(what + (validate ? "only checked" : ""), listener, ApiKeys.ALTER_CONFIGS, 0, 2, (s, v) -> {
      var request = new AlterConfigsRequestData().setValidateOnly(validate);
      for (var resource : resources) request.resources().add(resource.duplicate());
      return request;
    });
  }

  /** One key, or all; once what the controller has committed must be everywhere. */
  static void describe(Listener listener, int type, String name, String key) throws Exception {
    Thread.sleep(300);
    compare(type + "/" + name + " " + key, listener, ApiKeys.DESCRIBE_CONFIGS, 1, 4, (s, v) -> {
      var request = new DescribeConfigsRequestData().setIncludeSynonyms(true);
      request.resources().add(new DescribeConfigsRequestData.DescribeConfigsResource().setResourceType((byte) type)
          .setResourceName(name).setConfigurationKeys(key == null ? null : List.of(key)));
      return request;
    });
  }

  static void configs(Listener listener) throws Exception {
    int topic = Differential.TOPIC;
    int broker = Differential.BROKER;
    replace(listener, true, resource(topic, "altered", "retention.ms", "5000"));
    describe(listener, topic, "altered", null);
    replace(listener, false, resource(topic, "altered", "retention.ms", "5000", "cleanup.policy", "delete,compact"));
    describe(listener, topic, "altered", null);
    replace(listener, false, resource(topic, "altered", "retention.ms", "5000", "max.message.bytes", "1000"));
    describe(listener, topic, "altered", null);
    replace(listener, false, resource(topic, "altered"));
    describe(listener, topic, "altered", null);
    replace(listener, false, resource(topic, "altered", "no.such.key", "1"));
    replace(listener, false, resource(topic, "altered", "retention.ms", "soon"));
    replace(listener, false, resource(topic, "altered", "retention.ms", "-2"));
    replace(listener, false, resource(topic, "altered", "min.insync.replicas", "0"));
    replace(listener, false, resource(topic, "nothing", "retention.ms", "5000"));
    replace(listener, false, resource(topic, "", "retention.ms", "5000"));
    replace(listener, false, resource(topic, "altered", "retention.ms", "1"), resource(topic, "nothing"));
    if (listener == Listener.CONTROLLER) {  // Kafka's brokers never answer
      replace(listener, false, resource(topic, "altered", "retention.ms", "1"),
          resource(topic, "altered", "retention.ms", "2"));
    }
    replace(listener, false, resource(topic, "altered"));

    replace(listener, false, resource(broker, "1", "log.cleaner.threads", "2"));
    describe(listener, broker, "1", "log.cleaner.threads");
    replace(listener, false, resource(broker, "1"));
    replace(listener, false, resource(broker, "2", "log.cleaner.threads", "2"));
    replace(listener, false, resource(broker, "x", "log.cleaner.threads", "2"));
    replace(listener, false, resource(broker, "1", "min.insync.replicas", "2"));
    replace(listener, false, resource(broker, "", "log.cleaner.threads", "2"));
    replace(listener, false, resource(broker, "", "min.insync.replicas", "1", "log.cleaner.threads", "2"));
    describe(listener, broker, "", null);
    replace(listener, false, resource(broker, "", "min.insync.replicas", "1"));
    replace(listener, false, resource(Differential.METRICS, "old", "interval.ms", "60000"));
    replace(listener, false, resource(Differential.METRICS, "old", "interval.ms", "1"));
    replace(listener, false, resource(Differential.METRICS, "", "interval.ms", "60000"));
    replace(listener, false, resource(Differential.METRICS, "old"));
    replace(listener, false, resource(Differential.GROUP, "old", "consumer.session.timeout.ms", "50000"));
    replace(listener, false, resource(Differential.GROUP, "old", "consumer.session.timeout.ms", "1"));
    replace(listener, false, resource(Differential.GROUP, "", "consumer.session.timeout.ms", "50000"));
    replace(listener, false, resource(Differential.GROUP, "old"));
    replace(listener, false, resource(7, "unknown type", "a", "b"));
    replace(listener, false, resource(0, "unknown type"));
    replace(listener, false);
  }

  /** What Kafka's controllers take without a look, or fail over: only brokers are asked. */
  static void brokersOwnConfigs() throws IOException {
    Listener listener = Listener.BROKER;
    replace(listener, false, resource(Differential.TOPIC, "altered", "retention.ms", null));
    replace(listener, false, resource(Differential.TOPIC, "altered", "retention.ms", "1", "retention.ms", "2"));
    replace(listener, false, resource(Differential.BROKER, "1", "log.dirs", "/elsewhere"));
    replace(listener, false, resource(Differential.BROKER, "1", "log.cleaner.threads", "x"));
    replace(listener, false, resource(Differential.BROKER, "", "num.partitions", "x"));
    replace(listener, false, resource(Differential.BROKER, "1", "no.such.key", "2"));
    for (String name : List.of("1", "", "2", "x")) {
      replace(listener, false, resource(Differential.LOGGER, name, "root", "INFO"));
    }
  }

  // ---- partitions --------------------------------------------------------------------------------------------

  /** `assignments`: the brokers of each new partition; null: the controller places them. */
  static CreatePartitionsRequestData.CreatePartitionsTopic grow(String name, int count, int[]... assignments) {
    var topic = new CreatePartitionsRequestData.CreatePartitionsTopic().setName(name).setCount(count)
        .setAssignments(null);
    if (assignments == null) return topic;
    return topic.setAssignments(java.util.Arrays.stream(assignments)
        .map(brokers -> new CreatePartitionsRequestData.CreatePartitionsAssignment()
            .setBrokerIds(java.util.Arrays.stream(brokers).boxed().toList())).toList());
  }

  interface Growth {
    CreatePartitionsRequestData.CreatePartitionsTopic of(short version);
  }

  static void grow(String what, Growth... topics) throws IOException {
    for (boolean validate : new boolean[] {true, false}) {
      for (Listener listener : Listener.values()) {
        // The second listener finds done what the first one did.
        compare(what + (validate ? ", only checked" : ""), listener, ApiKeys.CREATE_PARTITIONS, 0, 3, (s, v) -> {
          var request = new CreatePartitionsRequestData().setTimeoutMs(10_000).setValidateOnly(validate);
          for (Growth topic : topics) request.topics().add(topic.of(v));
          return request;
        });
      }
    }
  }

  static final int[][] PLACED = null;

  static void partitions() throws IOException {
    TopicRequests.make("grown", "retention.ms", "5000");
    TopicRequests.make("assigned", "retention.ms", "5000");
    grow("placed", v -> grow("grown", 2 + v, PLACED));
    grow("assigned", v -> grow("assigned", 2 + v, new int[] {1}));
    grow("two at once", v -> grow("grown", 7 + 2 * v, PLACED), v -> grow("assigned", 7 + v, PLACED));
    grow("nothing");
    for (int count : new int[] {-1, 0, 1, 5}) grow("down to " + count, v -> grow("grown", count, PLACED));
    grow("unknown", v -> grow("nothing", 3, PLACED));
    grow("no name", v -> grow("", 3, PLACED));
    grow("bad name", v -> grow("a b", 3, PLACED));
    grow("twice", v -> grow("grown", 30, PLACED), v -> grow("grown", 31, PLACED));
    grow("good and bad", v -> grow("grown", 20 + v, PLACED), v -> grow("nothing", 3, PLACED));
    grow("too few assignments", v -> grow("grown", 40, new int[] {1}));
    grow("no assignments", v -> grow("grown", 40, new int[][] {}));
    grow("without replicas", v -> grow("assigned", 11, new int[] {}));
    grow("a replica twice", v -> grow("assigned", 11, new int[] {1, 1}));
    grow("unknown broker", v -> grow("assigned", 11, new int[] {7}));
    grow("negative broker", v -> grow("assigned", 11, new int[] {-1}));
    grow("too many replicas", v -> grow("assigned", 11, new int[] {1, 7}));
    // Kafka's controllers answer an error, and make as many as fit all the same: this is only checked.
    compare("too many partitions", ApiKeys.CREATE_PARTITIONS, 0, 3, (s, v) -> {
      var request = new CreatePartitionsRequestData().setTimeoutMs(10_000).setValidateOnly(true);
      request.topics().add(grow("assigned", 20_000, PLACED));
      return request;
    });
  }

  // ---- groups ------------------------------------------------------------------------------------------------

  static final String[] member = new String[2];

  /** A stable group with one member, who subscribes to "orders". */
  static void join(String group, String protocolType) throws IOException {
    byte[] subscription = bytes(ConsumerProtocol.serializeSubscription(
        new ConsumerPartitionAssignor.Subscription(List.of("orders"))));
    for (int server : SERVERS) {
      var request = Differential.join(group, (short) 3).setProtocolType(protocolType).setSessionTimeoutMs(30_000);
      request.protocols().find("range").setMetadata(subscription);
      var joined = (JoinGroupResponseData) ask(server, Listener.BROKER, ApiKeys.JOIN_GROUP, (short) 3, request);
      if (joined.errorCode() != 0) throw new IllegalStateException("join: " + joined);
      member[server] = joined.memberId();
      var sync = new SyncGroupRequestData().setGroupId(group).setMemberId(joined.memberId())
          .setGenerationId(joined.generationId());
      sync.assignments().add(new SyncGroupRequestData.SyncGroupRequestAssignment().setMemberId(joined.memberId())
          .setAssignment(new byte[] {1}));
      var synced = (SyncGroupResponseData) ask(server, Listener.BROKER, ApiKeys.SYNC_GROUP, (short) 3, sync);
      if (synced.errorCode() != 0) throw new IllegalStateException("sync: " + synced);
    }
  }

  static byte[] bytes(ByteBuffer buffer) {
    byte[] result = new byte[buffer.remaining()];
    buffer.duplicate().get(result);
    return result;
  }

  static void leave(String group) throws IOException {
    for (int server : SERVERS) {
      ask(server, Listener.BROKER, ApiKeys.LEAVE_GROUP, (short) 0,
          new LeaveGroupRequestData().setGroupId(group).setMemberId(member[server]));
    }
  }

  static void commit(String group) throws IOException {
    for (int server : SERVERS) {
      var request = new OffsetCommitRequestData().setGroupId(group);
      for (String name : List.of("orders", "grown")) {
        var topic = new OffsetCommitRequestData.OffsetCommitRequestTopic().setName(name);
        topic.partitions().add(new OffsetCommitRequestData.OffsetCommitRequestPartition().setPartitionIndex(0)
            .setCommittedOffset(5));
        request.topics().add(topic);
      }
      ask(server, Listener.BROKER, ApiKeys.OFFSET_COMMIT, (short) 8, request);
    }
  }

  static void deleteOffsets(String what, String group, String... topics) throws IOException {
    compare(what, ApiKeys.OFFSET_DELETE, 0, 0, (s, v) -> {
      var request = new OffsetDeleteRequestData().setGroupId(group);
      for (String name : topics) {
        var topic = new OffsetDeleteRequestData.OffsetDeleteRequestTopic().setName(name);
        for (int partition : new int[] {0, 1, 9, -1}) {
          topic.partitions().add(new OffsetDeleteRequestData.OffsetDeleteRequestPartition()
              .setPartitionIndex(partition));
        }
        request.topics().add(topic);
      }
      return request;
    });
    compare(what, ApiKeys.OFFSET_FETCH, 5, 5, (s, v) -> new OffsetFetchRequestData().setGroupId(group)
        .setTopics(null));
  }

  static void delete(String what, int low, int high, String... groups) throws IOException {
    compare(what, ApiKeys.DELETE_GROUPS, low, high,
        (s, v) -> new DeleteGroupsRequestData().setGroupsNames(List.of(groups)));
  }

  static void groups() throws IOException {
    commit("emptied");
    deleteOffsets("known, unknown", "emptied", "orders", "nothing", "");
    deleteOffsets("no topics", "emptied");
    deleteOffsets("the rest", "emptied", "grown");
    deleteOffsets("of what has none left", "emptied", "grown");
    for (String group : List.of("", "never there")) {
      deleteOffsets("group '" + group + "'", group, "orders", "nothing");
      deleteOffsets("group '" + group + "', no topics", group);
    }
    commit("subscribed");
    join("subscribed", "consumer");
    deleteOffsets("subscribed and not", "subscribed", "orders", "grown", "nothing");
    delete("with members", 0, 2, "subscribed", "");
    leave("subscribed");
    deleteOffsets("after it left", "subscribed", "orders");
    commit("workers");
    join("workers", "connect");
    deleteOffsets("members of another kind", "workers", "orders", "grown");
    delete("members of another kind", 0, 2, "workers");
    leave("workers");
    deleteOffsets("of another kind, empty", "workers", "orders");
    delete("mixed", 0, 2, "subscribed", "never there", "", "workers", "subscribed");
    delete("none", 0, 2);
    for (int version = 0; version <= 2; version++) {
      commit("passing");
      delete("offsets only", version, version, "passing");
      delete("gone", version, version, "passing");
      compare("gone", ApiKeys.OFFSET_FETCH, 5, 5, (s, v) -> new OffsetFetchRequestData().setGroupId("passing")
          .setTopics(null));
    }
  }

  static void all() throws Exception {
    TopicRequests.make("altered", "retention.ms", "5000");
    for (Listener listener : Listener.values()) configs(listener);
    brokersOwnConfigs();
    partitions();
    groups();
  }
}
