/// Whether the metadata log on disk gives the image that was served from it: the state is what replay gives, for
/// the tests that end a node and for the simulator.
#pragma once

#include <string>

#include "base/time.h"
#include "image/image.h"
#include "io/disk.h"

namespace milena::replica {

/// Opens the log directory as a start does and replays the newest snapshot and the batches behind it up to
/// `live.offset`. Returns what differs from `live`; empty: nothing. REQUIRES: the directory is in nobody's use.
std::string replay_difference(io::Disk& disk, const std::string& directory, Timestamp now, const image::Image& live);

/// What a clean stop and a start changed, besides registrations, leaders and what follows from these (epochs, ISR,
/// ELR): topics, partitions, replicas and their directories, configs, features, quotas, producer ids, credentials
/// are to be the same. Empty: nothing changed.
std::string restart_difference(const image::Image& before, const image::Image& after);

}  // namespace milena::replica
