/// StderrLog: diagnostics on standard error, through spdlog. On a terminal: text, coloured unless NO_COLOR is
/// set. Elsewhere: one JSON object a line, {"ts", "level", "logger", "msg"}, ts in UTC with milliseconds.
#pragma once

#include <atomic>
#include <memory>

#include "io/log.h"

namespace milena::io {

class StderrLog final : public Log {
 public:
  enum class Format : std::uint8_t { kAuto, kText, kJson };
  explicit StderrLog(Level level = Level::kInfo, Format format = Format::kAuto);
  ~StderrLog() override;
  void write(Level level, std::string_view logger, std::string_view message) override;
  bool enabled(Level level) const override { return level >= level_.load(std::memory_order_relaxed); }
  /// Any thread.
  void set_level(Level level) { level_.store(level, std::memory_order_relaxed); }

 private:
  struct Sink;
  std::atomic<Level> level_;
  bool json_;
  std::unique_ptr<Sink> sink_;
};

/// `text` as the inside of a JSON string.
std::string json_escape(std::string_view text);

}  // namespace milena::io
