// The answers that differ on purpose: reviewed.txt.
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

class Reviewed {
  private static final List<Reviewed> all = new ArrayList<>();

  private final Map<String, String> fields;
  private final Map<String, Pattern> patterns = new HashMap<>();
  private int seen = 0;

  private Reviewed(Map<String, String> fields) {
    this.fields = fields;
    for (String name : List.of("api", "question", "kafka", "milena", "documented", "reason")) {
      if (fields.get(name) == null) throw new IllegalStateException("reviewed.txt: no " + name + " in " + fields);
    }
    for (String name : List.of("question", "kafka", "milena")) {
      patterns.put(name, Pattern.compile(fields.get(name), Pattern.DOTALL));
    }
  }

  static void load(Path file) throws IOException {
    for (String entry : Files.readString(file).replaceAll("(?m)^#.*\n", "").strip().split("\n\n+")) {
      Map<String, String> fields = new LinkedHashMap<>();
      for (String line : entry.split("\n")) {
        int colon = line.indexOf(':');
        fields.put(line.substring(0, colon), line.substring(colon + 1).strip());
      }
      all.add(new Reviewed(fields));
    }
  }

  private boolean matches(String api, String question, String kafka, String milena) {
    boolean about = fields.get("api").equals("any") || fields.get("api").equals(api);
    return about && patterns.get("question").matcher(question).lookingAt()
        && patterns.get("kafka").matcher(kafka).find() && patterns.get("milena").matcher(milena).find();
  }

  static boolean allows(String api, String question, String kafka, String milena) {
    for (Reviewed one : all) {
      if (!one.matches(api, question, kafka, milena)) continue;
      one.seen++;
      return true;
    }
    return false;
  }

  /** What is wrong with the list itself: entries that nothing needed, or of which users are not told. */
  static List<String> complaints(Path documentation) throws IOException {
    String text = Files.readString(documentation).replaceAll("\\s+", " ");
    List<String> result = new ArrayList<>();
    for (Reviewed one : all) {
      String name = one.fields.get("api") + ", " + one.fields.get("question");
      if (one.seen == 0 && !"sometimes".equals(one.fields.get("seen"))) result.add("reviewed, but not seen: " + name);
      if (!text.contains(one.fields.get("documented"))) {
        result.add("reviewed, but not documented: " + name + ": " + one.fields.get("documented"));
      }
    }
    return result;
  }
}
