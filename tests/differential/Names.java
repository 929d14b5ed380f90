// Names that could lead out of a directory, or that look like something else, wherever a name is taken: topics, groups,
// transactions, clients, configuration resources, log directories. differential_test.py checks that no file came
// to be outside the data directories.
import java.io.IOException;
import java.net.Socket;
import java.util.List;
import org.apache.kafka.common.message.*;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.requests.RequestHeader;

class Names extends Comparison {
  static final List<String> STRANGE = List.of(".", "..", "../x", "../../x", "/x", "/etc/passwd", "a/b", "a\\b", "%2e",
      "%2e%2e", "%2e%2e%2fx", "a\0b", "\0", "..\0", "\u00e9", "\u540d\u524d", "\ud83d\ude00", "a b", " ", "a\nb", "~",
      "$HOME", "-x", "name-0", "a:b", "a*", "x".repeat(249), "x".repeat(250), "x".repeat(300), "\u00e9".repeat(125));

  static String shown(String name) {
    String text = name.length() > 40 ? name.substring(0, 3) + "... (" + name.length() + ")" : name;
    return "'" + text.replace("\0", "NUL").replace("\n", "NEWLINE") + "'";
  }

  // ---- topics ------------------------------------------------------------------------------------------------

  static void topic(String name) throws IOException {
    String what = "named " + shown(name);
    for (int version : new int[] {2, 7}) {
      compared(what, ApiKeys.CREATE_TOPICS, version,
          (s, v) -> TopicRequests.create(TopicRequests.topic(name, 1, 1)));
    }
    for (int version : new int[] {0, 13}) {
      compared(what, ApiKeys.METADATA, version, (s, v) -> TopicRequests.metadata(v, name));
    }
    for (int version : new int[] {3, 12}) {
      compared(what, ApiKeys.PRODUCE, version,
          (s, v) -> DataRequests.produce(NO_SUCH_ID, v, name, 7, -1, DataRequests.plain(1)));
    }
    compared(what, ApiKeys.LIST_OFFSETS, 11, (s, v) -> DataRequests.listOffsets(v, 0, -1, -1, name, 7));
    compared(what, ApiKeys.DELETE_RECORDS, 2, (s, v) -> LogRequests.delete(name, 7, 0));
    compared(what, ApiKeys.CREATE_PARTITIONS, 3, (s, v) -> {
      var request = new CreatePartitionsRequestData().setTimeoutMs(5000);
      request.topics().add(new CreatePartitionsRequestData.CreatePartitionsTopic().setName(name).setCount(1)
          .setAssignments(null));
      return request;
    });
    Differential.describePartitions(what, 2000, null, name);
    LogRequests.producers(what, name, 7);
    LogDirRequests.described(what, LogDirRequests.describe(name, LogDirRequests.partitions(7)));
    LogDirRequests.altered(what, s -> "/no/such/directory", name, 7);
    for (int version : new int[] {1, 6}) {
      compared(what, ApiKeys.DELETE_TOPICS, version, (s, v) -> v < 6
          ? new DeleteTopicsRequestData().setTimeoutMs(5000).setTopicNames(List.of(name))
          : new DeleteTopicsRequestData().setTimeoutMs(5000).setTopics(
              List.of(new DeleteTopicsRequestData.DeleteTopicState().setName(name))));
    }
  }

  /** Names that would be one as names of metrics. */
  static void colliding() throws IOException {
    for (String name : List.of("na.me", "na_me", "na.me_", "na.me", "na__me", "na._me")) {
      compared("collides: " + name, ApiKeys.CREATE_TOPICS, 7,
          (s, v) -> TopicRequests.create(TopicRequests.topic(name, 1, 1)));
    }
    compared("collide in one request", ApiKeys.CREATE_TOPICS, 7, (s, v) -> TopicRequests.create(
        TopicRequests.topic("to.gether", 1, 1), TopicRequests.topic("to_gether", 1, 1)));
  }

  // ---- groups and transactions -------------------------------------------------------------------------------

  static void group(String name) throws IOException {
    String what = "named " + shown(name);
    compared(what, ApiKeys.FIND_COORDINATOR, 6, (s, v) -> Differential.find(v, 0, name));
    GroupRequests.group = name;
    GroupRequests.instance = null;
    GroupRequests.joinVersion = 3;
    GroupRequests.joined(what, "");
    GroupRequests.synced(what, 0);
    GroupRequests.beaten(what, 0);
    GroupRequests.committed(what, 0, name);
    GroupRequests.described(what);
    GroupRequests.left(what);
    compared(what, ApiKeys.OFFSET_FETCH, 7, (s, v) -> Differential.fetchOffsets(name, true, s, v));
    compared(what, ApiKeys.OFFSET_DELETE, 0, (s, v) -> Differential.deleteOffsets(name));
    compared(what, ApiKeys.DELETE_GROUPS, 2, (s, v) -> new DeleteGroupsRequestData().setGroupsNames(List.of(name)));
    GroupRequests.joinVersion = 5;
    GroupRequests.group = "strange instance";
    GroupRequests.instance = name;
    GroupRequests.joined("instance " + shown(name), "");
    GroupRequests.left("instance " + shown(name));
  }

  static void transaction(String name) throws IOException {
    String what = "transaction " + shown(name);
    compared(what, ApiKeys.PRODUCE, 12, (s, v) -> DataRequests.produce(NO_SUCH_ID, v, "orders", 0, -1,
        DataRequests.plain(1)).setTransactionalId(name));
    compared(what, ApiKeys.PRODUCE, 12, (s, v) -> DataRequests.produce(NO_SUCH_ID, v, "no-orders", 0, -1,
        DataRequests.plain(1)).setTransactionalId(name));
  }

  // ---- clients -----------------------------------------------------------------------------------------------

  static void client(String name) throws IOException {
    String[] texts = new String[2];
    for (int server : SERVERS) {
      try (Socket connection = connect(ports[server][0])) {
        for (ApiKeys api : List.of(ApiKeys.METADATA, ApiKeys.JOIN_GROUP, ApiKeys.PRODUCE)) {
          short version = api == ApiKeys.JOIN_GROUP ? (short) 3 : 9;
          ApiMessage body = api == ApiKeys.METADATA ? TopicRequests.metadata(version, "orders")
              : api == ApiKeys.JOIN_GROUP ? Differential.join("of a strange client", version)
              : DataRequests.produce(NO_SUCH_ID, version, "orders", 1, -1, DataRequests.plain(1));
          RequestHeader header = new RequestHeader(api, version, name, correlation++);
          connection.getOutputStream().write(frame(header, body));
          ApiMessage answer = receive(connection, header);
          texts[server] = texts[server] + text(answer).replaceAll("baseOffset=\\d+", "");
          if (answer instanceof JoinGroupResponseData joined) {
            GroupRequests.member[server] = joined.memberId();
            texts[server] = texts[server].replaceAll("[^'=, ]*MEMBER", "MEMBER");
            var id = joined.memberId();
            texts[server] = texts[server].replace(id, "MEMBER").replace(id.substring(0, id.length() - 36), "CLIENT-");
            // What stands in front of the drawn part.
            texts[server] = texts[server] + id.substring(0, id.length() - 36);
          }
        }
      } catch (java.io.EOFException | java.net.SocketException closed) {
        texts[server] += "CLOSED";
      }
    }
    judge(ApiKeys.METADATA, 9, "client " + shown(String.valueOf(name)), texts[KAFKA], texts[MILENA]);
    compared("client " + shown(String.valueOf(name)), ApiKeys.LEAVE_GROUP, 1, (s, v) -> new LeaveGroupRequestData()
        .setGroupId("of a strange client").setMemberId(GroupRequests.member[s]));
  }

  // ---- resources ---------------------------------------------------------------------------------------------

  static void resource(String name) throws IOException {
    int[] types = {Differential.TOPIC, Differential.BROKER, Differential.LOGGER, Differential.METRICS,
        Differential.GROUP};
    String[] keys = {"retention.ms", "log.cleaner.threads", "root", "interval.ms", "consumer.session.timeout.ms"};
    String[] values = {"5000", "1", "INFO", "60000", "50000"};
    for (int i = 0; i < types.length; i++) {
      int at = i;
      for (Listener listener : Listener.values()) {
        String what = "resource " + types[i] + " " + shown(name);
        compared(what, listener, ApiKeys.DESCRIBE_CONFIGS, 4, (s, v) -> {
          var request = new DescribeConfigsRequestData();
          request.resources().add(new DescribeConfigsRequestData.DescribeConfigsResource()
              .setResourceType((byte) types[at]).setResourceName(name).setConfigurationKeys(List.of(keys[at])));
          return request;
        }, Comparison::text);
        if (types[i] == Differential.LOGGER && listener == Listener.CONTROLLER) continue;
        for (String value : new String[] {values[i], name}) {
          for (int operation : new int[] {Differential.SET, Differential.DELETE}) {
            compared(what, listener, ApiKeys.INCREMENTAL_ALTER_CONFIGS, 1, (s, v) -> {
              var one = new IncrementalAlterConfigsRequestData.AlterConfigsResource()
                  .setResourceType((byte) types[at]).setResourceName(name);
              one.configs().add(new IncrementalAlterConfigsRequestData.AlterableConfig().setName(keys[at])
                  .setConfigOperation((byte) operation).setValue(operation == Differential.SET ? value : null));
              var request = new IncrementalAlterConfigsRequestData();
              request.resources().add(one);
              return request;
            }, Comparison::text);
          }
        }
      }
    }
    LogDirRequests.altered("directory " + shown(name), s -> name, "orders", 0);
  }

  static void all() throws IOException {
    colliding();
    for (String name : STRANGE) {
      topic(name);
      group(name);
      transaction(name);
      client(name);
      resource(name);
    }
    client(null);
    client("");
    for (String type : List.of("user", "client-id")) {
      for (String name : STRANGE) {
        compared(type + " " + shown(name), ApiKeys.ALTER_CLIENT_QUOTAS, 1, (s, v) -> {
          var entry = ControllerRequests.entity(type, name);
          entry.ops().add(new AlterClientQuotasRequestData.OpData().setKey("producer_byte_rate").setValue(1e6));
          var request = new AlterClientQuotasRequestData();
          request.entries().add(entry);
          return request;
        });
      }
    }
  }
}
