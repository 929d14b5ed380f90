/// librdkafka, loaded when a verb or a client configuration needs it: the server and other verbs do not pay.
/// Members have the library's names without "rd_kafka_". Not found: a failure that names the package.
#pragma once

#include <librdkafka/rdkafka.h>

#include <memory>
#include <string>
#include <vector>

#include "cli/context.h"
#include "cli/failure.h"

namespace milena::cli {

using ClientProperties = std::vector<std::pair<std::string, std::string>>;

/// A list of partitions; ends with its owner.
using PartitionList =
    std::unique_ptr<rd_kafka_topic_partition_list_t, void (*)(rd_kafka_topic_partition_list_t*)>;

class RdKafka {
 public:
  static Outcome<RdKafka> load();

  PartitionList owned(rd_kafka_topic_partition_list_t* list) const {
    return {list, topic_partition_list_destroy};
  }
  PartitionList new_partition_list() const { return owned(topic_partition_list_new(1)); }

  decltype(&::rd_kafka_conf_new) conf_new;
  decltype(&::rd_kafka_conf_destroy) conf_destroy;
  decltype(&::rd_kafka_conf_set) conf_set;
  decltype(&::rd_kafka_conf_set_opaque) conf_set_opaque;
  decltype(&::rd_kafka_conf_set_dr_msg_cb) conf_set_dr_msg_cb;
  decltype(&::rd_kafka_conf_set_error_cb) conf_set_error_cb;
  decltype(&::rd_kafka_conf_set_log_cb) conf_set_log_cb;
  decltype(&::rd_kafka_new) create;  // rd_kafka_new
  decltype(&::rd_kafka_destroy) destroy;
  decltype(&::rd_kafka_opaque) opaque;
  decltype(&::rd_kafka_poll) poll;
  decltype(&::rd_kafka_flush) flush;
  decltype(&::rd_kafka_outq_len) outq_len;
  decltype(&::rd_kafka_produceva) produceva;
  decltype(&::rd_kafka_error_code) error_code;
  decltype(&::rd_kafka_error_string) error_string;
  decltype(&::rd_kafka_error_destroy) error_destroy;
  decltype(&::rd_kafka_err2str) err2str;
  decltype(&::rd_kafka_err2name) err2name;
  decltype(&::rd_kafka_topic_new) topic_new;
  decltype(&::rd_kafka_topic_destroy) topic_destroy;
  decltype(&::rd_kafka_topic_name) topic_name;
  decltype(&::rd_kafka_metadata) metadata;
  decltype(&::rd_kafka_metadata_destroy) metadata_destroy;
  decltype(&::rd_kafka_queue_new) queue_new;
  decltype(&::rd_kafka_queue_destroy) queue_destroy;
  decltype(&::rd_kafka_consume_start_queue) consume_start_queue;
  decltype(&::rd_kafka_consume_stop) consume_stop;
  decltype(&::rd_kafka_consume_queue) consume_queue;
  decltype(&::rd_kafka_poll_set_consumer) poll_set_consumer;
  decltype(&::rd_kafka_subscribe) subscribe;
  decltype(&::rd_kafka_consumer_poll) consumer_poll;
  decltype(&::rd_kafka_consumer_close) consumer_close;
  decltype(&::rd_kafka_assignment) assignment;
  decltype(&::rd_kafka_committed) committed;
  decltype(&::rd_kafka_commit) commit;
  decltype(&::rd_kafka_memberid) memberid;
  decltype(&::rd_kafka_mem_free) mem_free;
  decltype(&::rd_kafka_offsets_for_times) offsets_for_times;
  decltype(&::rd_kafka_query_watermark_offsets) query_watermark_offsets;
  decltype(&::rd_kafka_topic_partition_list_new) topic_partition_list_new;
  decltype(&::rd_kafka_topic_partition_list_add) topic_partition_list_add;
  decltype(&::rd_kafka_topic_partition_list_destroy) topic_partition_list_destroy;
  decltype(&::rd_kafka_message_destroy) message_destroy;
  decltype(&::rd_kafka_message_timestamp) message_timestamp;
  decltype(&::rd_kafka_message_headers) message_headers;
  decltype(&::rd_kafka_header_get_all) header_get_all;
};

/// The library's error as a failure of `what`.
Failure rdkafka_failure(const RdKafka& library, std::string what, rd_kafka_resp_err_t error,
                        std::string_view detail = {});

/// One client handle and what its callbacks told. Threads: callbacks run inside poll() and its like.
class RdKafkaClient {
 public:
  /// Properties in order: later ones win. Errors: a property that the library does not take (usage).
  static Outcome<std::unique_ptr<RdKafkaClient>> create(
      const RdKafka& library, rd_kafka_type_t type,
      const std::vector<std::pair<std::string, std::string>>& properties,
      void (*delivered)(rd_kafka_t*, const rd_kafka_message_t*, void*), void* opaque);
  ~RdKafkaClient();
  RdKafkaClient(const RdKafkaClient&) = delete;
  RdKafkaClient& operator=(const RdKafkaClient&) = delete;

  const RdKafka& library() const { return library_; }
  rd_kafka_t* handle() const { return handle_; }
  /// Given to `delivered`.
  void* opaque() const { return opaque_; }
  /// No broker is reachable, as far as is known.
  bool all_down() const { return all_down_; }
  /// The latest error of the client as a whole; empty: none.
  const std::string& last_error() const { return last_error_; }

 private:
  explicit RdKafkaClient(const RdKafka& library, void* opaque) : library_(library), opaque_(opaque) {}
  static void on_error(rd_kafka_t* handle, int error, const char* reason, void* opaque);
  RdKafka library_;
  rd_kafka_t* handle_ = nullptr;
  void* opaque_;
  bool all_down_ = false;
  std::string last_error_;
};

/// `key=value` of -X. Errors: a sentence.
Result<std::pair<std::string, std::string>, std::string> parse_property(std::string_view text);

/// Takes out of `properties` what librdkafka has no use for: keys that it does not know and what only Java
/// understands (class names, stores of keys). Returns their keys. Errors: a value that is wrong (usage).
Outcome<std::vector<std::string>> take_out_foreign(const RdKafka& library, ClientProperties& properties);

/// Appends the properties of the client configuration (-F, -P), then those of -X. Errors: usage, one is no
/// key=value.
Outcome<void> add_own_properties(const Context& context, const std::vector<std::string>& given,
                                 ClientProperties& properties);
/// Whether `properties` lead to the brokers that the verb knows, with nothing but a plain connection.
bool plainly_reached(const Context& context, const ClientProperties& properties);
/// Asks the brokers that `properties` name whether one is there, so that a wrong address is told at once and
/// in plain words. Not asked where they are not plainly reached.
Outcome<void> reach_brokers(Context& context, const ClientProperties& properties);

/// The topic's partitions, from metadata. Errors: it does not exist (kNotFound), nobody answers
/// (kUnreachable).
Outcome<std::vector<std::int32_t>> partitions_of(const RdKafkaClient& client, const std::string& topic,
                                                 int timeout_ms);

/// From now on SIGINT and SIGTERM only set a flag, which ends reads and polls early. A second one ends the
/// process.
void catch_interrupts();
bool interrupted();
/// 128 + the signal that interrupted: 130 for SIGINT, 143 for SIGTERM. REQUIRES interrupted().
int interrupted_exit();

}  // namespace milena::cli
