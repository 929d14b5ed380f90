#include "cli/name_filter.h"

#include <algorithm>
#include <regex>

namespace milena::cli {

Result<std::vector<std::string>, std::string> matching(const std::vector<std::string>& patterns,
                                                       const std::vector<std::string>& all) {
  std::vector<std::regex> expressions;
  for (const std::string& pattern : patterns) {
    try {
      expressions.emplace_back(pattern);
    } catch (const std::regex_error& error) {
      return Err("'" + pattern + "' is not a regular expression: " + error.what());
    }
  }
  std::vector<std::string> found;
  for (const std::string& name : all) {
    bool matches = std::any_of(expressions.begin(), expressions.end(), [&](const std::regex& expression) {
      return std::regex_match(name, expression);
    });
    if (matches) found.push_back(name);
  }
  return found;
}

}  // namespace milena::cli
