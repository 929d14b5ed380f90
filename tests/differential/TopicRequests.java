// CreateTopics and Metadata in every version, by name and by id: success and what a single node refuses.
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.*;
import org.apache.kafka.common.protocol.ApiKeys;

class TopicRequests extends Comparison {
  /** The ids of a new topic with one partition, by server. */
  /** A new topic of one partition, which both servers serve when this returns. */
  static Uuid[] make(String name, String... configurations) throws IOException {
    Uuid[] ids = new Uuid[2];
    for (int server : SERVERS) {
      CreateTopicsRequestData request = create(topic(name, 1, 1, configurations));
      var answer = (CreateTopicsResponseData) ask(server, Listener.BROKER, ApiKeys.CREATE_TOPICS, (short) 7, request);
      ids[server] = answer.topics().find(name).topicId();
      awaitServed(server, name);
    }
    return ids;
  }

  static void awaitServed(int server, String name) throws IOException {
    for (int attempt = 0; attempt < 1000; attempt++) {
      var answer = (ListOffsetsResponseData) ask(server, Listener.BROKER, ApiKeys.LIST_OFFSETS, (short) 5,
          DataRequests.listOffsets((short) 5, 0, -1, -1, name, 0));
      if (answer.topics().get(0).partitions().get(0).errorCode() == 0) return;
      java.util.concurrent.locks.LockSupport.parkNanos(20_000_000);
    }
    throw new IllegalStateException(name + " is not served by server " + server);
  }

  static CreateTopicsRequestData.CreatableTopic topic(String name, int partitions, int replicas, String... config) {
    var topic = new CreateTopicsRequestData.CreatableTopic().setName(name).setNumPartitions(partitions)
        .setReplicationFactor((short) replicas);
    for (int i = 0; i < config.length; i += 2) {
      topic.configs().add(new CreateTopicsRequestData.CreatableTopicConfig().setName(config[i])
          .setValue(config[i + 1]));
    }
    return topic;
  }

  /** By hand: for each partition its brokers. */
  static CreateTopicsRequestData.CreatableTopic assigned(String name, int partitions, int... partitionsAndBrokers) {
    var topic = topic(name, partitions, partitions);
    for (int i = 0; i < partitionsAndBrokers.length; i += 2) {
      topic.assignments().add(new CreateTopicsRequestData.CreatableReplicaAssignment()
          .setPartitionIndex(partitionsAndBrokers[i]).setBrokerIds(List.of(partitionsAndBrokers[i + 1])));
    }
    return topic;
  }

  static CreateTopicsRequestData create(CreateTopicsRequestData.CreatableTopic... topics) {
    var request = new CreateTopicsRequestData().setTimeoutMs(10_000);
    for (var topic : topics) request.topics().add(topic);
    return request;
  }

  interface Topic {
    CreateTopicsRequestData.CreatableTopic of(short version);
  }

  static void created(String what, int low, Topic topic) throws IOException {
    for (boolean validate : new boolean[] {true, false}) {
      compare(what + (validate ? ", only checked" : ""), ApiKeys.CREATE_TOPICS, low, 7,
          (s, v) -> create(topic.of(v)).setValidateOnly(validate));
    }
  }

  static void creating() throws IOException {
    created("plain", 2, v -> topic("made" + v, 3, 1));
    created("with configurations", 2, v -> topic("configured" + v, 1, 1, "retention.ms", "5000", "cleanup.policy",
        "compact,delete"));
    created("with the defaults", 4, v -> topic("default" + v, -1, -1));
    created("assigned", 2, v -> assigned("assigned" + v, -1, 0, 1, 1, 1));
    created("no partitions", 2, v -> topic("none", 0, 1));
    created("partitions below -1", 2, v -> topic("none", -2, 1));
    created("no replicas", 2, v -> topic("none", 1, 0));
    created("replicas below -1", 2, v -> topic("none", 1, -2));
    created("two replicas", 2, v -> topic("none", 1, 2));
    created("unknown key", 2, v -> topic("none", 1, 1, "no.such.key", "1"));
    created("value of the wrong type", 2, v -> topic("none", 1, 1, "retention.ms", "soon"));
    created("value out of range", 2, v -> topic("none", 1, 1, "retention.ms", "-2"));
    created("configuration null", 2, v -> topic("none", 1, 1, "retention.ms", null));
    created("assigned and counted", 2, v -> assigned("none", 2, 0, 1, 1, 1));
    created("assigned with a gap", 2, v -> assigned("none", -1, 0, 1, 2, 1));
    created("assigned to nobody", 2, v -> assigned("none", -1, 0, 7));
    for (String name : List.of("", ".", "..", "a/b", "x".repeat(249), "x".repeat(250), "__cluster_metadata")) {
      created("name " + (name.length() > 20 ? name.length() + " long" : name), 2, v -> topic(name, 1, 1));
    }
    created("collides", 2, v -> topic("col.lide_d", 1, 1));
    created("with the collision", 2, v -> topic("col_lide.d", 1, 1));
    compare("twice", ApiKeys.CREATE_TOPICS, 2, 7, (s, v) -> create(topic("twice", 1, 1), topic("twice", 2, 1)));
    compare("good and bad", ApiKeys.CREATE_TOPICS, 2, 7,
        (s, v) -> create(topic("good" + v, 1, 1), topic("bad name", 1, 1)));
    compare("nothing", ApiKeys.CREATE_TOPICS, 2, 7, (s, v) -> create());
  }

  // ---- metadata ----------------------------------------------------------------------------------------------

  static MetadataRequestData metadata(short version, Object... topics) {
    List<MetadataRequestData.MetadataRequestTopic> asked = new ArrayList<>();
    for (Object topic : topics) {
      var one = new MetadataRequestData.MetadataRequestTopic();
      if (topic instanceof Uuid id) one.setName(null).setTopicId(id);
      else one.setName((String) topic);
      asked.add(one);
    }
    return new MetadataRequestData().setTopics(asked).setAllowAutoTopicCreation(version < 4);
  }

  static void describing() throws IOException {
    compare("by name", ApiKeys.METADATA, 0, 13, (s, v) -> metadata(v, "orders", "stamped"));
    compare("by name, twice", ApiKeys.METADATA, 0, 13, (s, v) -> metadata(v, "orders", "orders"));
    compare("by name, unknown", ApiKeys.METADATA, 4, 13, (s, v) -> metadata(v, "nothing", "orders"));
    compare("by name, bad", ApiKeys.METADATA, 0, 13, (s, v) -> metadata(v, "a b", "", "x".repeat(250)));
    compare("by id", ApiKeys.METADATA, 10, 13, (s, v) -> metadata(v, ordersId[s]));
    compare("by id, twice", ApiKeys.METADATA, 10, 13, (s, v) -> metadata(v, ordersId[s], ordersId[s]));
    compare("by id, unknown", ApiKeys.METADATA, 10, 13, (s, v) -> metadata(v, ordersId[s], NO_SUCH_ID));
    compare("by id and name", ApiKeys.METADATA, 10, 13, (s, v) -> metadata(v, ordersId[s], "stamped", "nothing"));
    compare("by neither", ApiKeys.METADATA, 10, 13, (s, v) -> metadata(v, Uuid.ZERO_UUID));
    compare("all", ApiKeys.METADATA, 0, 13,
        (s, v) -> new MetadataRequestData().setTopics(v == 0 ? List.of() : null).setAllowAutoTopicCreation(v < 4));
    compare("none", ApiKeys.METADATA, 1, 13, (s, v) -> metadata(v));
    compare("authorized operations", ApiKeys.METADATA, 8, 13, (s, v) -> {
      var request = metadata(v, "orders").setIncludeTopicAuthorizedOperations(true);
      return v > 10 ? request : request.setIncludeClusterAuthorizedOperations(true);
    });
    compare("automatic", ApiKeys.METADATA, 0, 13,
        (s, v) -> metadata(v, "automatic" + v).setAllowAutoTopicCreation(true));
  }

  static void all() throws IOException {
    creating();
    describing();
  }
}
