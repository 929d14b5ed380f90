#include <fmt/format.h>

#include <array>
#include <string>
#include <string_view>

#include "base/endian.h"
#include "config/embedded_default.h"
#include "config/value.h"
#include "seeds.h"

namespace milena::fuzz {
namespace {

void seed_configuration(const LoaderSink& sink) {
  auto file = [&](std::string_view name, std::uint8_t flags, std::string_view text) {
    Buffer out;
    out.push_back(flags);
    out.append(as_bytes(text));
    sink(fmt::format("server-properties-{}", name), Loader::server_properties, out.view());
  };
  std::string whole;
  for (const auto& [key, setting] : config::embedded_default(9092, {}))
    whole += key + "=" + setting.value + "\n";
  file("whole", 0, whole);
  file("static-voters", 0,
       "process.roles=broker,controller\nnode.id=1\ncontroller.listener.names=CONTROLLER\n"
       "listeners=PLAINTEXT://:9092,CONTROLLER://[::1]:9093\ncontroller.quorum.voters=1@localhost:9093\n"
       "advertised.listeners=PLAINTEXT://node:9092\nlog.dirs=/a,/b\nbroker.rack=r\n");
  file("listeners", 1,
       "listeners=A://:1,B://0.0.0.0:2,CONTROLLER://:3\nlistener.security.protocol.map=A:PLAINTEXT,B:SSL,"
       "CONTROLLER:PLAINTEXT\ninter.broker.listener.name=A\nadvertised.listeners=A://h:1\n");
  file("providers", 1,
       "config.providers=file,env\nconfig.providers.file.class=org.apache.kafka.common.config.provider."
       "FileConfigProvider\nconfig.providers.env.class=org.apache.kafka.common.config.provider."
       "EnvVarConfigProvider\nbroker.rack=${file:/odd:key}${env:ODD}\n");
  file("environment", 7, "KAFKA_LOG_RETENTION_MS=1000\nKAFKA_NODE_ID=7\nKAFKA_A__B___C_D=x\n");
  file("topic-keys", 5,
       "log.retention.hours=1\nlog.roll.ms=5\nlog.cleanup.policy=compact,delete\ncompression.type=zstd\n"
       "segment.bytes=1048576\nmin.cleanable.dirty.ratio=0.25\nlog.segment.bytes=2097152\n"
       "max.connections.per.ip.overrides=127.0.0.1:5,::1:7\n");

  // Each key's default, so that each type and each rule is tried.
  constexpr config::Scope kScopes[] = {config::Scope::kBroker, config::Scope::kTopic, config::Scope::kGroup,
                                       config::Scope::kClientMetrics};
  for (std::uint8_t scope = 0; scope < 4; ++scope) {
    auto keys = config::keys(kScopes[scope]);
    // A third of the broker's 360: they are alike.
    for (std::size_t i = 0; i < keys.size(); i += scope == 0 ? 3 : 1) {
      std::array<std::uint8_t, 2> number{};
      store_be(number.data(), static_cast<std::uint16_t>(i));
      Buffer out;
      out.push_back(scope);
      out.append(ByteView(number));
      std::string text = config::format_value(config::default_value(keys[i]));
      out.append(as_bytes(text));
      sink(fmt::format("config-value-{}-{}", scope, i), Loader::config_value, out.view());
    }
  }
  int count = 0;
  for (std::string_view text : {"host:9092", "[2001:db8::1]:9093", "2001:db8::1:9093",
                                "1@localhost:9093,2@[::1]:1", "PLAINTEXT://:9092, CONTROLLER://[::]:9093",
                                "127.0.0.1:5,::1:7,host:0", "key=value", "KAFKA_LOG__DIR___S"}) {
    sink(fmt::format("address-{}", count++), Loader::addresses, as_bytes(text));
  }
}

void seed_http(const LoaderSink& sink) {
  int count = 0;
  for (std::string_view target : {"/metrics", "/a%20b/c?x=1&y=two+words%21&x=3&&flag&=lost",
                                  "http://node:9021/m?x=1", "http://node:9021", "*", "/%"}) {
    sink(fmt::format("http-target-{}", count++), Loader::http_target, as_bytes(target));
  }
  auto requests = [&](std::string_view name, std::string_view text) {
    for (std::uint8_t piece : {std::uint8_t{0}, std::uint8_t{6}, std::uint8_t{255}}) {
      Buffer out;
      out.push_back(piece);
      out.append(as_bytes(text));
      sink(fmt::format("http-{}-{}", name, piece), Loader::http_request, out.view());
    }
  };
  requests("get", "GET /metrics?x=1 HTTP/1.1\r\nHost: node\r\nAccept: text/plain\r\n\r\n");
  requests("two", "HEAD / HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  requests("body", "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello");
  requests("chunked",
           "PUT /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTrailer: T\r\n\r\n5;e=1\r\nhello\r\n0\r\nT: "
           "1\r\n\r\n");
  requests("folded", "GET / HTTP/1.1\r\nHost: a\r\nX: one\r\n  two\r\nConnection: close, upgrade\r\n\r\n");
}

}  // namespace

void seed_texts(const LoaderSink& sink) {
  seed_configuration(sink);
  seed_http(sink);
}

}  // namespace milena::fuzz
