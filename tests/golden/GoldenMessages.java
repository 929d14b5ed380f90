import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.File;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.Map;
import java.util.TreeMap;
import java.util.jar.JarFile;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.protocol.types.RawTaggedField;

/**
 * Kafka's side of the comparison of all messages; golden_messages.py is the whole test.
 *
 * Arguments: the directory of Kafka's jars, the cases that Milena wrote, the file for Kafka's encodings, the
 * number of values that each message and version must have. For each case:
 * - Kafka's class reads Milena's bytes to their end, its JSON converter shows the same content, and writing the
 *   value again gives the same bytes;
 * - the value built from Milena's JSON by Kafka's converter is written by Kafka: the same bytes, which go into
 *   the output file for Milena to read.
 * What must be covered is every message class of the jars that has a JSON converter, in each of its versions.
 */
public class GoldenMessages {
    private static final String CONVERTER = "JsonConverter";
    private static final ObjectMapper MAPPER = new ObjectMapper();

    /** One message class with its converter. */
    private static final class Type {
        final Class<?> message;
        final Method read;
        final Method write;
        final short lowest;
        final short highest;
        final int[] seen;

        Type(Class<?> message, Class<?> converter) throws Exception {
            this.message = message;
            read = converter.getMethod("read", JsonNode.class, short.class);
            write = converter.getMethod("write", message, short.class);
            lowest = message.getField("LOWEST_SUPPORTED_VERSION").getShort(null);
            highest = message.getField("HIGHEST_SUPPORTED_VERSION").getShort(null);
            seen = new int[Math.max(0, highest - lowest + 1)];
        }

        Message make() throws Exception {
            return (Message) message.getConstructor().newInstance();
        }
    }

    public static void main(String[] args) throws Exception {
        Map<String, Type> types = typesOf(new File(args[0]));
        int failures = 0;
        int cases = 0;
        try (BufferedReader in = Files.newBufferedReader(Path.of(args[1]));
             BufferedWriter out = Files.newBufferedWriter(Path.of(args[2]))) {
            for (String line; (line = in.readLine()) != null; cases++) {
                String[] fields = line.split("\t", -1);
                Type type = types.containsKey(fields[0]) ? types.get(fields[0]) : types.get(fields[0] + "Data");
                short version = Short.parseShort(fields[1]);
                String problem;
                try {
                    problem = compare(type, version, fields, out);
                } catch (Exception e) {
                    problem = String.valueOf(e.getCause() == null ? e : e.getCause());
                }
                if (problem == null) {
                    type.seen[version - type.lowest]++;
                } else if (++failures <= 20) {
                    System.err.println(fields[0] + " version " + version + ": " + problem + "\n  " + fields[3]);
                }
            }
        }
        System.exit(report(types, Integer.parseInt(args[3]), cases, failures) ? 0 : 1);
    }

    private static boolean report(Map<String, Type> types, int wanted, int cases, int failures) {
        int all = 0;
        int good = 0;
        for (Map.Entry<String, Type> entry : types.entrySet()) {
            for (int i = 0; i < entry.getValue().seen.length; i++, all++) {
                if (entry.getValue().seen[i] >= wanted) {
                    good++;
                } else {
                    System.err.println("not covered: " + entry.getKey() + " version " + (entry.getValue().lowest + i));
                }
            }
        }
        System.out.println(types.size() + " messages; " + good + " of " + all + " messages x versions agree, "
            + wanted + " values each; " + failures + " of " + cases + " values differ");
        return good == all && failures == 0 && all > 0;
    }

    /** All messages of Kafka's jars by the simple name of their class. */
    private static Map<String, Type> typesOf(File jars) throws Exception {
        Map<String, Type> types = new TreeMap<>();
        for (File file : jars.listFiles((dir, name) -> name.startsWith("kafka") && name.endsWith(".jar"))) {
            try (JarFile jar = new JarFile(file)) {
                for (Iterator<String> names = jar.stream().map(e -> e.getName()).iterator(); names.hasNext();) {
                    String name = names.next();
                    if (name.contains("$") || !name.endsWith(CONVERTER + ".class")) {
                        continue;
                    }
                    String converter = name.substring(0, name.length() - ".class".length()).replace('/', '.');
                    String message = converter.substring(0, converter.length() - CONVERTER.length());
                    Class<?> messageClass = Class.forName(message);
                    types.put(messageClass.getSimpleName(), new Type(messageClass, Class.forName(converter)));
                }
            }
        }
        return types;
    }

    /** What differs, or null. */
    private static String compare(Type type, short version, String[] fields, BufferedWriter out) throws Exception {
        if (type == null) {
            return "Kafka has no such message";
        }
        byte[] bytes = HexFormat.of().parseHex(fields[2]);
        JsonNode json = MAPPER.readTree(fields[3]);

        Message decoded = decode(type, version, bytes);
        JsonNode kafkaJson = MAPPER.readTree(type.write.invoke(null, decoded, version).toString());
        if (!sameContent(kafkaJson, json)) {
            return "Kafka reads " + kafkaJson;
        }
        if (!Arrays.equals(encode(decoded, version), bytes)) {
            return "Kafka writes it again as other bytes";
        }

        byte[] written = encode((Message) type.read.invoke(null, json, version), version);
        out.write(fields[0] + "\t" + version + "\t" + HexFormat.of().formatHex(written) + "\t" + fields[3] + "\n");
        if (!Arrays.equals(written, bytes)) {
            return "from JSON Kafka writes other bytes";
        }
        return fields[4].isEmpty() ? null : compareUnknownTags(type, version, HexFormat.of().parseHex(fields[4]));
    }

    private static String compareUnknownTags(Type type, short version, byte[] bytes) throws Exception {
        Message decoded = decode(type, version, bytes);
        int tags = 0;
        for (RawTaggedField field : decoded.unknownTaggedFields()) {
            tags += field.tag() == 60 || field.tag() == 300 ? 1 : 0;
        }
        return tags == 2 && Arrays.equals(encode(decoded, version), bytes) ? null : "unknown tagged fields differ";
    }

    private static Message decode(Type type, short version, byte[] bytes) throws Exception {
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        Message message = type.make();
        message.read(new ByteBufferAccessor(buffer), version);
        if (buffer.hasRemaining()) {
            throw new IllegalStateException(buffer.remaining() + " bytes left over");
        }
        return message;
    }

    private static byte[] encode(Message message, short version) {
        ObjectSerializationCache cache = new ObjectSerializationCache();
        ByteBuffer buffer = ByteBuffer.allocate(message.size(cache, version));
        message.write(new ByteBufferAccessor(buffer), cache, version);
        if (buffer.hasRemaining()) {
            throw new IllegalStateException("Kafka's size is " + buffer.remaining() + " too large");
        }
        return buffer.array();
    }

    /** Equality, but for the content of records, which Kafka's converter does not show; bytes are compared apart. */
    private static boolean sameContent(JsonNode kafka, JsonNode milena) {
        if (kafka.isObject() && milena.isObject() && kafka.size() == milena.size()) {
            for (Iterator<String> names = kafka.fieldNames(); names.hasNext();) {
                String name = names.next();
                JsonNode value = milena.get(name);
                boolean records = name.equals("records") || name.equals("unalignedRecords");
                boolean hidden = records && value != null && value.isTextual() && kafka.get(name).asText().isEmpty();
                if (value == null || !(hidden || sameContent(kafka.get(name), value))) {
                    return false;
                }
            }
            return true;
        }
        if (kafka.isArray() && milena.isArray() && kafka.size() == milena.size()) {
            for (int i = 0; i < kafka.size(); i++) {
                if (!sameContent(kafka.get(i), milena.get(i))) {
                    return false;
                }
            }
            return true;
        }
        return kafka.equals(milena);
    }
}
