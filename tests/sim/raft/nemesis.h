/// What goes wrong in a simulated quorum, and what must come right again when it ends.
#pragma once

#include "world.h"

namespace milena::raft_sim {

struct RunResult {
  std::uint64_t seed = 0;
  std::uint64_t trace = 0;
  std::uint64_t steps = 0;
  double virtual_seconds = 0;
  std::map<std::string, std::uint64_t> marks;
  std::vector<std::string> violations;
};

/// One run: faults for a while, then peace, in which a leader and a commit must come; then a follower that is
/// cut off and comes back must not disturb (R9), and a leader that is cut off must resign and be replaced.
/// `verbose` tells its steps on stderr.
RunResult run(std::uint64_t seed, bool verbose = false);

/// Every mark that a batch must hit.
const std::vector<std::string>& all_marks();

}  // namespace milena::raft_sim
