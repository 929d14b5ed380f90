/// Which process listens on a TCP port of this machine, or is behind a pid, as far as /proc tells.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace milena::io {

struct PortHolder {
  int pid = 0;
  std::string name;  // of the executable
};
/// Nothing: nobody listens there, or its process is not ours to see.
std::optional<PortHolder> find_port_holder(std::uint16_t port);

/// Name of the executable of a process; empty: there is no such process.
std::string process_name(int pid);

}  // namespace milena::io
