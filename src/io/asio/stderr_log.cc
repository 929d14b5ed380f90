#include "io/asio/stderr_log.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cstdlib>

namespace milena::io {

struct StderrLog::Sink {
  std::shared_ptr<spdlog::logger> logger;
};

namespace {

spdlog::level::level_enum level_of(Level level) {
  switch (level) {
    case Level::kTrace: return spdlog::level::trace;
    case Level::kDebug: return spdlog::level::debug;
    case Level::kInfo: return spdlog::level::info;
    case Level::kWarn: return spdlog::level::warn;
    case Level::kError: return spdlog::level::err;
  }
  return spdlog::level::info;
}

}  // namespace

StderrLog::StderrLog(Level level, Format format)
    : level_(level), sink_(std::make_unique<Sink>()) {
  bool terminal = ::isatty(STDERR_FILENO) == 1;
  json_ = format == Format::kJson || (format == Format::kAuto && !terminal);
  const char* no_color = std::getenv("NO_COLOR");
  bool colour = terminal && !json_ && (no_color == nullptr || *no_color == '\0');
  auto sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>(colour ? spdlog::color_mode::always
                                                                           : spdlog::color_mode::never);
  sink_->logger = std::make_shared<spdlog::logger>("milena", std::move(sink));
  sink_->logger->set_level(spdlog::level::trace);  // filtered here, by level_
  sink_->logger->flush_on(spdlog::level::trace);
  if (json_) {
    sink_->logger->set_pattern("{\"ts\":\"%Y-%m-%dT%H:%M:%S.%eZ\",\"level\":\"%l\",%v}",
                               spdlog::pattern_time_type::utc);
  } else {
    sink_->logger->set_pattern("[%Y-%m-%d %H:%M:%S,%e] %^%l%$ %v");
  }
}

StderrLog::~StderrLog() = default;

void StderrLog::write(Level level, std::string_view logger, std::string_view message) {
  std::string line = json_ ? fmt::format("\"logger\":\"{}\",\"msg\":\"{}\"", json_escape(logger), json_escape(message))
                           : fmt::format("[{}] {}", logger, message);
  sink_->logger->log(level_of(level), spdlog::string_view_t(line.data(), line.size()));
}

std::string json_escape(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 8);
  for (char c : text) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
        } else {
          out += c;
        }
    }
  }
  return out;
}

}  // namespace milena::io
