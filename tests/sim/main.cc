// milena_sim: runs simulated worlds from seeds. See --help.
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <optional>

#include "mutants.h"
#include "nemesis.h"
#include "scenario.h"

namespace milena::sim {
namespace {

constexpr std::uint64_t kEnoughSeeds = 100;  // a batch of so many must meet every fault
constexpr std::uint64_t kRunTwice = 3;       // of a batch: in another process, with the same trace
constexpr unsigned kSeedLimit = 120;         // seconds that one seed may take

const char* const kHelp =
    R"(Runs the shipped broker in a simulated world: network, disks, clocks and crashes from one seed.

Usage: milena_sim --seed N [-v]                       one run, in this process; the same seed, the same trace hash
       milena_sim --seeds N [--from M] [--jobs J]     a batch; fails if a checker failed or a fault never happened
       milena_sim --mutants | --mutant NAME           plants faults on purpose; fails if the checkers miss one
       milena_sim --list-mutants

  -v        the nodes' log and the nemesis' steps on stderr
  --jobs J  runs side by side; default 2
MILENA_SIM_SEEDS takes the place of --seeds' number.
)";

struct Options {
  std::optional<std::uint64_t> seed;
  std::uint64_t seeds = 200;
  std::uint64_t from = 1;
  std::uint64_t jobs = 2;
  std::string mutant;
  bool all_mutants = false;
  bool list_mutants = false;
  bool verbose = false;
  bool help = false;
};

std::string pack(const RunResult& result) {
  std::string text =
      fmt::format("{} {} {} {} {} {} {} {}\n", result.seed, result.trace_hash, result.events,
                  result.virtual_seconds, result.acknowledged, result.consumed, result.commits, result.lost);
  for (const auto& [name, count] : result.marks) text += fmt::format("m{} {}\n", name, count);
  for (std::string what : result.violations) {
    std::ranges::replace(what, '\n', ' ');
    text += "v" + what + "\n";
  }
  return text + "end\n";
}

RunResult unpack(std::uint64_t seed, const std::string& text, int status) {
  RunResult result;
  result.seed = seed;
  bool whole = false;
  std::size_t at = 0;
  for (bool first = true; at < text.size(); first = false) {
    std::size_t end = std::min(text.find('\n', at), text.size());
    std::string line = text.substr(at, end - at);
    at = end + 1;
    if (first) {
      std::sscanf(line.c_str(), "%lu %lu %lu %lf %lu %lu %lu %lu", &result.seed, &result.trace_hash,
                  &result.events, &result.virtual_seconds, &result.acknowledged, &result.consumed,
                  &result.commits, &result.lost);
    } else if (line.starts_with("m")) {
      std::size_t space = line.rfind(' ');
      result.marks[line.substr(1, space - 1)] = std::strtoull(line.c_str() + space, nullptr, 10);
    } else if (line.starts_with("v")) {
      result.violations.push_back(line.substr(1));
    } else if (line == "end") {
      whole = true;
    }
  }
  if (!whole) {
    result.violations.push_back(
        WIFSIGNALED(status)
            ? fmt::format("the run died of signal {} ({})", WTERMSIG(status), strsignal(WTERMSIG(status)))
            : "the run ended early");
  }
  return result;
}

/// Runs seeds side by side, each in a process of its own, and gives the results to `take` as they come;
/// ends early when `take` returns false.
template <class Take>
void run_batch(const Options& options, const RunOptions& run, Take take) {
  struct Child {
    std::uint64_t seed;
    int pipe;
  };
  std::map<pid_t, Child> children;
  std::uint64_t next = options.from;
  std::uint64_t end = options.from + options.seeds;
  bool more = true;
  while ((more && next < end) || !children.empty()) {
    while (more && next < end && children.size() < options.jobs) {
      int ends[2];
      if (pipe(ends) != 0) std::abort();
      std::fflush(nullptr);
      pid_t pid = fork();
      if (pid == 0) {
        close(ends[0]);
        alarm(kSeedLimit);
        std::string text = pack(run_scenario(next, run));
        ssize_t written = write(ends[1], text.data(), text.size());  // far less than a pipe holds
        _exit(written == static_cast<ssize_t>(text.size()) ? 0 : 1);
      }
      close(ends[1]);
      children[pid] = {next++, ends[0]};
    }
    int status = 0;
    pid_t pid = wait(&status);
    auto child = children.find(pid);
    if (child == children.end()) continue;
    std::string text;
    char buffer[4096];
    for (ssize_t got = 0; (got = read(child->second.pipe, buffer, sizeof buffer)) > 0;)
      text.append(buffer, static_cast<std::size_t>(got));
    close(child->second.pipe);
    RunResult result = unpack(child->second.seed, text, status);
    children.erase(child);
    if (!take(result)) more = false;
  }
}

void print_run(const RunResult& result) {
  fmt::print(
      "seed {}: trace {:016x}, {} events, {:.1f} virtual s, {} acknowledged, {} read, {} commits, {} lost as "
      "they may\n",
      result.seed, result.trace_hash, result.events, result.virtual_seconds, result.acknowledged,
      result.consumed, result.commits, result.lost);
  for (const std::string& what : result.violations) fmt::print("  violation: {}\n", what);
  std::fflush(stdout);
}

// The hash that a process of its own, with its own addresses, gets for the seed.
std::uint64_t hash_elsewhere(std::uint64_t seed) {
  std::string command =
      fmt::format("{} --seed {}", std::filesystem::read_symlink("/proc/self/exe").string(), seed);
  FILE* out = popen(command.c_str(), "r");
  if (out == nullptr) return 0;
  std::uint64_t got_seed = 0;
  std::uint64_t hash = 0;
  if (std::fscanf(out, "seed %lu: trace %lx", &got_seed, &hash) != 2) hash = 0;
  pclose(out);
  return hash;
}

int run_seeds(const Options& options) {
  auto began = std::chrono::steady_clock::now();
  std::map<std::string, std::uint64_t> marks;
  std::vector<std::uint64_t> failed;
  std::map<std::uint64_t, std::uint64_t> hashes;
  RunResult total;
  RunOptions run;
  run_batch(options, run, [&](const RunResult& result) {
    if (options.verbose || !result.violations.empty()) print_run(result);
    if (!result.violations.empty()) {
      failed.push_back(result.seed);
      fmt::print("  again: ./dev sim --seed {} -v\n", result.seed);
    }
    hashes[result.seed] = result.trace_hash;
    for (const auto& [name, count] : result.marks) marks[name] += count;
    total.events += result.events;
    total.virtual_seconds += result.virtual_seconds;
    total.acknowledged += result.acknowledged;
    total.consumed += result.consumed;
    total.commits += result.commits;
    return failed.size() < 10;
  });
  bool good = failed.empty();
  for (std::uint64_t seed = options.from; good && seed < options.from + std::min(options.seeds, kRunTwice);
       ++seed) {
    std::uint64_t again = hash_elsewhere(seed);
    if (again == hashes[seed]) continue;
    fmt::print("seed {} is not deterministic: trace {:016x}, then {:016x}\n", seed, hashes[seed], again);
    good = false;
  }
  std::string never;
  auto list = [&](const std::vector<CountedFault>& all) {
    std::string counts;
    for (const CountedFault& fault : all) {
      std::uint64_t count = marks.contains(fault.mark) ? marks[fault.mark] : 0;
      counts += fmt::format("{}{} {}", counts.empty() ? "" : ", ", fault.name, count);
      if (count == 0) never += fmt::format("{}{}", never.empty() ? "" : ", ", fault.name);
    }
    return counts;
  };
  std::string faults = list(counted_faults());
  std::string paths = list(counted_paths());
  std::string reached = list(counted_reached());
  if (!never.empty() && options.seeds >= kEnoughSeeds) {
    fmt::print("never happened: {}\n", never);
    good = false;
  }
  double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  fmt::print(
      "{} seeds, {} failed, {:.0f} s; {:.0f} virtual s, {} events, {} records acknowledged, {} read, {} "
      "commits; faults: {}; clients: {}; runs that reached: {}\n",
      hashes.size(), failed.size(), seconds, total.virtual_seconds, total.events, total.acknowledged,
      total.consumed, total.commits, faults, paths, reached);
  return good ? 0 : 1;
}

bool caught(const Options& options, const Mutant& mutant) {
  RunOptions run;
  run.mutant = mutant.name;
  std::optional<RunResult> catch_of;
  run_batch(options, run, [&](const RunResult& result) {
    if (!result.violations.empty() && !catch_of.has_value()) catch_of = result;
    return !catch_of.has_value();
  });
  if (catch_of.has_value()) {
    fmt::print("mutant {}: caught by seed {}: {}\n", mutant.name, catch_of->seed,
               catch_of->violations.front());
  } else {
    fmt::print("mutant {}: NOT caught within {} seeds ({})\n", mutant.name, options.seeds, mutant.what);
  }
  std::fflush(stdout);
  return catch_of.has_value();
}

// Those that the traps' own tests catch.
bool run_trap_mutants(const std::string& only) {
  auto own = std::filesystem::read_symlink("/proc/self/exe");
  auto program = own.parent_path() / "milena_traps_mutants";
  if (!std::filesystem::exists(program)) {
    fmt::print(stderr, "milena_sim: {} is missing; next: build the target milena_traps_mutants\n",
               program.string());
    return false;
  }
  std::fflush(nullptr);
  return std::system((program.string() + " --table " + only).c_str()) == 0;
}

int run_mutants(const Options& options) {
  bool good = true;
  bool known = options.all_mutants;
  if (options.all_mutants) good = run_trap_mutants("");
  for (const Mutant& mutant : mutants()) {
    if (!options.all_mutants && options.mutant != mutant.name) continue;
    known = true;
    if (*mutant.trap == 0)
      good = caught(options, mutant) && good;
    else if (!options.all_mutants)
      good = run_trap_mutants(mutant.name) && good;
  }
  if (!known)
    fmt::print(stderr, "milena_sim: unknown mutant {}; --list-mutants names them\n", options.mutant);
  return good && known ? 0 : 1;
}

bool parse_number(const std::string& text, std::uint64_t& number) {
  auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
}

bool parse(const std::vector<std::string>& arguments, Options& options) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& name = arguments[i];
    bool last = i + 1 == arguments.size();
    std::uint64_t number = 0;
    if (name == "-v" || name == "--verbose")
      options.verbose = true;
    else if (name == "-h" || name == "--help")
      options.help = true;
    else if (name == "--mutants")
      options.all_mutants = true;
    else if (name == "--list-mutants")
      options.list_mutants = true;
    else if (name == "--mutant" && !last)
      options.mutant = arguments[++i];
    else if (last || !parse_number(arguments[++i], number))
      return false;
    else if (name == "--seed")
      options.seed = number;
    else if (name == "--seeds")
      options.seeds = number;
    else if (name == "--from")
      options.from = number;
    else if (name == "--jobs" && number > 0)
      options.jobs = number;
    else
      return false;
  }
  if (const char* seeds = std::getenv("MILENA_SIM_SEEDS")) parse_number(seeds, options.seeds);
  return true;
}

int run(int argc, char** argv) {
  Options options;
  if (!parse(std::vector<std::string>(argv + 1, argv + argc), options) || options.help) {
    std::fputs(kHelp, options.help ? stdout : stderr);
    return options.help ? 0 : 2;
  }
  if (options.list_mutants) {
    for (const Mutant& mutant : mutants()) fmt::print("{:20} {}\n", mutant.name, mutant.what);
    return 0;
  }
  if ((options.all_mutants || !options.mutant.empty()) && !mutants_compiled_in()) {
    std::string other = std::filesystem::read_symlink("/proc/self/exe").string() + "_mutants";
    execv(other.c_str(), argv);
    fmt::print(stderr, "milena_sim: {} is missing; next: build the target milena_sim_mutants\n", other);
    return 1;
  }
  if (options.seed.has_value()) {
    RunOptions one;
    one.mutant = options.mutant;
    one.verbose = options.verbose;
    RunResult result = run_scenario(*options.seed, one);
    print_run(result);
    if (options.verbose) {
      for (const auto& [name, count] : result.marks) fmt::print("  {} {}\n", name, count);
    }
    return result.violations.empty() ? 0 : 1;
  }
  if (options.all_mutants || !options.mutant.empty()) return run_mutants(options);
  return run_seeds(options);
}

}  // namespace
}  // namespace milena::sim

int main(int argc, char** argv) {
  return milena::sim::run(argc, argv);
}
