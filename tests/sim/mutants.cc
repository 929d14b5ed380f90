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
      {"retried-sync", "a failed sync is tried again, and believed", true, "S1"},
      {"cut-anywhere", "recovery cuts a log at the first bad batch, whatever follows", true, "S2"},
      {"trusted-index", "an index that does not match its segment is used", true, "S3"},
      {"full-is-broken", "a full disk takes its directory offline", true, "S4"},
      {"trusting-follower", "a follower's append does not look at checksums", true, "S6"},
      {"wall-clock-expiry", "producers are forgotten when the wall clock says so", true, "S7"},
      {"one-batch-window", "a log knows a producer's last batch only", true, "T1"},
      {"vague-error", "a full disk is answered with UNKNOWN_SERVER_ERROR", true, "T2"},
      {"clairvoyant-epochs", "an epoch above the latest one ends at the log's end", true, "R2"},
      {"unbounded-high-watermark", "a high watermark may lie outside the log", true, "R12"},
      {"good-ones-are-strays", "the partitions of this node are put aside, the strays kept", true, "R13"},
      {"any-generation", "a commit of any generation counts", true, "G1"},
      {"epochless-offsets", "replay forgets the leader epochs of offsets", true, "G5"},
      {"believed-length", "a connection makes room for what is announced", true, "C5"},
      {"reserved-tags", "memory is reserved for as many tagged fields as announced", true, "C6"},
      {"believed-chunk", "memory is taken for what a snappy chunk says it holds", true, "C8"},
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
