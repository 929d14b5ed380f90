// milena_traps: the scripted tests of the traps. Each trap of kTraps has a test suite Trap_<id> and a planted mutant
// that it must catch.
//
//   milena_traps [--gtest_filter=Trap_S1.*]     the tests
//   milena_traps --check                        every trap has a test and a mutant
//   milena_traps_mutants --plant NAME           the tests with a mutant
//   milena_traps_mutants --table [NAME]         each mutant with its trap's tests: fails if one is not caught
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <filesystem>
#include <string>

#include "mutants.h"

namespace milena::traps {
namespace {

// Those of traps.md that one node can meet.
const char* const kTraps[] = {"S1", "S2", "S3", "S4",  "S6",  "S7", "T1", "T2",
                              "R2", "R12", "R13", "G1", "G5", "C5", "C6", "C8"};

int check() {
  int missing = 0;
  const auto& unit = *::testing::UnitTest::GetInstance();
  for (const char* trap : kTraps) {
    int tests = 0;
    for (int i = 0; i < unit.total_test_suite_count(); ++i) {
      if (unit.GetTestSuite(i)->name() == fmt::format("Trap_{}", trap))
        tests += unit.GetTestSuite(i)->total_test_count();
    }
    int planted = 0;
    for (const sim::Mutant& mutant : sim::mutants()) planted += std::string_view(mutant.trap) == trap ? 1 : 0;
    if (tests == 0) fmt::print("trap {} has no test Trap_{}\n", trap, trap);
    if (planted == 0) fmt::print("trap {} has no mutant\n", trap);
    missing += (tests == 0 ? 1 : 0) + (planted == 0 ? 1 : 0);
  }
  fmt::print("{} traps, {} missing\n", std::size(kTraps), missing);
  return missing == 0 ? 0 : 1;
}

// The name of the first test that fails with the mutant planted; empty: none.
std::string caught_by(const sim::Mutant& mutant) {
  std::string own = std::filesystem::read_symlink("/proc/self/exe").string();
  std::string command =
      fmt::format("{} --plant {} --gtest_filter=Trap_{}.* 2>&1", own, mutant.name, mutant.trap);
  FILE* out = popen(command.c_str(), "r");
  if (out == nullptr) return "";
  std::string running;
  std::string failed;
  char line[4096];
  while (std::fgets(line, sizeof line, out) != nullptr) {
    std::string_view text(line);
    auto name_behind = [&](std::string_view mark) {
      std::string_view rest = text.substr(mark.size());
      return std::string(rest.substr(0, rest.find_first_of(" ,\n")));
    };
    if (text.starts_with("[ RUN      ] ")) running = name_behind("[ RUN      ] ");
    if (text.starts_with("[  FAILED  ] Trap_") && failed.empty()) failed = name_behind("[  FAILED  ] ");
  }
  int status = pclose(out);
  if (status == 0) return "";
  return failed.empty() ? running + " (the process died)" : failed;
}

int table(std::string_view only) {
  bool good = true;
  fmt::print("{:5} {:24} {}\n", "trap", "mutant", "caught by");
  for (const sim::Mutant& mutant : sim::mutants()) {
    if (*mutant.trap == 0 || (!only.empty() && only != mutant.name)) continue;
    std::string test = caught_by(mutant);
    fmt::print("{:5} {:24} {}\n", mutant.trap, mutant.name, test.empty() ? "NOT CAUGHT" : test);
    std::fflush(stdout);
    good = good && !test.empty();
  }
  return good ? 0 : 1;
}

}  // namespace
}  // namespace milena::traps

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  std::string verb = argc > 1 ? argv[1] : "";
  if (verb == "--check") return milena::traps::check();
  if (verb == "--table") return milena::traps::table(argc > 2 ? argv[2] : "");
  if (verb == "--plant" && argc > 2) {
    alarm(120);  // a mutant may hang
    milena::sim::plant_mutant(argv[2]);
  }
  return RUN_ALL_TESTS();
}
