/// What a new active controller writes before anything else.
#pragma once

#include <span>
#include <vector>

#include "image/image.h"
#include "image/record.h"
#include "meta/settings.h"

namespace milena::meta {

/// For an empty log: the bootstrap records within a metadata transaction, with the cluster-wide
/// min.insync.replicas if ELR is on. For a log with a transaction left open: its abort. Else nothing.
std::vector<image::MetadataRecord> activation_records(const image::Image& image, bool in_transaction,
                                                      std::span<const image::MetadataRecord> bootstrap,
                                                      const Settings& settings);

/// The feature levels a new cluster starts with at this release's defaults: metadata.version first, the others by name.
std::vector<image::MetadataRecord> default_bootstrap();

}  // namespace milena::meta
