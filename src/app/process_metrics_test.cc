// What the process says of itself.
#include "app/process_metrics.h"

#include <gtest/gtest.h>

#include "io/asio/process.h"

namespace milena::app {
namespace {

double only_value(const MetricSet& set, const std::string& name) {
  auto found = set.families().find(name);
  if (found == set.families().end() || found->second.samples.size() != 1) return -1;
  return found->second.samples[0].value;
}

TEST(IdleShare, is_of_the_time_since_it_was_last_asked) {
  IdleShare share;
  Instant start = Instant() + std::chrono::hours(1);
  share.ask(0s, start);
  EXPECT_DOUBLE_EQ(share.ask(3s, start + 10s), 0.7);
  EXPECT_DOUBLE_EQ(share.ask(3s, start + std::chrono::milliseconds(10'500)), 0.7) << "too soon to say";
  EXPECT_DOUBLE_EQ(share.ask(4s, start + 20s), 0.9);
  EXPECT_DOUBLE_EQ(share.ask(40s, start + 30s), 0.0) << "never below nothing";
}

TEST(ProcessMetrics, are_those_of_this_process) {
  ProcessMetrics process;
  MetricSet set;
  process.add(set, io::process_facts(), {{"data-0", 0, 1ms, 1s}, {"control", 2, 60ms, 1s}}, Instant() + 100s, false);
  EXPECT_GT(only_value(set, "process_resident_memory_bytes"), 1e6);
  EXPECT_GT(only_value(set, "process_open_fds"), 2);
  EXPECT_GE(only_value(set, "process_max_fds"), only_value(set, "process_open_fds"));
  EXPECT_GE(only_value(set, "process_cpu_seconds_total"), 0);
  EXPECT_GT(only_value(set, "process_start_time_seconds"), 1.6e9);
  EXPECT_EQ(only_value(set, "process_threads"), 1);
  EXPECT_DOUBLE_EQ(only_value(set, "kafka_network_socketserver_networkprocessoravgidle_percent"), 0.99);
  EXPECT_FALSE(set.families().contains("jvm_threads_current"));
  MetricSet with_jvm;
  process.add(with_jvm, io::process_facts(), {}, Instant() + 100s, true);
  EXPECT_EQ(only_value(with_jvm, "jvm_threads_current"), 1);
}

}  // namespace
}  // namespace milena::app
