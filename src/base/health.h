/// What a part of the node says of its own health, for /livez and /readyz.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace milena {

struct HealthCheck {
  std::string name;    // what was looked at, "controller"
  bool ok = false;
  std::string detail;  // how it stands, for people: "active"

  HealthCheck(std::string what, bool good, std::string how)
      : name(std::move(what)), ok(good), detail(std::move(how)) {}
};
using Health = std::vector<HealthCheck>;

}  // namespace milena
