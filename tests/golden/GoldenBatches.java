// Kafka's side of the comparison of record batches; golden_batches.py is the whole test.
//
//   GoldenBatches CASES ANSWERS
//
// Reads Milena's batches from CASES ("batch", name, hex, description) and compares the description with what Kafka's
// own classes see in the bytes; reads batches to validate ("validate", name, options, hex, outcome) and compares the
// outcome with that of Kafka's validation. Writes batches built by Kafka to ANSWERS, in the same form, for Milena to
// read. Fields are separated by tabs. Exit code 1 if anything differs.

import java.io.PrintStream;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;

import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.errors.CorruptRecordException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.message.KRaftVersionRecord;
import org.apache.kafka.common.message.LeaderChangeMessage;
import org.apache.kafka.common.message.SnapshotFooterRecord;
import org.apache.kafka.common.message.SnapshotHeaderRecord;
import org.apache.kafka.common.message.VotersRecord;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.DefaultRecordBatch;
import org.apache.kafka.common.record.internal.EndTransactionMarker;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MemoryRecordsBuilder;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.requests.ProduceRequest;
import org.apache.kafka.common.utils.BufferSupplier;
import org.apache.kafka.common.utils.ByteBufferOutputStream;
import org.apache.kafka.common.utils.PrimitiveRef;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.storage.internals.log.AppendOrigin;
import org.apache.kafka.storage.internals.log.LogValidator;
import org.apache.kafka.storage.internals.log.RecordValidationException;

public class GoldenBatches {
    static final HexFormat HEX = HexFormat.of();
    static final TopicPartition PARTITION = new TopicPartition("golden", 0);
    static final int LEADER_EPOCH = 5;
    static int failures = 0;
    static int compared = 0;

    public static void main(String[] args) throws Exception {
        for (String line : Files.readAllLines(Path.of(args[0]))) {
            String[] f = line.split("\t", -1);
            if (f[0].equals("batch")) {
                MemoryRecords records = MemoryRecords.readableRecords(ByteBuffer.wrap(HEX.parseHex(f[2])));
                compare(f[1], f[3], describe(records, true, true));
            } else if (f[0].equals("validate")) {
                compare(f[1], f[4], validate(f[2].split(","), HEX.parseHex(f[3])));
            }
        }
        try (PrintStream out = new PrintStream(args[1], StandardCharsets.UTF_8)) {
            writeBatches(out);
        }
        System.out.println("kafka: " + compared + " batches compared, " + failures + " differ");
        System.exit(failures == 0 && compared > 0 ? 0 : 1);
    }

    static void compare(String name, String milena, String kafka) {
        ++compared;
        if (milena.equals(kafka)) return;
        if (++failures > 20) return;
        System.out.println(name + "\n  milena: " + milena + "\n  kafka:  " + kafka);
    }

    // --- what a batch holds, as text -----------------------------------------------------------------------

    static String describe(MemoryRecords records, boolean withRecords, boolean allCrcs) {
        StringBuilder out = new StringBuilder();
        for (MutableRecordBatch batch : records.batches()) {
            batch.ensureValid();
            boolean v2 = batch.magic() == 2;
            out.append("B(").append(batch.magic());
            out.append(',').append(batch.baseOffset()).append(',').append(batch.lastOffset());
            out.append(',').append(batch.compressionType().id);
            out.append(',').append(batch.timestampType() == TimestampType.LOG_APPEND_TIME ? 1 : 0);
            out.append(',').append(batch.maxTimestamp());
            if (allCrcs || batch.compressionType() == CompressionType.NONE) {
                out.append(',').append(((batch instanceof DefaultRecordBatch d) ? d.checksum() : batch.checksum()));
            }
            if (v2) {
                out.append(',').append(batch.partitionLeaderEpoch());
                out.append(',').append(((DefaultRecordBatch) batch).baseTimestamp());
                out.append(',').append(batch.isTransactional()).append(',').append(batch.isControlBatch());
                out.append(',').append(batch.deleteHorizonMs().isPresent());
                out.append(',').append(batch.producerId()).append(',').append(batch.producerEpoch());
                out.append(',').append(batch.baseSequence()).append(',').append(batch.lastSequence());
                out.append(',').append(batch.countOrNull());
            }
            out.append(')');
            if (!withRecords) continue;
            for (Record record : batch) {
                out.append("R(").append(record.offset()).append(',').append(record.timestamp());
                out.append(',').append(hex(record.key())).append(',').append(hex(record.value()));
                for (Header header : record.headers()) {
                    out.append(',').append(HEX.formatHex(header.key().getBytes(StandardCharsets.UTF_8))).append('=');
                    out.append(header.value() == null ? "~" : HEX.formatHex(header.value()));
                }
                if (batch.isControlBatch()) {
                    ControlRecordType type = ControlRecordType.parse(record.key());
                    out.append(",type ").append(type.type());
                    if (type == ControlRecordType.ABORT || type == ControlRecordType.COMMIT) {
                        out.append(" epoch ").append(EndTransactionMarker.deserialize(record).coordinatorEpoch());
                    }
                }
                out.append(')');
            }
        }
        return out.toString();
    }

    static String hex(ByteBuffer bytes) {
        if (bytes == null) return "~";
        byte[] copy = new byte[bytes.remaining()];
        bytes.duplicate().get(copy);
        return HEX.formatHex(copy);
    }

    // --- validation ----------------------------------------------------------------------------------------

    @SuppressWarnings("unchecked")
    static <T> T always(Class<T> type, long value) {
        return (T) Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type},
            (self, method, arguments) -> method.getReturnType() == long.class ? (Object) value : null);
    }

    static Compression compression(int codec) {
        return Compression.of(CompressionType.forId(codec)).build();
    }

    /** options: request version, now, largest batch, compacted, log append time, before, after, codec or -1, full. */
    static String validate(String[] options, byte[] bytes) {
        try {
            MemoryRecords records = MemoryRecords.readableRecords(ByteBuffer.wrap(bytes));
            ProduceRequest.validateRecords(Short.parseShort(options[0]), records);
            CompressionType source = CompressionType.NONE;
            for (MutableRecordBatch batch : records.batches()) {
                if (batch.baseOffset() != 0) throw new org.apache.kafka.common.InvalidRecordException("base offset");
                if (batch.sizeInBytes() > Integer.parseInt(options[2])) throw new RecordTooLargeException();
                if (!batch.isValid()) throw new CorruptRecordException();
                source = batch.compressionType();
            }
            int target = Integer.parseInt(options[7]);
            LogValidator validator = new LogValidator(records, PARTITION, always(Time.class, Long.parseLong(options[1])),
                source, target < 0 ? Compression.of(source).build() : compression(target), options[3].equals("1"), (byte) 2,
                options[4].equals("1") ? TimestampType.LOG_APPEND_TIME : TimestampType.CREATE_TIME,
                Long.parseLong(options[5]), Long.parseLong(options[6]), LEADER_EPOCH, AppendOrigin.CLIENT);
            LogValidator.ValidationResult result = validator.validateMessagesAndAssignOffsets(
                PrimitiveRef.ofLong(0), always(LogValidator.MetricsRecorder.class, 0), BufferSupplier.NO_CACHING);
            return "ok " + result.maxTimestampMs() + " " + describe(trim(result.validatedRecords()), options[8].equals("1"), false);
        } catch (RecordValidationException e) {
            return "error " + Errors.forException(e.invalidException()).code() + " "
                + e.recordErrors().stream().map(r -> String.valueOf(r.batchIndex)).collect(Collectors.joining(","));
        } catch (Throwable e) {
            return "error " + Errors.forException(e).code() + " ";
        }
    }

    static MemoryRecords trim(MemoryRecords records) {
        int size = 0;
        for (MutableRecordBatch batch : records.batches()) size += batch.sizeInBytes();
        ByteBuffer part = records.buffer().duplicate();
        part.limit(part.position() + size);
        return MemoryRecords.readableRecords(part.slice());
    }

    // --- batches built by Kafka ----------------------------------------------------------------------------

    static void emit(PrintStream out, String name, MemoryRecords records) {
        out.println("batch\t" + name + "\t" + hex(records.buffer()) + "\t" + describe(records, true, true));
    }

    record Named(String name, Compression compression) {}

    static List<Named> compressions() {
        List<Named> all = new ArrayList<>();
        all.add(new Named("none", Compression.NONE));
        for (int level : new int[] {-1, 1, 5, 9}) all.add(new Named("gzip" + level, Compression.gzip().level(level).build()));
        all.add(new Named("snappy", Compression.snappy().build()));
        for (int level : new int[] {1, 4, 9, 12, 17}) all.add(new Named("lz4." + level, Compression.lz4().level(level).build()));
        for (int level : new int[] {-131072, -1, 3, 12, 22}) {
            all.add(new Named("zstd" + level, Compression.zstd().level(level).build()));
        }
        return all;
    }

    static byte[] random(Random random, int size) {
        byte[] bytes = new byte[size];
        random.nextBytes(bytes);
        if (random.nextBoolean()) {
            for (int i = 0; i < size; ++i) bytes[i] = (byte) ('a' + bytes[i] % 4);
        }
        return bytes;
    }

    static void fill(MemoryRecordsBuilder builder, Random random, int magic, int records, long base, int gap) {
        long offset = base;
        for (int i = 0; i < records; ++i) {
            byte[] key = random.nextInt(4) == 0 ? null : random(random, random.nextInt(20));
            int size = random.nextInt(40) == 0 ? 5000 + random.nextInt(100000) : random.nextInt(300);
            byte[] value = random.nextInt(6) == 0 ? null : random(random, size);
            Header[] headers = new Header[magic < 2 || random.nextBoolean() ? 0 : random.nextInt(4)];
            for (int h = 0; h < headers.length; ++h) {
                headers[h] = new RecordHeader(h == 0 ? "" : "kopf-\u00fc-" + h, h == 1 ? null : random(random, random.nextInt(90)));
            }
            builder.appendWithOffset(offset, 1700000000000L + random.nextInt(100000) - 50000, key, value, headers);
            offset += 1 + (gap == 0 ? 0 : random.nextInt(gap));
        }
    }

    static void writeBatches(PrintStream out) {
        Random random = new Random(4);
        for (Named named : compressions()) {
            for (int magic = 0; magic <= 2; ++magic) {
                if (magic < 2 && named.compression.type() == CompressionType.ZSTD) continue;
                for (int variant = 0; variant < 8; ++variant) {
                    boolean producer = magic == 2 && variant % 2 == 1;
                    TimestampType type = variant % 4 >= 2 ? TimestampType.LOG_APPEND_TIME : TimestampType.CREATE_TIME;
                    if (magic == 0) type = TimestampType.NO_TIMESTAMP_TYPE;
                    long base = variant < 4 ? 0 : 7000000000L + variant;
                    long horizon = magic == 2 && variant >= 6 ? 1700000123456L : -1L;
                    MemoryRecordsBuilder builder = new MemoryRecordsBuilder(new ByteBufferOutputStream(1 << 16), (byte) magic,
                        named.compression, type, base, 1700000000042L, producer ? 1L << 33 : -1L, (short) (producer ? 12 : -1),
                        producer ? Integer.MAX_VALUE - 3 : -1, producer, false, magic == 2 ? variant - 1 : -1, 1 << 26, horizon);
                    fill(builder, random, magic, variant == 0 ? 1 : 40, base, variant >= 6 ? 9 : 0);
                    emit(out, "kafka " + named.name + " v" + magic + " variant " + variant, builder.build());
                }
            }
        }
        writeControl(out);
    }

    static void writeControl(PrintStream out) {
        emit(out, "kafka abort", MemoryRecords.withEndTransactionMarker(7, 1700000000000L, 3, 99, (short) 2,
            new EndTransactionMarker(ControlRecordType.ABORT, 11)));
        emit(out, "kafka commit", MemoryRecords.withEndTransactionMarker(8, 1700000000001L, 3, 99, (short) 2,
            new EndTransactionMarker(ControlRecordType.COMMIT, 12)));
        emit(out, "kafka leader change", MemoryRecords.withLeaderChangeMessage(9, 1700000000002L, 4, ByteBuffer.allocate(500),
            new LeaderChangeMessage().setLeaderId(1)));
        emit(out, "kafka snapshot header", MemoryRecords.withSnapshotHeaderRecord(0, 1700000000003L, 4, ByteBuffer.allocate(500),
            new SnapshotHeaderRecord().setLastContainedLogTimestamp(5)));
        emit(out, "kafka snapshot footer", MemoryRecords.withSnapshotFooterRecord(1, 1700000000004L, 4, ByteBuffer.allocate(500),
            new SnapshotFooterRecord()));
        emit(out, "kafka kraft version", MemoryRecords.withKRaftVersionRecord(2, 1700000000005L, 4, ByteBuffer.allocate(500),
            new KRaftVersionRecord().setKRaftVersion((short) 1)));
        emit(out, "kafka voters", MemoryRecords.withVotersRecord(3, 1700000000006L, 4, ByteBuffer.allocate(500), new VotersRecord()));
        ByteBuffer empty = ByteBuffer.allocate(61);
        DefaultRecordBatch.writeEmptyHeader(empty, (byte) 2, 5, (short) 6, 7, 100, 110, 8, TimestampType.CREATE_TIME,
            1700000000007L, true, false);
        empty.flip();
        emit(out, "kafka empty", MemoryRecords.readableRecords(empty));
    }
}
