#include "replica/log_manager.h"

#include <algorithm>
#include <utility>

namespace milena::replica {
namespace {

StoreError from_log(const log::LogError& error) {
  return {error.message};
}

// "./data", the default, without what is no part of a name: it is shown behind the working directory.
std::string_view plain(std::string_view path) {
  while (path.starts_with("./") && path.find_first_not_of('/', 2) != std::string_view::npos)
    path.remove_prefix(path.find_first_not_of('/', 2));
  return path;
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
    DirectoryState& state = self->states_.emplace_back();
    if (directory.has_value()) {
      self->directories_.push_back(std::move(*directory));
      continue;
    }
    // The node starts without it, as it would go on without it, unless its metadata is there.
    if (directory.error().kind != log::LogErrorKind::kIo || path == metadata) return Err(from_log(directory.error()));
    state.failed = true;
    self->loop_.log().error("log", "log directory {} cannot be used: {}", path, directory.error().message);
    self->directories_.push_back(log::LogDirectory::broken(self->loop_.disk(), path));
  }
  for (std::size_t i = 0; i < paths.size(); ++i) {
    auto absolute = self->loop_.disk().absolute(std::string(plain(paths[i])));
    if (absolute.failed() && !self->states_[i].failed) return Err(StoreError{absolute.error().what});
    self->states_[i].absolute_path = absolute.has_value() ? *std::move(absolute) : paths[i];
  }
  for (std::size_t i = self->options_.log_dirs.size(); i < paths.size(); ++i)
    self->states_[i].holds_partitions = false;
  auto works = [](const DirectoryState& state) { return state.holds_partitions && !state.failed; };
  if (std::ranges::none_of(self->states_, works)) {
    return Err(StoreError{"none of the log directories can be used: see the lines before this one"});
  }
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

void LogManager::set_config(std::shared_ptr<const config::KafkaConfig> config) {
  config_ = std::move(config);
  const std::vector<std::string>& cordoned = config_->list("cordoned.log.dirs");
  auto named = [&](const std::string& path) { return std::ranges::find(cordoned, path) != cordoned.end(); };
  for (std::size_t i = 0; i < states_.size(); ++i)
    states_[i].cordoned = states_[i].holds_partitions && (named("*") || named(directories_[i]->path()));
  copy_throttle_->set_bytes_per_second(config_->dynamic_integer("replica.alter.log.dirs.io.max.bytes.per.second"));
}

std::vector<Uuid> LogManager::cordoned_directories() const {
  std::vector<Uuid> cordoned;
  for (std::size_t i = 0; i < directories_.size(); ++i) {
    const log::MetaProperties* meta = directories_[i]->meta();
    if (states_[i].cordoned && meta != nullptr) cordoned.push_back(meta->directory_id.value_or(kZeroUuid));
  }
  return cordoned;
}

std::vector<Uuid> LogManager::online_directories() const {
  std::vector<Uuid> online;
  for (std::size_t i = 0; i < directories_.size(); ++i) {
    const log::MetaProperties* meta = directories_[i]->meta();
    if (!states_[i].holds_partitions || states_[i].failed || meta == nullptr) continue;
    online.push_back(meta->directory_id.value_or(kZeroUuid));
  }
  return online;
}

std::vector<Uuid> LogManager::failed_directories() const {
  std::vector<Uuid> failed;
  for (std::size_t i = 0; i < directories_.size(); ++i) {
    const log::MetaProperties* meta = directories_[i]->meta();
    if (states_[i].failed && meta != nullptr) failed.push_back(meta->directory_id.value_or(kZeroUuid));
  }
  return failed;
}

std::vector<log::LogDirectory*> LogManager::usable_directories() const {
  std::vector<log::LogDirectory*> usable;
  for (std::size_t i = 0; i < directories_.size(); ++i) {
    if (!states_[i].failed) usable.push_back(directories_[i].get());
  }
  return usable;
}

bool LogManager::can_do_without(std::size_t directory) const {
  if (directories_[directory]->path() == options_.metadata_dir) return false;
  for (std::size_t i = 0; i < states_.size(); ++i) {
    if (i != directory && states_[i].holds_partitions && !states_[i].failed) return true;
  }
  return false;
}

log::LogDirectory* LogManager::directory(const std::string& path) const {
  for (const auto& directory : directories_) {
    if (directory->path() == path) return directory.get();
  }
  return nullptr;
}

}  // namespace milena::replica
