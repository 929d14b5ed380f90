/// This process, as the operating system sees it: what `app` needs besides loops and disks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace milena::io {

int process_id();
std::map<std::string, std::string> environment_variables();
bool standard_output_is_terminal();
/// How a person starts this executable from any directory: its name where PATH finds it, else its whole path.
std::string own_command();
/// This machine's name as others may know it: the canonical one of its host name. Empty: the host name cannot be
/// resolved, so that nobody could be sent there. May ask a name server: seconds, at worst.
std::string machine_name();
/// Raises the limit of open files to what the system allows this process. Returns the limit now in force.
std::size_t raise_open_file_limit();
/// What the kernel counts for this process; what it does not say is 0. Reads /proc: some 100 us.
struct ProcessFacts {
  double cpu_seconds = 0;            // user and system
  double start_time_seconds = 0;     // since the epoch
  std::uint64_t resident_bytes = 0;
  std::uint64_t virtual_bytes = 0;
  std::uint64_t open_files = 0;
  std::uint64_t open_files_max = 0;
  std::uint64_t threads = 0;
  std::uint64_t disk_read_bytes = 0;
  std::uint64_t disk_written_bytes = 0;
};
ProcessFacts process_facts();

/// Flushes the standard streams and ends the process at once: no destructors, no exit handlers.
[[noreturn]] void exit_now(int status);

}  // namespace milena::io
