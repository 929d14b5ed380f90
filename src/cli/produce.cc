// milena produce: records from standard input to a topic.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <map>
#include <memory>

#include "base/check.h"
#include "cli/checks.h"
#include "cli/rdkafka.h"
#include "cli/record_format.h"
#include "cli/verbs.h"

namespace milena::cli {
namespace {

struct ProduceOptions {
  std::string topic;
  std::optional<std::string> key;
  std::string key_delimiter;
  std::string record_delimiter = "\\n";
  std::vector<std::string> headers;
  std::string format;
  std::int32_t partition = -1;
  std::string codec = "none";
  std::string acks = "all";
  std::vector<std::string> properties;
  bool quiet = false;
};

// What the broker said about the records so far.
struct Deliveries {
  std::uint64_t delivered = 0;
  std::uint64_t failed = 0;
  rd_kafka_resp_err_t first_error = RD_KAFKA_RESP_ERR_NO_ERROR;
  std::uint64_t first_record = 0;  // the number of the record that failed first
  std::size_t first_size = 0;
  std::map<std::int32_t, std::pair<std::int64_t, std::int64_t>> offsets;  // by partition: first, last
};

void on_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
  auto* deliveries = static_cast<Deliveries*>(static_cast<RdKafkaClient*>(opaque)->opaque());
  if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    if (deliveries->failed++ == 0) {
      deliveries->first_error = message->err;
      deliveries->first_record = reinterpret_cast<std::uintptr_t>(message->_private);
      deliveries->first_size = message->len + message->key_len;
    }
    return;
  }
  ++deliveries->delivered;
  auto [entry, first] = deliveries->offsets.try_emplace(message->partition, message->offset, message->offset);
  if (!first) {
    entry->second.first = std::min(entry->second.first, message->offset);
    entry->second.second = std::max(entry->second.second, message->offset);
  }
}

// A coroutine cannot keep a reference to what its caller's lambda holds.
io::Task<int> ask_for_topic(io::Loop* loop, client::ClusterOptions options, std::string topic,
                            bool* missing) {
  client::Cluster cluster(*loop, std::move(options));
  std::vector<std::string> names{topic};
  auto metadata = co_await cluster.fetch_metadata(std::move(names));
  if (metadata.failed()) co_return 0;
  for (const auto& one : (*metadata)->topics)
    *missing = wire::error_code_from(one.error_code) == wire::ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
  co_return 0;
}

class Producer {
 public:
  Producer(Context& context, const ProduceOptions& options) : context_(context), options_(options) {}
  int run();

 private:
  Outcome<void> prepare();
  Outcome<void> read_and_send();
  Outcome<void> send(const InputRecord& record, std::uint64_t number);
  /// The failure with what to do about it, where the library's words are not enough.
  Failure explained(Failure failure, rd_kafka_resp_err_t error, std::size_t size) const;
  Outcome<void> look_for_topic();
  Outcome<void> finish();
  void report(bool failed);

  Context& context_;
  const ProduceOptions& options_;
  std::optional<InputRecordFormat> format_;
  std::vector<std::pair<std::string, std::string>> headers_;
  Deliveries deliveries_;
  std::string size_limit_ = "1000000";  // librdkafka's own message.max.bytes
  bool missing_ = false;                // there was no such topic at the start
  std::unique_ptr<RdKafkaClient> client_;
};

Outcome<void> Producer::prepare() {
  auto wrong = [](const char* option, const std::string& why) {
    return Err(usage(fmt::format("wrong {}: {}", option, why), "milena produce --help"));
  };
  if (!options_.format.empty()) {
    auto parsed = InputRecordFormat::parse(options_.format);
    if (parsed.failed()) return wrong("-f", parsed.error());
    format_ = std::move(*parsed);
  } else {
    auto key = unescape(options_.key_delimiter);
    if (key.failed()) return wrong("-K", key.error());
    auto record = unescape(options_.record_delimiter);
    if (record.failed() || record->empty())
      return wrong("-D", record.failed() ? record.error() : "it is empty");
    format_ = InputRecordFormat::lines(*key, *record);
  }
  for (const std::string& header : options_.headers) {
    auto parsed = parse_property(header);
    if (parsed.failed()) return wrong("-H", parsed.error());
    headers_.push_back(std::move(*parsed));
  }
  ClientProperties properties = {
      {"bootstrap.servers", context_.common.brokers},
      {"client.id", "milena-cli"},
      {"acks", options_.acks},
      {"compression.codec", options_.codec},
      {"partitioner", "murmur2_random"},  // as Java's: the same key, the same partition
      {"linger.ms", "5"},
      {"message.timeout.ms", std::to_string(context_.common.timeout_ms)},
      {"topic.metadata.propagation.max.ms",
       std::to_string(std::min<std::int64_t>(context_.common.timeout_ms, 5000))},
  };
  TRY(add_own_properties(context_, options_.properties, properties));
  for (const auto& [key, value] : properties)
    if (key == "message.max.bytes") size_limit_ = value;
  TRY(reach_brokers(context_, properties));
  if (plainly_reached(context_, properties)) {
    TRY(look_for_topic());
  }
  TRY_ASSIGN(RdKafka library, RdKafka::load());
  TRY_ASSIGN(client_,
             RdKafkaClient::create(library, RD_KAFKA_PRODUCER, properties, on_delivery, &deliveries_));
  return {};
}

// Whether the server will have to create the topic; where nobody answers, the library says so.
Outcome<void> Producer::look_for_topic() {
  TRY_ASSIGN(client::ClusterOptions cluster, cluster_options(context_));
  context_.host.run_on_loop(
      [&](io::Loop* loop) { return ask_for_topic(loop, std::move(cluster), options_.topic, &missing_); });
  return {};
}

Failure Producer::explained(Failure failure, rd_kafka_resp_err_t error, std::size_t size) const {
  if (error == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) {
    failure.why = fmt::format(
        "it has {} bytes, the producer takes {} (message.max.bytes) and the topic its "
        "max.message.bytes (MSG_SIZE_TOO_LARGE)",
        size, size_limit_);
    failure.next =
        fmt::format("produce with -X message.max.bytes={}; milena topic alter {} -c max.message.bytes={}",
                    size + 1000, options_.topic, size + 1000);
  } else if (error == RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION) {
    failure.next = "name a topic of letters, digits, '.', '_' and '-', at most 249 of them";
  } else if (error == RD_KAFKA_RESP_ERR_INVALID_RECORD) {
    failure.next = fmt::format(
        "give the records keys with -k or -K, which a compacted topic needs; milena config get topic {} "
        "cleanup.policy",
        options_.topic);
  }
  return failure;
}

Outcome<void> Producer::send(const InputRecord& record, std::uint64_t number) {
  const RdKafka& library = client_->library();
  std::optional<std::string> key = record.key ? record.key : options_.key;
  std::vector<rd_kafka_vu_t> arguments(6);
  arguments[0].vtype = RD_KAFKA_VTYPE_TOPIC;
  arguments[0].u.cstr = options_.topic.c_str();
  arguments[1].vtype = RD_KAFKA_VTYPE_PARTITION;
  arguments[1].u.i32 = record.partition.value_or(options_.partition);
  arguments[2].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
  arguments[2].u.i = RD_KAFKA_MSG_F_COPY;
  auto put = [](rd_kafka_vu_t& argument, rd_kafka_vtype_t type, const std::optional<std::string>& bytes) {
    argument.vtype = type;
    argument.u.mem.ptr = bytes ? const_cast<char*>(bytes->data()) : nullptr;
    argument.u.mem.size = bytes ? bytes->size() : 0;
  };
  put(arguments[3], RD_KAFKA_VTYPE_KEY, key);
  put(arguments[4], RD_KAFKA_VTYPE_VALUE, record.value);
  arguments[5].vtype = RD_KAFKA_VTYPE_OPAQUE;
  // NOLINTNEXTLINE(performance-no-int-to-ptr) the library carries it, nobody follows it
  arguments[5].u.ptr = reinterpret_cast<void*>(static_cast<std::uintptr_t>(number));
  auto headers = headers_;
  headers.insert(headers.end(), record.headers.begin(), record.headers.end());
  for (const auto& [name, value] : headers) {
    rd_kafka_vu_t& argument = arguments.emplace_back();
    argument.vtype = RD_KAFKA_VTYPE_HEADER;
    argument.u.header.name = name.c_str();
    argument.u.header.val = value.data();
    argument.u.header.size = static_cast<ssize_t>(value.size());
  }
  if (record.timestamp) {
    rd_kafka_vu_t& argument = arguments.emplace_back();
    argument.vtype = RD_KAFKA_VTYPE_TIMESTAMP;
    argument.u.i64 = *record.timestamp;
  }
  while (true) {
    rd_kafka_error_t* error = library.produceva(client_->handle(), arguments.data(), arguments.size());
    if (error == nullptr) break;
    rd_kafka_resp_err_t code = library.error_code(error);
    std::string text = library.error_string(error);
    library.error_destroy(error);
    if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
      std::string what = fmt::format("cannot produce to '{}', record {}", options_.topic, number);
      std::size_t size = record.value.value_or("").size() + key.value_or("").size();
      return Err(explained(rdkafka_failure(library, what, code, text), code, size));
    }
    library.poll(client_->handle(), 100);
  }
  library.poll(client_->handle(), 0);
  return {};
}

Outcome<void> Producer::read_and_send() {
  CHECK(format_.has_value(), "prepare() reads the format");
  std::vector<std::uint8_t> chunk(1 << 16);
  std::string pending;
  std::uint64_t number = 0;
  bool end = false;
  while (!end && !interrupted()) {
    auto got = context_.terminal.read_input(chunk);
    if (!got && errno == EINTR) continue;
    if (!got) return Err(Failure{Exit::kFailed, "standard input cannot be read", {}, {}});
    end = *got == 0;
    pending.append(as_text(ByteView(chunk.data(), *got)));
    std::size_t at = 0;
    while (true) {
      auto record = format_->next(pending, at, end);
      ++number;
      if (record.failed())
        return Err(Failure{Exit::kFailed, fmt::format("record {} does not fit the format", number),
                           record.error(), "milena produce --help explains -f"});
      const auto& one = *record;
      if (!one.has_value()) break;
      TRY(send(*one, number));
      if (deliveries_.failed > 0) return {};  // finish() says why
    }
    --number;
    pending.erase(0, at);
  }
  return {};
}

Outcome<void> Producer::finish() {
  const RdKafka& library = client_->library();
  int patience_ms = static_cast<int>(context_.common.timeout_ms) + 1000;
  rd_kafka_resp_err_t flushed = library.flush(client_->handle(), patience_ms);
  std::string what = fmt::format("cannot produce to '{}'", options_.topic);
  if (deliveries_.failed > 0) {
    if (deliveries_.delivered > 0)
      what = fmt::format("{} of {} records were not written to '{}', the first of them", deliveries_.failed,
                         deliveries_.failed + deliveries_.delivered, options_.topic);
    what += fmt::format(", record {}", deliveries_.first_record);
    // "timed out" is what the library says; that nobody is there is why.
    Failure failure = explained(rdkafka_failure(library, what, deliveries_.first_error),
                                deliveries_.first_error, deliveries_.first_size);
    if (failure.exit == Exit::kUnreachable && client_->all_down()) {
      failure.why = client_->last_error();
    } else if (failure.exit == Exit::kUnreachable) {  // servers are there
      failure.next = fmt::format("milena status; milena topic describe {} shows whether each partition has a leader",
                                 options_.topic);
    }
    if (failure.exit == Exit::kNotFound) failure.next = fmt::format("milena topic create {}", options_.topic);
    if (deliveries_.first_error == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION)
      failure.next = fmt::format("milena topic describe {} shows its partitions", options_.topic);
    return Err(failure);
  }
  if (flushed != RD_KAFKA_RESP_ERR_NO_ERROR)
    return Err(rdkafka_failure(library, what, flushed, client_->last_error()));
  return {};
}

void Producer::report(bool failed) {
  if (missing_ && deliveries_.delivered > 0 && !options_.quiet)
    context_.terminal.talk(
        fmt::format("topic '{}' did not exist: the server has created it\n", options_.topic));
  bool wanted = !options_.quiet && context_.terminal.err_is_tty();
  if (!wanted && !failed) return;
  std::string where;
  for (const auto& [partition, range] : deliveries_.offsets) {
    if (range.second < 0) continue;
    where += where.empty() ? " (" : ", ";
    where += range.first == range.second
                 ? fmt::format("partition {} offset {}", partition, range.first)
                 : fmt::format("partition {} offsets {} to {}", partition, range.first, range.second);
  }
  if (!where.empty()) where += ")";
  context_.terminal.talk(fmt::format("{}{} to {}{}\n", failed ? "written before it failed: " : "",
                                     counted(deliveries_.delivered, "record"), options_.topic, where));
}

int Producer::run() {
  auto prepared = prepare();
  if (prepared.failed()) return context_.fail(prepared.error());
  catch_interrupts();
  if (context_.terminal.in_is_tty() && !options_.quiet)
    context_.terminal.talk("one record a line; Ctrl-D ends\n");
  auto sent = read_and_send();
  auto finished = finish();
  int exit = 0;
  if (sent.failed()) {
    exit = context_.fail(sent.error());
  } else if (finished.failed()) {
    exit = context_.fail(finished.error());
  }
  report(exit != 0);
  if (exit != 0) return exit;
  return interrupted() ? interrupted_exit() : 0;
}

}  // namespace

void add_produce_verb(CLI::App& root, Context& context) {
  auto options = std::make_shared<ProduceOptions>();
  CLI::App& app = *root.add_subcommand("produce", "Write records from standard input to a topic");
  add_broker_options(app, context);
  app.add_option("topic", options->topic,
                 "name of the topic; the server may create it (auto.create.topics.enable)")
      ->required()
      ->type_name("TOPIC");
  app.add_option("-k,--key", options->key, "key of every record that brings none")->type_name("KEY");
  app.add_option("-K,--key-delimiter", options->key_delimiter, "what stands before this is the record's key")
      ->type_name("TEXT");
  app.add_option("-D,--delimiter", options->record_delimiter, "what ends a record")
      ->type_name("TEXT")
      ->capture_default_str();
  app.add_option("-H,--header", options->headers, "a header, name=value; may be repeated")
      ->type_name("NAME=VALUE")
      ->take_all()
      ->allow_extra_args(false);
  app.add_option("-f,--format", options->format,
                 "form of the input: %k key, %v value, %h headers a=1,b=2, %p, %T")
      ->type_name("FORMAT");
  app.add_option("-p,--partition", options->partition, "partition (default: by key, or in turn)")
      ->type_name("N");
  app.add_option("-z,--compression", options->codec, "none, gzip, snappy, lz4 or zstd")
      ->check(one_of({"none", "gzip", "snappy", "lz4", "zstd"}))
      ->type_name("CODEC")
      ->capture_default_str();
  app.add_option("-a,--acks", options->acks, "all, 1 (the leader) or 0 (nobody)")
      ->check(one_of({"all", "-1", "0", "1"}))
      ->type_name("ACKS")
      ->capture_default_str();
  app.add_option("-X,--property", options->properties, "a property of librdkafka, key=value; may be repeated")
      ->type_name("KEY=VALUE")
      ->take_all()
      ->allow_extra_args(false);
  app.add_flag("-q,--quiet", options->quiet, "say nothing but errors");
  app.footer(R"(Examples:
  echo hello | milena produce orders
  milena produce orders -k customer-7 < lines.txt
  printf 'a:1\nb:2\n' | milena produce orders -K :
  printf '1|blue|x=1\n' | milena produce orders -f '%k|%v|%h\n' -z zstd
  tail -f app.log | milena produce logs -H host=web1 -X linger.ms=100)");
  app.callback([&context, options] {
    context.action = [&context, options] { return Producer(context, *options).run(); };
  });
}

}  // namespace milena::cli
