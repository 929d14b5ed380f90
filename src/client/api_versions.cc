#include "client/api_versions.h"

#include <fmt/format.h>

#include "wire/messages/api_versions_response.h"

namespace milena::client {
namespace {

std::string describe(VersionRange range) {
  return range.min == range.max ? fmt::format("version {}", range.min)
                                : fmt::format("versions {} to {}", range.min, range.max);
}

}  // namespace

PeerVersions::PeerVersions(const wire::ApiVersionsResponse& response) {
  for (const auto& api : response.api_keys) served_[api.api_key] = {api.min_version, api.max_version};
}

std::optional<VersionRange> PeerVersions::find(std::int16_t api_key) const {
  auto found = served_.find(api_key);
  if (found == served_.end() || found->second.empty()) return std::nullopt;
  return found->second;
}

bool PeerVersions::of_controller() const {
  constexpr std::int16_t kMetadata = 3;
  constexpr std::int16_t kBrokerRegistration = 62;
  return find(kBrokerRegistration).has_value() && !find(kMetadata).has_value();
}

ClientResult<std::int16_t> PeerVersions::choose(const WantedApi& wanted) const {
  std::optional<VersionRange> served = find(wanted.key);
  if (!served)
    return Err(ClientError{ErrorKind::kUnsupported, wire::ErrorCode::UNSUPPORTED_VERSION,
                           fmt::format("{} does not support {}",
                                       of_controller() ? "this is a controller's port, which" : "the server",
                                       wanted.name)});
  std::int16_t best = std::min(served->max, wanted.range.max);
  if (best < wanted.range.min || best < served->min)
    return Err(ClientError{ErrorKind::kUnsupported, wire::ErrorCode::UNSUPPORTED_VERSION,
                           fmt::format("the server supports {} in {}, this needs {}", wanted.name,
                                       describe(*served), describe(wanted.range))});
  return best;
}

}  // namespace milena::client
