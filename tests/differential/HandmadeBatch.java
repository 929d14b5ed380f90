// A record batch written byte by byte, so that each of its fields can lie. The crc is right unless told otherwise.
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.utils.ByteBufferOutputStream;
import org.apache.kafka.common.utils.Crc32C;

class HandmadeBatch {
  static final int HEADER_SIZE = 61;
  static final int LENGTH_AT = 8;
  static final int CONTROL = 0x20;
  static final int TRANSACTIONAL = 0x10;
  static final int LOG_APPEND_TIME = 0x08;

  long baseOffset = 0;
  int leaderEpoch = -1;
  int magic = 2;
  int attributes = 0;
  long baseTimestamp = DataRequests.NOW;
  long producer = -1;
  int epoch = -1;
  int sequence = -1;
  int crcError = 0;
  Integer length;           // null: the right one, and so on
  Integer lastOffsetDelta;
  Integer count;
  Long maxTimestamp;
  byte[] payload;           // in place of the records
  final List<byte[]> records = new ArrayList<>();
  private long highest = 0;

  /** `codec`: 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd. */
  static HandmadeBatch of(int codec, int records) {
    HandmadeBatch batch = new HandmadeBatch();
    batch.attributes = codec;
    for (int i = 0; i < records; i++) batch.record(i, i, "k" + i, "value " + i);
    return batch;
  }

  static HandmadeBatch of(int records) {
    return of(0, records);
  }

  HandmadeBatch with(Consumer<HandmadeBatch> change) {
    change.accept(this);
    return this;
  }

  HandmadeBatch record(int offsetDelta, long timestampDelta, String key, String value) {
    highest = Math.max(highest, timestampDelta);
    records.add(RecordBytes.of(offsetDelta, timestampDelta, key, value));
    return this;
  }

  private byte[] body() {
    if (payload != null) return payload;
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (byte[] record : records) all.writeBytes(record);
    return compressed(attributes & 7, all.toByteArray());
  }

  static byte[] compressed(int codec, byte[] plain) {
    if (codec == 0 || codec > 4) return plain;
    ByteBufferOutputStream out = new ByteBufferOutputStream(1 << 16);
    try (var stream = Compression.of(CompressionType.forId(codec)).build().wrapForOutput(out, (byte) 2)) {
      stream.write(plain);
    } catch (java.io.IOException impossible) {
      throw new IllegalStateException(impossible);
    }
    ByteBuffer written = out.buffer().flip();
    byte[] bytes = new byte[written.remaining()];
    written.get(bytes);
    return bytes;
  }

  byte[] bytes() {
    byte[] body = body();
    ByteBuffer out = ByteBuffer.allocate(HEADER_SIZE + body.length);
    out.putLong(baseOffset).putInt(length != null ? length : HEADER_SIZE - 12 + body.length).putInt(leaderEpoch)
        .put((byte) magic).putInt(0).putShort((short) attributes)
        .putInt(lastOffsetDelta != null ? lastOffsetDelta : records.size() - 1).putLong(baseTimestamp)
        .putLong(maxTimestamp != null ? maxTimestamp : baseTimestamp + highest).putLong(producer)
        .putShort((short) epoch).putInt(sequence).putInt(count != null ? count : records.size()).put(body);
    out.putInt(17, (int) Crc32C.compute(out.array(), 21, out.capacity() - 21) ^ crcError);
    return out.array();
  }

  static MemoryRecords joined(byte[]... pieces) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (byte[] piece : pieces) all.writeBytes(piece);
    return MemoryRecords.readableRecords(ByteBuffer.wrap(all.toByteArray()));
  }

  /** One record, whose fields can lie as well. */
  static class RecordBytes {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    static byte[] of(int offsetDelta, long timestampDelta, String key, String value) {
      RecordBytes body = new RecordBytes().raw(0).number(timestampDelta).number(offsetDelta).text(key).text(value)
          .number(0);
      return body.sized(body.size());
    }

    /** A record with these bytes behind key and value: the headers, or what stands in their place. */
    static byte[] withHeaders(byte[] headers) {
      RecordBytes body = new RecordBytes().raw(0).number(0).number(0).text("k").text("v");
      body.out.writeBytes(headers);
      return body.sized(body.size());
    }

    int size() {
      return out.size();
    }

    RecordBytes raw(int... bytes) {
      for (int one : bytes) out.write(one);
      return this;
    }

    RecordBytes number(long value) {
      long zigzag = (value << 1) ^ (value >> 63);
      while ((zigzag & ~0x7fL) != 0) {
        out.write((int) (zigzag & 0x7f) | 0x80);
        zigzag >>>= 7;
      }
      out.write((int) zigzag);
      return this;
    }

    RecordBytes text(String text) {
      if (text == null) return number(-1);
      number(text.getBytes().length);
      out.writeBytes(text.getBytes());
      return this;
    }

    byte[] bytes() {
      return out.toByteArray();
    }

    /** With `size` in front, right or wrong. */
    byte[] sized(int size) {
      RecordBytes whole = new RecordBytes().number(size);
      whole.out.writeBytes(out.toByteArray());
      return whole.bytes();
    }
  }
}
