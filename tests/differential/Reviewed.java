// The answers that differ on purpose. Each entry has a reason, and must be seen, unless Kafka's own answer changes from
// run to run: one that no longer is seen fails the test.
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.apache.kafka.common.protocol.ApiKeys;

/**
 * One difference: `what` begins the question's name; the patterns must be found in what only Kafka, and only Milena,
 * answered.
 */
record Reviewed(ApiKeys api, String what, String kafka, String milena, String reason, boolean always) {
  Reviewed(ApiKeys api, String what, String kafka, String milena, String reason) {
    this(api, what, kafka, milena, reason, true);
  }

  private static final List<Reviewed> ALL = List.of(
      new Reviewed(ApiKeys.FIND_COORDINATOR, "transactional", "errorCode=(15|0)", "errorCode=35",
          "transactions are not served: a definite error instead of one that clients retry"),
      new Reviewed(ApiKeys.METADATA, "by neither", "errorCode=-1", "errorCode=42",
          "Kafka fails over the null name and answers UNKNOWN_SERVER_ERROR; the request is at fault"),
      new Reviewed(ApiKeys.METADATA, "automatic", "errorCode=3", "errorCode=0, name='automatic",
          "Kafka creates the topic after its answer, so that clients ask again; here it is there already"),
      new Reviewed(ApiKeys.CREATE_PARTITIONS, "too many partitions", "errorCode=-1", "errorCode=44",
          "Kafka's limit for one request is an exception that it does not expect there"),
      new Reviewed(ApiKeys.ALTER_CLIENT_QUOTAS, "name of a host", "errorCode=0", "errorCode=42",
          "a quota's ip is an address: a controller does not ask name servers"),
      new Reviewed(ApiKeys.ALTER_CLIENT_QUOTAS, "not a number", "errorCode=0", "errorCode=42",
          "Kafka keeps NaN as a quota; no rate is above or below it"),
      new Reviewed(ApiKeys.UPDATE_FEATURES, "unknown 'test.feature.version' at 0", "errorCode=0", "errorCode=95",
          "a feature of Kafka's own tests, which its controllers know"),
      new Reviewed(ApiKeys.UPDATE_FEATURES, "kraft.version up by 1", "errorCode=0", "errorCode=95",
          "voters that are recorded in the log cannot be introduced to a running quorum yet"),
      new Reviewed(ApiKeys.FETCH, "as a follower", "\\[\\]", "NodeEndpoint",
          "Kafka adds the leader's address in some runs and not in others; here it is always told", false),
      new Reviewed(ApiKeys.FETCH_SNAPSHOT, "__cluster_metadata, no such snapshot", "errorCode=-1",
          "errorCode=(74|98|75)", "Kafka cannot encode its own refusal, which has no records"),
      new Reviewed(ApiKeys.FETCH_SNAPSHOT, "orders, no such snapshot", "errorCode=-1", "errorCode=3",
          "Kafka cannot encode its own refusal, which has no records"));

  private static final List<Reviewed> seen = new ArrayList<>();

  static boolean allows(ApiKeys api, String what, String kafka, String milena) {
    for (Reviewed one : ALL) {
      if (one.api != api || !what.startsWith(one.what)) continue;
      if (!Pattern.compile(one.kafka).matcher(kafka).find()) continue;
      if (!Pattern.compile(one.milena).matcher(milena).find()) continue;
      if (!seen.contains(one)) seen.add(one);
      return true;
    }
    return false;
  }

  static List<String> unused() {
    List<String> result = new ArrayList<>();
    for (Reviewed one : ALL) {
      if (one.always && !seen.contains(one)) result.add(one.api.name + ", " + one.what);
    }
    return result;
  }
}
