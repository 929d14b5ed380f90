#include "cli/rdkafka.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <csignal>

#include "cli/client_config.h"

namespace milena::cli {
namespace {

volatile std::sig_atomic_t interrupted_by = 0;  // the signal

void on_interrupt(int signal) {
  if (interrupted_by != 0) std::_Exit(128 + signal);
  interrupted_by = signal;
}

// The library's log lines say again, at length, what its errors say.
void drop_log(const rd_kafka_t*, int, const char*, const char*) {}

}  // namespace

void catch_interrupts() {
  sigset_t set;  // an event loop that ran before has blocked them in this thread
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  // lint: allow(thread) this thread's own signals, outside of any loop
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  struct sigaction action{};
  action.sa_handler = on_interrupt;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}
bool interrupted() {
  return interrupted_by != 0;
}
int interrupted_exit() {
  return 128 + interrupted_by;
}

Outcome<RdKafka> RdKafka::load() {
  void* library = dlopen("librdkafka.so.1", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* why = dlerror();  // NOLINT(concurrency-mt-unsafe) glibc keeps one text per thread
    return Err(Failure{Exit::kFailed, "producing and consuming need librdkafka", why == nullptr ? "" : why,
                       "install it: apt-get install librdkafka1"});
  }
  RdKafka loaded{};
  std::string missing;
  auto find = [&](auto& function, const char* name) {
    function = reinterpret_cast<std::decay_t<decltype(function)>>(dlsym(library, name));
    if (function == nullptr) missing = name;
  };
#define MILENA_FIND(member) find(loaded.member, "rd_kafka_" #member)
  find(loaded.create, "rd_kafka_new");
  MILENA_FIND(conf_new);
  MILENA_FIND(conf_destroy);
  MILENA_FIND(conf_set);
  MILENA_FIND(conf_set_opaque);
  MILENA_FIND(conf_set_dr_msg_cb);
  MILENA_FIND(conf_set_error_cb);
  MILENA_FIND(conf_set_log_cb);
  MILENA_FIND(destroy);
  MILENA_FIND(opaque);
  MILENA_FIND(poll);
  MILENA_FIND(flush);
  MILENA_FIND(outq_len);
  MILENA_FIND(produceva);
  MILENA_FIND(error_code);
  MILENA_FIND(error_string);
  MILENA_FIND(error_destroy);
  MILENA_FIND(err2str);
  MILENA_FIND(err2name);
  MILENA_FIND(topic_new);
  MILENA_FIND(topic_destroy);
  MILENA_FIND(topic_name);
  MILENA_FIND(metadata);
  MILENA_FIND(metadata_destroy);
  MILENA_FIND(queue_new);
  MILENA_FIND(queue_destroy);
  MILENA_FIND(consume_start_queue);
  MILENA_FIND(consume_stop);
  MILENA_FIND(consume_queue);
  MILENA_FIND(poll_set_consumer);
  MILENA_FIND(subscribe);
  MILENA_FIND(consumer_poll);
  MILENA_FIND(consumer_close);
  MILENA_FIND(assignment);
  MILENA_FIND(committed);
  MILENA_FIND(commit);
  MILENA_FIND(memberid);
  MILENA_FIND(mem_free);
  MILENA_FIND(offsets_for_times);
  MILENA_FIND(query_watermark_offsets);
  MILENA_FIND(topic_partition_list_new);
  MILENA_FIND(topic_partition_list_add);
  MILENA_FIND(topic_partition_list_destroy);
  MILENA_FIND(message_destroy);
  MILENA_FIND(message_timestamp);
  MILENA_FIND(message_headers);
  MILENA_FIND(header_get_all);
#undef MILENA_FIND
  if (!missing.empty())
    return Err(
        Failure{Exit::kFailed, "this librdkafka is too old", "it has no " + missing, "install 2.0 or newer"});
  return loaded;
}

Failure rdkafka_failure(const RdKafka& library, std::string what, rd_kafka_resp_err_t error,
                        std::string_view detail) {
  std::string_view text = detail.empty() ? std::string_view(library.err2str(error)) : detail;
  Failure failure{Exit::kFailed, std::move(what), fmt::format("{} ({})", text, library.err2name(error)), {}};
  switch (error) {
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
      failure.exit = Exit::kNotFound;
      failure.next = "milena topic list; or milena topic create NAME";
      break;
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
    case RD_KAFKA_RESP_ERR__RESOLVE:
      failure.exit = Exit::kUnreachable;
      failure.next = "start a server with 'milena server', or name one with -b host:port (or MILENA_BROKERS)";
      break;
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
      failure.exit = Exit::kNotAllowed;
      break;
    case RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE:
      failure.next = kNoCoordinator;
      break;
    default:
      break;
  }
  return failure;
}

void RdKafkaClient::on_error(rd_kafka_t*, int error, const char* reason, void* opaque) {
  auto* client = static_cast<RdKafkaClient*>(opaque);
  client->last_error_ = reason;
  if (error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) client->all_down_ = true;
}

Outcome<std::unique_ptr<RdKafkaClient>> RdKafkaClient::create(
    const RdKafka& library, rd_kafka_type_t type,
    const std::vector<std::pair<std::string, std::string>>& properties,
    void (*delivered)(rd_kafka_t*, const rd_kafka_message_t*, void*), void* opaque) {
  std::unique_ptr<RdKafkaClient> client(new RdKafkaClient(library, opaque));
  char error[512];
  rd_kafka_conf_t* conf = library.conf_new();
  for (const auto& [key, value] : properties) {
    if (library.conf_set(conf, key.c_str(), value.c_str(), error, sizeof error) == RD_KAFKA_CONF_OK) continue;
    library.conf_destroy(conf);
    return Err(usage(fmt::format("wrong property {}={}: {}", key, value, error),
                     "librdkafka's CONFIGURATION.md lists the properties"));
  }
  library.conf_set_opaque(conf, client.get());
  library.conf_set_error_cb(conf, on_error);
  bool debugging =
      std::any_of(properties.begin(), properties.end(), [](const auto& p) { return p.first == "debug"; });
  if (!debugging) library.conf_set_log_cb(conf, drop_log);
  if (delivered != nullptr) library.conf_set_dr_msg_cb(conf, delivered);
  client->handle_ = library.create(type, conf, error, sizeof error);
  if (client->handle_ == nullptr) {
    library.conf_destroy(conf);
    return Err(usage(fmt::format("librdkafka does not take this configuration: {}", error)));
  }
  return client;
}

RdKafkaClient::~RdKafkaClient() {
  if (handle_ != nullptr) library_.destroy(handle_);
}

Result<std::pair<std::string, std::string>, std::string> parse_property(std::string_view text) {
  std::size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0) return Err(fmt::format("'{}' is not key=value", text));
  return std::pair(std::string(text.substr(0, equals)), std::string(text.substr(equals + 1)));
}

Outcome<std::vector<std::string>> take_out_foreign(const RdKafka& library, ClientProperties& properties) {
  std::vector<std::string> foreign;
  ClientProperties taken;
  Outcome<void> wrong;
  rd_kafka_conf_t* conf = library.conf_new();
  for (const auto& [key, value] : properties) {
    char error[512];
    bool of_java = value.starts_with("org.apache.kafka.");
    rd_kafka_conf_res_t result = library.conf_set(conf, key.c_str(), value.c_str(), error, sizeof error);
    bool of_security = key.starts_with("ssl.") || key.starts_with("sasl.");
    if (of_java || result == RD_KAFKA_CONF_UNKNOWN || (of_security && result != RD_KAFKA_CONF_OK)) {
      foreign.push_back(key);
    } else if (result != RD_KAFKA_CONF_OK) {
      wrong = Err(usage(fmt::format("wrong property {}={}: {}", key, value, error),
                        "librdkafka's CONFIGURATION.md lists the properties"));
    } else {
      taken.emplace_back(key, value);
    }
  }
  library.conf_destroy(conf);
  TRY(wrong);
  properties = std::move(taken);
  return foreign;
}

Outcome<void> add_own_properties(const Context& context, const std::vector<std::string>& given,
                                 ClientProperties& properties) {
  properties.insert(properties.end(), context.client_properties.begin(), context.client_properties.end());
  for (const std::string& text : given) {
    auto property = parse_property(text);
    if (property.failed()) return Err(usage("wrong -X: " + property.error(), "write -X linger.ms=100"));
    properties.push_back(std::move(*property));
  }
  return {};
}

bool plainly_reached(const Context& context, const ClientProperties& properties) {
  for (const auto& [key, value] : properties) {
    bool elsewhere = key == "bootstrap.servers" && value != context.common.brokers;
    bool more = key == "metadata.broker.list" || key.starts_with("security.") || key.starts_with("sasl.");
    if (elsewhere || more) return false;
  }
  return true;
}

Outcome<void> reach_brokers(Context& context, const ClientProperties& properties) {
  if (!plainly_reached(context, properties)) return {};
  return reach_brokers(context);
}

Outcome<std::vector<std::int32_t>> partitions_of(const RdKafkaClient& client, const std::string& topic,
                                                 int timeout_ms) {
  const RdKafka& library = client.library();
  rd_kafka_topic_t* handle = library.topic_new(client.handle(), topic.c_str(), nullptr);
  if (handle == nullptr)
    return Err(Failure{Exit::kFailed, fmt::format("'{}' is not a topic's name", topic), {}, {}});
  const struct rd_kafka_metadata* metadata = nullptr;
  rd_kafka_resp_err_t error = library.metadata(client.handle(), 0, handle, &metadata, timeout_ms);
  std::vector<std::int32_t> partitions;
  rd_kafka_resp_err_t topic_error = error;
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
    if (metadata->topic_cnt == 1) {
      topic_error = metadata->topics[0].err;
      for (int i = 0; i < metadata->topics[0].partition_cnt; ++i)
        partitions.push_back(metadata->topics[0].partitions[i].id);
    }
    library.metadata_destroy(metadata);
  }
  library.topic_destroy(handle);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    library.poll(client.handle(), 0);
    return Err(rdkafka_failure(library, fmt::format("cannot ask for topic '{}'", topic), error,
                               client.last_error()));
  }
  if (topic_error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    Failure failure = rdkafka_failure(library, fmt::format("cannot use topic '{}'", topic), topic_error);
    if (failure.exit == Exit::kNotFound) {
      failure.what = fmt::format("topic '{}' does not exist", topic);
      failure.next = fmt::format("milena topic create {}", topic);
    }
    return Err(failure);
  }
  std::sort(partitions.begin(), partitions.end());
  return partitions;
}

}  // namespace milena::cli
