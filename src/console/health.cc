#include "console/health.h"

#include <nlohmann/json.hpp>

namespace milena::console {

io::HttpResponse health_response(const Health& health) {
  nlohmann::ordered_json answer;
  answer["status"] = "ok";
  bool ok = true;
  nlohmann::ordered_json reasons = nlohmann::ordered_json::array();
  nlohmann::ordered_json checks = nlohmann::ordered_json::object();
  for (const HealthCheck& check : health) {
    ok = ok && check.ok;
    if (!check.ok) reasons.push_back(check.name + ": " + check.detail);
    checks[check.name] = check.detail;
  }
  if (!ok) {
    answer["status"] = "unavailable";
    answer["reasons"] = std::move(reasons);
  }
  answer["checks"] = std::move(checks);
  // A path may be in any encoding: what is not UTF-8 is replaced.
  auto lenient = nlohmann::ordered_json::error_handler_t::replace;
  io::HttpResponse response(ok ? 200 : 503, answer.dump(-1, ' ', false, lenient) + "\n");
  response.content_type = "application/json";
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

}  // namespace milena::console
