// Frames that were answered alike, each broken somewhere by a fixed seed: both servers must give the same error codes,
// or close the connection, or say nothing.
import java.io.DataInputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.apache.kafka.common.message.AlterClientQuotasRequestData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.RequestHeader;

class Mutations extends Comparison {
  static final int COUNT = Integer.getInteger("mutations", 600);
  static final long SEED = 20_260_401;
  static final int SIZE_AT = 0;
  static final int KEY_AT = 4;
  static final int VERSION_AT = 6;
  static final int CLIENT_AT = 12;
  static final int LARGEST = 8192;
  static final int QUIET_MS = 500;

  /** Frames of one request in one version, by server. */
  record Sample(Listener listener, ApiKeys api, short version, byte[][] frames) {}

  /** By listener and API, in the order in which they were asked. */
  static final Map<String, List<Sample>> samples = new TreeMap<>();

  static void keep(Listener listener, ApiKeys api, short version, byte[][] frames) {
    if (frames[KAFKA].length != frames[MILENA].length || frames[KAFKA].length > LARGEST) return;
    var list = samples.computeIfAbsent(listener + " " + api.name, key -> new ArrayList<>());
    // The first ones of each version, so that what is asked later does not change what is broken.
    if (list.stream().filter(one -> one.version == version).count() >= 2) return;
    list.add(new Sample(listener, api, version, new byte[][] {frames[KAFKA].clone(), frames[MILENA].clone()}));
  }

  // ---- what is broken ----------------------------------------------------------------------------------------

  /** One way to break a frame: the same for both servers, as it gets the same random numbers. */
  interface Mutation {
    byte[] of(byte[] frame, int body, Random random);
  }

  static byte[] sized(byte[] frame) {
    ByteBuffer.wrap(frame).putInt(SIZE_AT, frame.length - 4);
    return frame;
  }

  static byte[] withInt(byte[] frame, int at, int value) {
    if (at + 4 <= frame.length) ByteBuffer.wrap(frame).putInt(at, value);
    return frame;
  }

  static byte[] withShort(byte[] frame, int at, int value) {
    ByteBuffer.wrap(frame).putShort(at, (short) value);
    return frame;
  }

  static byte[] spliced(byte[] frame, int at, int removed, byte... put) {
    int from = Math.min(at, frame.length);
    int to = Math.min(from + removed, frame.length);
    ByteBuffer out = ByteBuffer.allocate(from + put.length + frame.length - to);
    return sized(out.put(frame, 0, from).put(put).put(frame, to, frame.length - to).array());
  }

  static int place(byte[] frame, int body, Random random) {
    return body >= frame.length ? frame.length - 1 : body + random.nextInt(frame.length - body);
  }

  static int one(Random random, int... of) {
    return of[random.nextInt(of.length)];
  }

  static final Map<String, Mutation> MUTATIONS = new java.util.LinkedHashMap<>();

  static {
    MUTATIONS.put("a bit of the body", (f, b, r) -> {
      int at = place(f, b, r);
      f[at] ^= (byte) (1 << r.nextInt(8));
      return f;
    });
    MUTATIONS.put("cut short", (f, b, r) -> sized(Arrays.copyOf(f, 4 + r.nextInt(f.length - 4))));
    MUTATIONS.put("an unknown version", (f, b, r) -> withShort(f, VERSION_AT, one(r, -1, 99, 32767, -32768)));
    MUTATIONS.put("three bytes of the body", (f, b, r) -> {
      for (int i = 0; i < 3; i++) f[place(f, b, r)] = (byte) r.nextInt(256);
      return f;
    });
    MUTATIONS.put("a count or length in the body", (f, b, r) -> withInt(f, place(f, b, r),
        one(r, Integer.MAX_VALUE, -1, Integer.MIN_VALUE, 1 << 20, -2)));
    MUTATIONS.put("the next version", (f, b, r) -> withShort(f, VERSION_AT, ByteBuffer.wrap(f).getShort(VERSION_AT)
        + 1));
    MUTATIONS.put("bytes behind it", (f, b, r) -> spliced(f, f.length, 0, new byte[1 + r.nextInt(20)]));
    MUTATIONS.put("a length in a varint", (f, b, r) -> spliced(f, place(f, b, r), 1, (byte) 0xff, (byte) 0xff,
        (byte) 0xff, (byte) 0xff, (byte) one(r, 7, 15, 0xff)));
    MUTATIONS.put("the client's name", (f, b, r) -> withShort(f, CLIENT_AT, one(r, -1, -2, 0, 1, 13, 32767)));
    MUTATIONS.put("another key", (f, b, r) -> withShort(f, KEY_AT, one(r, -1, 4, 5, 6, 7, 93, 1000, 32767)));
    MUTATIONS.put("the size", (f, b, r) -> withInt(f, SIZE_AT, one(r, -1, Integer.MIN_VALUE, Integer.MAX_VALUE,
        104857601, 0, 1, 7)));
    MUTATIONS.put("the version before", (f, b, r) -> withShort(f, VERSION_AT, ByteBuffer.wrap(f).getShort(VERSION_AT)
        - 1));
    MUTATIONS.put("tags in the header", (f, b, r) -> spliced(f, b - 1, 1, r.nextInt(3) == 0
        ? new byte[] {(byte) 0xff, (byte) 0xff, (byte) 0xff, (byte) 0xff, 15} : new byte[] {1, 9, 2, 'a', 'b'}));
    MUTATIONS.put("a byte is missing", (f, b, r) -> spliced(f, place(f, b, r), 1));
    MUTATIONS.put("tags at the end", (f, b, r) -> spliced(f, f.length - 1, 1, r.nextInt(3) == 0
        ? new byte[] {1, 77, 100, 'a'} : new byte[] {1, 77, 2, 'a', 'b'}));
    MUTATIONS.put("a part twice", (f, b, r) -> {
      int at = place(f, b, r);
      return spliced(f, at, 0, Arrays.copyOfRange(f, at, Math.min(f.length, at + 1 + r.nextInt(8))));
    });
    MUTATIONS.put("only the half is sent", (f, b, r) -> Arrays.copyOf(f, f.length / 2));
  }

  static final List<String> HEADER_KINDS = List.of("an unknown version", "the next version", "the client's name",
      "another key", "the size", "the version before", "only the half is sent");

  // ---- what comes back ---------------------------------------------------------------------------------------

  /** Where the body of a request begins: behind the header of this version. */
  static int bodyAt(Sample sample) {
    ByteBuffer frame = ByteBuffer.wrap(sample.frames[KAFKA]);
    frame.position(4);
    RequestHeader.parse(frame);
    return frame.position();
  }

  static String outcome(byte[] frame, byte[] answer) {
    try {
      RequestHeader header = RequestHeader.parse(ByteBuffer.wrap(frame, 4, frame.length - 4));
      return "errors " + Coverage.errors(AbstractResponse.parseResponse(ByteBuffer.wrap(answer), header).data());
    } catch (RuntimeException unknown) {
      return "an answer";
    }
  }

  /** What a server does, in a thread of its own: an answer, CLOSED, or null while nothing comes. */
  static class Reader extends Thread {
    final Socket connection;
    final byte[] sent;
    volatile String outcome;

    Reader(int port, byte[] sent) throws IOException {
      this.connection = connect(port);
      this.sent = sent;
      connection.setSoTimeout(0);
      setDaemon(true);
    }

    @Override
    public void run() {
      try {
        connection.getOutputStream().write(sent);
        DataInputStream in = new DataInputStream(connection.getInputStream());
        byte[] answer = new byte[in.readInt()];
        in.readFully(answer);
        outcome = outcome(sent, answer);
      } catch (IOException closed) {
        outcome = "CLOSED";
      }
    }
  }

  static void broken(String kind, Sample sample, long seed) throws Exception {
    Reader[] readers = new Reader[2];
    for (int server : SERVERS) {
      byte[] sent = MUTATIONS.get(kind).of(sample.frames[server].clone(), bodyAt(sample), new Random(seed));
      readers[server] = new Reader(ports[server][sample.listener.ordinal()], sent);
      readers[server].start();
    }
    long begin = System.nanoTime();
    while (readers[KAFKA].outcome == null || readers[MILENA].outcome == null) {
      long waited = (System.nanoTime() - begin) / 1_000_000;
      boolean both = readers[KAFKA].outcome == null && readers[MILENA].outcome == null;
      if (waited > (both ? QUIET_MS : TIMEOUT_MS)) break;
      Thread.sleep(1);
    }
    String[] texts = new String[2];
    for (int server : SERVERS) {
      texts[server] = readers[server].outcome == null ? "NOTHING" : readers[server].outcome;
      readers[server].connection.close();
    }
    outcomes.merge(texts[KAFKA].startsWith("errors [") ? "answered" : texts[KAFKA], 1, Integer::sum);
    if (!texts[KAFKA].equals(texts[MILENA])) {
      System.out.println("sent " + HexFormat.of().formatHex(readers[KAFKA].sent) + ", from "
          + HexFormat.of().formatHex(sample.frames[KAFKA]));
    }
    judge(sample.api, sample.version, "mutated: " + kind + " (" + sample.listener + ", " + seed + ")", texts[KAFKA],
        texts[MILENA]);
  }

  static final Map<String, Integer> outcomes = new TreeMap<>();

  static int sent() {
    return outcomes.values().stream().mapToInt(Integer::intValue).sum();
  }

  /** Kafka holds to quotas that the tests have set: no limit on new connections. */
  static void unlimited() throws IOException {
    for (String address : new String[] {null, "127.0.0.1"}) {
      for (int server : SERVERS) {
        var entry = ControllerRequests.entity("ip", address);
        entry.ops().add(new AlterClientQuotasRequestData.OpData().setKey("connection_creation_rate").setRemove(true));
        var request = new AlterClientQuotasRequestData();
        request.entries().add(entry);
        ask(server, Listener.BROKER, ApiKeys.ALTER_CLIENT_QUOTAS, (short) 1, request);
      }
    }
  }

  static void all() throws Exception {
    unlimited();
    List<String> kinds = new ArrayList<>(MUTATIONS.keySet());
    List<List<Sample>> lists = new ArrayList<>(samples.values());
    for (int i = 0; i < COUNT; i++) {
      // Every API in turn; of each, what was asked first, last, and between, in one way after the other.
      List<Sample> list = lists.get(i % lists.size());
      int turn = i / lists.size();
      Sample sample = list.get((int) ((long) turn * 7919 % list.size()));
      String kind = kinds.get((turn + i) % kinds.size());
      // A negative max_bytes ends a node of Kafka 4.3.1.
      if (sample.api == ApiKeys.FETCH_SNAPSHOT && !HEADER_KINDS.contains(kind)) kind = "an unknown version";
      broken(kind, sample, SEED + i);
    }
    System.out.println(sent() + " mutated frames: " + outcomes);
  }
}
