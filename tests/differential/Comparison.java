// Sends requests to both servers and compares their answers; the rest of the test stands on it.
import java.io.DataInputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.*;
import org.apache.kafka.common.requests.*;

class Comparison {
  static final int KAFKA = 0;
  static final int MILENA = 1;
  static final int[] SERVERS = {KAFKA, MILENA};
  static final Uuid NO_SUCH_ID = new Uuid(7, 7);

  static final int TIMEOUT_MS = 20_000;

  enum Listener { BROKER, CONTROLLER }

  /** A request in one version for one of the servers: ids differ between them. */
  interface Request {
    ApiMessage of(int server, short version);
  }

  static int[][] ports;  // by server, by listener
  static final Map<Integer, Socket> connections = new HashMap<>();
  static final Uuid[] ordersId = new Uuid[2];
  static int correlation = 0;
  static byte[] sent;  // by the last ask()
  static int equal = 0;
  static int reviewed = 0;
  static int different = 0;

  // ---- the wire ----------------------------------------------------------------------------------------------

  static Socket connect(int port) throws IOException {
    Socket connection = new Socket("127.0.0.1", port);
    connection.setSoTimeout(TIMEOUT_MS);
    return connection;
  }

  /** A request as it is sent, with its length in front. */
  static byte[] frame(RequestHeader header, ApiMessage body) {
    ObjectSerializationCache headerCache = new ObjectSerializationCache();
    ObjectSerializationCache bodyCache = new ObjectSerializationCache();
    int size = header.data().size(headerCache, header.headerVersion()) + body.size(bodyCache, header.apiVersion());
    ByteBuffer frame = ByteBuffer.allocate(4 + size);
    frame.putInt(size);
    ByteBufferAccessor writer = new ByteBufferAccessor(frame);
    header.data().write(writer, headerCache, header.headerVersion());
    body.write(writer, bodyCache, header.apiVersion());
    return Arrays.copyOf(frame.array(), frame.position());
  }

  static ApiMessage receive(Socket connection, RequestHeader header) throws IOException {
    DataInputStream in = new DataInputStream(connection.getInputStream());
    byte[] answer = new byte[in.readInt()];
    in.readFully(answer);
    return AbstractResponse.parseResponse(ByteBuffer.wrap(answer), header).data();
  }

  /** The answer; null when the server closed the connection. */
  static ApiMessage ask(int server, Listener listener, ApiKeys api, short version, ApiMessage body)
      throws IOException {
    int port = ports[server][listener.ordinal()];
    Socket connection = connections.get(port);
    if (connection == null) connections.put(port, connection = connect(port));
    RequestHeader header = new RequestHeader(api, version, "differential", correlation++);
    try {
      connection.getOutputStream().write(sent = frame(header, body));
      return receive(connection, header);
    } catch (java.io.EOFException | java.net.SocketException closed) {
      connections.remove(port).close();
      return null;
    }
  }

  // ---- the comparison ----------------------------------------------------------------------------------------

  static String text(ApiMessage answer) {
    return answer == null ? "CLOSED" : masked(answer.toString());
  }

  static String masked(String text) {
    for (Uuid id : ordersId) {
      if (id != null) text = text.replace(id.toString(), "ORDERS");
    }
    for (int[] own : ports) {
      text = text.replace("port=" + own[0], "port=BROKER").replace("port=" + own[1], "port=CONTROLLER");
    }
    // Sentences are each server's own; ids and times are drawn by each.
    return text
        .replaceAll("RecordError\\(batchIndex=\\d+, message='[^']*'\\)", "")
        .replaceAll("(?is)(errorMessage=)('.*?'(?=, [a-zA-Z]+=|\\))|null)", "$1").replaceAll("throttleTimeMs=\\d+", "")
        .replaceAll("clusterId='[^']*'", "").replaceAll("'[^']*-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}'", "'MEMBER'")
        .replaceAll("topicId=(?!A{22})[A-Za-z0-9_-]{22}", "topicId=SOME");
  }

  /** The parts of an answer without their order. */
  static List<String> parts(String text) {
    List<String> parts = new ArrayList<>(Arrays.asList(text.split("[\\[\\]{}()]+,? ?|, (?=[A-Z])")));
    Collections.sort(parts);
    return parts;
  }

  static List<String> without(List<String> parts, List<String> others) {
    List<String> left = new ArrayList<>(parts);
    for (String other : others) left.remove(other);
    return left;
  }

  static void compare(String what, Listener listener, ApiKeys api, int low, int high, Request request)
      throws IOException {
    compare(what, listener, api, low, high, request, Comparison::text);
  }

  /** With a text of its own: what of an answer must be the same. */
  static void compare(String what, Listener listener, ApiKeys api, int low, int high, Request request,
      Function<ApiMessage, String> toText) throws IOException {
    for (int version = low; version <= high; version++) compared(what, listener, api, version, request, toText);
  }

  /** Asks once and returns both answers. */
  static ApiMessage[] compared(String what, Listener listener, ApiKeys api, int version, Request request,
      Function<ApiMessage, String> toText) throws IOException {
    ApiMessage[] answers = new ApiMessage[2];
    byte[][] frames = new byte[2][];
    for (int server : SERVERS) {
      answers[server] = ask(server, listener, api, (short) version, request.of(server, (short) version));
      frames[server] = sent;
    }
    Mutations.keep(listener, api, (short) version, frames);
    Coverage.note(api, (short) version, answers[KAFKA]);
    judge(api, version, what + " (" + listener + ")", toText.apply(answers[KAFKA]), toText.apply(answers[MILENA]));
    return answers;
  }

  static ApiMessage[] compared(String what, ApiKeys api, int version, Request request) throws IOException {
    return compared(what, Listener.BROKER, api, version, request, Comparison::text);
  }

  static void judge(ApiKeys api, int version, String what, String kafka, String milena) {
    List<String> ofKafka = parts(kafka);
    List<String> ofMilena = parts(milena);
    if (ofKafka.equals(ofMilena)) {
      equal++;
      return;
    }
    String onlyKafka = without(ofKafka, ofMilena).toString();
    String onlyMilena = without(ofMilena, ofKafka).toString();
    if (Reviewed.allows(api.name, what, onlyKafka, onlyMilena)) {
      reviewed++;
      return;
    }
    different++;
    System.out.println(api.name + " v" + version + ", " + what);
    System.out.println("  Kafka:  " + onlyKafka);
    System.out.println("  Milena: " + onlyMilena);
  }

  static void compare(String what, ApiKeys api, int low, int high, Request request) throws IOException {
    compare(what, Listener.BROKER, api, low, high, request);
  }
}
