// Kafka's side of the comparison of partition logs; golden_log.py is the whole test.
//
//   GoldenLog play DIR SCRIPT ANSWERS   plays a script of golden_log.cc on Kafka's own UnifiedLog
//   GoldenLog open DIR NAMES...         opens the cleanly closed logs of DIR, checks their indexes, describes them
//   GoldenLog old DIR                   writes logs of the formats before v2 into DIR, without indexes; prints names
//   GoldenLog read DIR NAMES...         opens logs as after a crash, looks up times and reads from everywhere

import java.io.File;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.TreeMap;
import java.util.concurrent.ScheduledFuture;
import java.util.function.Supplier;
import java.util.zip.CRC32C;

import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.message.DescribeProducersResponseData.ProducerState;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.FileRecords;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MemoryRecordsBuilder;
import org.apache.kafka.common.record.internal.Records;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.server.common.RequestLocal;
import org.apache.kafka.server.storage.log.FetchIsolation;
import org.apache.kafka.server.util.Scheduler;
import org.apache.kafka.storage.internals.log.AbortedTxn;
import org.apache.kafka.storage.internals.log.AppendOrigin;
import org.apache.kafka.storage.internals.log.LogAppendInfo;
import org.apache.kafka.storage.internals.log.LogConfig;
import org.apache.kafka.storage.internals.log.LogDirFailureChannel;
import org.apache.kafka.storage.internals.log.LogSegment;
import org.apache.kafka.storage.internals.log.LogStartOffsetIncrementReason;
import org.apache.kafka.storage.internals.log.ProducerStateManagerConfig;
import org.apache.kafka.storage.internals.log.UnifiedLog;
import org.apache.kafka.storage.internals.log.VerificationGuard;
import org.apache.kafka.storage.log.metrics.BrokerTopicStats;

public class GoldenLog {
    static final Uuid TOPIC = new Uuid(0x1234567890abcdefL, 0x0fedcba987654321L);
    // Runs what is due once at once, so that nothing happens behind the script's back.
    static final Scheduler SCHEDULER = new Scheduler() {
        public void startup() {
        }

        public void shutdown() {
        }

        public ScheduledFuture<?> schedule(String name, Runnable task, long delayMs, long periodMs) {
            if (periodMs <= 0) task.run();
            return (ScheduledFuture<?>) Proxy.newProxyInstance(GoldenLog.class.getClassLoader(),
                new Class<?>[] {ScheduledFuture.class}, (self, method, arguments) -> method.getName().equals("cancel") ? true : null);
        }

        public void resizeThreadPool(int threads) {
        }
    };
    static final BrokerTopicStats STATS = new BrokerTopicStats(false);

    // Time stands still.
    static final Time TIME = new Time() {
        public long milliseconds() {
            return 1_000_000;
        }

        public long nanoseconds() {
            return System.nanoTime();
        }

        public void sleep(long ms) {
        }

        public void waitObject(Object object, Supplier<Boolean> condition, long deadline) {
            throw new UnsupportedOperationException();
        }
    };

    static LogConfig config(boolean appendTime) {
        Properties p = new Properties();
        p.put(LogConfig.INTERNAL_SEGMENT_BYTES_CONFIG, "4000");
        p.put("index.interval.bytes", "200");
        p.put("retention.ms", "-1");
        p.put("file.delete.delay.ms", "0");
        p.put("message.timestamp.type", appendTime ? "LogAppendTime" : "CreateTime");
        return new LogConfig(p);
    }

    static UnifiedLog open(File dir, boolean appendTime, boolean clean, long start, long recovery) throws Exception {
        Files.createDirectories(dir.toPath());
        return UnifiedLog.create(dir, config(appendTime), start, recovery, SCHEDULER, STATS, TIME, 3600_000,
            new ProducerStateManagerConfig(86400_000, false), 600_000, new LogDirFailureChannel(10), clean,
            Optional.of(TOPIC));
    }

    static String describe(UnifiedLog log) {
        StringBuilder text = new StringBuilder("log " + log.logStartOffset() + " to " + log.logEndOffset() + " stable "
            + Math.max(log.logStartOffset(), log.lastStableOffset()) + " epochs");
        for (Map.Entry<Integer, Long> e : log.leaderEpochCache().epochWithOffsets().entrySet())
            text.append(" ").append(e.getKey()).append("@").append(e.getValue());
        text.append(" producers");
        TreeMap<Long, ProducerState> producers = new TreeMap<>();
        for (ProducerState p : log.activeProducers()) producers.put(p.producerId(), p);
        for (ProducerState p : producers.values())
            text.append(" ").append(p.producerId()).append("/").append(p.producerEpoch()).append("/")
                .append(p.lastSequence()).append("/").append(p.lastTimestamp()).append("/").append(p.coordinatorEpoch())
                .append("/").append(p.currentTxnStartOffset());
        return text.toString();
    }

    static String append(UnifiedLog log, String[] field) throws Exception {
        AppendOrigin origin = field[1].equals("client") ? AppendOrigin.CLIENT : AppendOrigin.COORDINATOR;
        MemoryRecords records = MemoryRecords.readableRecords(ByteBuffer.wrap(HexFormat.of().parseHex(field[3])));
        try {
            LogAppendInfo info = log.appendAsLeader(records, Integer.parseInt(field[2]), origin,
                RequestLocal.noCaching(), VerificationGuard.SENTINEL, Short.parseShort(field[4]));
            return info.firstOffset() + " " + info.lastOffset() + " " + info.logAppendTime();
        } catch (RuntimeException e) {
            return Errors.forException(e).name();
        }
    }

    static String aborted(UnifiedLog log, long from, long upper) {
        StringBuilder text = new StringBuilder("aborted");
        for (AbortedTxn t : log.collectAbortedTransactions(from, upper))
            if (t.lastOffset() >= from) text.append(" ").append(t.producerId()).append("/").append(t.firstOffset()).append("/")
                .append(t.lastOffset()).append("/").append(t.lastStableOffset());
        return text.toString();
    }

    static void play(File root, List<String> script, PrintStream answers) throws Exception {
        UnifiedLog log = null;
        File dir = null;
        boolean appendTime = false;
        for (String line : script) {
            String[] field = line.split(" ");
            switch (field[0]) {
                case "log" -> {
                    dir = new File(root, field[1] + "-0");
                    appendTime = field[2].equals("1");
                    log = open(dir, appendTime, false, 0, 0);
                    answers.println(describe(log));
                }
                case "append" -> answers.println(append(log, field));
                case "truncate" -> {
                    log.truncateTo(Long.parseLong(field[1]));
                    answers.println(describe(log));
                }
                case "start" -> {
                    log.updateHighWatermark(log.logEndOffset());
                    long start = Math.min(Long.parseLong(field[1]), log.logEndOffset());
                    log.maybeIncrementLogStartOffset(start, LogStartOffsetIncrementReason.ClientRecordDeletion);
                    log.deleteOldSegments();
                    answers.println(describe(log));
                }
                case "reopen" -> {
                    log.flush(true);
                    log.close();
                    long start = log.logStartOffset();
                    log = open(dir, appendTime, true, start, log.logEndOffset());
                    answers.println(describe(log));
                }
                case "close" -> {
                    log.flush(true);
                    log.close();
                    answers.println("closed");
                }
                case "roll" -> {
                    if (log.activeSegment().size() > 0) log.roll();
                    answers.println("rolled");
                }
                case "epoch" -> {
                    log.assignEpochStartOffset(Integer.parseInt(field[1]), log.logEndOffset());
                    answers.println(describe(log));
                }
                case "epochend" -> {
                    Map.Entry<Integer, Long> end = log.leaderEpochCache().endOffsetFor(Integer.parseInt(field[1]), log.logEndOffset());
                    answers.println(end.getKey() + " " + end.getValue());
                }
                case "watermark" -> {
                    log.updateHighWatermark(log.logEndOffset());
                    answers.println(describe(log));
                }
                case "time" -> answers.println(log.fetchOffsetByTimestamp(Long.parseLong(field[1]), Optional.empty())
                    .timestampAndOffsetOpt().map(f -> f.offset + " " + f.timestamp + " " + f.leaderEpoch.orElse(-1)).orElse("none"));
                case "aborted" -> answers.println(aborted(log, Long.parseLong(field[1]), Long.parseLong(field[2])));
                default -> throw new IllegalArgumentException(line);
            }
        }
    }

    // ---- formats before v2 -----------------------------------------------------------------------------------

    static final long FIRST_TIME = 5_000;
    static final long RECORDS = 60;  // of a log

    // One batch (messages one by one where nothing is compressed) from `offset` on; `step` above 1 leaves gaps, as
    // compaction does. Timestamps go up and down.
    static ByteBuffer batch(int magic, CompressionType codec, TimestampType type, long offset, int count, int step) {
        MemoryRecordsBuilder builder = new MemoryRecordsBuilder(ByteBuffer.allocate(4096), (byte) magic,
            Compression.of(codec).build(), type, offset, FIRST_TIME + offset * 10, -1, (short) -1, -1, false, false, -1,
            4096);
        for (int i = 0; i < count; i++) {
            long at = offset + (long) i * step;
            long time = magic == 0 ? -1 : FIRST_TIME + at * 10 - at % 7 * 25;
            builder.appendWithOffset(at, time, at % 3 == 0 ? null : ("key" + at).getBytes(), ("value of " + at).getBytes());
        }
        return builder.build().buffer();
    }

    // `magics`: of each third of the log. Three segments.
    static void writeOld(File root, String name, int[] magics, CompressionType codec, TimestampType type, int step)
            throws Exception {
        Path dir = root.toPath().resolve(name + "-0");
        Files.createDirectories(dir);
        long at = 0;
        for (int third = 0; third < 3; third++) {
            Path segment = dir.resolve(String.format("%020d.log", at));
            try (OutputStream out = Files.newOutputStream(segment)) {
                for (int i = 0; i < RECORDS / 3 / 4; i++) {
                    ByteBuffer bytes = batch(magics[third], codec, type, at, 4, step);
                    out.write(bytes.array(), bytes.position(), bytes.remaining());
                    at += 4L * step;
                }
            }
            // Kafka takes a segment without timestamps for as late as its file: as old as in life, not of today.
            if (magics[third] == 0) Files.setLastModifiedTime(segment, FileTime.fromMillis(1));
        }
        Files.writeString(dir.resolve("partition.metadata"), "version: 0\ntopic_id: " + TOPIC);
    }

    static void writeAllOld(File root) throws Exception {
        List<CompressionType> codecs = List.of(CompressionType.NONE, CompressionType.GZIP, CompressionType.SNAPPY,
            CompressionType.LZ4);
        int[][] histories = {{0, 0, 0}, {1, 1, 1}, {0, 1, 2}};
        for (int[] magics : histories) {
            for (CompressionType codec : codecs) {
                String name = "v" + magics[0] + magics[1] + magics[2] + codec.name;
                writeOld(root, name, magics, codec, TimestampType.CREATE_TIME, 1);
                System.out.println(name);
                if (magics[0] == 0) continue;
                writeOld(root, name + "gaps", magics, codec, TimestampType.CREATE_TIME, 3);
                writeOld(root, name + "stamped", magics, codec, TimestampType.LOG_APPEND_TIME, 1);
                System.out.println(name + "gaps\n" + name + "stamped");
            }
        }
    }

    static String readFrom(UnifiedLog log, long offset) throws Exception {
        Records records = log.read(offset, 400, FetchIsolation.LOG_END, true).records;
        ByteBuffer bytes = ByteBuffer.allocate(records.sizeInBytes());
        if (records instanceof FileRecords file) file.readInto(bytes, 0);
        CRC32C crc = new CRC32C();
        crc.update(bytes.array(), 0, records.sizeInBytes());
        return offset + ": " + records.sizeInBytes() + " " + crc.getValue();
    }

    static String find(UnifiedLog log, long time) {
        return time + ": " + log.fetchOffsetByTimestamp(time, Optional.empty()).timestampAndOffsetOpt()
            .map(f -> f.offset + " " + f.timestamp).orElse("none");
    }

    static void readAll(File root, List<String> names) throws Exception {
        for (String name : names) {
            UnifiedLog log = open(new File(root, name + "-0"), false, false, 0, 0);
            System.out.println(name + " " + describe(log));
            for (long time = FIRST_TIME - 100; time < FIRST_TIME + RECORDS * 40; time += 7) System.out.println(find(log, time));
            System.out.println(find(log, -3));
            for (long offset = 0; offset < log.logEndOffset(); offset++) System.out.println(readFrom(log, offset));
            log.flush(true);
            log.close();
        }
    }

    static void openAll(File root, List<String> names) throws Exception {
        for (String name : names) {
            UnifiedLog log = open(new File(root, name + "-0"), false, true, 0, Long.MAX_VALUE);
            for (LogSegment segment : log.logSegments()) {
                segment.offsetIndex().sanityCheck();
                segment.timeIndex().sanityCheck();
                segment.txnIndex().sanityCheck();
            }
            System.out.println(describe(log));
            log.close();
        }
    }

    public static void main(String[] args) {
        try {
            run(args);
        } catch (Throwable e) {  // the source launcher cannot show exceptions without a stack, as Kafka's are
            System.err.println(e);
            System.exit(1);
        }
    }

    static void run(String[] args) throws Exception {
        File root = new File(args[1]);
        if (args[0].equals("play")) {
            try (PrintStream answers = new PrintStream(args[3])) {
                play(root, Files.readAllLines(Path.of(args[2])), answers);
            }
        } else if (args[0].equals("old")) {
            writeAllOld(root);
        } else if (args[0].equals("read")) {
            readAll(root, List.of(args).subList(2, args.length));
        } else {
            openAll(root, List.of(args).subList(2, args.length));
        }
    }
}
