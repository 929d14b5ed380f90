#include "io/asio/process.h"

#include <unistd.h>

#include <cstdio>

extern char** environ;

namespace milena::io {

int process_id() { return static_cast<int>(getpid()); }

std::map<std::string, std::string> environment_variables() {
  std::map<std::string, std::string> variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    std::string text(*entry);
    std::size_t equals = text.find('=');
    if (equals != std::string::npos) variables[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return variables;
}

bool standard_output_is_terminal() { return isatty(STDOUT_FILENO) == 1; }

void exit_now(int status) {
  std::fflush(nullptr);
  _exit(status);
}

}  // namespace milena::io
