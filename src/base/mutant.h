/// MILENA_MUTANT("name"): a place where a fault can be planted, to show that the simulator's checkers would see it
/// (tests/sim). In every product build it is the constant false; only the program milena_sim_mutants compiles the
/// marked files with MILENA_MUTANTS and decides at run time which one acts.
#pragma once

#ifdef MILENA_MUTANTS
#include <string_view>
namespace milena {
bool mutant_planted(std::string_view name);
}
#define MILENA_MUTANT(name) ::milena::mutant_planted(name)
#else
#define MILENA_MUTANT(name) false
#endif
