// Values of the options of milena storage: releases, features, controllers.
#include <fmt/format.h>

#include <charconv>

#include "cli/storage.h"
#include "cli/suggest.h"
#include "client/cluster.h"
#include "image/metadata_version.h"

namespace milena::cli {
namespace {

// The first metadata.version whose release turns a feature on, and the level it gets.
struct FeatureStart {
  std::string_view name;
  std::int16_t metadata_version;
  std::int16_t level;
};
constexpr FeatureStart kFeatureStarts[] = {
    {"group.version", 22, 1}, {"transaction.version", 24, 2}, {"eligible.leader.replicas.version", 26, 1},
    {"share.version", 28, 1}, {"streams.version", 29, 1},
};

}  // namespace

Result<Features, std::string> features_of_release(std::string_view name) {
  std::int16_t version = 0;
  std::vector<std::string> names;
  for (std::int16_t level = image::kMinMetadataVersion; level <= image::kLatestMetadataVersion; ++level) {
    std::string_view known = image::metadata_version_name(level);
    names.emplace_back(known);
    if (known == name || known.substr(0, known.find('-')) == name) version = level;
  }
  if (version == 0)
    return Err(fmt::format("'{}' is no release from {} to {}{}", name, names.front(), names.back(),
                           did_you_mean(name, names)));
  Features features;
  features[std::string(image::kMetadataVersionFeature)] = version;
  for (const FeatureStart& start : kFeatureStarts)
    features[std::string(start.name)] = version >= start.metadata_version ? start.level : std::int16_t{0};
  return features;
}

Result<std::pair<std::string, std::int16_t>, std::string> parse_feature(std::string_view text) {
  std::size_t equals = text.find('=');
  std::int16_t level = 0;
  std::string_view digits = equals == std::string_view::npos ? std::string_view() : text.substr(equals + 1);
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), level);
  if (equals == 0 || digits.empty() || error != std::errc() || end != digits.data() + digits.size() ||
      level < 0)
    return Err(fmt::format("'{}' is not feature=level", text));
  return std::pair(std::string(text.substr(0, equals)), level);
}

Result<raft::Voter, std::string> parse_initial_controller(std::string_view text, std::string_view listener) {
  auto bad = [&](const char* why) { return Err(fmt::format("'{}' {}", text, why)); };
  std::size_t at = text.find('@');
  std::size_t last = text.rfind(':');
  if (at == std::string_view::npos || last == std::string_view::npos || last < at)
    return bad("is not id@host:port:directory-id");
  raft::Voter voter;
  std::int32_t id = -1;
  // NOLINTNEXTLINE(bugprone-suspicious-stringview-data-usage) the end is said
  auto [end, error] = std::from_chars(text.data(), text.data() + at, id);
  if (error != std::errc() || end != text.data() + at || id < 0) return bad("does not begin with a node id");
  voter.id = BrokerId(id);
  auto directory = Uuid::parse(text.substr(last + 1));
  if (!directory || directory->is_zero()) return bad("does not end with a directory id of 22 characters");
  voter.directory_id = *directory;
  std::string_view address = text.substr(at + 1, last - at - 1);
  auto parsed = client::parse_servers(address);
  bool has_port = address.find(']') == std::string_view::npos ? address.find(':') != std::string_view::npos
                                                              : address.find("]:") != std::string_view::npos;
  if (parsed.failed() || parsed->size() != 1 || !has_port) return bad("has no host:port after the @");
  voter.endpoints.push_back({std::string(listener), parsed->front().host, parsed->front().port});
  voter.max_kraft_version = 1;
  return voter;
}

}  // namespace milena::cli
