/// What a new active controller writes before anything else.
#pragma once

#include <optional>
#include <span>
#include <string>
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

/// Why this release must not act on the finalized features: one that it does not know, or a level outside of what it
/// knows. Nothing: it may.
std::optional<std::string> unsupported_feature(const image::Image& image);

/// The feature levels a new cluster starts with at this release's defaults: metadata.version first, the others by name.
std::vector<image::MetadataRecord> default_bootstrap();

}  // namespace milena::meta
