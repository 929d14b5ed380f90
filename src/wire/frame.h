/// The start of a request, before its API is known, and the two old clients' quirks of ApiVersions.
///
/// A request is: int32 size, header, body. The header's own version follows from API and version of the
/// request, both at its front. Frames (sizes, sockets) are the caller's.
/// Source: KIP-511 (ApiVersions), KIP-482 (flexible headers), KIP-896 (Produce 0-2).
#pragma once

#include <cstdint>

#include "base/result.h"
#include "wire/api_info.h"
#include "wire/apis/api_versions.h"
#include "wire/error_code.h"
#include "wire/fwd.h"
#include "wire/messages/request_header.h"

namespace milena::wire {

/// The API with this key; null when there is none.
const ApiInfo* find_api(std::int16_t key);

enum class HeaderError : std::uint8_t {
  kMalformed,   // cut short or not a header: close the connection
  kUnknownApi,  // no such API: close the connection
};

/// Reads the header of a request; the body follows in `reader`. The request's version is not judged: one
/// that is not served is answered for ApiVersions (see unsupported_api_versions_response) and closes the
/// connection otherwise. A null client id becomes empty.
Result<RequestHeader, HeaderError> read_request_header(Reader& reader);

/// Lowest version of `api` to advertise in ApiVersions. Produce says 0, though nothing below 3 is served:
/// old librdkafka clients turn features off when 0 is missing.
std::int16_t advertised_min_version(const ApiInfo& api);

/// The answer to an ApiVersions request of a version that is not served: always encoded as version 0, with
/// UNSUPPORTED_VERSION and the range of ApiVersions itself, so that the client can ask again.
inline constexpr std::int16_t kUnsupportedApiVersionsResponseVersion = 0;
ApiVersionsResponse unsupported_api_versions_response();

}  // namespace milena::wire
