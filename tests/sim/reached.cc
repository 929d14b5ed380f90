#include "nemesis.h"

namespace milena::sim {

const std::vector<CountedFault>& counted_reached() {
  static const std::vector<CountedFault> all = {
      {"manifest of a stop believed", "manifest.of_a_stop"},
      {"manifest of a killed process believed", "manifest.of_a_killed_process"},
      {"manifest not believed", "manifest.not_believed"},
      {"log served unopened", "manifest.log_served_unopened"},
      {"log written to since its manifest", "manifest.log_was_written_to"},
      {"log not as in its manifest", "manifest.log_is_another"},
      {"epoch from the journal", "epoch_journal.epoch_restored"},
      {"journal of epochs shortened", "epoch_journal.shortened"},
      {"log fell asleep", "log.fell_asleep"},
      {"log woken by an append", "log.woken_by_an_append"},
      {"file closed for room", "open_files.closed_for_room"},
      {"file closed unused", "open_files.closed_unused"},
      {"read from memory", "tail_cache.read"},
      {"let go from memory", "tail_cache.let_go"},
      {"tail cut in recovery", "recovery.tail_cut"},
      {"hole refused in recovery", "recovery.hole_refused"},
      {"recovery from a summary", "recovery.from_a_summary"},
      {"index rebuilt", "recovery.index_rebuilt"},
      {"epochs rebuilt", "recovery.epochs_rebuilt"},
      {"damaged metadata snapshot passed over", "metadata.snapshot_damaged"},
      {"no room for checkpoints", "disk.no_room_for_checkpoints"},
  };
  return all;
}

}  // namespace milena::sim
