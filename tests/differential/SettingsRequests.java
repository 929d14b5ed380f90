// What servers with other settings refuse (differential_test.py): topics that may not be deleted nor come to be by
// themselves, the defaults of new topics, groups of one member.
import java.io.IOException;
import java.util.List;
import org.apache.kafka.common.message.*;
import org.apache.kafka.common.protocol.ApiKeys;

class SettingsRequests extends Comparison {
  static DeleteTopicsRequestData delete(short version, String... names) {
    var request = new DeleteTopicsRequestData().setTimeoutMs(5000);
    if (version < 6) return request.setTopicNames(List.of(names));
    for (String name : names) request.topics().add(new DeleteTopicsRequestData.DeleteTopicState().setName(name));
    return request;
  }

  static void topics() throws IOException {
    for (Listener listener : Listener.values()) {
      for (String name : List.of("orders", "nothing", "a b")) {
        compare("not allowed: " + name, listener, ApiKeys.DELETE_TOPICS, 1, 6, (s, v) -> delete(v, name));
      }
      compare("not allowed: none", listener, ApiKeys.DELETE_TOPICS, 1, 6, (s, v) -> delete(v));
    }
    for (boolean create : new boolean[] {true, false}) {
      compare("not automatic, " + create, ApiKeys.METADATA, 4, 13, (s, v) -> new MetadataRequestData()
          .setAllowAutoTopicCreation(create).setTopics(List.of(
              new MetadataRequestData.MetadataRequestTopic().setName("nothing"))));
    }
    compare("not automatic", ApiKeys.METADATA, 0, 3, (s, v) -> new MetadataRequestData()
        .setAllowAutoTopicCreation(true).setTopics(List.of(
            new MetadataRequestData.MetadataRequestTopic().setName("nothing"))));
    compare("default partitions", ApiKeys.CREATE_TOPICS, 2, 7, (s, v) -> Differential.create("partitions" + v, -1, 1));
    compare("default replicas", ApiKeys.CREATE_TOPICS, 2, 7, (s, v) -> Differential.create("replicas" + v, 1, -1));
    compare("defaults", ApiKeys.CREATE_TOPICS, 2, 7, (s, v) -> Differential.create("defaults" + v, -1, -1));
  }

  // ---- groups ------------------------------------------------------------------------------------------------

  static void fullGroups() throws IOException {
    compare("the only one", ApiKeys.JOIN_GROUP, 3, 3, (s, v) -> Differential.join("full", v));
    compare("one too many", ApiKeys.JOIN_GROUP, 0, 9, (s, v) -> Differential.join("full", v));
    compare("one too many, with an id", ApiKeys.JOIN_GROUP, 0, 9,
        (s, v) -> Differential.join("full", v).setMemberId("x"));
    compare("one too many, of its own", ApiKeys.JOIN_GROUP, 5, 9,
        (s, v) -> Differential.join("full", v).setGroupInstanceId("instance"));
    compare("full", ApiKeys.DESCRIBE_GROUPS, 6, 6, (s, v) -> new DescribeGroupsRequestData()
        .setGroups(List.of("full")));
    for (String which : List.of("first", "second")) {
      compare("by id, " + which, ApiKeys.JOIN_GROUP, 4, 9, (s, v) -> Differential.join("by id " + v, v));
    }
    compare("own", ApiKeys.JOIN_GROUP, 5, 9, (s, v) -> Differential.join("own " + v, v).setGroupInstanceId("one"));
    compare("own, again", ApiKeys.JOIN_GROUP, 5, 9,
        (s, v) -> Differential.join("own " + v, v).setGroupInstanceId("one"));
    compare("own, another", ApiKeys.JOIN_GROUP, 5, 9,
        (s, v) -> Differential.join("own " + v, v).setGroupInstanceId("two"));
  }

  static void all() throws Exception {
    for (int server : SERVERS) ExpiryRequests.awaitCoordinator(server);
    topics();
    fullGroups();
  }
}
