#include "io/log_levels.h"

#include <gtest/gtest.h>

#include <vector>

namespace milena::io {
namespace {

class Lines final : public Log {
 public:
  void write(Level, std::string_view logger, std::string_view message) override {
    lines.push_back(std::string(logger) + " " + std::string(message));
  }
  bool enabled(Level) const override { return true; }
  std::vector<std::string> lines;
};

TEST(LogLevels, each_logger_has_its_own_or_the_roots) {
  Lines lines;
  LogLevels log(lines);
  log.debug("group", "{}", 1);
  log.set("group", "DEBUG");
  log.debug("group", "{}", 2);
  log.debug("log", "{}", 3);
  EXPECT_EQ(lines.lines, std::vector<std::string>{"group 2"});
  log.set("root", "FATAL");
  log.error("log", "{}", 4);
  log.info("group", "{}", 5);
  log.unset("group");
  log.error("group", "{}", 6);
  EXPECT_EQ(lines.lines, (std::vector<std::string>{"group 2", "group 5"}));
  EXPECT_FALSE(log.enabled(Level::kError));
  EXPECT_EQ(log.levels().at("group"), "FATAL");
  log.set("root", "WARN");
  EXPECT_TRUE(log.enabled(Level::kWarn));
  EXPECT_FALSE(log.enabled(Level::kInfo));
}

TEST(LogLevels, names) {
  EXPECT_TRUE(LogLevels::exists("root"));
  EXPECT_FALSE(LogLevels::exists("kafka.server.KafkaApis"));
  EXPECT_TRUE(LogLevels::is_level("TRACE"));
  EXPECT_FALSE(LogLevels::is_level("info"));
}

}  // namespace
}  // namespace milena::io
