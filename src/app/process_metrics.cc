#include "app/process_metrics.h"

#include <algorithm>

#include "app/version.h"

namespace milena::app {
namespace {

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }
double number(std::uint64_t value) { return static_cast<double>(value); }

void add_process(MetricSet& set, const io::ProcessFacts& facts) {
  set.counter("process_cpu_seconds_total", "User and system CPU time.", facts.cpu_seconds);
  set.gauge("process_start_time_seconds", "When the process began, since the epoch.", facts.start_time_seconds);
  set.gauge("process_resident_memory_bytes", "Memory in use.", number(facts.resident_bytes));
  set.gauge("process_virtual_memory_bytes", "Address space in use.", number(facts.virtual_bytes));
  set.gauge("process_open_fds", "Open files and sockets.", number(facts.open_files));
  set.gauge("process_max_fds", "As many may be open.", number(facts.open_files_max));
  set.gauge("process_threads", "Threads.", number(facts.threads));
  set.gauge("kafka_server_kafkaserver_linux_disk_read_bytes", "Bytes the process had read from disks.",
            number(facts.disk_read_bytes));
  set.gauge("kafka_server_kafkaserver_linux_disk_write_bytes", "Bytes the process had written to disks.",
            number(facts.disk_written_bytes));
}

void add_jvm(MetricSet& set, const io::ProcessFacts& facts) {
  set.gauge("jvm_memory_used_bytes", "There is no JVM: the process's memory.", number(facts.resident_bytes),
            {{"area", "heap"}});
  set.gauge("jvm_threads_current", "There is no JVM: the process's threads.", number(facts.threads));
}

}  // namespace

double IdleShare::ask(Duration busy, Instant now) {
  Duration passed = now - last_;
  if (passed < std::chrono::seconds(1)) return share_;
  share_ = std::clamp(1.0 - seconds(busy - busy_) / seconds(passed), 0.0, 1.0);
  last_ = now;
  busy_ = busy;
  return share_;
}

void ProcessMetrics::add(MetricSet& set, const io::ProcessFacts& facts,
                         const std::vector<io::AsioRuntime::LoopStats>& loops, Instant now, bool jvm) {
  add_process(set, facts);
  if (jvm) add_jvm(set, facts);
  set.gauge("milena_build_info", "1, with the version as a label.", 1, {{"version", kVersion}});
  double data_idle = 0;
  std::size_t data_loops = 0;
  for (const auto& loop : loops) {
    MetricLabels labels{{"loop", loop.name}};
    set.counter("milena_loop_busy_seconds_total", "Time in turns.", seconds(loop.busy), labels);
    set.counter("milena_loop_stalls_total", "Turns of more than 50 ms.", number(loop.stalls), labels);
    set.gauge("milena_loop_longest_turn_seconds", "The longest turn since the start.", seconds(loop.longest_turn), labels);
    double idle = idle_[loop.name].ask(loop.busy, now);
    set.gauge("milena_loop_idle_ratio", "Part of the time since the last scrape that the loop waited.", idle, labels);
    if (&loop == &loops.back()) continue;  // the control loop serves no client
    data_idle += idle;
    ++data_loops;
  }
  if (data_loops == 0) return;
  data_idle /= static_cast<double>(data_loops);
  set.gauge("kafka_network_socketserver_networkprocessoravgidle_percent", "0 to 1: data loops that wait.", data_idle);
  set.gauge("kafka_server_kafkarequesthandlerpool_requesthandleravgidle_percent",
            "The same: the loops that read requests serve them, too.", data_idle);
}

}  // namespace milena::app
