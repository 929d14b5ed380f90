// A load generator over librdkafka, for side-by-side measurements: the same client drives Milena and Apache Kafka.
//
//   bench_load produce  BROKERS TOPIC RECORDS SIZE [spread=PARTITIONS] [key=value ...]   waits for all acknowledgements
//   bench_load consume  BROKERS TOPIC RECORDS SIZE [key=value ...]   reads from the start, checks order and content
//
// key=value are librdkafka properties. Prints one JSON line: records, bytes, seconds, errors. Exit status 1 when a
// record was not acknowledged, is missing, out of order, twice there, or damaged: a number without this gate is void.
#include <fmt/core.h>
#include <librdkafka/rdkafka.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {

struct Job {
  std::string brokers;
  std::string topic;
  std::int64_t records = 0;
  std::size_t size = 0;
  std::int32_t spread = 1;  // over so many partitions
  std::vector<std::pair<std::string, std::string>> properties;
};

struct Tally {
  std::int64_t done = 0;
  std::int64_t errors = 0;
};

double now_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

[[noreturn]] void die(const std::string& message) {
  std::fprintf(stderr, "bench_load: %s\n", message.c_str());
  std::_Exit(2);  // librdkafka's threads may run: nothing of theirs is taken down under them
}

rd_kafka_conf_t* configure(const Job& job) {
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  char error[512];
  auto set = [&](const std::string& key, const std::string& value) {
    if (rd_kafka_conf_set(conf, key.c_str(), value.c_str(), error, sizeof error) != RD_KAFKA_CONF_OK) die(error);
  };
  set("bootstrap.servers", job.brokers);
  for (const auto& [key, value] : job.properties) set(key, value);
  return conf;
}

// Half of a record is random-looking, half repeats; the first 8 bytes are its number.
std::vector<char> make_payload(std::size_t size) {
  std::vector<char> payload(size, 'm');
  std::uint64_t state = 42;
  for (std::size_t i = 8; i < size / 2; ++i) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    payload[i] = static_cast<char>(state >> 56);
  }
  return payload;
}

void on_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
  auto* tally = static_cast<Tally*>(opaque);
  ++tally->done;
  if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) ++tally->errors;
}

int report(const char* mode, std::int64_t records, std::size_t size, double seconds, std::int64_t errors) {
  fmt::print("{{\"mode\":\"{}\",\"records\":{},\"bytes\":{},\"seconds\":{:.4f},\"errors\":{}}}\n", mode, records,
             records * static_cast<std::int64_t>(size), seconds, errors);
  return errors == 0 ? 0 : 1;
}

int produce(const Job& job) {
  Tally tally;
  rd_kafka_conf_t* conf = configure(job);
  rd_kafka_conf_set_opaque(conf, &tally);
  rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
  char error[512];
  rd_kafka_t* client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, error, sizeof error);
  if (client == nullptr) die(error);
  rd_kafka_topic_t* topic = rd_kafka_topic_new(client, job.topic.c_str(), nullptr);
  std::vector<char> payload = make_payload(job.size);
  double start = now_seconds();
  for (std::int64_t i = 0; i < job.records; ++i) {
    std::memcpy(payload.data(), &i, sizeof i);
    while (rd_kafka_produce(topic, static_cast<std::int32_t>(i % job.spread), RD_KAFKA_MSG_F_COPY, payload.data(), payload.size(), nullptr, 0, nullptr) != 0) {
      if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL) die(rd_kafka_err2str(rd_kafka_last_error()));
      rd_kafka_poll(client, 1);
    }
    if (i % 64 == 0) rd_kafka_poll(client, 0);
  }
  while (tally.done < job.records && now_seconds() - start < 300) rd_kafka_poll(client, 10);
  double seconds = now_seconds() - start;
  std::int64_t errors = tally.errors + (job.records - tally.done);
  rd_kafka_topic_destroy(topic);
  rd_kafka_destroy(client);
  return report("produce", job.records, job.size, seconds, errors);
}

int consume(const Job& job) {
  rd_kafka_conf_t* conf = configure(job);
  char error[512];
  rd_kafka_t* client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, error, sizeof error);
  if (client == nullptr) die(error);
  rd_kafka_topic_t* topic = rd_kafka_topic_new(client, job.topic.c_str(), nullptr);
  rd_kafka_queue_t* queue = rd_kafka_queue_new(client);
  double start = now_seconds();
  if (rd_kafka_consume_start_queue(topic, 0, RD_KAFKA_OFFSET_BEGINNING, queue) != 0) die("cannot consume");
  std::vector<char> expected = make_payload(job.size);
  std::int64_t next = 0;
  std::int64_t errors = 0;
  std::vector<rd_kafka_message_t*> batch(1000);
  while (next < job.records && now_seconds() - start < 300) {
    ssize_t got = rd_kafka_consume_batch_queue(queue, 1000, batch.data(), batch.size());
    for (ssize_t i = 0; i < got; ++i) {
      rd_kafka_message_t* message = batch[static_cast<std::size_t>(i)];
      if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        std::memcpy(expected.data(), &next, sizeof next);
        bool same = message->len == job.size && std::memcmp(message->payload, expected.data(), job.size) == 0;
        if (!same) ++errors;
        ++next;
      } else if (message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        ++errors;
      }
      rd_kafka_message_destroy(message);
    }
  }
  double seconds = now_seconds() - start;
  rd_kafka_consume_stop(topic, 0);
  rd_kafka_queue_destroy(queue);
  rd_kafka_topic_destroy(topic);
  rd_kafka_destroy(client);
  return report("consume", next, job.size, seconds, errors + (job.records - next));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 6) die("usage: bench_load produce|consume BROKERS TOPIC RECORDS SIZE [spread=PARTITIONS] [key=value ...]");
  Job job;
  job.brokers = argv[2];
  job.topic = argv[3];
  job.records = std::atoll(argv[4]);
  job.size = static_cast<std::size_t>(std::atoll(argv[5]));
  if (job.size < 8) die("SIZE must be at least 8");
  for (int i = 6; i < argc; ++i) {
    std::string text = argv[i];
    std::size_t equals = text.find('=');
    if (equals == std::string::npos) die("not key=value: " + text);
    if (text.starts_with("spread=")) {
      job.spread = std::atoi(text.c_str() + equals + 1);
      if (job.spread < 1) die("spread must be at least 1");
      continue;
    }
    job.properties.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  if (std::strcmp(argv[1], "produce") == 0) return produce(job);
  if (std::strcmp(argv[1], "consume") == 0) return consume(job);
  die(std::string("unknown mode ") + argv[1]);
}
