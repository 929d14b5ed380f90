/// Changing finalized features (UpdateFeatures, KIP-584 and KIP-778): all of a request's updates or none.
///
/// metadata.version goes up to what all nodes support, and down only over levels that changed no record. Turning the
/// ELR on (KIP-966) first makes min.insync.replicas a matter of the whole cluster. kraft.version lies in the quorum's
/// own records, which this release cannot append to a log: it stays.
#pragma once

#include "meta/decision.h"
#include "wire/messages/update_features_request.h"
#include "wire/messages/update_features_response.h"

namespace milena::meta {

/// `version`: of the request; answers tell of single features up to v1. `kraft_version`: the present level.
/// Errors: INVALID_UPDATE_VERSION (unknown or unsupported feature or level, down without saying so, a downgrade that
/// might lose metadata, a missing dependency, kraft.version).
Decision<wire::UpdateFeaturesResponse> update_features(const Context& context,
                                                       const wire::UpdateFeaturesRequest& request,
                                                       std::int16_t version, std::int16_t kraft_version);

}  // namespace milena::meta
