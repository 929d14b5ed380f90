#include "io/asio/process.h"

#include <limits.h>
#include <netdb.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

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

namespace {

// "name: value" lines of a file under /proc.
std::uint64_t field_of(const char* path, const std::string& name) {
  std::ifstream file(path);
  std::string word;
  std::uint64_t value = 0;
  while (file >> word) {
    if (word == name && file >> value) return value;
    file.ignore(4096, '\n');
  }
  return 0;
}

// The numbers of /proc/self/stat behind the name of the program, from the third field on.
std::vector<double> stat_fields() {
  std::ifstream file("/proc/self/stat");
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  std::size_t name_end = text.rfind(") ");
  std::vector<double> fields;
  if (name_end == std::string::npos) return fields;
  std::istringstream rest(text.substr(name_end + 2));
  std::string state;
  rest >> state;
  for (double value = 0; rest >> value;) fields.push_back(value);
  return fields;
}

}  // namespace

std::string machine_name() {
  char own[HOST_NAME_MAX + 1] = {};
  if (gethostname(own, sizeof own - 1) != 0) return {};
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_CANONNAME;
  addrinfo* found = nullptr;
  if (getaddrinfo(own, nullptr, &hints, &found) != 0) return {};
  std::string name = found->ai_canonname != nullptr ? found->ai_canonname : own;
  freeaddrinfo(found);
  return name;
}

ProcessFacts process_facts() {
  ProcessFacts facts;
  auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  // Without the first three fields of proc(5): utime is its 14th, starttime its 22nd, vsize its 23rd.
  std::vector<double> stat = stat_fields();
  if (stat.size() > 20 && ticks > 0) {
    facts.cpu_seconds = (stat[10] + stat[11]) / ticks;
    facts.start_time_seconds = static_cast<double>(field_of("/proc/stat", "btime")) + stat[18] / ticks;
    facts.threads = static_cast<std::uint64_t>(stat[16]);
    facts.virtual_bytes = static_cast<std::uint64_t>(stat[19]);
    facts.resident_bytes = static_cast<std::uint64_t>(stat[20] * static_cast<double>(sysconf(_SC_PAGESIZE)));
  }
  std::error_code error;
  for (auto it = std::filesystem::directory_iterator("/proc/self/fd", error); !error && it != std::filesystem::directory_iterator();
       it.increment(error)) {
    ++facts.open_files;
  }
  if (facts.open_files > 0) --facts.open_files;  // the one that looks
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) facts.open_files_max = limit.rlim_cur;
  facts.disk_read_bytes = field_of("/proc/self/io", "read_bytes:");
  facts.disk_written_bytes = field_of("/proc/self/io", "write_bytes:");
  return facts;
}

void exit_now(int status) {
  std::fflush(nullptr);
  _exit(status);
}

}  // namespace milena::io
