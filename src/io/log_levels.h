/// LogLevels: a Log whose levels change while the program runs, one by one for the loggers that Milena has, or for
/// all of them (`root`). Names of levels are Kafka's: TRACE, DEBUG, INFO, WARN, ERROR, FATAL (which nothing is).
/// Threads: any.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "io/log.h"

namespace milena::io {

class LogLevels final : public Log {
 public:
  static constexpr std::string_view kRoot = "root";

  /// `under` takes what is let through, whatever its own level; it outlives this.
  explicit LogLevels(Log& under, Level root = Level::kInfo);
  void write(Level level, std::string_view logger, std::string_view message) override;
  /// Whether any logger lets it through.
  bool enabled(Level level) const override;

  /// Every logger with its level in force, `root` among them.
  std::map<std::string, std::string> levels() const;
  /// False: there is no such logger.
  static bool exists(std::string_view logger);
  /// False: that is no level.
  static bool is_level(std::string_view name);
  /// REQUIRES: exists(logger), is_level(level).
  void set(std::string_view logger, std::string_view level);
  /// The logger follows `root` again. REQUIRES: exists(logger), and is not the root itself.
  void unset(std::string_view logger);

 private:
  int in_force(std::string_view logger) const;
  void renew_lowest();

  Log& under_;
  mutable std::mutex mutex_;
  std::map<std::string, int, std::less<>> own_;  // levels; `root` is always there
  std::atomic<int> lowest_;
};

}  // namespace milena::io
