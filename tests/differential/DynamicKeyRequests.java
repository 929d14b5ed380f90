// Every broker key that may change while a broker runs: changed for all brokers and for one, told with its source and
// what lies beneath, and taken back. And the levels of loggers.
import java.io.IOException;
import java.util.List;
import org.apache.kafka.common.message.*;
import org.apache.kafka.common.protocol.ApiKeys;

class DynamicKeyRequests extends Comparison {
  static final int BROKER = 4;
  static final int LOGGER = 8;
  static final int OF_THE_BROKER = 2;
  static final int OF_ALL_BROKERS = 3;
  static final int AS_IT_WAS = 0;
  static final String[] FOR_ALL_BROKERS = {
    "background.threads=11", "compression.gzip.level=5", "compression.lz4.level=12", "compression.type=lz4",
    "compression.zstd.level=4", "follower.fetch.last.tiered.offset.enable=true",
    "group.consumer.assignment.interval.ms=1001", "log.cleaner.backoff.ms=15001",
    "log.cleaner.dedupe.buffer.size=134217729", "log.cleaner.delete.retention.ms=86400001",
    "log.cleaner.io.buffer.load.factor=0.8", "log.cleaner.io.buffer.size=524289",
    "log.cleaner.io.max.bytes.per.second=1000000.0", "log.cleaner.max.compaction.lag.ms=1000000",
    "log.cleaner.min.cleanable.ratio=0.4", "log.cleaner.min.compaction.lag.ms=1", "log.cleanup.policy=compact,delete",
    "log.flush.interval.messages=1000000", "log.flush.interval.ms=1000000", "log.index.interval.bytes=4097",
    "log.index.size.max.bytes=10485761", "log.message.timestamp.after.max.ms=3600001",
    "log.message.timestamp.before.max.ms=3600001", "log.message.timestamp.type=LogAppendTime", "log.preallocate=true",
    "log.retention.bytes=1000000000", "log.retention.ms=604800001", "log.roll.jitter.ms=1", "log.roll.ms=604800001",
    "log.segment.bytes=1073741822", "log.segment.delete.delay.ms=60001", "max.connection.creation.rate=1000000",
    "max.connections=1000000", "max.connections.per.ip=1000000", "max.connections.per.ip.overrides=127.0.0.9:5",
    "message.max.bytes=1048589", "min.insync.replicas=1", "num.io.threads=9",
    "num.recovery.threads.per.data.dir=3", "num.replica.fetchers=2", "producer.id.expiration.ms=86400001",
    "transaction.partition.verification.enable=false", "unclean.leader.election.enable=true",
    "replica.alter.log.dirs.io.max.bytes.per.second=1000000", "leader.replication.throttled.rate=1000000",
    "follower.replication.throttled.rate=1000000",
  };

  static void alter(int type, String name, String key, int operation, String value) throws IOException {
    alter(Listener.BROKER, type, name, key, operation, value);
  }

  static void alter(Listener listener, int type, String name, String key, int operation, String value)
      throws IOException {
    compare(type + "/" + name + " " + key + " " + operation + " " + value, listener,
        ApiKeys.INCREMENTAL_ALTER_CONFIGS, 1, 1, (s, v) -> {
          var resource = new IncrementalAlterConfigsRequestData.AlterConfigsResource().setResourceType((byte) type)
              .setResourceName(name);
          resource.configs().add(new IncrementalAlterConfigsRequestData.AlterableConfig().setName(key)
              .setConfigOperation((byte) operation).setValue(value));
          var request = new IncrementalAlterConfigsRequestData();
          request.resources().add(resource);
          return request;
        });
  }

  /** By the older request, which replaces all. */
  static void replace(Listener listener, int type, String name, String key, String value) throws IOException {
    compare("all of " + type + "/" + name + " " + key + " " + value, listener, ApiKeys.ALTER_CONFIGS, 2, 2, (s, v) -> {
      var resource = new AlterConfigsRequestData.AlterConfigsResource().setResourceType((byte) type)
          .setResourceName(name);
      resource.configs().add(new AlterConfigsRequestData.AlterableConfig().setName(key).setValue(value));
      var request = new AlterConfigsRequestData();
      request.resources().add(resource);
      return request;
    });
  }

  static void describe(String when, int type, String name, String key) throws IOException {
    compare(key + " " + when, Listener.BROKER, ApiKeys.DESCRIBE_CONFIGS, 4, 4, (s, v) -> {
      var request = new DescribeConfigsRequestData().setIncludeSynonyms(true);
      request.resources().add(new DescribeConfigsRequestData.DescribeConfigsResource().setResourceType((byte) type)
          .setResourceName(name).setConfigurationKeys(List.of(key)));
      return request;
    });
  }

  /** Both servers take changes over some time after they answer: until the key's value is from `source`. */
  static void settle(String key, int source) throws Exception {
    for (int server : SERVERS) {
      var request = new DescribeConfigsRequestData();
      request.resources().add(new DescribeConfigsRequestData.DescribeConfigsResource().setResourceType((byte) BROKER)
          .setResourceName("1").setConfigurationKeys(List.of(key)));
      int seen = -1;
      for (int tries = 0; tries < 1000 && seen != source; tries++) {
        if (tries > 0) Thread.sleep(10);
        var answer = (DescribeConfigsResponseData) ask(server, Listener.BROKER, ApiKeys.DESCRIBE_CONFIGS, (short) 4,
            request);
        var configs = answer.results().get(0).configs();
        seen = configs.isEmpty() ? source : configs.get(0).configSource();
        if (source == AS_IT_WAS && seen > OF_ALL_BROKERS) seen = source;
      }
    }
  }

  static void keys() throws Exception {
    for (String one : FOR_ALL_BROKERS) {
      String key = one.substring(0, one.indexOf('='));
      String value = one.substring(one.indexOf('=') + 1);
      describe("at first", BROKER, "1", key);
      alter(BROKER, "", key, Differential.SET, value);
      settle(key, OF_ALL_BROKERS);
      describe("of all brokers", BROKER, "", key);
      describe("set for all", BROKER, "1", key);
      alter(BROKER, "1", key, Differential.SET, value);
      settle(key, OF_THE_BROKER);
      describe("set for one", BROKER, "1", key);
      alter(BROKER, "", key, Differential.DELETE, null);
      alter(BROKER, "1", key, Differential.DELETE, null);
      settle(key, AS_IT_WAS);
      describe("at last", BROKER, "1", key);
    }
    alter(BROKER, "", "cordoned.log.dirs", Differential.SET, "*");
    alter(BROKER, "1", "cordoned.log.dirs", Differential.SET, "/elsewhere");
    replace(Listener.BROKER, BROKER, "1", "cordoned.log.dirs", "/elsewhere");
    alter(BROKER, "1", "max.connections.per.ip", Differential.SET, "0");
    alter(BROKER, "1", "max.connections.per.ip.overrides", Differential.SET, "127.0.0.1");
    alter(BROKER, "1", "log.cleaner.dedupe.buffer.size", Differential.SET, "1000");
    alter(BROKER, "", "log.cleaner.dedupe.buffer.size", Differential.SET, "1000");
    alter(BROKER, "1", "cordoned.log.dirs", Differential.SET, "*");
    settle("cordoned.log.dirs", OF_THE_BROKER);
    describe("set for one", BROKER, "1", "cordoned.log.dirs");
    alter(BROKER, "1", "cordoned.log.dirs", Differential.DELETE, null);
    settle("cordoned.log.dirs", AS_IT_WAS);
  }

  static void loggers() throws IOException {
    alter(LOGGER, "1", "root", Differential.SET, "WARN");
    describe("warn", LOGGER, "1", "root");
    alter(LOGGER, "1", "root", Differential.SET, "INFO");
    describe("info", LOGGER, "1", "root");
    alter(LOGGER, "1", "root", Differential.SET, "LOUD");
    alter(LOGGER, "1", "root", Differential.DELETE, null);
    alter(LOGGER, "1", "root", Differential.APPEND, "INFO");
    alter(LOGGER, "1", "root", Differential.SUBTRACT, "INFO");
    alter(LOGGER, "1", "no.such.logger", Differential.SET, "INFO");
    alter(LOGGER, "1", "no.such.logger", Differential.DELETE, null);
    alter(LOGGER, "2", "root", Differential.SET, "INFO");
    alter(LOGGER, "x", "root", Differential.SET, "INFO");
    alter(LOGGER, "", "root", Differential.SET, "INFO");
    alter(Listener.CONTROLLER, LOGGER, "1", "root", Differential.SET, "INFO");
    alter(Listener.CONTROLLER, LOGGER, "1", "root", Differential.SET, "LOUD");
    for (Listener listener : Listener.values()) replace(listener, LOGGER, "1", "root", "INFO");
  }

  static void all() throws Exception {
    keys();
    loggers();
  }
}
