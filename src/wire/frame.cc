#include "wire/frame.h"

#include <algorithm>
#include <utility>

#include "wire/api_table.h"
#include "wire/apis/produce.h"
#include "wire/reader.h"

namespace milena::wire {

const ApiInfo* find_api(std::int16_t key) {
  auto api = std::ranges::lower_bound(kApis, key, {}, &ApiInfo::key);
  return api != kApis.end() && api->key == key ? api : nullptr;
}

Result<RequestHeader, HeaderError> read_request_header(Reader& reader) {
  Reader ahead = reader;
  std::int16_t key = ahead.read_int16();
  std::int16_t version = ahead.read_int16();
  if (!ahead.ok()) return Err(HeaderError::kMalformed);
  const ApiInfo* api = find_api(key);
  if (api == nullptr) return Err(HeaderError::kUnknownApi);
  RequestHeader header;
  if (!header.decode(reader, api->request_header_version(version))) return Err(HeaderError::kMalformed);
  if (!header.client_id.has_value()) header.client_id.emplace();
  return header;
}

std::int16_t advertised_min_version(const ApiInfo& api) {
  return api.key == ProduceApi::key ? std::int16_t{0} : api.min_version;
}

ApiVersionsResponse unsupported_api_versions_response() {
  ApiVersionsResponse response{.error_code = to_int16(ErrorCode::UNSUPPORTED_VERSION)};
  response.api_keys.push_back({.api_key = ApiVersionsApi::key,
                               .min_version = ApiVersionsApi::min_version,
                               .max_version = ApiVersionsApi::max_version});
  return response;
}

}  // namespace milena::wire
