// No allocation per request but a few: how often the thread of a data loop asks the heap, per request, in the steady
// state. The pools (coroutine frames, blocks of bytes) are warm then; what is left is named below.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "broker/node.h"
#include "client/connection.h"
#include "config/settings.h"
#include "heap.h"
#include "io/asio/asio_runtime.h"
#include "wire/apis/create_topics.h"
#include "wire/apis/fetch.h"
#include "wire/apis/metadata.h"
#include "wire/apis/produce.h"
#include "wire/batch_builder.h"

namespace milena::broker {
namespace {

using Client = std::shared_ptr<client::Connection>;

constexpr int kWarm = 300;
constexpr int kMeasured = 1000;
constexpr std::int16_t kProduceVersion = 12;
constexpr std::int16_t kFetchVersion = 12;

NodeOptions options_on(const std::string& folder) {
  std::map<std::string, std::string> all = {
      {"process.roles", "broker,controller"},
      {"node.id", "1"},
      {"listeners", "PLAINTEXT://127.0.0.1:0,CONTROLLER://127.0.0.1:0"},
      {"advertised.listeners", "PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093"},
      {"listener.security.protocol.map", "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT"},
      {"controller.listener.names", "CONTROLLER"},
      {"controller.quorum.bootstrap.servers", "127.0.0.1:9093"},
      {"log.dirs", folder},
  };
  auto parsed = config::KafkaConfig::parse(config::settings_from_overrides({all.begin(), all.end()}));
  CHECK(parsed.has_value(), "the test's configuration is wrong");
  NodeOptions options;
  options.config = std::make_shared<const config::KafkaConfig>(std::move(*parsed));
  auto server = config::server_config(*options.config);
  CHECK(server.has_value(), "the test's listeners are wrong");
  options.server = std::move(*server);
  return options;
}

io::Task<std::uint64_t> asked_here() { co_return heap_requests(); }

// Per request, on the data loop.
template <class Request>
io::Task<double> measure(io::Loop* data, Request request) {
  std::uint64_t before = 0;
  for (int i = 0; i < kWarm + kMeasured; ++i) {
    if (i == kWarm) {
      auto count = [] { return asked_here(); };
      before = co_await io::run_on(*data, std::move(count));
    }
    co_await request(i);
  }
  auto count = [] { return asked_here(); };
  std::uint64_t after = co_await io::run_on(*data, std::move(count));
  co_return static_cast<double>(after - before) / kMeasured;
}

Bytes batch() {
  wire::BatchBuilder builder{wire::BatchOptions{}};
  builder.append(Timestamp(1'700'000'000'000), std::nullopt, as_bytes(std::string(100, 'v')));
  return builder.build();
}

template <class Api>
io::Task<typename Api::Response> call(Client client, typename Api::Request request, std::int16_t version) {
  client::CallOptions options;
  options.min_version = version;
  options.max_version = version;
  auto answer = co_await client->call<Api>(std::move(request), options);
  CHECK(answer.has_value(), "no answer");
  co_return *std::move(answer);
}

io::Task<void> produce(Client client) {
  wire::ProduceRequest request;
  request.transactional_id.reset();
  request.acks = -1;
  request.timeout_ms = 10000;
  auto& topic = request.topic_data.emplace_back();
  topic.name = "t";
  topic.partition_data.emplace_back().records = batch();
  auto answer = co_await call<wire::ProduceApi>(client, std::move(request), kProduceVersion);
  CHECK(answer.responses.at(0).partition_responses.at(0).error_code == 0, "not written");
}

wire::FetchRequest fetch_of(std::int32_t session, std::int32_t epoch, std::int64_t offset) {
  wire::FetchRequest request;
  request.min_bytes = 1;
  request.max_bytes = 1 << 20;
  request.session_id = session;
  request.session_epoch = epoch;
  if (offset < 0) return request;
  auto& topic = request.topics.emplace_back();
  topic.topic = "t";
  auto& partition = topic.partitions.emplace_back();
  partition.fetch_offset = offset;
  partition.partition_max_bytes = 4096;
  return request;
}

struct Measured {
  double produce = 0;
  double empty_in_session = 0;
  double empty = 0;
  double data = 0;
  double metadata = 0;
  double metadata_of_many = 0;  // of one topic, where there are many partitions
};

io::Task<void> create(Client client, std::string name, int partitions) {
  wire::CreateTopicsRequest request;
  request.timeout_ms = 60000;
  auto& topic = request.topics.emplace_back();
  topic.name = std::move(name);
  topic.num_partitions = partitions;
  topic.replication_factor = 1;
  auto answer = co_await call<wire::CreateTopicsApi>(client, std::move(request), 7);
  CHECK(answer.topics.at(0).error_code == 0, "not created");
}

io::Task<int> run(io::AsioRuntime* runtime, std::string folder, Measured* measured) {
  auto node = std::make_shared<Node>(*runtime, options_on(folder));
  auto started = co_await node->start();
  CHECK(started.has_value(), "{}", started.error().message);
  io::Loop* data = &runtime->data_loop(0);
  io::Endpoint to = node->listeners().at(0).bound;
  client::ConnectionOptions how;
  auto opened = co_await client::Connection::open(&runtime->control_loop(), to, how);
  CHECK(opened.has_value(), "no connection");
  Client client = *opened;

  std::string one = "t";
  co_await create(client, one, 1);
  auto metadata_of_one = [client](int) -> io::Task<void> {
    wire::MetadataRequest request;
    request.topics.emplace();
    request.topics->emplace_back().name = "t";
    auto answer = co_await call<wire::MetadataApi>(client, std::move(request), 12);
    CHECK(answer.topics.at(0).partitions.size() == 1, "another topic");
  };
  measured->metadata = co_await measure(data, metadata_of_one);

  auto produce_one = [client](int) { return produce(client); };
  measured->produce = co_await measure(data, std::move(produce_one));

  constexpr std::int64_t kEnd = kWarm + kMeasured;
  wire::FetchRequest begin = fetch_of(0, 0, kEnd);
  auto first = co_await call<wire::FetchApi>(client, begin, kFetchVersion);
  std::int32_t session = first.session_id;
  auto in_session = [client, session](int i) -> io::Task<void> {
    auto request = fetch_of(session, i + 1, -1);
    request.max_wait_ms = 1;
    auto answer = co_await call<wire::FetchApi>(client, std::move(request), kFetchVersion);
    CHECK(answer.error_code == 0 && answer.responses.empty(), "the session has news");
  };
  measured->empty_in_session = co_await measure(data, std::move(in_session));
  auto empty = [client](int) -> io::Task<void> {
    auto request = fetch_of(0, -1, kEnd);
    request.max_wait_ms = 1;
    auto answer = co_await call<wire::FetchApi>(client, std::move(request), kFetchVersion);
    CHECK(answer.responses.at(0).partitions.at(0).records->empty(), "there is something");
  };
  measured->empty = co_await measure(data, std::move(empty));
  auto with_data = [client](int i) -> io::Task<void> {
    wire::FetchRequest request = fetch_of(0, -1, i % 1000);
    auto answer = co_await call<wire::FetchApi>(client, std::move(request), kFetchVersion);
    CHECK(!answer.responses.at(0).partitions.at(0).records->empty(), "there is nothing");
  };
  measured->data = co_await measure(data, std::move(with_data));
  std::string many = "many";
  co_await create(client, many, 1000);
  measured->metadata_of_many = co_await measure(data, metadata_of_one);
  client->close();
  co_await node->stop();
  co_return 0;
}

TEST(Allocations, of_a_request_are_few) {
  std::string folder = std::filesystem::temp_directory_path() / "milena-allocations-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  Measured measured;
  {
    io::AsioOptions options;
    options.data_loops = 1;
    options.log_level = io::Level::kError;
    io::AsioRuntime runtime(options);
    runtime.start();
    auto main = [&] { return run(&runtime, folder, &measured); };
    EXPECT_EQ(runtime.run(std::move(main)), 0);
  }
  std::filesystem::remove_all(folder);
  std::printf("allocations per request: produce %.1f, empty fetch %.1f, in a session %.1f, fetch with data %.1f\n",
              measured.produce, measured.empty, measured.empty_in_session, measured.data);
  std::printf("metadata of one topic: %.1f, with 1,000 partitions of others %.1f\n", measured.metadata,
              measured.metadata_of_many);
  EXPECT_LE(measured.metadata_of_many, measured.metadata + 1);
  // Lists of the decoded request (2) and of the response (2), one write and the list of them (4), the share of each loop
  // (2), the staged batch (1), pieces of the response (2).
  EXPECT_LE(measured.produce, 14);
  EXPECT_LE(measured.empty_in_session, 3);  // pieces of the response (2)
  // Without a session: lists of the request (2), the plan and its partitions (4), where they are read (4), the response (4).
  EXPECT_LE(measured.empty, 15);
  EXPECT_LE(measured.data, 19);  // and what is read: its plan, its pieces, their places in the response (4)
}

}  // namespace
}  // namespace milena::broker
