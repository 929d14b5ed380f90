// milena_raft_sim: quorums of the shipped raft machine, from seeds. See --help.
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/mutant.h"
#include "nemesis.h"

namespace milena {
namespace {
std::string_view g_planted;
}
#ifdef MILENA_MUTANTS
bool mutant_planted(std::string_view name) {
  return name == g_planted;
}
#endif

namespace raft_sim {
namespace {

struct Mutant {
  const char* name;
  const char* what;
};
constexpr Mutant kMutants[] = {
    {"raft-unsynced-vote", "a vote is given before quorum-state is on disk"},
    {"raft-double-vote", "a voter gives its vote of an epoch more than once"},
    {"raft-any-log", "a voter votes for a candidate whose log is behind its own"},
    {"raft-minority-commit", "the high watermark follows less than a majority"},
    {"raft-unsynced-commit", "a leader counts its own records before they are synced"},
    {"raft-hasty-fetch", "a follower fetches on before its records are synced"},
    {"raft-old-epoch-commit", "a leader commits older epochs' records by counting copies"},
    {"raft-blind-fetch", "a leader does not compare epochs with who fetches"},
    {"raft-cut-to-watermark", "a follower cuts its log at its own high watermark"},
    {"raft-restarted-leader", "a leader that restarts goes on in its epoch"},
    {"raft-no-pre-vote", "nobody asks whether it would be elected before it bumps the epoch"},
    {"raft-no-check-quorum", "a leader without its quorum does not resign"},
    {"raft-two-changes", "voters change while a change is not committed"},
    {"raft-early-change", "voters change before the leader has committed in its epoch"},
    {"raft-old-self", "a voter on a wiped disk votes as its old self"},
};

const char* const kHelp =
    R"(Runs quorums of 1 to 5 voters, with observers, in simulated worlds: network, disks, clocks and crashes from one seed.

Usage: milena_raft_sim --seed N [-v]                   one run
       milena_raft_sim [--seeds N] [--from M]          a batch; fails if a checker failed or a mark was never hit
       milena_raft_sim --mutants | --mutant NAME       plants faults on purpose; fails if the checkers miss one
       milena_raft_sim --list-mutants
)";

struct Options {
  std::uint64_t seed = 0;
  std::uint64_t seeds = 1000;
  std::uint64_t from = 1;
  std::string mutant;
  bool all_mutants = false;
  bool list = false;
  bool verbose = false;
  bool help = false;
};

constexpr std::uint64_t kEnoughSeeds = 200;  // a batch of so many must hit every mark

volatile std::uint64_t g_seed = 0;  // for the abort handler

void tell_seed(int) {
  char text[64];
  auto end =
      fmt::format_to_n(text, sizeof text, "raft seed {} died\n", static_cast<std::uint64_t>(g_seed)).out;
  (void)!write(2, text, static_cast<std::size_t>(end - text));
  std::signal(SIGABRT, SIG_DFL);
  std::raise(SIGABRT);
}

void print(const RunResult& result) {
  fmt::print("raft seed {}: trace {:016x}, {} steps, {:.1f} virtual s\n", result.seed, result.trace,
             result.steps, result.virtual_seconds);
  for (const std::string& what : result.violations) fmt::print("  violation {}\n", what);
}

int run_seeds(const Options& options) {
  auto began = std::chrono::steady_clock::now();
  std::map<std::string, std::uint64_t> marks;
  std::uint64_t steps = 0;
  std::uint64_t failed = 0;
  double seconds = 0;
  bool good = true;
  for (std::uint64_t seed = options.from; seed < options.from + options.seeds && failed < 5; ++seed) {
    g_seed = seed;
    RunResult result = run(seed);
    bool again = seed < options.from + 5;  // the same seed, the same run
    if (again && run(seed).trace != result.trace) {
      fmt::print("raft seed {} is not deterministic\n", seed);
      good = false;
    }
    if (options.verbose || !result.violations.empty()) print(result);
    if (!result.violations.empty()) ++failed;
    for (const auto& [name, count] : result.marks) marks[name] += count;
    steps += result.steps;
    seconds += result.virtual_seconds;
  }
  std::string text;
  std::string never;
  for (const std::string& name : all_marks()) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name, marks[name]);
    if (marks[name] == 0) never += fmt::format("{}{}", never.empty() ? "" : ", ", name);
  }
  if (!never.empty() && options.seeds >= kEnoughSeeds) {
    fmt::print("never happened: {}\n", never);
    good = false;
  }
  double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  fmt::print("{} raft seeds, {} failed, {:.0f} s; {:.0f} virtual s, {} steps; {}\n", options.seeds, failed,
             took, seconds, steps, text);
  return good && failed == 0 ? 0 : 1;
}

// In a process of its own: a mutant may also make the machine break off.
bool caught(const Options& options, const Mutant& mutant) {
  int ends[2];
  if (pipe(ends) != 0) std::abort();
  std::fflush(nullptr);
  pid_t pid = fork();
  if (pid == 0) {
    close(ends[0]);
    dup2(ends[1], 2);
    std::signal(SIGABRT, SIG_DFL);
    g_planted = mutant.name;
    for (std::uint64_t seed = options.from; seed < options.from + options.seeds; ++seed) {
      std::string text = fmt::format("seed {}: ", seed);
      (void)!write(2, text.data(), text.size());
      RunResult result = run(seed);
      if (result.violations.empty()) continue;
      text = result.violations.front() + "\n";
      (void)!write(2, text.data(), text.size());
      _exit(1);
    }
    _exit(0);
  }
  close(ends[1]);
  std::string out;
  char buffer[4096];
  for (ssize_t got = 0; (got = read(ends[0], buffer, sizeof buffer)) > 0;)
    out.append(buffer, static_cast<std::size_t>(got));
  close(ends[0]);
  int status = 0;
  waitpid(pid, &status, 0);
  bool found = !WIFEXITED(status) || WEXITSTATUS(status) != 0;
  std::string last = out.substr(std::min(out.rfind("seed "), out.size()));
  last = last.substr(0, last.find('\n'));
  if (found)
    fmt::print("mutant {}: caught by {}\n", mutant.name, last);
  else
    fmt::print("mutant {}: NOT caught within {} seeds ({})\n", mutant.name, options.seeds, mutant.what);
  return found;
}

int run_mutants(const Options& options) {
  bool good = true;
  bool known = options.all_mutants;
  for (const Mutant& mutant : kMutants) {
    if (!options.all_mutants && options.mutant != mutant.name) continue;
    known = true;
    good = caught(options, mutant) && good;
  }
  if (!known)
    fmt::print(stderr, "milena_raft_sim: unknown mutant {}; --list-mutants names them\n", options.mutant);
  return good && known ? 0 : 1;
}

bool parse_number(const char* text, std::uint64_t& number) {
  auto parsed = std::from_chars(text, text + std::strlen(text), number);
  return parsed.ec == std::errc() && *parsed.ptr == 0;
}

bool parse(int argc, char** argv, Options& options) {
  for (int i = 1; i < argc; ++i) {
    std::string_view name = argv[i];
    bool last = i + 1 == argc;
    if (name == "-v")
      options.verbose = true;
    else if (name == "-h" || name == "--help")
      options.help = true;
    else if (name == "--mutants")
      options.all_mutants = true;
    else if (name == "--list-mutants")
      options.list = true;
    else if (name == "--mutant" && !last)
      options.mutant = argv[++i];
    else if (name == "--seed" && !last && parse_number(argv[i + 1], options.seed))
      ++i;
    else if (name == "--seeds" && !last && parse_number(argv[i + 1], options.seeds))
      ++i;
    else if (name == "--from" && !last && parse_number(argv[i + 1], options.from))
      ++i;
    else
      return false;
  }
  return true;
}

}  // namespace

int main_of(int argc, char** argv) {
  Options options;
  if (!parse(argc, argv, options) || options.help) {
    std::fputs(kHelp, options.help ? stdout : stderr);
    return options.help ? 0 : 2;
  }
  if (options.list) {
    for (const Mutant& mutant : kMutants) fmt::print("{:24} {}\n", mutant.name, mutant.what);
    return 0;
  }
  std::signal(SIGABRT, tell_seed);
#ifndef MILENA_MUTANTS
  if (options.all_mutants || !options.mutant.empty()) {
    std::string other = std::filesystem::read_symlink("/proc/self/exe").string() + "_mutants";
    execv(other.c_str(), argv);
    fmt::print(stderr, "milena_raft_sim: {} is missing; next: build the target milena_raft_sim_mutants\n",
               other);
    return 1;
  }
#endif
  if (options.seed != 0) {
    g_planted = options.mutant;
    RunResult result = run(options.seed, options.verbose);
    print(result);
    if (options.verbose)
      for (const auto& [name, count] : result.marks) fmt::print("  {} {}\n", name, count);
    return result.violations.empty() ? 0 : 1;
  }
  if (options.all_mutants || !options.mutant.empty()) return run_mutants(options);
  return run_seeds(options);
}

}  // namespace raft_sim
}  // namespace milena

int main(int argc, char** argv) {
  return milena::raft_sim::main_of(argc, argv);
}
