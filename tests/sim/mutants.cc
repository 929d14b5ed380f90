#include "mutants.h"

#include "base/mutant.h"

namespace milena {
namespace {
std::string g_planted;  // by plant_mutant
}
#ifdef MILENA_MUTANTS
bool mutant_planted(std::string_view name) {
  return name == g_planted;
}
#endif

namespace sim {

const std::vector<Mutant>& mutants() {
  static const std::vector<Mutant> all = {
      {"lying-disk", "the device says that it has synced, and has not", false},
      {"early-ack", "a partition acknowledges records before flush.messages has them synced", true},
      {"hasty-leader", "a leader answers acks=1 before flush.messages has the records synced", true},
      {"greedy-retention", "retention takes every segment but the active one", true},
      {"stale-settings", "a partition does not hear of changes to its topic's configuration", true},
      {"deaf-session", "a fetch session leaves out partitions at some offsets", true},
      {"two-selves", "a static member that was replaced may go on under its old member id", true},
      {"no-dedup", "a log takes a producer's retry for new records", true},
      {"unsynced-metadata", "the controller answers before the metadata log is synced", true},
      {"forgotten-commit", "a group coordinator leaves out the last batch when it loads its partition", true},
  };
  return all;
}

bool mutants_compiled_in() {
#ifdef MILENA_MUTANTS
  return true;
#else
  return false;
#endif
}

void plant_mutant(const std::string& name) {
  g_planted = name;
}

void plant_in_disk(const std::string& name, io::SimDisk& disk) {
  disk.faults().sync_lies = name == "lying-disk";
}

}  // namespace sim
}  // namespace milena
