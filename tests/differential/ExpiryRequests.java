// Committed offsets that expire, and their groups with them (KIP-211): by the retention that old clients send with a
// commit, and with the topic that was deleted. Both servers look each second (differential_test.py).
import java.io.IOException;
import java.util.List;
import org.apache.kafka.common.message.*;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;

class ExpiryRequests extends Comparison {
  static final int LIMIT_MS = 20_000;

  static OffsetCommitRequestData commit(String group, String topic, long retentionMs) {
    var partition = new OffsetCommitRequestData.OffsetCommitRequestPartition().setPartitionIndex(0)
        .setCommittedOffset(5).setCommittedMetadata("note");
    var to = new OffsetCommitRequestData.OffsetCommitRequestTopic().setName(topic).setPartitions(List.of(partition));
    return new OffsetCommitRequestData().setGroupId(group).setGenerationIdOrMemberEpoch(-1).setMemberId("")
        .setRetentionTimeMs(retentionMs).setTopics(List.of(to));
  }

  static OffsetFetchRequestData all(String group) {
    var request = new OffsetFetchRequestData();
    request.groups().add(new OffsetFetchRequestData.OffsetFetchRequestGroup().setGroupId(group).setTopics(null));
    return request;
  }

  static void fetched(String what, String group) throws IOException {
    compare(what, ApiKeys.OFFSET_FETCH, 8, 9, (s, v) -> all(group));
  }

  static boolean listed(int server, String group) throws IOException {
    var answer = (ListGroupsResponseData) ask(server, Listener.BROKER, ApiKeys.LIST_GROUPS, (short) 4,
        new ListGroupsRequestData());
    return answer.groups().stream().anyMatch(one -> one.groupId().equals(group));
  }

  /** Until the server takes commits. */
  static void awaitCoordinator(int server) throws Exception {
    for (int i = 0; i < 200; i++) {
      var answer = (OffsetCommitResponseData) ask(server, Listener.BROKER, ApiKeys.OFFSET_COMMIT, (short) 8,
          commit("nobody", "no such topic", -1));
      var groups = (ListGroupsResponseData) ask(server, Listener.BROKER, ApiKeys.LIST_GROUPS, (short) 4,
          new ListGroupsRequestData());
      var fetched = (OffsetFetchResponseData) ask(server, Listener.BROKER, ApiKeys.OFFSET_FETCH, (short) 8, all("two topics"));
      boolean ready = groups.errorCode() == 0;
      for (var group : fetched.groups()) ready &= group.errorCode() == 0;
      if (ready && answer != null) break;
      Thread.sleep(100);
    }
  }

  /** Until the group is no more. */
  static void waitGone(String group) throws Exception {
    for (int server : SERVERS) {
      long limit = System.currentTimeMillis() + LIMIT_MS;
      while (listed(server, group)) {
        if (System.currentTimeMillis() > limit) {
          different++;
          System.out.println(group + " never goes: " + (server == KAFKA ? "Kafka" : "Milena"));
          return;
        }
        Thread.sleep(100);
      }
    }
  }

  static void all() throws Exception {
    for (String topic : List.of("orders", "short-lived"))
      compare(topic, ApiKeys.CREATE_TOPICS, 7, 7, (s, v) -> Differential.create(topic, 1, 1));
    compare("expires", ApiKeys.FIND_COORDINATOR, 4, 4, (s, v) -> Differential.find(v, 0, "expires"));
    for (int server : SERVERS) awaitCoordinator(server);
    compare("that expires", ApiKeys.OFFSET_COMMIT, 2, 2, (s, v) -> commit("expires", "orders", 2000));
    compare("that stays", ApiKeys.OFFSET_COMMIT, 3, 3, (s, v) -> commit("stays", "orders", 1_000_000));
    compare("of a topic to be deleted", ApiKeys.OFFSET_COMMIT, 4, 4, (s, v) -> commit("deleted", "short-lived", 1_000_000));
    compare("of two topics", ApiKeys.OFFSET_COMMIT, 4, 4, (s, v) -> commit("two topics", "short-lived", 1_000_000));
    compare("of two topics", ApiKeys.OFFSET_COMMIT, 4, 4, (s, v) -> commit("two topics", "orders", 1_000_000));
    for (String group : List.of("expires", "stays", "deleted", "two topics")) fetched(group + " at first", group);
    compare("short-lived", ApiKeys.DELETE_TOPICS, 5, 5,
        (s, v) -> new DeleteTopicsRequestData().setTopicNames(List.of("short-lived")).setTimeoutMs(10_000));
    waitGone("expires");
    waitGone("deleted");
    for (String group : List.of("expires", "stays", "deleted", "two topics")) fetched(group + " at last", group);
  }
}
