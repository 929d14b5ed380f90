#include "io/log_levels.h"

#include <algorithm>
#include <iterator>

#include "base/check.h"

namespace milena::io {
namespace {

// Those that rooms write under (the first argument of Log::info and its like).
constexpr std::string_view kLoggers[] = {"config", "controller", "group",   "log", "network",
                                         "raft",   "request",    "root", "server"};
constexpr std::string_view kLevels[] = {"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"};  // in the order of Level

}  // namespace

LogLevels::LogLevels(Log& under, Level root) : under_(under), lowest_(static_cast<int>(root)) {
  own_.emplace(kRoot, static_cast<int>(root));
}

int LogLevels::in_force(std::string_view logger) const {
  auto own = own_.find(logger);
  if (own == own_.end()) own = own_.find(kRoot);
  return own->second;
}

void LogLevels::write(Level level, std::string_view logger, std::string_view message) {
  {
    std::lock_guard lock(mutex_);
    if (static_cast<int>(level) < in_force(logger)) return;
  }
  under_.write(level, logger, message);
}

bool LogLevels::enabled(Level level) const {
  return static_cast<int>(level) >= lowest_.load(std::memory_order_relaxed);
}

std::map<std::string, std::string> LogLevels::levels() const {
  std::lock_guard lock(mutex_);
  std::map<std::string, std::string> all;
  for (std::string_view logger : kLoggers) all.emplace(logger, kLevels[in_force(logger)]);
  return all;
}

bool LogLevels::exists(std::string_view logger) { return std::ranges::find(kLoggers, logger) != std::end(kLoggers); }
bool LogLevels::is_level(std::string_view name) { return std::ranges::find(kLevels, name) != std::end(kLevels); }

void LogLevels::set(std::string_view logger, std::string_view level) {
  CHECK(exists(logger) && is_level(level), "not a logger, or not a level");
  std::lock_guard lock(mutex_);
  own_[std::string(logger)] = static_cast<int>(std::ranges::find(kLevels, level) - std::begin(kLevels));
  renew_lowest();
}

void LogLevels::unset(std::string_view logger) {
  CHECK(exists(logger) && logger != kRoot, "not a logger that follows the root");
  std::lock_guard lock(mutex_);
  own_.erase(std::string(logger));
  renew_lowest();
}

void LogLevels::renew_lowest() {
  int lowest = own_.begin()->second;
  for (const auto& [logger, level] : own_) lowest = std::min(lowest, level);
  lowest_.store(lowest, std::memory_order_relaxed);
}

}  // namespace milena::io
