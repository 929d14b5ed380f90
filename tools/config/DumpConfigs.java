import java.io.PrintStream;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.common.config.ConfigDef;

/**
 * Reads the configuration keys out of Apache Kafka's jars and writes them as tables, the facts that
 * src/config/keys_*.cc is tested against. Names, types and ranges only, no descriptions.
 *
 * <pre>java -cp 'kafka/libs/*' tools/config/DumpConfigs.java schemas/config</pre>
 */
public class DumpConfigs {
  public static void main(String[] args) throws Exception {
    String folder = args[0];
    Method modes = Class.forName("org.apache.kafka.server.config.DynamicBrokerConfig").getMethod("dynamicConfigUpdateModes");
    @SuppressWarnings("unchecked")
    Map<String, String> updateModes = (Map<String, String>) modes.invoke(null);
    write(folder + "/broker.tsv", definition("kafka.server.KafkaConfig"), updateModes);
    write(folder + "/topic.tsv", definition("org.apache.kafka.storage.internals.log.LogConfig"), null);
    write(folder + "/group.tsv", definition("org.apache.kafka.coordinator.group.GroupConfig"), null);
    write(folder + "/client-metrics.tsv", definition("org.apache.kafka.server.metrics.ClientMetricsConfigs"), null);
  }

  /** The class's ConfigDef: from a static method without parameters, else from a static field. */
  static ConfigDef definition(String className) throws Exception {
    Class<?> type = Class.forName(className);
    for (Method method : type.getMethods()) {
      boolean fits = Modifier.isStatic(method.getModifiers()) && method.getParameterCount() == 0;
      if (fits && ConfigDef.class.isAssignableFrom(method.getReturnType())) return (ConfigDef) method.invoke(null);
    }
    for (Field field : type.getDeclaredFields()) {
      if (!Modifier.isStatic(field.getModifiers()) || !ConfigDef.class.isAssignableFrom(field.getType())) continue;
      field.setAccessible(true);
      return (ConfigDef) field.get(null);
    }
    throw new IllegalStateException("no ConfigDef in " + className);
  }

  static void write(String file, ConfigDef definition, Map<String, String> updateModes) throws Exception {
    try (PrintStream out = new PrintStream(file)) {
      out.print("name\ttype\tdefault\tvalid\timportance\tupdate\tinternal\n");
      for (ConfigDef.ConfigKey key : new TreeMap<>(definition.configKeys()).values()) {
        String value = "<none>";
        if (key.hasDefault()) {
          value = key.defaultValue == null ? "null" : ConfigDef.convertToString(key.defaultValue, key.type);
        }
        String update = updateModes == null ? "" : updateModes.getOrDefault(key.name, "read-only");
        out.print(String.join("\t", key.name, key.type.toString(), value, valid(key), key.importance.toString(), update,
            key.internalConfig ? "internal" : "") + "\n");
      }
    }
  }

  static String valid(ConfigDef.ConfigKey key) throws Exception {
    if (key.validator == null) return "";
    String kind = key.validator.getClass().getSimpleName();
    String text = kind + "|" + key.validator.toString().replace("\n", " ");
    if (!kind.equals("ValidList")) return text;
    Field empty = key.validator.getClass().getDeclaredField("isEmptyAllowed");
    empty.setAccessible(true);
    return text + "|" + ((boolean) empty.get(key.validator) ? "empty" : "filled");
  }
}
