#include "replica/log_manager.h"

#include <algorithm>
#include <utility>

namespace milena::replica {
namespace {

StoreError from_log(const log::LogError& error) {
  return {error.message};
}

}  // namespace

LogManager::LogManager(io::Runtime& runtime, Partitions& partitions, LogManagerOptions options,
                       OnFatal on_fatal)
    : runtime_(runtime),
      loop_(runtime.control_loop()),
      partitions_(partitions),
      options_(std::move(options)),
      on_fatal_(std::move(on_fatal)),
      applying_(loop_),
      stop_signal_(loop_) {}
LogManager::~LogManager() = default;

// ---- opening
// -----------------------------------------------------------------------------------------------

Result<void, StoreError> LogManager::open_all(LogManager* self) {
  std::vector<std::string> paths = self->options_.log_dirs;
  const std::string& metadata = self->options_.metadata_dir;
  if (std::ranges::find(paths, metadata) == paths.end()) paths.push_back(metadata);
  for (const std::string& path : paths) {
    auto directory = log::LogDirectory::open(self->loop_.disk(), path);
    if (directory.failed()) return Err(from_log(directory.error()));
    self->directories_.push_back(std::move(*directory));
  }
  self->states_.resize(self->directories_.size());
  for (std::size_t i = 0; i < paths.size(); ++i) {
    auto absolute = self->loop_.disk().absolute(paths[i]);
    if (absolute.failed()) return Err(StoreError{absolute.error().what});
    self->states_[i].absolute_path = *std::move(absolute);
  }
  for (std::size_t i = self->options_.log_dirs.size(); i < paths.size(); ++i)
    self->states_[i].holds_partitions = false;
  return {};
}

io::Task<Result<void, StoreError>> LogManager::open_directories() {
  auto job = [this] { return open_all(this); };
  co_return co_await io::offload(loop_, std::move(job));
}

std::vector<LogManager::DirectoryHealth> LogManager::directory_health() const {
  std::vector<DirectoryHealth> health;
  for (std::size_t i = 0; i < directories_.size(); ++i) {
    if (states_[i].holds_partitions) health.push_back({directories_[i]->path(), states_[i].failed});
  }
  return health;
}

std::vector<Uuid> LogManager::failed_directories() const {
  std::vector<Uuid> failed;
  for (std::size_t i = 0; i < directories_.size(); ++i) {
    const log::MetaProperties* meta = directories_[i]->meta();
    if (states_[i].failed && meta != nullptr) failed.push_back(meta->directory_id.value_or(kZeroUuid));
  }
  return failed;
}

log::LogDirectory* LogManager::directory(const std::string& path) const {
  for (const auto& directory : directories_) {
    if (directory->path() == path) return directory.get();
  }
  return nullptr;
}

}  // namespace milena::replica
