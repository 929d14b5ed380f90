// The command line of `milena server`, the configuration that comes of it, and what is said when a start fails.
#include "app/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/start_failure.h"
#include "io/asio/posix_disk.h"

namespace milena::app {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;
using ::testing::StartsWith;

using Arguments = std::vector<std::string>;
using Environment = std::map<std::string, std::string>;

std::string refusal(const Arguments& arguments) {
  auto options = parse_server_options(arguments);
  return options.failed() ? options.error() : "accepted";
}

LoadedConfig load(const Arguments& arguments, const Environment& environment = {}) {
  auto options = parse_server_options(arguments);
  EXPECT_TRUE(options.has_value());
  auto loaded = load_config(*options, environment);
  EXPECT_TRUE(loaded.has_value()) << (loaded.failed() ? loaded.error().front() : "");
  return std::move(*loaded);
}

std::string load_failure(const Arguments& arguments, const Environment& environment = {}) {
  auto options = parse_server_options(arguments);
  EXPECT_TRUE(options.has_value());
  auto loaded = load_config(*options, environment);
  std::string lines;
  if (loaded.failed()) {
    for (const std::string& line : loaded.error()) lines += line + "\n";
  }
  return lines;
}

// A configuration file that goes with the test.
class File {
 public:
  explicit File(const std::string& content) : path_(::testing::TempDir() + "milena_options_test.properties") {
    EXPECT_TRUE(io::PosixDisk().write_file(path_, content).has_value());
  }
  ~File() { (void)io::PosixDisk().remove_file(path_).has_value(); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

const std::string kNode =
    "process.roles=broker,controller\nnode.id=7\ncontroller.listener.names=CONTROLLER\n"
    "listeners=PLAINTEXT://:9092,CONTROLLER://:9093\ncontroller.quorum.bootstrap.servers=localhost:9093\n"
    "log.dirs=/srv/kafka\n";

TEST(ServerOptions, all_forms_of_the_command_line) {
  auto nothing = parse_server_options({});
  ASSERT_TRUE(nothing.has_value());
  EXPECT_FALSE(nothing->file.has_value() || nothing->port.has_value() || nothing->help);
  EXPECT_TRUE(nothing->format);
  auto all = parse_server_options(
      {"s.properties", "--override", "a=1", "--no-format", "--override=b=x=y", "--override", "a="});
  ASSERT_TRUE(all.has_value());
  EXPECT_EQ(all->file, "s.properties");
  EXPECT_FALSE(all->format);
  EXPECT_THAT(all->overrides, ElementsAre(Pair("a", "1"), Pair("b", "x=y"), Pair("a", "")));
  EXPECT_EQ(parse_server_options({"--port", "1"})->port, 1);
  EXPECT_EQ(parse_server_options({"--port=65534"})->port, 65534);
  EXPECT_TRUE(parse_server_options({"-h"})->help && parse_server_options({"--help"})->help);
}

TEST(ServerOptions, mistakes_are_named_with_what_to_do) {
  EXPECT_THAT(refusal({"--port"}), HasSubstr("--port needs a value, for example: --port 19092"));
  EXPECT_THAT(refusal({"--override"}), HasSubstr("--override needs a value"));
  EXPECT_THAT(refusal({"--override", "no-equals-sign"}), HasSubstr("no-equals-sign"));
  for (const char* port : {"0", "65535", "-1", "9092x", "", "70000", "99999999999"})
    EXPECT_THAT(refusal({"--port", port}), HasSubstr("a port is a number from 1 to 65534")) << port;
  EXPECT_THAT(refusal({"--no-fromat"}), AllOf(HasSubstr("--no-fromat"), HasSubstr("--no-format")));
  EXPECT_THAT(refusal({"a", "b"}), HasSubstr("more than one configuration file: a and b"));
  EXPECT_THAT(refusal({"a", "--port", "9092"}), HasSubstr("`listeners`"));
}

TEST(ServerOptions, the_help_names_every_option) {
  for (const char* option : {"--override", "--port", "--no-format", "--help", "KAFKA_"})
    EXPECT_THAT(server_help(), HasSubstr(option));
}

TEST(LoadConfig, without_anything_it_is_one_node_on_the_loopback) {
  LoadedConfig loaded = load({});
  EXPECT_TRUE(loaded.embedded_default);
  EXPECT_TRUE(loaded.server.broker && loaded.server.controller);
  EXPECT_THAT(loaded.server.log.dirs, ElementsAre("./data"));
  ASSERT_EQ(loaded.server.listeners.bind.size(), 2u);
  for (const config::Listener& listener : loaded.server.listeners.bind) EXPECT_EQ(listener.address.host, "127.0.0.1");
  EXPECT_EQ(loaded.server.listeners.bind[0].address.port, 9092);
  EXPECT_EQ(loaded.server.listeners.bind[1].address.port, 9093);
  EXPECT_THAT(loaded.warnings, ElementsAre()) << "nobody wrote these settings";
}

TEST(LoadConfig, the_port_moves_clients_and_controllers) {
  LoadedConfig loaded = load({"--port", "19092"});
  EXPECT_EQ(loaded.server.listeners.bind[0].address.port, 19092);
  EXPECT_EQ(loaded.server.listeners.bind[1].address.port, 19093);
  ASSERT_EQ(loaded.server.quorum.bootstrap_servers.size(), 1u);
  EXPECT_EQ(loaded.server.quorum.bootstrap_servers[0].port, 19093);
}

TEST(LoadConfig, the_default_stands_back_where_another_key_says_the_same) {
  EXPECT_THAT(load({"--override", "log.dir=/srv/one"}).server.log.dirs, ElementsAre("/srv/one"));
  EXPECT_EQ(load({"--override", "broker.id=3"}).server.node_id, BrokerId(3));
  LoadedConfig voters = load({"--override", "controller.quorum.voters=1@127.0.0.1:9093"});
  EXPECT_EQ(voters.server.quorum.voters.size(), 1u);
  EXPECT_TRUE(voters.server.quorum.bootstrap_servers.empty());
}

TEST(LoadConfig, overrides_win_over_the_environment_and_that_over_the_file) {
  File file(kNode + "num.partitions=2\nmessage.max.bytes=2000\nnum.network.threads=5\n");
  LoadedConfig loaded = load({file.path(), "--override", "num.partitions=4", "--override", "num.partitions=6"},
                             {{"KAFKA_NUM_PARTITIONS", "3"}, {"KAFKA_MESSAGE_MAX_BYTES", "3000"}});
  EXPECT_FALSE(loaded.embedded_default);
  EXPECT_EQ(loaded.server.node_id, BrokerId(7));
  EXPECT_EQ(loaded.server.topic.partitions, 6) << "the last one counts";
  EXPECT_EQ(loaded.config->integer("message.max.bytes"), 3000);
  EXPECT_EQ(loaded.server.socket.network_threads, 5);
}

TEST(LoadConfig, every_mistake_is_told_with_its_place) {
  EXPECT_THAT(load_failure({"/no/such/file"}), HasSubstr("/no/such/file"));
  File file(kNode + "num.partitions=many\n");
  std::string failure = load_failure({file.path(), "--override", "message.max.bytes=-1"});
  EXPECT_THAT(failure, AllOf(HasSubstr("num.partitions"), HasSubstr(file.path()), HasSubstr("message.max.bytes")));
  EXPECT_THAT(load_failure({"--override", "listeners=SSL://:9092,CONTROLLER://127.0.0.1:9093"}), HasSubstr("SSL"));
}

TEST(LoadConfig, keys_that_nobody_knows_are_a_warning) {
  LoadedConfig loaded = load({"--override", "num.partition=3"});
  ASSERT_FALSE(loaded.warnings.empty());
  EXPECT_THAT(loaded.warnings.front(), AllOf(HasSubstr("num.partition"), HasSubstr("num.partitions")));
}

TEST(StartFailure, is_told_in_the_words_of_the_command_line) {
  ServerOptions bare;
  LoadedConfig loaded = load({});
  ServerOptions with_file;
  with_file.file = "my.properties";
  std::string unformatted = "not formatted: milena storage format --config <server.properties> --standalone";
  EXPECT_EQ(explained(unformatted, loaded, with_file),
            "not formatted: milena storage format --config my.properties --standalone");
  EXPECT_THAT(explained(unformatted, loaded, bare), AllOf(HasSubstr("--no-format"), Not(HasSubstr("<server"))));
  EXPECT_THAT(explained("./data/.lock: held by another process", loaded, bare), HasSubstr("log.dirs=DIRECTORY"));
  EXPECT_EQ(explained("something else", loaded, bare), "something else");
}

TEST(StartFailure, a_directory_that_cannot_be_made_is_told_with_its_key) {
  ServerOptions options;
  LoadedConfig loaded = load({"--override", "log.dirs=/proc/foo/bar", "--override", "metadata.log.dir=/srv/meta"});
  for (const char* said : {"mkdir /proc/foo/bar: File exists", "mkdir /proc/foo: No such file or directory",
                           "open /proc/foo/bar/.lock: Permission denied"}) {
    EXPECT_THAT(explained(said, loaded, options),
                AllOf(StartsWith("log.dirs: "), HasSubstr(said), HasSubstr("--override log.dirs=DIRECTORY")));
  }
  EXPECT_THAT(explained("mkdir /srv/meta: File exists", loaded, options), StartsWith("metadata.log.dir: "));
  EXPECT_EQ(explained("mkdir /elsewhere: File exists", loaded, options), "mkdir /elsewhere: File exists");
}

TEST(StartFailure, errors_in_the_words_of_kafka_are_followed_by_a_hint) {
  EXPECT_THAT(hints({"something else"}), IsEmpty());
  EXPECT_THAT(hints({"Missing required configuration \"node.id\"", "Missing required configuration \"log.dirs\""}),
              ElementsAre(AllOf(StartsWith("next: "), HasSubstr("process.roles=broker,controller"))));
  EXPECT_THAT(hints({"security.inter.broker.protocol must be a listener name defined in advertised.listeners."}),
              ElementsAre(HasSubstr("set inter.broker.listener.name")));
  EXPECT_THAT(hints({"Error creating broker listeners: No security protocol defined for listener SSL"}),
              ElementsAre(AllOf(StartsWith("next: "), HasSubstr("add SSL:PLAINTEXT"))));
}

TEST(StartFailure, a_port_in_use_comes_with_the_way_out) {
  std::string busy = "listener PLAINTEXT: bind 127.0.0.1:9092: Address already in use";
  LoadedConfig loaded = load({});
  ServerOptions options;
  EXPECT_THAT(explained(busy, loaded, options), HasSubstr("milena server --port 19092"));
  options.port = 19092;
  EXPECT_THAT(explained(busy, loaded, options), HasSubstr("milena server --port 9092"));
  options.port.reset();
  options.file = "my.properties";
  EXPECT_THAT(explained(busy, loaded, options), HasSubstr("change `listeners` in my.properties"));
}

}  // namespace
}  // namespace milena::app
