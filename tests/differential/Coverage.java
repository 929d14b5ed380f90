// The account of what was asked: of each API that Milena advertises the lowest and the highest version, a success in
// both, and the errors of reachable.txt: what Kafka can answer on one node. All counted from Kafka's answers.
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.ApiVersionsResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;

class Coverage {
  private static final Pattern ERROR_CODE = Pattern.compile("(?i)errorCode=(-?\\d+)");
  private static final Map<ApiKeys, Coverage> all = new TreeMap<>();

  private final TreeMap<Short, Integer> asked = new TreeMap<>();
  private final TreeMap<Short, Integer> succeeded = new TreeMap<>();
  private final TreeSet<Errors> errors = new TreeSet<>();
  private boolean closed = false;

  static TreeSet<Errors> errors(ApiMessage answer) {
    TreeSet<Errors> found = new TreeSet<>();
    Matcher matcher = ERROR_CODE.matcher(answer.toString());
    while (matcher.find()) found.add(Errors.forCode(Short.parseShort(matcher.group(1))));
    found.remove(Errors.NONE);
    return found;
  }

  static void note(ApiKeys api, short version, ApiMessage kafka) {
    Coverage one = all.computeIfAbsent(api, key -> new Coverage());
    one.asked.merge(version, 1, Integer::sum);
    if (kafka == null) {
      one.closed = true;
      return;
    }
    TreeSet<Errors> found = errors(kafka);
    if (found.isEmpty()) one.succeeded.merge(version, 1, Integer::sum);
    one.errors.addAll(found);
  }

  static int requests() {
    return all.values().stream().flatMap(one -> one.asked.values().stream()).mapToInt(Integer::intValue).sum();
  }

  // ---- the check ---------------------------------------------------------------------------------------------

  /** The lines of the whole run, or those of the part that asks alone, "" for none. */
  private static Map<ApiKeys, TreeSet<Errors>> reachable(Path file, String part) throws IOException {
    Map<ApiKeys, TreeSet<Errors>> result = new HashMap<>();
    Map<String, ApiKeys> keys = new HashMap<>();
    for (ApiKeys key : ApiKeys.values()) keys.put(key.name, key);
    for (String line : Files.readAllLines(file)) {
      if (line.isBlank() || line.startsWith("#")) continue;
      String[] parts = line.split(":", 2);
      String[] names = parts[0].split(" in ", 2);
      if (!part.equals(names.length == 1 ? "" : names[1])) continue;
      TreeSet<Errors> errors = new TreeSet<>();
      for (String name : parts[1].strip().split("\\s+")) {
        if (!name.isEmpty()) errors.add(Errors.valueOf(name));
      }
      result.put(java.util.Objects.requireNonNull(keys.get(names[0]), names[0]), errors);
    }
    return result;
  }

  /** By API: the versions that one of Milena's listeners advertises. */
  private static Map<ApiKeys, short[]> advertised() throws IOException {
    Map<ApiKeys, short[]> result = new TreeMap<>();
    for (Comparison.Listener listener : Comparison.Listener.values()) {
      var answer = (ApiVersionsResponseData) Comparison.ask(Comparison.MILENA, listener, ApiKeys.API_VERSIONS,
          (short) 3, new ApiVersionsRequestData().setClientSoftwareName("differential").setClientSoftwareVersion("1"));
      for (var one : answer.apiKeys()) {
        ApiKeys api = ApiKeys.forId(one.apiKey());
        // Produce is advertised from 0 on for the sake of old clients, which need not ask that way.
        short low = (short) Math.max(one.minVersion(), api.oldestVersion());
        result.put(api, new short[] {low, one.maxVersion()});
      }
    }
    return result;
  }

  /** What a part that asks servers with settings of their own must have seen. */
  static List<String> complaints(Path reachable, String part) throws IOException {
    List<String> result = new ArrayList<>();
    for (var entry : reachable(reachable, part).entrySet()) {
      TreeSet<Errors> seen = all.getOrDefault(entry.getKey(), new Coverage()).errors;
      for (Errors error : entry.getValue()) {
        if (!seen.contains(error)) result.add(entry.getKey().name + ": " + error + " was not seen from Kafka");
      }
    }
    return result;
  }

  static List<String> complaints(Path reachable) throws IOException {
    List<String> result = new ArrayList<>();
    Map<ApiKeys, TreeSet<Errors>> expected = reachable(reachable, "");
    for (var entry : advertised().entrySet()) {
      ApiKeys api = entry.getKey();
      Coverage one = all.getOrDefault(api, new Coverage());
      short[] versions = entry.getValue();
      for (short version : versions) {
        // A registration without log directories, which older versions have not, is refused by today's controllers.
        if (api == ApiKeys.BROKER_REGISTRATION) version = (short) Math.max(2, version);
        if (!one.asked.containsKey(version)) result.add(api.name + ": version " + version + " was not asked");
        if (!one.succeeded.containsKey(version)) result.add(api.name + ": no success in version " + version);
      }
      TreeSet<Errors> listed = expected.getOrDefault(api, new TreeSet<>());
      if (!expected.containsKey(api)) result.add(api.name + ": not in reachable.txt");
      for (Errors error : listed) {
        if (!one.errors.contains(error)) result.add(api.name + ": " + error + " was not seen from Kafka");
      }
      for (Errors error : one.errors) {
        if (!listed.contains(error)) result.add(api.name + ": " + error + " is not in reachable.txt, but was seen");
      }
      System.out.println(api.name + " v" + versions[0] + "-" + versions[1] + ": " + one.asked + " asked, "
          + one.succeeded + " succeeded, " + one.errors + (one.closed ? " and closed" : ""));
    }
    for (ApiKeys api : expected.keySet()) {
      if (!all.containsKey(api)) result.add(api.name + ": in reachable.txt, but never asked");
    }
    return result;
  }
}
