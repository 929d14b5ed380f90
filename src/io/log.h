/// Log: where diagnostics go (not a partition's log: that is the room `log`). Rooms write lines through an
/// interface, so that tests and the simulator can hold them and the server can print text or JSON.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string_view>
#include <utility>

namespace milena::io {

enum class Level : std::uint8_t { kTrace, kDebug, kInfo, kWarn, kError };

class Log {
 public:
  virtual ~Log() = default;
  /// Takes one line. `logger` is a Kafka-like logger name ("controller", "log", "group"). Any thread.
  /// Never given a secret or a record's content.
  virtual void write(Level level, std::string_view logger, std::string_view message) = 0;
  virtual bool enabled(Level level) const = 0;

  template <class... Args>
  void info(std::string_view logger, fmt::format_string<Args...> text, Args&&... args) {
    print(Level::kInfo, logger, text, std::forward<Args>(args)...);
  }
  template <class... Args>
  void warn(std::string_view logger, fmt::format_string<Args...> text, Args&&... args) {
    print(Level::kWarn, logger, text, std::forward<Args>(args)...);
  }
  template <class... Args>
  void error(std::string_view logger, fmt::format_string<Args...> text, Args&&... args) {
    print(Level::kError, logger, text, std::forward<Args>(args)...);
  }
  template <class... Args>
  void debug(std::string_view logger, fmt::format_string<Args...> text, Args&&... args) {
    print(Level::kDebug, logger, text, std::forward<Args>(args)...);
  }

 private:
  template <class... Args>
  void print(Level level, std::string_view logger, fmt::format_string<Args...> text, Args&&... args) {
    if (enabled(level)) write(level, logger, fmt::format(text, std::forward<Args>(args)...));
  }
};

}  // namespace milena::io
