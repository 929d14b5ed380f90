// Produce, ListOffsets and OffsetForLeaderEpoch in every version: success and what a single node refuses.
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.message.*;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.record.internal.*;

class DataRequests extends Comparison {
  /** The low byte is always the same: in some broken batches it is read as something else. */
  static final long NOW = System.currentTimeMillis() - 5000 & ~0xff | 0x40;
  static final long FAR_FUTURE = NOW + 2 * 86_400_000L;

  // ---- produce -----------------------------------------------------------------------------------------------

  static MemoryRecords records(int magic, String codec, int count, long timestamp) {
    SimpleRecord[] records = new SimpleRecord[count];
    for (int i = 0; i < count; i++) {
      records[i] = new SimpleRecord(timestamp + i, ("k" + i).getBytes(), ("value " + i).getBytes());
    }
    return MemoryRecords.withRecords((byte) magic, Compression.of(CompressionType.forName(codec)).build(), records);
  }

  static MemoryRecords plain(int count) {
    return records(2, "none", count, NOW);
  }

  static MemoryRecords idempotent(long producer, int epoch, int sequence) {
    return MemoryRecords.withIdempotentRecords(Compression.NONE, producer, (short) epoch, sequence,
        new SimpleRecord(NOW, "k".getBytes(), "a".getBytes()), new SimpleRecord(NOW, "k".getBytes(), "b".getBytes()));
  }

  static MemoryRecords transactional() {
    return MemoryRecords.withTransactionalRecords(Compression.NONE, 700, (short) 0, 0,
        new SimpleRecord(NOW, "k".getBytes(), "a".getBytes()));
  }

  /** Two batches where one is allowed. */
  static MemoryRecords twoBatches() {
    ByteBuffer one = plain(1).buffer();
    ByteBuffer two = ByteBuffer.allocate(one.remaining() * 2).put(one.duplicate()).put(one.duplicate());
    return MemoryRecords.readableRecords(two.flip());
  }

  /** `value` in place of the byte at `index`, counted from the end where negative. The crc is not put right. */
  static MemoryRecords patched(MemoryRecords records, int index, int value) {
    ByteBuffer bytes = records.buffer();
    bytes.put(index < 0 ? bytes.limit() + index : index, (byte) value);
    return MemoryRecords.readableRecords(bytes);
  }

  static ProduceRequestData produce(Uuid id, short version, String topic, int partition, int acks,
      BaseRecords records) {
    var data = new ProduceRequestData.TopicProduceData();
    if (version < 13) data.setName(topic);
    else data.setTopicId(id);
    data.partitionData().add(new ProduceRequestData.PartitionProduceData().setIndex(partition).setRecords(records));
    var request = new ProduceRequestData().setAcks((short) acks).setTimeoutMs(3000);
    request.topicData().add(data);
    return request;
  }

  interface Batch {
    BaseRecords of(short version);
  }

  static void produced(String what, int partition, int acks, Batch batch) throws IOException {
    compare(what, Listener.BROKER, ApiKeys.PRODUCE, 3, 13,
        (s, v) -> produce(ordersId[s], v, "orders", partition, acks, batch.of(v)));
  }

  static void producing() throws IOException {
    for (String codec : List.of("none", "gzip", "snappy", "lz4", "zstd")) {
      produced(codec, 0, -1, v -> records(2, codec, 5, NOW));
    }
    produced("acks 1", 1, 1, v -> plain(1));
    produced("acks 7", 0, 7, v -> plain(1));
    produced("no such partition", 9, -1, v -> plain(1));
    produced("no such partition, acks 7", 9, 7, v -> plain(1));
    compare("no such topic, acks 7", ApiKeys.PRODUCE, 3, 13,
        (s, v) -> produce(NO_SUCH_ID, v, "nothing", 0, 7, plain(1)));
    compare("no such topic", ApiKeys.PRODUCE, 3, 13, (s, v) -> produce(NO_SUCH_ID, v, "nothing", 0, -1, plain(1)));
    compare("transactional id, no transaction", ApiKeys.PRODUCE, 3, 13,
        (s, v) -> produce(ordersId[s], v, "orders", 0, -1, plain(1)).setTransactionalId("t"));
    compare("transaction without id", ApiKeys.PRODUCE, 3, 13,
        (s, v) -> produce(ordersId[s], v, "orders", 0, -1, transactional()));
    for (int magic : new int[] {0, 1}) produced("magic " + magic, 0, 1, v -> records(magic, "none", 1, NOW));
    produced("no batch", 0, -1, v -> MemoryRecords.EMPTY);
    produced("two batches", 0, -1, v -> twoBatches());
    produced("wrong crc", 0, -1, v -> patched(plain(2), -2, 77));
    produced("cut", 0, -1, v -> {
      ByteBuffer bytes = plain(2).buffer();
      return MemoryRecords.readableRecords(bytes.limit(bytes.limit() - 1));
    });
    produced("length negative", 0, -1, v -> patched(plain(2), 8, 0xff));
    produced("base offset 1", 0, -1, v -> patched(plain(2), 7, 1));
    produced("too large", 0, -1, v -> MemoryRecords.withRecords(Compression.NONE,
        new SimpleRecord(NOW, null, new byte[2 << 20])));
    produced("future", 0, -1, v -> records(2, "none", 2, FAR_FUTURE));
    produced("without timestamp", 0, -1, v -> records(2, "none", 2, -1));
    produced("idempotent, first of its producer", 1, -1, v -> idempotent(900 + v, 0, 5));
    produced("idempotent, gap", 1, -1, v -> idempotent(900 + v, 0, 50));
    produced("idempotent, again", 1, -1, v -> idempotent(900 + v, 0, 5));
    produced("idempotent, next", 1, -1, v -> idempotent(900 + v, 0, 7));
    produced("idempotent, new epoch out of order", 1, -1, v -> idempotent(900 + v, 1, 5));
    produced("idempotent, new epoch", 1, -1, v -> idempotent(900 + v, 1, 0));
    produced("idempotent, old epoch", 1, -1, v -> idempotent(900 + v, 0, 9));
    compare("internal topic", ApiKeys.PRODUCE, 3, 12,
        (s, v) -> produce(NO_SUCH_ID, v, "__consumer_offsets", 0, -1, plain(1)));
    compare("internal topic, acks 7", ApiKeys.PRODUCE, 3, 12,
        (s, v) -> produce(NO_SUCH_ID, v, "__consumer_offsets", 0, 7, plain(1)));
    compare("internal topic, no such partition", ApiKeys.PRODUCE, 3, 12,
        (s, v) -> produce(NO_SUCH_ID, v, "__consumer_offsets", 999, -1, plain(1)));
    producingToConfigured();
  }

  static void producingToConfigured() throws IOException {
    Uuid[] stamped = TopicRequests.make("stamped", "message.timestamp.type", "LogAppendTime");
    Uuid[] compacted = TopicRequests.make("compacted", "cleanup.policy", "compact");
    Uuid[] small = TopicRequests.make("small", "max.message.bytes", "100");
    Uuid[] packed = TopicRequests.make("packed", "compression.type", "gzip");
    compare("stamped", Listener.BROKER, ApiKeys.PRODUCE, 3, 13,
        (s, v) -> produce(stamped[s], v, "stamped", 0, -1, plain(2)),
        answer -> text(answer).replaceAll("logAppendTimeMs=\\d{13},", "logAppendTimeMs=NOW,"));
    compare("compacted, without key", ApiKeys.PRODUCE, 3, 13, (s, v) -> produce(compacted[s], v, "compacted", 0, -1,
        MemoryRecords.withRecords(Compression.NONE, new SimpleRecord(NOW, null, "x".getBytes()))));
    compare("over max.message.bytes", ApiKeys.PRODUCE, 3, 13,
        (s, v) -> produce(small[s], v, "small", 0, -1, plain(5)));
    compare("recompressed", ApiKeys.PRODUCE, 3, 13, (s, v) -> produce(packed[s], v, "packed", 0, -1, plain(5)));
  }

  // ---- offsets -----------------------------------------------------------------------------------------------

  static ListOffsetsRequestData listOffsets(short version, int isolation, long timestamp, int epoch, String topic,
      int... partitions) {
    var request = new ListOffsetsRequestData().setReplicaId(-1);
    if (version >= 2) request.setIsolationLevel((byte) isolation);
    if (version >= 10) request.setTimeoutMs(5000);
    var asked = new ListOffsetsRequestData.ListOffsetsTopic().setName(topic);
    for (int partition : partitions) {
      var one = new ListOffsetsRequestData.ListOffsetsPartition().setPartitionIndex(partition)
          .setTimestamp(timestamp);
      if (version >= 4) one.setCurrentLeaderEpoch(epoch);
      asked.partitions().add(one);
    }
    request.topics().add(asked);
    return request;
  }

  static void listing() throws IOException {
    for (long time : new long[] {-1, -2, -3, -4, -5, -6, -7, 0, NOW, NOW + 2, NOW + 4, NOW + 5, FAR_FUTURE}) {
      String name = time >= NOW ? "time NOW+" + (time - NOW) : "time " + time;
      for (int isolation : new int[] {0, 1}) {
        compare(name + ", isolation " + isolation, ApiKeys.LIST_OFFSETS, isolation == 0 ? 1 : 2, 11,
            (s, v) -> listOffsets(v, isolation, time, -1, "orders", 0, 1, 9));
      }
    }
    for (int epoch : new int[] {0, 9}) {
      compare("epoch " + epoch, ApiKeys.LIST_OFFSETS, 4, 11, (s, v) -> listOffsets(v, 0, -1, epoch, "orders", 0));
    }
    compare("unknown topic", ApiKeys.LIST_OFFSETS, 1, 11, (s, v) -> listOffsets(v, 0, -1, -1, "nothing", 0));
    compare("twice", ApiKeys.LIST_OFFSETS, 1, 11, (s, v) -> listOffsets(v, 0, -1, -1, "orders", 0, 0, 1));
    compare("as a follower", ApiKeys.LIST_OFFSETS, 1, 11,
        (s, v) -> listOffsets(v, 0, -1, -1, "orders", 0).setReplicaId(1));
  }

  static void all() throws IOException {
    producing();
    listing();
  }
}
