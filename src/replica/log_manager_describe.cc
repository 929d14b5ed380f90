// What lies in the log directories: DescribeLogDirs.
#include <algorithm>
#include <utility>

#include "replica/log_manager.h"

namespace milena::replica {
namespace {

struct LogSize {
  TopicIdPartition id;
  std::uint64_t size = 0;
  std::int64_t offset_lag = 0;
  bool future = false;
};

io::Task<std::vector<LogSize>> sizes_there(LoopPartitions* there) {
  std::vector<LogSize> sizes;
  for (const auto& [id, partition] : there->all()) {
    const log::Log& log = partition->log();
    if (log.offline()) continue;
    std::int64_t lag = std::max<std::int64_t>(log.high_watermark() - log.log_end_offset(), 0);
    sizes.push_back({id, log.size_bytes(), lag, false});
  }
  for (const auto& [id, future] : there->futures()) {
    auto partition = there->find(id);
    if (partition == nullptr) continue;
    sizes.push_back({id, future->size_bytes(), partition->log().log_end_offset() - future->log_end_offset(), true});
  }
  co_return std::move(sizes);
}

}  // namespace

io::Task<std::vector<LogManager::DescribedDirectory>> LogManager::describe() {
  std::vector<std::vector<DescribedLog>> logs(directories_.size());
  for (std::size_t i = 0; i < partitions_.loops(); ++i) {
    LoopPartitions* there = &partitions_.on_loop(i);
    auto work = [there] { return sizes_there(there); };
    std::vector<LogSize> sizes = co_await io::run_on(there->loop(), std::move(work));
    for (const LogSize& one : sizes) {
      auto place = places_.find(one.id);
      if (place == places_.end()) continue;
      std::size_t directory = place->second.directory;
      if (one.future) {
        auto move = moves_.find(one.id);
        if (move == moves_.end()) continue;
        directory = move->second->target;
      }
      logs[directory].push_back({place->second.name, one.size, one.offset_lag, one.future});
    }
  }
  std::vector<DescribedDirectory> described;
  for (std::size_t i = 0; i < directories_.size(); ++i) {
    if (!states_[i].holds_partitions) continue;
    DescribedDirectory directory;
    directory.path = states_[i].absolute_path;
    directory.failed = states_[i].failed;
    directory.cordoned = states_[i].cordoned;
    if (!directory.failed) {
      log::LogDirectory* dir = directories_[i].get();
      auto job = [dir] { return dir->disk().space(dir->path()); };
      auto space = co_await io::offload(loop_, std::move(job));
      directory.failed = space.failed() || states_[i].failed;
      if (space.failed()) loop_.log().warn("log", "{}", space.error().what);
      else directory.space = *space;
    }
    if (!directory.failed) {
      auto by_name = [](const DescribedLog& a, const DescribedLog& b) { return a.name < b.name; };
      std::ranges::sort(logs[i], by_name);
      directory.logs = std::move(logs[i]);
    }
    described.push_back(std::move(directory));
  }
  co_return std::move(described);
}

}  // namespace milena::replica
