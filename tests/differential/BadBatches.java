// Record batches that are wrong, each in one way, to topics of several configurations: the same error code and the same
// records at fault as from Kafka; and what is accepted all the same is stored as the same bytes.
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.*;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.record.internal.BaseRecords;
import org.apache.kafka.common.record.internal.MemoryRecords;

class BadBatches extends Comparison {
  static final Map<String, Uuid[]> topics = new HashMap<>();
  static int cases = 0;

  interface Change {
    void to(HandmadeBatch batch);
  }

  /** Codes, offsets, and the records at fault; of sentences only whether there is one. */
  static String text(ApiMessage answer) {
    if (answer == null) return "CLOSED";
    List<String> texts = new ArrayList<>();
    for (var topic : ((ProduceResponseData) answer).responses()) {
      for (var one : topic.partitionResponses()) {
        StringBuilder text = new StringBuilder("[errorCode=" + one.errorCode() + ", offset " + (one.baseOffset() >= 0)
            + ", stamped " + (one.logAppendTimeMs() >= 0) + ", start " + one.logStartOffset() + ", at fault");
        for (var record : one.recordErrors()) {
          text.append(' ').append(record.batchIndex()).append(record.batchIndexErrorMessage() != null ? "!" : "");
        }
        texts.add(text + "]");
      }
    }
    return texts.toString();
  }

  /** Where Kafka has a sentence there is one; Milena has more of them. */
  static void checkSentences(String what, ApiMessage[] answers) {
    var told = new ProduceResponseData.PartitionProduceResponse[2];
    for (int server : SERVERS) {
      if (answers[server] == null) return;
      told[server] = ((ProduceResponseData) answers[server]).responses().iterator().next().partitionResponses().get(0);
    }
    if (told[KAFKA].errorCode() != told[MILENA].errorCode()) return;  // compared elsewhere
    if (told[KAFKA].errorMessage() != null && told[MILENA].errorMessage() == null) {
      judge(ApiKeys.PRODUCE, 13, what, "a sentence", "none");
    }
  }

  static void sent(String topic, String what, DataRequests.Batch records) throws IOException {
    cases++;
    Request request = (s, v) -> {
      Uuid[] ids = topics.get(topic);
      return DataRequests.produce(ids == null ? NO_SUCH_ID : ids[s], v, name(topic), 0, -1, records.of(v));
    };
    ApiMessage[] answers = new ApiMessage[2];
    int[] turn = {0};
    for (int version : new int[] {3, 13}) {
      compare("batch: " + what + " to " + topic, Listener.BROKER, ApiKeys.PRODUCE, version, version, request,
          answer -> {
            answers[turn[0]++ % 2] = answer;
            return text(answer);
          });
    }
    checkSentences("batch: " + what, answers);
  }

  static void bad(String topic, String what, HandmadeBatch batch) throws IOException {
    sent(topic, what, v -> HandmadeBatch.joined(batch.bytes()));
  }

  static void bad(String what, Change change) throws IOException {
    HandmadeBatch batch = HandmadeBatch.of(2);
    change.to(batch);
    bad("plain", what, batch);
  }

  static void make(String topic, String... configurations) throws IOException {
    topics.put(topic, TopicRequests.make("bad-" + topic, configurations));
  }

  static String name(String topic) {
    return topics.containsKey(topic) && !topic.startsWith("__") ? "bad-" + topic : topic;
  }

  // ---- where batches begin and end ---------------------------------------------------------------------------

  static byte[] cut(byte[] bytes, int size) {
    return java.util.Arrays.copyOf(bytes, size);
  }

  static void framing() throws IOException {
    byte[] good = HandmadeBatch.of(2).bytes();
    byte[] old = new byte[DataRequests.records(1, "none", 1, DataRequests.NOW).sizeInBytes()];
    DataRequests.records(1, "none", 1, DataRequests.NOW).buffer().get(old);
    sent("plain", "no bytes", v -> MemoryRecords.EMPTY);
    for (int size : new int[] {1, 12, 16, 17, 60, 61, good.length - 1}) {
      sent("plain", "cut to " + (size > 61 ? "all but one" : size), v -> HandmadeBatch.joined(cut(good, size)));
    }
    sent("plain", "16 bytes behind it", v -> HandmadeBatch.joined(good, new byte[16]));
    sent("plain", "17 zeros behind it", v -> HandmadeBatch.joined(good, new byte[17]));
    sent("plain", "100 zeros behind it", v -> HandmadeBatch.joined(good, new byte[100]));
    sent("plain", "half a batch behind it", v -> HandmadeBatch.joined(good, cut(good, 40)));
    sent("plain", "two", v -> HandmadeBatch.joined(good, good));
    sent("plain", "three", v -> HandmadeBatch.joined(good, good, good));
    sent("plain", "an old message behind it", v -> HandmadeBatch.joined(good, old));
    sent("plain", "behind an old message", v -> HandmadeBatch.joined(old, good));
    for (int length : new int[] {Integer.MIN_VALUE, -1, 0, 13, 14, 48, 49, Integer.MAX_VALUE}) {
      bad("length " + length, b -> b.length = length);
    }
    // What stands behind 14 bytes is the next batch: its length begins with the timestamp's low byte, its format is the
    // latest timestamp's. Only with 1 it may be a batch that is not whole, and the first one is looked at.
    for (int low : new int[] {0, 1, 0x7f, 0x80, 0xff}) {
      bad("length 14, timestamp ends with " + low, b -> {
        b.length = 14;
        b.baseTimestamp = b.baseTimestamp & ~0xff | low;
      });
    }
    bad("length one short", b -> b.length = good.length - 13);
    bad("length one long", b -> b.length = good.length - 11);
    for (int magic : new int[] {0, 1}) {
      for (String codec : List.of("none", "gzip")) {
        sent("plain", "format " + magic + ", " + codec,
            v -> DataRequests.records(magic, codec, 2, DataRequests.NOW));
      }
    }
    for (int magic : new int[] {-1, 0, 1, 3, 127}) bad("magic " + magic, b -> b.magic = magic);
  }

  // ---- what the header says ----------------------------------------------------------------------------------

  static void header() throws IOException {
    bad("crc off by a bit", b -> b.crcError = 1);
    bad("crc inverted", b -> b.crcError = -1);
    for (long offset : new long[] {1, -1, Long.MIN_VALUE, Long.MAX_VALUE}) {
      bad("base offset " + offset, b -> b.baseOffset = offset);
    }
    bad("leader epoch 77", b -> b.leaderEpoch = 77);
    for (int delta : new int[] {-1, 0, 5, Integer.MIN_VALUE, Integer.MAX_VALUE}) {
      bad("last offset delta " + delta, b -> b.lastOffsetDelta = delta);
    }
    for (int count : new int[] {-1, 0, 1, 3, Integer.MIN_VALUE, Integer.MAX_VALUE}) {
      bad("count " + count, b -> b.count = count);
    }
    for (int count : new int[] {0, 1, 3, 1000000, Integer.MAX_VALUE, Integer.MIN_VALUE}) {
      bad("count and last delta for " + count, b -> {
        b.count = count;
        b.lastOffsetDelta = count - 1;
      });
    }
    bad("no records", b -> b.records.clear());
    bad("no records, but a last delta", b -> {
      b.records.clear();
      b.lastOffsetDelta = 0;
    });
    for (int codec : new int[] {5, 6, 7}) bad("codec " + codec, b -> b.attributes = codec);
    bad("delete horizon", b -> b.attributes = 0x40);
    bad("unused attributes", b -> b.attributes = 0x7f80);
    bad("all attributes but control", b -> b.attributes = 0xffff & ~0x27);
    bad("control", b -> b.attributes = HandmadeBatch.CONTROL);
    bad("transactional control", b -> b.attributes = HandmadeBatch.CONTROL | HandmadeBatch.TRANSACTIONAL);
    bad("control of a producer", b -> {
      b.attributes = HandmadeBatch.CONTROL | HandmadeBatch.TRANSACTIONAL;
      b.producer = 5;
      b.epoch = 0;
    });
    bad("transactional", b -> b.attributes = HandmadeBatch.TRANSACTIONAL);
    bad("transactional of a producer", b -> {
      b.attributes = HandmadeBatch.TRANSACTIONAL;
      b.producer = 4000;
      b.epoch = 0;
      b.sequence = 0;
    });
    bad("two faults: crc and control", b -> {
      b.crcError = 1;
      b.attributes = HandmadeBatch.CONTROL;
    });
    bad("two faults: base offset and crc", b -> {
      b.crcError = 1;
      b.baseOffset = 1;
    });
    bad("two faults: control and count", b -> {
      b.attributes = HandmadeBatch.CONTROL;
      b.count = 7;
    });
  }

  // ---- producers ---------------------------------------------------------------------------------------------

  static void by(String what, long producer, int epoch, int sequence) throws IOException {
    bad(epoch < 0 && producer >= 0 ? "unseen" : "plain", what, HandmadeBatch.of(2).with(b -> {
      b.producer = producer;
      b.epoch = epoch;
      b.sequence = sequence;
    }));
  }

  static void producers() throws IOException {
    by("no producer, sequence 0", -1, -1, 0);
    by("no producer, epoch and sequence 0", -1, 0, 0);
    by("no producer, epoch 0", -1, 0, -1);
    by("producer -2", -2, 0, 0);
    by("producer 0 without sequence", 0, 0, -1);
    by("a producer without sequence", 3999, 0, -1);
    by("a producer with sequence -2", 3999, 0, -2);
    by("a producer without epoch", 3999, -1, 0);
    by("a producer with epoch -2", 3999, -2, 0);
    by("producer with the largest id", Long.MAX_VALUE, 0, 0);
    by("first at sequence 9", 4001, 1, 9);
    by("the same again", 4001, 1, 9);
    by("overlapping the last", 4001, 1, 10);
    by("a gap", 4001, 1, 12);
    by("before the first", 4001, 1, 3);
    by("an old epoch", 4001, 0, 11);
    by("an old epoch, sequence 0", 4001, 0, 0);
    by("a new epoch, sequence 11", 4001, 2, 11);
    by("a new epoch, sequence 0", 4001, 2, 0);
    by("an old epoch again", 4001, 1, 11);
    by("almost the last sequence", 4002, 0, Integer.MAX_VALUE - 1);
    by("sequences begin again", 4002, 0, 0);
    by("over the last sequence", 4003, 0, Integer.MAX_VALUE);
    by("the second half of it", 4003, 0, 1);
    bad("a producer's wrong crc", b -> {
      b.producer = 4002;
      b.epoch = 0;
      b.sequence = 2;
      b.crcError = 1;
    });
  }

  // ---- records -----------------------------------------------------------------------------------------------

  static byte[] record(int offsetDelta) {
    return HandmadeBatch.RecordBytes.of(offsetDelta, 0, "k", "v");
  }

  /** Batches whose records are wrong. */
  static Map<String, HandmadeBatch> wrongRecords(int codec) {
    Map<String, HandmadeBatch> all = new java.util.LinkedHashMap<>();
    int[][] deltas = {{-1, 0}, {0, -1}, {0, 0}, {1, 0}, {1, 2}, {0, 5}, {0, Integer.MAX_VALUE}};
    for (int[] pair : deltas) {
      all.put("deltas " + pair[0] + " and " + pair[1], HandmadeBatch.of(codec, 0).record(pair[0], 0, "k", "a")
          .record(pair[1], 1, "k", "b"));
    }
    all.put("fewer records than told", HandmadeBatch.of(codec, 2).with(b -> {
      b.count = 3;
      b.lastOffsetDelta = 2;
    }));
    all.put("more records than told", HandmadeBatch.of(codec, 3).with(b -> {
      b.count = 2;
      b.lastOffsetDelta = 1;
    }));
    byte[] whole = record(0);
    byte[] body = java.util.Arrays.copyOfRange(whole, 1, whole.length);
    Map<String, byte[]> single = new java.util.LinkedHashMap<>();
    var bytes = new HandmadeBatch.RecordBytes().raw(toInts(body));
    for (int size : new int[] {-1, 0, 1, body.length - 1, body.length + 1, 1 << 20}) {
      single.put("size " + (size == body.length - 1 ? "one short" : size == body.length + 1 ? "one long" : size),
          bytes.sized(size));
    }
    single.put("unending size", new HandmadeBatch.RecordBytes().raw(255, 255, 255, 255, 255, 255).bytes());
    single.put("a byte in it behind the headers", new HandmadeBatch.RecordBytes().raw(toInts(body)).raw(0)
        .sized(body.length + 1));
    single.put("a byte behind it", new HandmadeBatch.RecordBytes().raw(toInts(whole)).raw(0).bytes());
    single.put("attributes 255", sized(new HandmadeBatch.RecordBytes().raw(255).number(0).number(0).text("k")
        .text("v").number(0)));
    single.put("key beyond the end", sized(new HandmadeBatch.RecordBytes().raw(0).number(0).number(0).number(100)
        .raw('k').text("v").number(0)));
    single.put("key size -2", sized(new HandmadeBatch.RecordBytes().raw(0).number(0).number(0).number(-2)
        .text("v").number(0)));
    single.put("value beyond the end", sized(new HandmadeBatch.RecordBytes().raw(0).number(0).number(0).text("k")
        .number(100).raw('v').number(0)));
    single.put("timestamp delta unending", sized(new HandmadeBatch.RecordBytes().raw(0).raw(255, 255, 255, 255, 255,
        255, 255, 255, 255, 255, 255).number(0).text("k").text("v").number(0)));
    single.put("header count -1", headers(-1));
    single.put("header count 5, none there", headers(5));
    single.put("header count 2^31-1", headers(Integer.MAX_VALUE));
    single.put("header key null", HandmadeBatch.RecordBytes.withHeaders(new HandmadeBatch.RecordBytes().number(1)
        .number(-1).text("v").bytes()));
    single.put("header key not UTF-8", HandmadeBatch.RecordBytes.withHeaders(new HandmadeBatch.RecordBytes()
        .number(1).number(1).raw(255).text("v").bytes()));
    single.put("header value null", HandmadeBatch.RecordBytes.withHeaders(new HandmadeBatch.RecordBytes().number(1)
        .text("h").text(null).bytes()));
    single.forEach((what, record) -> all.put("record with " + what, HandmadeBatch.of(codec, 0)
        .with(b -> b.records.add(record))));
    return all;
  }

  static byte[] headers(int count) {
    return HandmadeBatch.RecordBytes.withHeaders(new HandmadeBatch.RecordBytes().number(count).bytes());
  }

  static byte[] sized(HandmadeBatch.RecordBytes record) {
    return record.sized(record.size());
  }

  static int[] toInts(byte[] bytes) {
    int[] ints = new int[bytes.length];
    for (int i = 0; i < ints.length; i++) ints[i] = bytes[i] & 255;
    return ints;
  }

  static void records() throws IOException {
    for (var one : wrongRecords(0).entrySet()) bad("plain", one.getKey(), one.getValue());
    // Each of them compressed, where the records are looked at: the topic has another codec, or its own timestamps.
    for (String topic : List.of("packed-records", "stamped-records")) {
      for (var one : wrongRecords(3).entrySet()) bad(topic, "compressed: " + one.getKey(), one.getValue());
    }
    for (var one : wrongRecords(1).entrySet()) bad("unseen", "unseen: " + one.getKey(), one.getValue());
  }

  static void codecs() throws IOException {
    for (int codec = 1; codec <= 4; codec++) {
      int id = codec;
      byte[] good = HandmadeBatch.compressed(id, HandmadeBatch.RecordBytes.of(0, 0, "k", "v"));
      Map<String, byte[]> payloads = Map.of("nothing", new byte[0], "zeros", new byte[50],
          "garbage", "no compressed bytes at all, but a text of some length".getBytes(),
          "half", cut(good, good.length / 2), "all but the end", cut(good, good.length - 1));
      for (String topic : List.of(id == 1 ? "unpacked" : "packed", "unseen")) {
        for (String what : new java.util.TreeSet<>(payloads.keySet())) {
          bad(topic, "codec " + id + " with " + what,
              HandmadeBatch.of(id, 1).with(b -> b.payload = payloads.get(what)));
        }
      }
      bad("plain", "codec " + id + " with a wrong crc", HandmadeBatch.of(id, 2).with(b -> b.crcError = 1));
      bad("plain", "codec " + id + " and no records", HandmadeBatch.of(id, 0));
      bad("plain", "codec " + id + " and control", HandmadeBatch.of(id | HandmadeBatch.CONTROL, 1));
    }
    bad("plain", "zstd", HandmadeBatch.of(4, 2));
    for (int version = 4; version <= 8; version++) {
      compare("batch: zstd", Listener.BROKER, ApiKeys.PRODUCE, version, version, (s, v) -> DataRequests.produce(
          topics.get("plain")[s], v, name("plain"), 0, -1, HandmadeBatch.joined(HandmadeBatch.of(4, 2).bytes())),
          BadBatches::text);
    }
  }

  // ---- timestamps --------------------------------------------------------------------------------------------

  static final long HOUR = 3_600_000;

  static void timestamps(String topic, int codec) throws IOException {
    String kind = codec == 0 ? "" : ", compressed";
    for (long age : new long[] {HOUR * 24 * 3, HOUR * 2, -HOUR * 2}) {
      String when = age < 0 ? "from the future" : "old by " + age / HOUR + " hours";
      bad(topic, "all " + when + kind, HandmadeBatch.of(codec, 2).with(b -> b.baseTimestamp -= age));
      bad(topic, "the second " + when + kind, HandmadeBatch.of(codec, 1).record(1, -age, "k", "v"));
      bad(topic, "four of six " + when + kind, HandmadeBatch.of(codec, 1).record(1, -age, "k", "v")
          .record(2, -age, "k", "v").record(3, 0, "k", "v").record(4, -age, "k", "v").record(5, -age, "k", "v"));
    }
    bad(topic, "no timestamps" + kind, HandmadeBatch.of(codec, 0).with(b -> b.baseTimestamp = -1)
        .record(0, 0, "k", "v"));
    bad(topic, "timestamp -2" + kind, HandmadeBatch.of(codec, 0).with(b -> b.baseTimestamp = -2)
        .record(0, 0, "k", "v"));
    bad(topic, "second timestamp -1" + kind, HandmadeBatch.of(codec, 1).record(1, -1 - DataRequests.NOW, "k", "v"));
    bad(topic, "second timestamp -2" + kind, HandmadeBatch.of(codec, 1).record(1, -2 - DataRequests.NOW, "k", "v"));
    bad(topic, "timestamp overflows" + kind, HandmadeBatch.of(codec, 1).record(1, Long.MAX_VALUE, "k", "v")
        .with(b -> b.maxTimestamp = b.baseTimestamp));
    bad(topic, "claims log append time" + kind, HandmadeBatch.of(codec | HandmadeBatch.LOG_APPEND_TIME, 2));
    for (long max : new long[] {-1, 0, DataRequests.NOW + HOUR / 2, DataRequests.NOW + 9 * HOUR}) {
      String what = max > DataRequests.NOW ? "NOW+" + (max - DataRequests.NOW) : "" + max;
      bad(topic, "max timestamp " + what + kind, HandmadeBatch.of(codec, 2).with(b -> b.maxTimestamp = max));
    }
  }

  // ---- keys, sizes, and topics of the system -----------------------------------------------------------------

  static void configured() throws IOException {
    for (int codec : new int[] {0, 1}) {
      String kind = codec == 0 ? "" : ", compressed";
      bad("compact", "one without key" + kind, HandmadeBatch.of(codec, 0).record(0, 0, null, "v"));
      bad("compact", "the second without key" + kind, HandmadeBatch.of(codec, 1).record(1, 0, null, "v"));
      bad("compact", "an empty key" + kind, HandmadeBatch.of(codec, 1).record(1, 0, "", "v"));
      bad("compact", "no value" + kind, HandmadeBatch.of(codec, 1).record(1, 0, "k", null));
      HandmadeBatch many = HandmadeBatch.of(codec, 0);
      for (int i = 0; i < 1200; i++) many.record(i, 0, i % 100 == 0 ? "k" : null, "v");
      bad("compact", "many without key" + kind, many);
      bad("compact", "without key, and one from the future" + kind, HandmadeBatch.of(codec, 0)
          .record(0, 0, null, "v").record(1, 2 * HOUR, "k", "v"));
      bad("compact", "from the future without key" + kind, HandmadeBatch.of(codec, 0).record(0, 2 * HOUR, null, "v"));
      bad("compact", "without key and of another codec" + kind, HandmadeBatch.of(codec == 0 ? 2 : 3, 0)
          .record(0, 0, null, "v"));
      bad("small", "too large" + kind, HandmadeBatch.of(codec, 1).record(1, 0, "k", noise(500)));
      bad("small", "too large when it is packed anew" + kind, HandmadeBatch.of(codec, 0)
          .record(0, 0, "k", "x".repeat(codec == 0 ? 100 : 1000)));
      bad("small", "too large, with a wrong crc" + kind, HandmadeBatch.of(codec, 0).record(0, 0, "k", noise(500))
          .with(b -> b.crcError = 1));
    }
    bad("unpacked", "too large when unpacked", HandmadeBatch.of(1, 0).record(0, 0, "k", "x".repeat(1000)));
    bad("packed", "codec 5", HandmadeBatch.of(2).with(b -> b.attributes = 5));
    bad("packed", "control", HandmadeBatch.of(2).with(b -> b.attributes = HandmadeBatch.CONTROL));
    bad("packed", "of a producer, too old for its epoch", HandmadeBatch.of(2).with(b -> {
      b.producer = 4001;
      b.epoch = 0;
      b.sequence = -1;
    }));
    for (String topic : List.of("__consumer_offsets", "__cluster_metadata", "nothing")) {
      if (topic.startsWith("__") && topics.get(topic) == null) topics.put(topic, idsOf(topic));
      bad(topic, "good", HandmadeBatch.of(2));
      bad(topic, "without key", HandmadeBatch.of(0).record(0, 0, null, "v"));
      bad(topic, "crc off by a bit", HandmadeBatch.of(2).with(b -> b.crcError = 1));
      bad(topic, "magic 3", HandmadeBatch.of(2).with(b -> b.magic = 3));
      sent(topic, "no bytes", v -> MemoryRecords.EMPTY);
      sent(topic, "two", v -> HandmadeBatch.joined(HandmadeBatch.of(1).bytes(), HandmadeBatch.of(1).bytes()));
    }
  }

  static String noise(int size) {
    java.util.Random random = new java.util.Random(7);
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < size; i++) text.append((char) ('!' + random.nextInt(90)));
    return text.toString();
  }

  static Uuid[] idsOf(String topic) throws IOException {
    Uuid[] ids = new Uuid[2];
    for (int server : SERVERS) {
      var answer = (MetadataResponseData) ask(server, Listener.BROKER, ApiKeys.METADATA, (short) 12,
          TopicRequests.metadata((short) 12, topic));
      ids[server] = answer.topics().iterator().next().topicId();
    }
    return ids;
  }

  /** acks that do not exist: which of two faults is told. */
  static void withWrongAcks() throws IOException {
    byte[] good = HandmadeBatch.of(1).bytes();
    Map<String, MemoryRecords> bad = Map.of("none", MemoryRecords.EMPTY, "two", HandmadeBatch.joined(good, good),
        "crc", HandmadeBatch.joined(HandmadeBatch.of(1).with(b -> b.crcError = 1).bytes()));
    for (var one : new java.util.TreeMap<>(bad).entrySet()) {
      for (int acks : new int[] {-2, 2}) {
        compare("batch: " + one.getKey() + ", acks " + acks, Listener.BROKER, ApiKeys.PRODUCE, 3, 13,
            (s, v) -> DataRequests.produce(topics.get("plain")[s], v, name("plain"), 0, acks, one.getValue()),
            BadBatches::text);
      }
    }
  }

  /** A good batch to one partition, another to one that is not there. */
  static void besideOthers() throws IOException {
    HandmadeBatch[] others = {HandmadeBatch.of(1), HandmadeBatch.of(1).with(b -> b.magic = 3),
        HandmadeBatch.of(1).with(b -> b.crcError = 1), HandmadeBatch.of(1).with(b -> b.length = 5)};
    for (HandmadeBatch other : others) {
      for (boolean first : new boolean[] {true, false}) {
        byte[] good = HandmadeBatch.of(1).bytes();
        compare("batch: beside another", Listener.BROKER, ApiKeys.PRODUCE, 3, 13, (s, v) -> {
          var request = DataRequests.produce(topics.get("plain")[s], v, name("plain"), first ? 0 : 7, -1,
              HandmadeBatch.joined(first ? good : other.bytes()));
          request.topicData().iterator().next().partitionData().add(new ProduceRequestData.PartitionProduceData()
              .setIndex(first ? 7 : 0).setRecords(HandmadeBatch.joined(first ? other.bytes() : good)));
          return request;
        }, BadBatches::text);
      }
    }
  }

  // ---- what was accepted -------------------------------------------------------------------------------------

  static FetchRequestData everything(Uuid id) {
    var topic = new FetchRequestData.FetchTopic().setTopicId(id);
    topic.partitions().add(new FetchRequestData.FetchPartition().setPartitionMaxBytes(64 << 20));
    var request = new FetchRequestData().setMaxWaitMs(100).setMinBytes(1).setMaxBytes(64 << 20).setSessionEpoch(-1);
    request.topics().add(topic);
    return request;
  }

  /** Each batch that is there, without the leader's stamps. */
  static String stored(ApiMessage answer) {
    StringBuilder text = new StringBuilder();
    for (var topic : ((FetchResponseData) answer).responses()) {
      for (var one : topic.partitions()) {
        for (var batch : ((MemoryRecords) one.records()).batches()) {
          boolean stamped = batch.timestampType().id == 1;
          text.append("[").append(batch.baseOffset()).append('-').append(batch.lastOffset()).append(" count ")
              .append(batch.countOrNull()).append(' ').append(batch.compressionType()).append(" producer ")
              .append(batch.producerId()).append('/').append(batch.producerEpoch()).append('/')
              .append(batch.baseSequence()).append(" time ").append(stamped ? "stamped" : batch.maxTimestamp())
              .append(batch.isTransactional() ? " transactional" : "").append(" valid ").append(batch.isValid())
              .append("]");
        }
      }
    }
    return text.toString();
  }

  static void all() throws IOException {
    String[] hour = {"message.timestamp.before.max.ms", "" + HOUR, "message.timestamp.after.max.ms", "" + HOUR};
    make("plain");
    make("unseen");
    make("bounded", hour);
    make("compact", "cleanup.policy", "compact");
    make("stamped", "message.timestamp.type", "LogAppendTime");
    make("packed", "compression.type", "gzip");
    make("packed-records", "compression.type", "gzip");
    make("stamped-records", "message.timestamp.type", "LogAppendTime");
    make("small", "compression.type", "snappy", "max.message.bytes", "180");
    make("unpacked", "compression.type", "uncompressed", "max.message.bytes", "180");
    framing();
    header();
    producers();
    records();
    codecs();
    for (String topic : List.of("plain", "bounded", "stamped", "packed")) {
      timestamps(topic, 0);
      timestamps(topic.equals("plain") ? "unseen" : topic, 3);
    }
    configured();
    besideOthers();
    withWrongAcks();
    for (String topic : List.of("plain", "bounded", "compact", "stamped", "small")) {
      compare("batch: what was stored in " + topic, Listener.BROKER, ApiKeys.FETCH, 18, 18,
          (s, v) -> everything(topics.get(topic)[s]), BadBatches::stored);
    }
    System.out.println(cases + " bad batches");
  }
}
