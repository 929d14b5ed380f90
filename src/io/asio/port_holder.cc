#include "io/asio/port_holder.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

namespace milena::io {
namespace {

namespace fs = std::filesystem;
constexpr const char* kListenState = "0A";

// Inodes of the sockets that listen on the port, from /proc/net/tcp and tcp6:
// sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode
std::set<std::string> listening_inodes(std::uint16_t port) {
  std::set<std::string> inodes;
  for (const char* table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    std::ifstream file(table);
    std::string line;
    std::getline(file, line);
    while (std::getline(file, line)) {
      std::istringstream fields(line);
      std::string slot, local, remote, state, queues, timer, retransmits, uid, timeout, inode;
      fields >> slot >> local >> remote >> state >> queues >> timer >> retransmits >> uid >> timeout >> inode;
      std::size_t colon = local.rfind(':');
      if (state != kListenState || colon == std::string::npos) continue;
      if (std::stoul(local.substr(colon + 1), nullptr, 16) == port) inodes.insert("socket:[" + inode + "]");
    }
  }
  return inodes;
}

bool holds_any(const fs::path& process, const std::set<std::string>& sockets) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(process / "fd", error)) {
    fs::path target = fs::read_symlink(entry.path(), error);
    if (!error && sockets.contains(target.string())) return true;
  }
  return false;
}

}  // namespace

std::string process_name(int pid) {
  std::string name;
  std::ifstream comm(fs::path("/proc") / std::to_string(pid) / "comm");
  std::getline(comm, name);
  return name;
}

std::optional<PortHolder> find_port_holder(std::uint16_t port) {
  std::set<std::string> sockets = listening_inodes(port);
  if (sockets.empty()) return std::nullopt;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/proc", error)) {
    std::string name = entry.path().filename().string();
    if (!std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; })) continue;
    if (!holds_any(entry.path(), sockets)) continue;
    PortHolder holder;
    holder.pid = std::stoi(name);
    holder.name = process_name(holder.pid);
    return holder;
  }
  return std::nullopt;
}

}  // namespace milena::io
