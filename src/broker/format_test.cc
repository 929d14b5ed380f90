// The first start: when log directories are formatted, and what is refused instead.
#include "broker/format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/settings.h"
#include "io/sim/sim_world.h"

namespace milena::broker {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class Format : public ::testing::Test {
 protected:
  static config::ServerConfig config(const std::string& node = "1") {
    auto parsed = config::KafkaConfig::parse(config::settings_from_overrides(
        {{"process.roles", "broker,controller"}, {"node.id", node}, {"log.dirs", "/a,/b"},
         {"listeners", "PLAINTEXT://:9092,CONTROLLER://:9093"}, {"controller.listener.names", "CONTROLLER"},
         {"controller.quorum.bootstrap.servers", "localhost:9093"}}));
    CHECK(parsed.has_value(), "the test's configuration is wrong");
    return std::move(*config::server_config(*parsed));
  }
  std::string format() {
    auto id = format_directories(disk(), runtime_.control_loop().entropy(), Timestamp(1000), config(), {});
    EXPECT_TRUE(id.has_value()) << (id.failed() ? id.error().message : "");
    return id.failed() ? "" : *id;
  }
  void edit(const std::string& path, const std::string& from, const std::string& to) {
    std::string text = disk().read_file(path).value_or("");
    std::size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos) << text;
    write(path, text.replace(at, from.size(), to));
  }
  void write(const std::string& path, const std::string& content) {
    ASSERT_TRUE(disk().create_directories(path.substr(0, path.rfind('/'))).has_value());
    ASSERT_TRUE(disk().write_file(path, content).has_value());
  }
  // "all", "none", or why the node must not start.
  std::string check(const config::ServerConfig& config) {
    std::vector<std::unique_ptr<log::LogDirectory>> directories;
    for (const std::string& path : config.log.dirs) {
      auto directory = log::LogDirectory::open(disk(), path);
      if (directory.failed()) return directory.error().message;
      directories.push_back(std::move(*directory));
    }
    std::vector<log::LogDirectory*> usable;
    for (const auto& one : directories) usable.push_back(one.get());
    auto formatted = check_directories(usable, config);
    if (formatted.failed()) return formatted.error().message;
    return *formatted == Formatted::kAll ? "all" : "none";
  }
  std::string check() { return check(config()); }
  io::SimDisk& disk() { return machine_.disk(); }

  io::SimWorld world_{1};
  io::SimNode& machine_ = world_.add_node({});
  io::Runtime& runtime_ = machine_.runtime();
};

TEST_F(Format, empty_directories_are_free_for_it) {
  EXPECT_EQ(check(), "none");
  std::string cluster = format();
  EXPECT_EQ(cluster.size(), 22u);
  EXPECT_EQ(check(), "all");
  for (const char* dir : {"/a", "/b"}) {
    EXPECT_THAT(disk().read_file(std::string(dir) + "/meta.properties").value(),
                AllOf(HasSubstr("cluster.id=" + cluster), HasSubstr("node.id=1"), HasSubstr("directory.id=")));
  }
  EXPECT_TRUE(disk().exists("/a/bootstrap.checkpoint"));
}

TEST_F(Format, one_new_disk_among_formatted_ones_is_left_to_a_person) {
  std::string cluster = format();
  ASSERT_TRUE(disk().remove_tree("/b").has_value());
  EXPECT_THAT(check(), AllOf(HasSubstr("/b is not formatted, but /a is"), HasSubstr("--cluster-id " + cluster)));
}

TEST_F(Format, data_without_an_identity_is_never_formatted_over) {
  write("/b/orders-0/00000000000000000000.log", "records");
  EXPECT_THAT(check(), HasSubstr("/b holds data but no meta.properties"));
  ASSERT_TRUE(disk().remove_tree("/b").has_value());
  write("/b/lost+found/x", "");
  EXPECT_EQ(check(), "none") << "what a new file system holds is no data";
}

TEST_F(Format, a_format_that_was_cut_off_is_begun_again) {
  format();
  for (const char* mark : {"/a/meta.properties", "/b/meta.properties"}) {
    ASSERT_TRUE(disk().remove_file(mark).has_value());
  }
  EXPECT_EQ(check(), "none") << "it is a node's once it has meta.properties";
  ASSERT_TRUE(disk().remove_file("/a/bootstrap.checkpoint").has_value());
  EXPECT_EQ(check(), "none");
  format();
  EXPECT_EQ(check(), "all");
  for (const char* mark : {"/a/meta.properties", "/b/meta.properties"}) {
    ASSERT_TRUE(disk().remove_file(mark).has_value());
  }
  write("/a/__cluster_metadata-0/00000000000000000000.log", "records");
  EXPECT_THAT(check(), HasSubstr("/a holds data but no meta.properties")) << "a node had run on it";
}

TEST_F(Format, directories_of_others_are_refused) {
  format();
  EXPECT_THAT(check(config("2")), HasSubstr("belongs to node 1"));
  std::string cluster = disk().read_file("/b/meta.properties").value();
  std::size_t at = cluster.find("cluster.id=") + 11;
  edit("/b/meta.properties", cluster.substr(at, 22), "IZb-bWljTxusWWb85hb0Tw");
  EXPECT_THAT(check(), AllOf(HasSubstr("different clusters"), HasSubstr("IZb-bWljTxusWWb85hb0Tw")));
}

TEST_F(Format, a_copy_of_a_directory_is_noticed) {
  format();
  write("/b/meta.properties", disk().read_file("/a/meta.properties").value());
  EXPECT_THAT(check(), HasSubstr("have the same directory.id"));
}

}  // namespace
}  // namespace milena::broker
