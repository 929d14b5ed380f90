/// This process, as the operating system sees it: what `app` needs besides loops and disks.
#pragma once

#include <cstddef>
#include <map>
#include <string>

namespace milena::io {

int process_id();
std::map<std::string, std::string> environment_variables();
bool standard_output_is_terminal();
/// How a person starts this executable from any directory: its name where PATH finds it, else its whole path.
std::string own_command();
/// Raises the limit of open files to what the system allows this process. Returns the limit now in force.
std::size_t raise_open_file_limit();
/// Flushes the standard streams and ends the process at once: no destructors, no exit handlers.
[[noreturn]] void exit_now(int status);

}  // namespace milena::io
