/// Client quotas (KIP-546; addresses KIP-612): limits for users, client ids, pairs of both, and IP addresses.
///
/// Here they are kept: checked, written as ClientQuotaRecords, and found again. Nobody enforces them yet.
/// An entity's name that is missing stands for the default of its type.
#pragma once

#include "meta/decision.h"
#include "wire/messages/alter_client_quotas_request.h"
#include "wire/messages/alter_client_quotas_response.h"
#include "wire/messages/describe_client_quotas_request.h"
#include "wire/messages/describe_client_quotas_response.h"

namespace milena::meta {

/// One answer for each entity; an entity is altered as a whole or not at all, and the first of two alterations of one
/// entity counts although the answer is an error.
/// Errors per entity: INVALID_REQUEST (types, names, keys, values, twice), POLICY_VIOLATION (too many at once).
Decision<wire::AlterClientQuotasResponse> alter_client_quotas(const Context& context,
                                                              const wire::AlterClientQuotasRequest& request);

/// The entities that fit all components: by exact name, by being the default, by having the type. `strict`: entities of
/// other types as well do not fit.
/// Errors: INVALID_REQUEST (a type twice, a match that does not go with its kind, ip with others), UNSUPPORTED_VERSION
/// (unknown types).
wire::DescribeClientQuotasResponse describe_client_quotas(const image::Image& image,
                                                          const wire::DescribeClientQuotasRequest& request);

}  // namespace milena::meta
