/// One simulated run: from a seed a broker with its configuration, topics, clients and a nemesis; what came
/// out of it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace milena::sim {

struct RunOptions {
  std::string mutant;    // empty: none
  bool verbose = false;  // the nodes' log and the nemesis' steps on stderr
};

struct RunResult {
  std::uint64_t seed = 0;
  std::uint64_t trace_hash = 0;
  std::uint64_t events = 0;
  double virtual_seconds = 0;
  std::uint64_t acknowledged = 0, consumed = 0, commits = 0, lost = 0;
  std::map<std::string, std::uint64_t> marks;  // faults and rare paths, how often
  std::vector<std::string> violations;
};

RunResult run_scenario(std::uint64_t seed, const RunOptions& options);

}  // namespace milena::sim
