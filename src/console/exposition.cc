#include "console/exposition.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <iterator>

namespace milena::console {
namespace {

constexpr std::string_view kTotal = "_total";

std::string_view type_name(MetricType type) {
  switch (type) {
    case MetricType::kCounter: return "counter";
    case MetricType::kGauge: return "gauge";
    case MetricType::kSummary: return "summary";
    case MetricType::kHistogram: return "histogram";
  }
  return "unknown";
}

void append_escaped(std::string& out, std::string_view text, bool quotes) {
  for (char c : text) {
    if (c == '\\') out += "\\\\";
    else if (c == '\n') out += "\\n";
    else if (c == '"' && quotes) out += "\\\"";
    else out += c;
  }
}

void append_number(std::string& out, double value) {
  if (std::isnan(value)) {
    out += "NaN";
  } else if (std::isinf(value)) {
    out += value > 0 ? "+Inf" : "-Inf";
  } else if (value == std::floor(value) && std::fabs(value) < 9007199254740992.0) {
    fmt::format_to(std::back_inserter(out), "{}", static_cast<long long>(value));
  } else {
    fmt::format_to(std::back_inserter(out), "{}", value);
  }
}

// The weight that an Accept header gives to a media type: 0 where it does not name it.
double weight(std::string_view accept, std::string_view type) {
  while (!accept.empty()) {
    std::size_t comma = std::min(accept.find(','), accept.size());
    std::string_view entry = accept.substr(0, comma);
    accept.remove_prefix(std::min(comma + 1, accept.size()));
    while (!entry.empty() && entry.front() == ' ') entry.remove_prefix(1);
    if (!entry.starts_with(type)) continue;
    std::string_view rest = entry.substr(type.size());
    if (!rest.empty() && rest.front() != ';' && rest.front() != ' ') continue;
    std::size_t q = rest.find("q=");
    if (q == rest.npos) return 1;
    double value = 0;
    const char* begin = rest.data() + q + 2;
    auto [end, error] = std::from_chars(begin, rest.data() + rest.size(), value);
    return error == std::errc() ? value : 0;
  }
  return 0;
}

}  // namespace

Exposition choose_exposition(std::string_view accept) {
  double open = weight(accept, "application/openmetrics-text");
  return open > 0 && open >= weight(accept, "text/plain") ? Exposition::kOpenMetrics : Exposition::kPrometheus;
}

std::string_view content_type(Exposition format) {
  return format == Exposition::kOpenMetrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                            : "text/plain; version=0.0.4; charset=utf-8";
}

std::string expose(const MetricSet& metrics, Exposition format) {
  std::string out;
  bool open = format == Exposition::kOpenMetrics;
  for (const auto& [name, family] : metrics.families()) {
    std::string_view said = name;
    if (open && family.type == MetricType::kCounter && said.ends_with(kTotal)) said.remove_suffix(kTotal.size());
    out += "# HELP ";
    out += said;
    out += ' ';
    append_escaped(out, family.help, open);
    out += "\n# TYPE ";
    out += said;
    out += ' ';
    out += type_name(family.type);
    out += '\n';
    for (const MetricSample& sample : family.samples) {
      out += name;
      out += sample.suffix;
      for (std::size_t i = 0; i < sample.labels.size(); ++i) {
        out += i == 0 ? '{' : ',';
        out += sample.labels[i].first;
        out += "=\"";
        append_escaped(out, sample.labels[i].second, true);
        out += '"';
      }
      if (!sample.labels.empty()) out += '}';
      out += ' ';
      append_number(out, sample.value);
      out += '\n';
    }
  }
  if (open) out += "# EOF\n";
  return out;
}

}  // namespace milena::console
