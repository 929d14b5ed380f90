// Classic groups from the first member to the last, in every version: what a member is answered when all is well, and
// each refusal on the way.
import java.io.IOException;
import java.net.Socket;
import java.util.List;
import org.apache.kafka.common.message.*;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.requests.RequestHeader;

class GroupRequests extends Comparison {
  static final int SESSION_MS = 30_000;
  static final int HIGHEST_JOIN = 9;

  // By server: who this is, and in which generation.
  static final String[] member = new String[2];
  static final int[] generation = new int[2];
  static String group;
  static String instance;
  static int joinVersion;

  static short upTo(int highest) {
    return (short) Math.min(joinVersion, highest);
  }

  // ---- requests ----------------------------------------------------------------------------------------------

  static JoinGroupRequestData join(String memberId) {
    var request = Differential.join(group, (short) joinVersion).setSessionTimeoutMs(SESSION_MS).setMemberId(memberId);
    return joinVersion < 5 ? request : request.setGroupInstanceId(instance);
  }

  static void joined(String what, String... memberIds) throws IOException {
    ApiMessage[] answers = compared(what, ApiKeys.JOIN_GROUP, joinVersion,
        (s, v) -> join(memberIds.length == 0 ? member[s] : memberIds[0]));
    for (int server : SERVERS) {
      var answer = (JoinGroupResponseData) answers[server];
      if (answer.memberId().isEmpty() || memberIds.length > 1) continue;
      member[server] = answer.memberId();
      generation[server] = answer.generationId();
    }
  }

  static SyncGroupRequestData sync(int server, int step) {
    var request = new SyncGroupRequestData().setGroupId(group).setMemberId(member[server])
        .setGenerationId(generation[server] + step);
    if (upTo(5) >= 3) request.setGroupInstanceId(instance);
    if (upTo(5) >= 5) request.setProtocolType("consumer").setProtocolName("range");
    request.assignments().add(new SyncGroupRequestData.SyncGroupRequestAssignment().setMemberId(member[server])
        .setAssignment(new byte[] {3, 4}));
    return request;
  }

  static void synced(String what, int step) throws IOException {
    compared(what, ApiKeys.SYNC_GROUP, upTo(5), (s, v) -> sync(s, step));
  }

  static HeartbeatRequestData heartbeat(int server, int step) {
    var request = new HeartbeatRequestData().setGroupId(group).setMemberId(member[server])
        .setGenerationId(generation[server] + step);
    return upTo(4) < 3 ? request : request.setGroupInstanceId(instance);
  }

  static void beaten(String what, int step) throws IOException {
    compared(what, ApiKeys.HEARTBEAT, upTo(4), (s, v) -> heartbeat(s, step));
  }

  static OffsetCommitRequestData commit(int server, short version, int step, String note) {
    var request = new OffsetCommitRequestData().setGroupId(group).setMemberId(member[server])
        .setGenerationIdOrMemberEpoch(generation[server] + step);
    if (version >= 7) request.setGroupInstanceId(instance);
    var topic = new OffsetCommitRequestData.OffsetCommitRequestTopic();
    if (version < 10) topic.setName("orders");
    else topic.setTopicId(ordersId[server]);
    topic.partitions().add(new OffsetCommitRequestData.OffsetCommitRequestPartition().setPartitionIndex(0)
        .setCommittedOffset(5).setCommittedMetadata(note));
    request.topics().add(topic);
    return request;
  }

  static void committed(String what, int step, String note) throws IOException {
    int version = Math.max(2, Math.min(joinVersion + 1, 10));
    compared(what, ApiKeys.OFFSET_COMMIT, version, (s, v) -> commit(s, v, step, note));
    if (joinVersion == 0 || joinVersion == HIGHEST_JOIN) {
      for (int other : new int[] {2, 10}) {
        compared(what, ApiKeys.OFFSET_COMMIT, other, (s, v) -> commit(s, v, step, note));
      }
    }
  }

  static void left(String what, String... memberIds) throws IOException {
    compared(what, ApiKeys.LEAVE_GROUP, upTo(5), (s, v) -> {
      String id = memberIds.length == 0 ? member[s] : memberIds[0];
      var request = new LeaveGroupRequestData().setGroupId(group);
      if (v < 3) return request.setMemberId(id);
      var one = new LeaveGroupRequestData.MemberIdentity().setMemberId(id).setGroupInstanceId(instance);
      return request.setMembers(List.of(v < 5 ? one : one.setReason("because")));
    });
  }

  static void described(String what) throws IOException {
    compared(what, ApiKeys.DESCRIBE_GROUPS, upTo(6), (s, v) -> new DescribeGroupsRequestData()
        .setGroups(List.of(group)));
    if (joinVersion > 6) return;
    compared(what + ", newest", ApiKeys.DESCRIBE_GROUPS, 6, (s, v) -> new DescribeGroupsRequestData()
        .setGroups(List.of(group)));
  }

  // ---- lives -------------------------------------------------------------------------------------------------

  static void life() throws IOException {
    group = "life" + joinVersion;
    instance = null;
    joined("life: first", "");
    if (joinVersion >= 4) {
      beaten("life: before the second join", 0);
      joined("life: with the given id");
    }
    described("life: joined");
    beaten("life: joined", 0);
    committed("life: joined", 0, "early");
    synced("life: wrong generation", 1);
    synced("life: synced", 0);
    synced("life: synced again", 0);
    described("life: synced");
    beaten("life: well", 0);
    beaten("life: old generation", -1);
    beaten("life: future generation", 1);
    committed("life: well", 0, "note");
    committed("life: old generation", -1, "note");
    committed("life: note too long", 0, "x".repeat(4097));
    committed("life: longest note", 0, "x".repeat(4096));
    joined("life: joins again");
    synced("life: synced in the second generation", 0);
    joined("life: somebody else", "else", "not me");
    if (joinVersion < 4) pending();
    left("life: a stranger leaves", "stranger");
    left("life: leaves");
    left("life: leaves again");
    beaten("life: gone", 0);
    synced("life: gone", 0);
    committed("life: gone", 0, "note");
    described("life: empty");
  }

  /** A second member waits for the first, which is told so. */
  static void pending() throws IOException {
    Socket[] second = new Socket[2];
    RequestHeader[] headers = new RequestHeader[2];
    for (int server : SERVERS) {
      second[server] = connect(ports[server][0]);
      headers[server] = new RequestHeader(ApiKeys.JOIN_GROUP, (short) joinVersion, "second", correlation++);
      second[server].getOutputStream().write(frame(headers[server], join("")));
      awaitRebalance(server);
    }
    beaten("life: another waits", 0);
    synced("life: another waits", 0);
    committed("life: another waits", 0, "note");
    described("life: another waits");
    left("life: leaves for another");
    String[] texts = new String[2];
    for (int server : SERVERS) {
      var answer = (JoinGroupResponseData) receive(second[server], headers[server]);
      texts[server] = text(answer);
      member[server] = answer.memberId();
      generation[server] = answer.generationId();
      second[server].close();
    }
    judge(ApiKeys.JOIN_GROUP, joinVersion, "life: the second is alone", texts[KAFKA], texts[MILENA]);
    synced("life: the second is alone", 0);
  }

  static void awaitRebalance(int server) throws IOException {
    for (int attempt = 0; attempt < 1000; attempt++) {
      var answer = (HeartbeatResponseData) ask(server, Listener.BROKER, ApiKeys.HEARTBEAT, (short) 0,
          new HeartbeatRequestData().setGroupId(group).setMemberId(member[server])
              .setGenerationId(generation[server]));
      if (answer.errorCode() != 0) return;
      java.util.concurrent.locks.LockSupport.parkNanos(5_000_000);
    }
  }

  static void staticLife() throws IOException {
    group = "static" + joinVersion;
    instance = "instance";
    joined("static: first", "");
    synced("static: synced", 0);
    beaten("static: well", 0);
    committed("static: well", 0, "note");
    described("static: synced");
    String[] old = member.clone();
    joined("static: another with the same instance id", "");
    described("static: replaced");
    String[] present = member.clone();
    System.arraycopy(old, 0, member, 0, 2);
    beaten("static: fenced", 0);
    synced("static: fenced", 0);
    committed("static: fenced", 0, "note");
    left("static: fenced");
    joined("static: fenced, not kept", "somebody", "not me");
    System.arraycopy(present, 0, member, 0, 2);
    instance = "unknown";
    beaten("static: unknown instance", 0);
    committed("static: unknown instance", 0, "note");
    left("static: unknown instance");
    instance = "instance";
    synced("static: synced by the new one", 0);
    left("static: leaves by instance id", "");
    described("static: empty");
  }

  /** Offsets of a group without members. */
  static void simple() throws IOException {
    group = "simple again";
    for (int server : SERVERS) {
      member[server] = "";
      generation[server] = -1;
    }
    instance = null;
    for (joinVersion = 1; joinVersion <= 9; joinVersion++) committed("simple", 0, "note");
  }

  static void all() throws IOException {
    for (joinVersion = 0; joinVersion <= HIGHEST_JOIN; joinVersion++) life();
    for (joinVersion = 5; joinVersion <= HIGHEST_JOIN; joinVersion++) staticLife();
    simple();
    compare("no name", ApiKeys.DELETE_GROUPS, 0, 2,
        (s, v) -> new DeleteGroupsRequestData().setGroupsNames(List.of("")));
  }
}
