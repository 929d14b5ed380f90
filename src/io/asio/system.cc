#include "io/asio/system.h"

#include <sched.h>
#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <fstream>
#include <optional>
#include <string>

#include "base/check.h"

namespace milena::io {

Instant SystemClock::now() const { return Instant(std::chrono::steady_clock::now().time_since_epoch()); }

Timestamp SystemClock::wall_now() const {
  auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  return Timestamp(std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count());
}

std::uint64_t KernelEntropy::random64() {
  std::lock_guard lock(mutex_);
  if (left_ == 0) {
    std::size_t filled = 0;
    while (filled < sizeof words_) {
      ssize_t got = ::getrandom(reinterpret_cast<char*>(words_.data()) + filled, sizeof words_ - filled, 0);
      CHECK(got > 0 || errno == EINTR, "getrandom failed");
      if (got > 0) filled += static_cast<std::size_t>(got);
    }
    left_ = words_.size();
  }
  return words_[--left_];
}

namespace {

// The group of this process below `controller` ("" is version 2's line) in /proc/self/cgroup.
std::optional<std::string> own_group(const std::string& controller) {
  std::ifstream file("/proc/self/cgroup");
  std::string line;
  while (std::getline(file, line)) {
    std::size_t first = line.find(':');
    std::size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    std::string names = "," + line.substr(first + 1, second - first - 1) + ",";
    if (controller.empty() ? names == ",," : names.find("," + controller + ",") != std::string::npos) {
      return line.substr(second + 1);
    }
  }
  return std::nullopt;
}

std::optional<double> quota_of(const std::string& folder) {
  std::string quota;
  double period = 0;
  if (std::ifstream v2(folder + "/cpu.max"); v2 >> quota >> period) {
    if (quota == "max" || period <= 0) return std::nullopt;
    return std::strtod(quota.c_str(), nullptr) / period;
  }
  double used = 0;
  std::ifstream v1_quota(folder + "/cpu.cfs_quota_us");
  std::ifstream v1_period(folder + "/cpu.cfs_period_us");
  if (v1_quota >> used && v1_period >> period && used > 0 && period > 0) return used / period;
  return std::nullopt;
}

}  // namespace

std::size_t usable_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::size_t count = 1;
  if (::sched_getaffinity(0, sizeof set, &set) == 0) count = static_cast<std::size_t>(CPU_COUNT(&set));
  // Inside a container the own group is usually mounted as the root, so both places are looked at.
  const std::string root = "/sys/fs/cgroup";
  for (const std::string& folder :
       {root, root + own_group("").value_or(""), root + "/cpu", root + "/cpu" + own_group("cpu").value_or("")}) {
    if (auto quota = quota_of(folder)) {
      count = std::min(count, static_cast<std::size_t>(std::max(1.0, *quota + 0.999)));
    }
  }
  return std::max<std::size_t>(count, 1);
}

}  // namespace milena::io
