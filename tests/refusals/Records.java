import java.io.File;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.memory.MemoryPool;
import org.apache.kafka.common.message.KRaftVersionRecord;
import org.apache.kafka.common.message.VotersRecord;
import org.apache.kafka.common.metadata.ConfigRecord;
import org.apache.kafka.common.metadata.FeatureLevelRecord;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.protocol.Readable;
import org.apache.kafka.common.protocol.Writable;
import org.apache.kafka.common.record.internal.FileRecords;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.metadata.MetadataRecordSerde;
import org.apache.kafka.server.common.ApiMessageAndVersion;
import org.apache.kafka.server.common.KRaftVersion;
import org.apache.kafka.server.common.OffsetAndEpoch;
import org.apache.kafka.server.common.serialization.RecordSerde;
import org.apache.kafka.snapshot.FileRawSnapshotWriter;
import org.apache.kafka.snapshot.RecordsSnapshotWriter;
import org.apache.kafka.snapshot.Snapshots;

/**
 * Puts records into a stopped node's metadata log, as a later release would have left them:
 *
 *   append FOLDER RECORD...     a batch behind the last one; FOLDER is .../__cluster_metadata-0
 *   snapshot FOLDER RECORD...   a snapshot up to the log's end with these records only
 *   bootstrap DIR RECORD...     DIR/bootstrap.checkpoint with these records; DIR is a formatted log directory
 *   voters FOLDER ID...         a VotersRecord with these voters
 *   kraft FOLDER LEVEL          a KRaftVersionRecord
 *
 * RECORD is feature=NAME:LEVEL, config=TYPE:RESOURCE:KEY:VALUE, or raw=HEX for a frame of any other content.
 */
public class Records {
    public static void main(String[] args) throws Exception {
        Path folder = Path.of(args[1]);
        String[] rest = Arrays.copyOfRange(args, 2, args.length);
        switch (args[0]) {
            case "append" -> append(folder, rest);
            case "snapshot" -> {
                End end = End.of(folder);
                snapshot(folder, new OffsetAndEpoch(end.offset, end.epoch), rest);
            }
            case "bootstrap" -> bootstrap(folder, rest);
            case "voters" -> voters(folder, rest);
            case "kraft" -> kraft(folder, Short.parseShort(rest[0]));
            default -> throw new IllegalArgumentException(args[0]);
        }
    }

    /** Where the log ends. */
    record End(File file, long offset, int epoch) {
        static End of(Path folder) throws Exception {
            File newest = Arrays.stream(folder.toFile().listFiles((dir, name) -> name.endsWith(".log"))).max(File::compareTo)
                .orElseThrow();
            End end = new End(newest, 0, 0);
            try (FileRecords log = FileRecords.open(newest)) {
                for (RecordBatch batch : log.batches()) {
                    end = new End(newest, batch.nextOffset(), batch.partitionLeaderEpoch());
                }
            }
            return end;
        }

        void write(MemoryRecords batch) throws Exception {
            ByteBuffer bytes = batch.buffer();
            byte[] content = new byte[bytes.remaining()];
            bytes.get(content);
            Files.write(file.toPath(), content, StandardOpenOption.APPEND);
        }
    }

    static void append(Path folder, String[] given) throws Exception {
        End end = End.of(folder);
        SimpleRecord[] records = frames(given).stream()
            .map(frame -> new SimpleRecord(Time.SYSTEM.milliseconds(), null, frame)).toArray(SimpleRecord[]::new);
        end.write(MemoryRecords.withRecords(end.offset, Compression.NONE, end.epoch, records));
    }

    static void bootstrap(Path directory, String[] given) throws Exception {
        Path beside = Files.createTempDirectory("bootstrap");
        OffsetAndEpoch zero = new OffsetAndEpoch(0, 0);
        snapshot(beside, zero, given);
        Files.move(Snapshots.snapshotPath(beside, zero), directory.resolve("bootstrap.checkpoint"),
            StandardCopyOption.REPLACE_EXISTING);
        Files.delete(beside);
    }

    static void snapshot(Path folder, OffsetAndEpoch id, String[] given) throws Exception {
        try (RecordsSnapshotWriter<byte[]> writer = new RecordsSnapshotWriter.Builder().setTime(Time.SYSTEM)
            .setLastContainedLogTimestamp(Time.SYSTEM.milliseconds()).setMaxBatchSizeBytes(1 << 20)
            .setMemoryPool(MemoryPool.NONE).setKraftVersion(KRaftVersion.KRAFT_VERSION_0).setVoterSet(Optional.empty())
            .setRawSnapshotWriter(FileRawSnapshotWriter.create(folder, id))
            .build(new Frames())) {
            writer.append(frames(given));
            writer.freeze();
        }
    }

    static void voters(Path folder, String[] ids) throws Exception {
        End end = End.of(folder);
        VotersRecord record = new VotersRecord().setVersion((short) 0);
        for (String id : ids) {
            record.voters().add(new VotersRecord.Voter().setVoterId(Integer.parseInt(id))
                .setVoterDirectoryId(Uuid.randomUuid())
                .setKRaftVersionFeature(new VotersRecord.KRaftVersionFeature().setMaxSupportedVersion((short) 1)));
        }
        end.write(MemoryRecords.withVotersRecord(end.offset, Time.SYSTEM.milliseconds(), end.epoch,
            ByteBuffer.allocate(4096), record));
    }

    static void kraft(Path folder, short level) throws Exception {
        End end = End.of(folder);
        end.write(MemoryRecords.withKRaftVersionRecord(end.offset, Time.SYSTEM.milliseconds(), end.epoch,
            ByteBuffer.allocate(4096), new KRaftVersionRecord().setKRaftVersion(level)));
    }

    static List<byte[]> frames(String[] given) {
        List<byte[]> frames = new ArrayList<>();
        for (String one : given) {
            String value = one.substring(one.indexOf('=') + 1);
            if (one.startsWith("raw=")) {
                frames.add(HexFormat.of().parseHex(value));
                continue;
            }
            String[] parts = value.split(":", 4);
            ApiMessageAndVersion record = new ApiMessageAndVersion(one.startsWith("config=")
                ? new ConfigRecord().setResourceType(Byte.parseByte(parts[0])).setResourceName(parts[1]).setName(parts[2])
                    .setValue(parts[3])
                : new FeatureLevelRecord().setName(parts[0]).setFeatureLevel(Short.parseShort(parts[1])), (short) 0);
            ObjectSerializationCache cache = new ObjectSerializationCache();
            ByteBuffer frame = ByteBuffer.allocate(MetadataRecordSerde.INSTANCE.recordSize(record, cache));
            MetadataRecordSerde.INSTANCE.write(record, cache, new ByteBufferAccessor(frame));
            frames.add(frame.array());
        }
        return frames;
    }

    /** Frames that are bytes already. */
    static class Frames implements RecordSerde<byte[]> {
        @Override
        public int recordSize(byte[] data, ObjectSerializationCache cache) {
            return data.length;
        }

        @Override
        public void write(byte[] data, ObjectSerializationCache cache, Writable out) {
            out.writeByteArray(data);
        }

        @Override
        public byte[] read(Readable input, int size) {
            return input.readArray(size);
        }
    }
}
