/// ApiVersions: which versions of each API a peer serves, as it answered, and which of them to use.
/// Source: KIP-35, KIP-511.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>

#include "client/error.h"

namespace milena::wire {
struct ApiVersionsResponse;
}

namespace milena::client {

struct VersionRange {
  std::int16_t min = 0;
  std::int16_t max = -1;
  bool empty() const { return max < min; }
  bool operator==(const VersionRange&) const = default;
};

/// An API as its caller knows it, and the versions that can say what the caller wants to say.
struct WantedApi {
  std::string_view name;
  std::int16_t key = 0;
  VersionRange range;
};

class PeerVersions {
 public:
  PeerVersions() = default;
  explicit PeerVersions(const wire::ApiVersionsResponse& response);
  /// Empty result: the peer does not serve this API.
  std::optional<VersionRange> find(std::int16_t api_key) const;
  /// Whether it serves what controllers serve to brokers, and not what clients ask first.
  bool of_controller() const;
  /// The highest version that both sides know. Errors: kUnsupported, saying what is served and what is
  /// needed.
  ClientResult<std::int16_t> choose(const WantedApi& wanted) const;
  const std::map<std::int16_t, VersionRange>& all() const { return served_; }

 private:
  std::map<std::int16_t, VersionRange> served_;
};

}  // namespace milena::client
