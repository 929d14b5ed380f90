/// Mutants: faults planted on purpose, to show that the checkers see them. One is in the simulated device;
/// the others are in product code, in places marked with MILENA_MUTANT, which only the program
/// milena_sim_mutants compiles in.
#pragma once

#include <string>
#include <vector>

#include "io/sim/sim_disk.h"

namespace milena::sim {

struct Mutant {
  const char* name;
  const char* what;
  bool in_product;  // acts only where mutants_compiled_in()
  const char* trap = "";  // its tests (tests/traps) catch it; none: the seeds do
};
const std::vector<Mutant>& mutants();
bool mutants_compiled_in();
/// The product code's mutant `name` acts from now on; none if it is empty or not one of them.
void plant_mutant(const std::string& name);
void plant_in_disk(const std::string& name, io::SimDisk& disk);

}  // namespace milena::sim
