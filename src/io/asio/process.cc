#include "io/asio/process.h"

#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <sstream>

extern char** environ;

namespace milena::io {

int process_id() {
  return static_cast<int>(getpid());
}

std::map<std::string, std::string> environment_variables() {
  std::map<std::string, std::string> variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    std::string text(*entry);
    std::size_t equals = text.find('=');
    if (equals != std::string::npos) variables[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return variables;
}

bool standard_output_is_terminal() {
  return isatty(STDOUT_FILENO) == 1;
}

std::string own_command() {
  namespace fs = std::filesystem;
  std::error_code error;
  fs::path own = fs::read_symlink("/proc/self/exe", error);
  if (error) return "milena";
  const char* path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    fs::path found = fs::path(folder) / own.filename();
    if (fs::exists(found, error))
      return fs::equivalent(found, own, error) ? own.filename().string() : own.string();
  }
  return own.string();
}

std::size_t raise_open_file_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  rlimit wanted = limit;
  wanted.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &wanted) == 0) limit = wanted;
  return static_cast<std::size_t>(limit.rlim_cur);
}

void exit_now(int status) {
  std::fflush(nullptr);
  _exit(status);
}

}  // namespace milena::io
