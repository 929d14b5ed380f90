// milena consume: records of topics to standard output.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include "cli/checks.h"
#include "cli/position.h"
#include "cli/rdkafka.h"
#include "cli/record_format.h"
#include "cli/verbs.h"

namespace milena::cli {
namespace {

struct ConsumeOptions {
  std::vector<std::string> topics;
  std::string from = "start";
  bool from_given = false;
  std::int64_t count = -1;  // -1: no end
  std::string group;
  std::string format;
  std::string output = "text";
  std::vector<std::int32_t> partitions;
  std::vector<std::string> properties;
  bool exit_at_end = false;
};

using TopicPartition = std::pair<std::string, std::int32_t>;

constexpr int kIdleMs = 100;

class Consumer {
 public:
  Consumer(Context& context, const ConsumeOptions& options) : context_(context), options_(options) {}
  int run();

 private:
  Outcome<void> prepare();
  Outcome<void> start_partitions();
  Outcome<void> start_group();
  Outcome<std::int64_t> offset_of(const TopicPartition& partition) const;
  /// The offset that was asked for, or the nearest one that the partition has.
  Outcome<std::int64_t> offset_within(const TopicPartition& partition) const;
  Outcome<std::int64_t> offset_at(const TopicPartition& partition, std::int64_t timestamp) const;
  /// A group that has committed goes on from there: says so to who asks for another beginning.
  void warn_of_commits(PartitionList partitions);
  /// Commits the end of a partition that was met, where nothing is committed: the place where a new group
  /// begins stays, even when it has read nothing. As Java's consumer commits its position.
  void commit_end(const rd_kafka_message_t* end);
  rd_kafka_message_t* next(int timeout_ms);
  Outcome<void> consume();
  /// In vain so far, by waits of kIdleMs: fails when the group cannot be joined for as long as --timeout
  /// says.
  Outcome<void> check_joined();
  /// True: this was the last one that is wanted.
  Outcome<bool> take(const rd_kafka_message_t* message);
  void print(const rd_kafka_message_t* message);
  bool at_end(const rd_kafka_message_t* message);
  void stop();
  bool by_group() const { return !options_.group.empty(); }

  Context& context_;
  const ConsumeOptions& options_;
  Position from_;
  std::optional<OutputRecordFormat> format_;
  std::unique_ptr<RdKafkaClient> client_;
  rd_kafka_queue_t* queue_ = nullptr;
  std::map<TopicPartition, rd_kafka_topic_t*> started_;
  std::set<TopicPartition> ended_;
  std::set<TopicPartition> placed_;  // the group has committed an offset there
  bool commits_ = true;
  std::int64_t taken_ = 0;
  bool joined_ = false;
  std::int64_t waited_ms_ = 0;
  std::string line_;
};

Failure wrong(const char* option, const std::string& why) {
  return usage(fmt::format("wrong {}: {}", option, why), "milena consume --help");
}

// As librdkafka reads what it takes for a boolean: true, t or 1.
bool is_true(const std::string& value) {
  return value == "1" || value.starts_with('t') || value.starts_with('T');
}

Outcome<void> Consumer::prepare() {
  auto from = parse_position(options_.from, "start, end, an offset, -N or @TIME");
  if (from.failed()) return Err(wrong("--from", from.error()));
  from_ = *from;
  bool plain = from_.kind == Position::Kind::kStart || from_.kind == Position::Kind::kEnd;
  if (by_group() && !plain)
    return Err(usage("a group begins where it has committed; --from start or end is for its first time",
                     fmt::format("milena group seek {} --to {}", options_.group, options_.from)));
  if (by_group() && !options_.partitions.empty())
    return Err(usage("-p and -g exclude each other: a group shares out the partitions itself",
                     "leave out -g to read one partition, or -p to read in the group"));
  if (from_.kind == Position::Kind::kRelative && from_.value > 0)
    return Err(wrong("--from", "+N needs a place to count from; -N counts from the end"));
  if (!options_.format.empty() && options_.output != "text")
    return Err(usage(fmt::format("-f and -o {} exclude each other: JSON has its own form", options_.output),
                     "leave out one of them"));
  if (options_.output == "text") {
    auto format = OutputRecordFormat::parse(options_.format.empty() ? "%v\\n" : options_.format);
    if (format.failed()) return Err(wrong("-f", format.error()));
    format_ = std::move(*format);
  }
  ClientProperties properties = {
      {"bootstrap.servers", context_.common.brokers},
      {"client.id", "milena-cli"},
      {"enable.partition.eof", "true"},
      {"reconnect.backoff.ms", "20"},
      // By size rather than by number: a queue that is full stops the library for a whole second.
      {"queued.min.messages", "1000000"},
      {"queued.max.messages.kbytes", "16384"},
      {"fetch.wait.max.ms", options_.exit_at_end ? "10" : "500"},
      {"auto.offset.reset", from_.kind == Position::Kind::kEnd ? "latest" : "earliest"},
  };
  if (by_group()) properties.emplace_back("group.id", options_.group);
  TRY(add_own_properties(context_, options_.properties, properties));
  for (const auto& [key, value] : properties)
    if (key == "enable.auto.commit") commits_ = is_true(value);
  TRY(reach_brokers(context_, properties));
  TRY_ASSIGN(RdKafka library, RdKafka::load());
  TRY_ASSIGN(client_, RdKafkaClient::create(library, RD_KAFKA_CONSUMER, properties, nullptr, nullptr));
  return {};
}

Outcome<std::int64_t> Consumer::offset_at(const TopicPartition& partition, std::int64_t timestamp) const {
  const RdKafka& library = client_->library();
  PartitionList list = library.new_partition_list();
  rd_kafka_topic_partition_t* entry =
      library.topic_partition_list_add(list.get(), partition.first.c_str(), partition.second);
  entry->offset = timestamp;
  rd_kafka_resp_err_t error = library.offsets_for_times(client_->handle(), list.get(),
                                                        static_cast<int>(context_.common.timeout_ms));
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) error = entry->err;
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
    return Err(rdkafka_failure(
        library, fmt::format("cannot find the time in {}-{}", partition.first, partition.second), error));
  return entry->offset;
}

Outcome<std::int64_t> Consumer::offset_within(const TopicPartition& partition) const {
  const RdKafka& library = client_->library();
  std::int64_t start = 0;
  std::int64_t end = 0;
  rd_kafka_resp_err_t error =
      library.query_watermark_offsets(client_->handle(), partition.first.c_str(), partition.second, &start,
                                      &end, static_cast<int>(context_.common.timeout_ms));
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
    return Err(rdkafka_failure(
        library, fmt::format("cannot ask for the offsets of {}-{}", partition.first, partition.second),
        error));
  std::int64_t nearest = std::clamp(from_.value, start, std::max(start, end));
  if (nearest != from_.value)
    context_.terminal.talk(fmt::format("{}-{} has offsets {} to {}: beginning at {}\n", partition.first,
                                       partition.second, start, end, nearest));
  return nearest;
}

Outcome<std::int64_t> Consumer::offset_of(const TopicPartition& partition) const {
  switch (from_.kind) {
    case Position::Kind::kStart:
      return std::int64_t{RD_KAFKA_OFFSET_BEGINNING};
    case Position::Kind::kEnd:
      return std::int64_t{RD_KAFKA_OFFSET_END};
    case Position::Kind::kOffset:
      return offset_within(partition);
    case Position::Kind::kRelative:
      return std::int64_t{RD_KAFKA_OFFSET_TAIL_BASE + from_.value};  // as OFFSET_TAIL(n)
    case Position::Kind::kTimestamp:
      return offset_at(partition, from_.value);
  }
  return from_.value;
}

// Without a group the library's simple consumer is used: no coordinator, nothing committed.
Outcome<void> Consumer::start_partitions() {
  const RdKafka& library = client_->library();
  queue_ = library.queue_new(client_->handle());
  for (const std::string& topic : options_.topics) {
    TRY_ASSIGN(std::vector<std::int32_t> partitions,
               partitions_of(*client_, topic, static_cast<int>(context_.common.timeout_ms)));
    for (std::int32_t wanted : options_.partitions)
      if (std::find(partitions.begin(), partitions.end(), wanted) == partitions.end())
        return Err(Failure{Exit::kNotFound, fmt::format("topic '{}' has no partition {}", topic, wanted),
                           fmt::format("it has {}", partitions.size()), "milena topic describe " + topic});
    if (!options_.partitions.empty()) partitions = options_.partitions;
    for (std::int32_t id : partitions) {
      TopicPartition partition(topic, id);
      if (started_.contains(partition)) continue;  // named twice
      TRY_ASSIGN(std::int64_t offset, offset_of(partition));
      rd_kafka_topic_t* handle = library.topic_new(client_->handle(), topic.c_str(), nullptr);
      if (library.consume_start_queue(handle, id, offset, queue_) != 0) {
        library.topic_destroy(handle);
        return Err(Failure{Exit::kFailed, fmt::format("cannot read {}-{}", topic, id), {}, {}});
      }
      started_[partition] = handle;
    }
  }
  return {};
}

Outcome<void> Consumer::start_group() {
  const RdKafka& library = client_->library();
  PartitionList topics = library.new_partition_list();
  PartitionList partitions = library.new_partition_list();
  for (const std::string& topic : options_.topics) {
    TRY_ASSIGN(std::vector<std::int32_t> ids,
               partitions_of(*client_, topic, static_cast<int>(context_.common.timeout_ms)));
    for (std::int32_t id : ids) library.topic_partition_list_add(partitions.get(), topic.c_str(), id);
    library.topic_partition_list_add(topics.get(), topic.c_str(), RD_KAFKA_PARTITION_UA);
  }
  if (options_.from_given) warn_of_commits(std::move(partitions));
  library.poll_set_consumer(client_->handle());
  rd_kafka_resp_err_t error = library.subscribe(client_->handle(), topics.get());
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
    return Err(rdkafka_failure(library, fmt::format("cannot join group '{}'", options_.group), error));
  return {};
}

void Consumer::warn_of_commits(PartitionList partitions) {
  rd_kafka_resp_err_t error = client_->library().committed(client_->handle(), partitions.get(),
                                                           static_cast<int>(context_.common.timeout_ms));
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return;  // joining tells what is wrong
  bool committed = false;
  for (int i = 0; i < partitions->cnt; ++i) committed = committed || partitions->elems[i].offset >= 0;
  if (!committed) return;
  context_.terminal.talk(
      fmt::format("group '{}' goes on where it has committed; --from {} is for its first time\n"
                  "  next: milena group seek {} --to {} --yes\n",
                  options_.group, options_.from, options_.group, options_.from));
}

void Consumer::commit_end(const rd_kafka_message_t* end) {
  const RdKafka& library = client_->library();
  if (!commits_ || !placed_.emplace(library.topic_name(end->rkt), end->partition).second) return;
  PartitionList list = library.new_partition_list();
  rd_kafka_topic_partition_t* entry =
      library.topic_partition_list_add(list.get(), library.topic_name(end->rkt), end->partition);
  rd_kafka_resp_err_t error =
      library.committed(client_->handle(), list.get(), static_cast<int>(context_.common.timeout_ms));
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR && entry->offset < 0) {
    entry->offset = end->offset;
    error = library.commit(client_->handle(), list.get(), 0);
  }
  // A group that is sharing out its partitions anew comes to the end again.
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) placed_.erase({library.topic_name(end->rkt), end->partition});
}

rd_kafka_message_t* Consumer::next(int timeout_ms) {
  const RdKafka& library = client_->library();
  if (by_group()) return library.consumer_poll(client_->handle(), timeout_ms);
  library.poll(client_->handle(), 0);
  return library.consume_queue(queue_, timeout_ms);
}

void Consumer::print(const rd_kafka_message_t* message) {
  const RdKafka& library = client_->library();
  RecordView record;
  record.topic = library.topic_name(message->rkt);
  record.partition = message->partition;
  record.offset = message->offset;
  rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
  record.timestamp = library.message_timestamp(message, &type);
  if (message->key != nullptr) record.key.emplace(static_cast<const char*>(message->key), message->key_len);
  if (message->payload != nullptr)
    record.value.emplace(static_cast<const char*>(message->payload), message->len);
  rd_kafka_headers_t* headers = nullptr;
  if (library.message_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR) {
    const char* name = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    for (std::size_t i = 0;
         library.header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; ++i) {
      std::optional<std::string_view> content;
      if (value != nullptr) content.emplace(static_cast<const char*>(value), size);
      record.headers.emplace_back(name, content);
    }
  }
  line_.clear();
  if (format_) {
    format_->append(line_, record);
  } else {
    line_ = to_json(record) + "\n";
  }
  context_.terminal.out(line_);
}

bool Consumer::at_end(const rd_kafka_message_t* message) {
  const RdKafka& library = client_->library();
  ended_.emplace(library.topic_name(message->rkt), message->partition);
  if (by_group()) commit_end(message);
  if (!options_.exit_at_end) return false;
  if (!by_group()) return ended_.size() == started_.size();
  rd_kafka_topic_partition_list_t* list = nullptr;
  if (library.assignment(client_->handle(), &list) != RD_KAFKA_RESP_ERR_NO_ERROR) return false;
  PartitionList assigned = library.owned(list);
  bool all = true;
  for (int i = 0; i < assigned->cnt; ++i)
    all = all && ended_.contains({assigned->elems[i].topic, assigned->elems[i].partition});
  return all;
}

Outcome<bool> Consumer::take(const rd_kafka_message_t* message) {
  switch (message->err) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
      print(message);
      return ++taken_ == options_.count;
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
      return at_end(message);
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
      return false;  // the library goes on trying
    default: {
      const char* text = static_cast<const char*>(message->payload);
      return Err(
          rdkafka_failure(client_->library(), "cannot consume", message->err,
                          text == nullptr ? std::string_view() : std::string_view(text, message->len)));
    }
  }
}

Outcome<void> Consumer::consume() {
  bool done = options_.count == 0;
  while (!done && !interrupted()) {
    rd_kafka_message_t* message = next(0);
    if (message == nullptr) {
      context_.terminal.flush();  // nothing more at once: show what there is
      message = next(kIdleMs);
    }
    if (message == nullptr) {
      TRY(check_joined());
      continue;
    }
    auto taken = take(message);
    client_->library().message_destroy(message);
    if (taken.failed()) return Err(std::move(taken.error()));
    done = *taken;
  }
  context_.terminal.flush();
  return {};
}

Outcome<void> Consumer::check_joined() {
  if (!by_group() || joined_) return {};
  const RdKafka& library = client_->library();
  char* member = library.memberid(client_->handle());
  joined_ = member != nullptr && *member != '\0';
  if (member != nullptr) library.mem_free(client_->handle(), member);
  waited_ms_ += kIdleMs;
  if (joined_ || waited_ms_ < context_.common.timeout_ms) return {};
  std::string why = client_->last_error().empty() ? "no coordinator answers" : client_->last_error();
  return Err(
      Failure{Exit::kUnreachable,
              fmt::format("cannot join group '{}' within {} ms", options_.group, context_.common.timeout_ms),
              why, std::string(kNoCoordinator) + "; reading without -g needs no group"});
}

void Consumer::stop() {
  if (client_ == nullptr) return;
  const RdKafka& library = client_->library();
  if (by_group()) library.consumer_close(client_->handle());
  for (const auto& [partition, handle] : started_) {
    library.consume_stop(handle, partition.second);
    library.topic_destroy(handle);
  }
  if (queue_ != nullptr) library.queue_destroy(queue_);
  queue_ = nullptr;
  started_.clear();
}

int Consumer::run() {
  auto outcome = prepare();
  if (outcome.has_value()) {
    catch_interrupts();
    outcome = by_group() ? start_group() : start_partitions();
  }
  if (outcome.has_value()) outcome = consume();
  stop();
  if (outcome.failed()) return context_.fail(outcome.error());
  return interrupted() ? interrupted_exit() : 0;
}

}  // namespace

void add_consume_verb(CLI::App& root, Context& context) {
  auto options = std::make_shared<ConsumeOptions>();
  CLI::App& app = *root.add_subcommand("consume", "Print records of topics; goes on until Ctrl-C, -n or -e");
  add_broker_options(app, context);
  app.add_option("topics", options->topics, "names of the topics")->required()->type_name("TOPIC");
  app.add_option("--from", options->from,
                 "start, end, an offset, -N (the last N) or @TIME; with -g start or end, and only where the "
                 "group has committed nothing")
      ->type_name("POSITION")
      ->capture_default_str();
  app.add_option("-n,--count", options->count, "stop after this many records")
      ->check(whole_number(0, std::numeric_limits<std::int64_t>::max()))
      ->type_name("N");
  app.add_flag("-e,--exit", options->exit_at_end, "stop at the end of all partitions");
  app.add_option("-g,--group", options->group,
                 "read as a member of this group, and commit; a new one begins at --from")
      ->check(not_empty())
      ->type_name("GROUP");
  app.add_option("-f,--format", options->format,
                 "%t topic, %p partition, %o offset, %k key, %v value, %h headers, %T timestamp, %K %S sizes")
      ->type_name("FORMAT");
  app.add_option("-o,--output", options->output, "text, or json: an object a line")
      ->check(one_of({"text", "json", "jsonl"}))
      ->type_name("FORMAT")
      ->capture_default_str();
  app.add_option("-p,--partition", options->partitions, "only this partition; may be repeated")
      ->type_name("N")
      ->take_all()
      ->allow_extra_args(false);
  app.add_option("-X,--property", options->properties, "a property of librdkafka, key=value; may be repeated")
      ->type_name("KEY=VALUE")
      ->take_all()
      ->allow_extra_args(false);
  app.footer(R"(Examples:
  milena consume orders
  milena consume orders -e -f '%t-%p@%o %k: %v\n'
  milena consume orders --from -10 -e -o json | jq .value
  milena consume orders --from @2026-01-31T12:00:00Z -n 1
  milena consume orders -g billing --from end)");
  app.callback([&context, &app, options] {
    options->from_given = app.count("--from") > 0;
    context.action = [&context, options] { return Consumer(context, *options).run(); };
  });
}

}  // namespace milena::cli
