// milena feature: finalized feature levels (KIP-584, KIP-1022).
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/session_verb.h"
#include "cli/storage.h"
#include "cli/suggest.h"
#include "cli/verbs.h"
#include "image/metadata_version.h"
#include "wire/apis/api_versions.h"
#include "wire/apis/update_features.h"

namespace milena::cli {
namespace {

struct FeatureOptions {
  std::vector<std::string> features;
  std::string release;
  bool unsafe = false;
  bool dry_run = false;
  bool yes = false;
};

// As on the wire.
enum class UpgradeType : std::int8_t { kUpgrade = 1, kSafeDowngrade = 2, kUnsafeDowngrade = 3 };

struct Feature {
  std::int16_t lowest = 0;   // supported
  std::int16_t highest = 0;
  std::int16_t level = 0;  // finalized; 0: disabled
};
struct FeatureState {
  std::map<std::string, Feature> features;
  std::int64_t epoch = -1;
};

io::Task<Outcome<FeatureState>> read_features(Session* session) {
  auto connection = co_await session->cluster().any();
  if (connection.failed()) co_return Err(client_failure("cannot read the features", connection.error()));
  wire::ApiVersionsRequest request;
  request.client_software_name = "milena";
  request.client_software_version = session->context().host.version;
  client::CallOptions call;
  call.min_version = 3;  // the first that tells features
  auto response = co_await (*connection)->call<wire::ApiVersionsApi>(std::move(request), call);
  if (response.failed()) co_return Err(client_failure("cannot read the features", response.error()));
  FeatureState state;
  state.epoch = response->finalized_features_epoch;
  for (const auto& supported : response->supported_features) {
    Feature& feature = state.features[supported.name];
    feature.lowest = supported.min_version;
    feature.highest = supported.max_version;
  }
  for (const auto& finalized : response->finalized_features)
    state.features[finalized.name].level = finalized.max_version_level;
  co_return state;
}

io::Task<int> show_features(Session* session, FeatureOptions) {
  auto state = co_await read_features(session);
  if (state.failed()) co_return session->fail(state.error());
  std::vector<Json> rows;
  for (const auto& [name, feature] : state->features) {
    Json row;
    row["feature"] = name;
    row["level"] = feature.level;
    row["release"] = nullptr;
    std::string_view release = name == image::kMetadataVersionFeature ? image::metadata_version_name(feature.level) : "";
    if (!release.empty()) row["release"] = release;
    row["supported_min"] = feature.lowest;
    row["supported_max"] = feature.highest;
    row["upgrade_possible"] = feature.level < feature.highest;
    row["epoch"] = state->epoch;
    rows.push_back(std::move(row));
  }
  std::vector<Column> columns{{"FEATURE", "feature"},     {"LEVEL", "level"},
                              {"RELEASE", "release"},     {"MIN", "supported_min"}, {"MAX", "supported_max"},
                              {"CAN-UPGRADE", "upgrade_possible"}, {"EPOCH", "epoch", true}};
  session->context().print(columns, rows);
  co_return 0;
}

std::string unknown_feature_hint(const FeatureState& state, const Features& wanted) {
  std::vector<std::string> known;
  for (const auto& [name, feature] : state.features) known.push_back(name);
  for (const auto& [name, level] : wanted)
    if (!state.features.contains(name)) return fmt::format("there is no '{}'{}", name, did_you_mean(name, known));
  if (auto metadata = wanted.find(std::string(image::kMetadataVersionFeature)); metadata != wanted.end()) {
    auto now = state.features.find(metadata->first);
    if (now != state.features.end() && metadata->second < now->second.level)
      return fmt::format("leave metadata.version at {}: it cannot be lowered where metadata could be lost",
                         now->second.level);
  }
  return "milena feature describe";
}

// "group.version is 1"; empty: not all are at the level that is wanted.
std::string all_there(const FeatureState& state, const Features& wanted) {
  std::string there;
  for (const auto& [name, level] : wanted) {
    auto found = state.features.find(name);
    if (found == state.features.end() || found->second.level != level) return {};
    there += fmt::format("{}{} is {}", there.empty() ? "" : ", ", name, level);
  }
  return there;
}

io::Task<int> update(Session* session, Features wanted, UpgradeType type, FeatureOptions options) {
  auto before = co_await read_features(session);
  if (before.failed()) co_return session->fail(before.error());
  if (std::string there = all_there(*before, wanted); !there.empty()) {
    session->context().terminal.talk("nothing to do: " + there + " already\n");
    co_return 0;
  }
  auto connection = co_await session->cluster().any();
  if (connection.failed()) co_return session->fail("cannot change features", connection.error());
  wire::UpdateFeaturesRequest request;
  request.timeout_ms = session->timeout_ms();
  request.validate_only = options.dry_run;
  for (const auto& [name, level] : wanted) {
    auto& one = request.feature_updates.emplace_back();
    one.feature = name;
    one.max_version_level = level;
    one.upgrade_type = static_cast<std::int8_t>(type);
  }
  client::CallOptions call;
  call.min_version = 1;  // says upgrade or downgrade, and can be a dry run
  auto response = co_await (*connection)->call<wire::UpdateFeaturesApi>(std::move(request), call);
  if (response.failed()) co_return session->fail("cannot change features", response.error());
  wire::ErrorCode code = wire::error_code_from(response->error_code);
  std::string hint = unknown_feature_hint(*before, wanted);
  if (code != wire::ErrorCode::NONE)
    co_return session->fail(broker_failure("cannot change features", code, response->error_message.value_or(""), hint));
  for (const auto& result : response->results) {  // up to version 1
    code = wire::error_code_from(result.error_code);
    if (code == wire::ErrorCode::NONE) continue;
    co_return session->fail(broker_failure(fmt::format("cannot change '{}'", result.feature), code,
                                           result.error_message.value_or(""), hint));
  }
  std::vector<Json> rows;
  for (const auto& [name, level] : wanted) {
    Json row;
    row["feature"] = name;
    row["before"] = before->features[name].level;
    row["level"] = level;
    row["changed"] = !options.dry_run;
    rows.push_back(std::move(row));
  }
  session->context().print({{"FEATURE", "feature"}, {"BEFORE", "before"}, {"LEVEL", "level"}, {"CHANGED", "changed"}},
                           rows);
  if (options.dry_run) session->context().terminal.talk("dry run: it would work, nothing was changed\n");
  co_return 0;
}

// feature=level of the arguments, or all of a release.
Result<Features, std::string> wanted_features(const FeatureOptions& options) {
  if (options.features.empty() == options.release.empty()) return Err("give either FEATURE=LEVEL or --release");
  if (!options.release.empty()) return features_of_release(options.release);
  Features wanted;
  for (const std::string& text : options.features) {
    auto parsed = parse_feature(text);
    if (parsed.failed()) return Err(parsed.error());
    wanted.insert_or_assign(parsed->first, parsed->second);
  }
  return wanted;
}

io::Task<int> upgrade(Session* session, FeatureOptions options) {
  auto wanted = wanted_features(options);
  if (wanted.failed()) co_return session->fail(usage(wanted.error(), "milena feature upgrade --help"));
  if (!options.release.empty()) {
    // A release's levels: what is there already is no upgrade, and what it had not, is left alone.
    auto state = co_await read_features(session);
    if (state.failed()) co_return session->fail(state.error());
    std::erase_if(*wanted, [&state](const auto& one) {
      auto found = state->features.find(one.first);
      return one.second == 0 || (found != state->features.end() && found->second.level >= one.second);
    });
    if (wanted->empty()) {
      session->context().terminal.talk(fmt::format("nothing to do: all features are at {} or later\n", options.release));
      co_return 0;
    }
  }
  co_return co_await update(session, std::move(*wanted), UpgradeType::kUpgrade, std::move(options));
}

// REQUIRES: an unsafe one was agreed to.
io::Task<int> downgrade(Session* session, FeatureOptions options) {
  auto wanted = wanted_features(options);
  if (wanted.failed()) co_return session->fail(usage(wanted.error(), "milena feature downgrade --help"));
  UpgradeType type = options.unsafe ? UpgradeType::kUnsafeDowngrade : UpgradeType::kSafeDowngrade;
  co_return co_await update(session, std::move(*wanted), type, std::move(options));
}

io::Task<int> disable(Session* session, FeatureOptions options) {
  Features wanted;
  for (const std::string& name : options.features) wanted[name] = 0;
  UpgradeType type = options.unsafe ? UpgradeType::kUnsafeDowngrade : UpgradeType::kSafeDowngrade;
  co_return co_await update(session, std::move(wanted), type, std::move(options));
}

using Verb = io::Task<int> (*)(Session*, FeatureOptions);

CLI::App& add_lowering(CLI::App& feature, Context& context, const std::string& name, const std::string& about,
                       const std::shared_ptr<FeatureOptions>& options, Verb verb) {
  CLI::App& app = *feature.add_subcommand(name, about);
  add_broker_options(app, context);
  add_output_options(app, context);
  app.add_flag("--unsafe", options->unsafe, "even if metadata is lost by it");
  app.add_flag("--dry-run", options->dry_run, "ask the server whether it would work, change nothing");
  app.add_flag("-y,--yes", options->yes, "do not ask before an unsafe one");
  app.callback([&context, options, verb, name] {
    context.action = [&context, options, verb, name] {
      if (options->unsafe && !options->dry_run) {
        auto agreed = confirm(context, options->yes, "an unsafe " + name + ", which may lose metadata,", name);
        if (agreed.failed()) return context.fail(agreed.error());
      }
      return run_session(context, [options, verb](Session* session) { return verb(session, *options); });
    };
  });
  return app;
}

}  // namespace

void add_feature_verbs(CLI::App& root, Context& context) {
  CLI::App& feature = *root.add_subcommand("feature", "Show and change the levels of the cluster's features");
  feature.alias("features");
  feature.require_subcommand(1);
  feature.footer("'milena feature VERB --help' explains a verb with examples.");
  auto none = std::make_shared<FeatureOptions>();
  CLI::App& describe = add_session_verb(feature, context, "describe", "Show levels, finalized and supported", none,
                                        show_features);
  describe.alias("list");
  describe.footer("Examples:\n  milena feature describe\n  milena feature describe -o json");

  auto up = std::make_shared<FeatureOptions>();
  CLI::App& upgrading = add_session_verb(feature, context, "upgrade", "Raise levels", up, upgrade);
  upgrading.add_option("features", up->features, "feature=level")->type_name("FEATURE=LEVEL");
  upgrading.add_option("--release", up->release, "all features to the levels of this release, e.g. 4.2")
      ->type_name("RELEASE");
  upgrading.add_flag("--dry-run", up->dry_run, "ask the server whether it would work, change nothing");
  upgrading.footer(R"(A new cluster is at the highest levels already: there is something to raise after an update of the servers.

Examples:
  milena feature upgrade --release 4.3 --dry-run
  milena feature upgrade group.version=1 share.version=1)");

  auto down = std::make_shared<FeatureOptions>();
  CLI::App& lowering = add_lowering(feature, context, "downgrade", "Lower levels", down, downgrade);
  lowering.add_option("features", down->features, "feature=level")->type_name("FEATURE=LEVEL");
  lowering.add_option("--release", down->release, "all features to the levels of this release")->type_name("RELEASE");
  lowering.footer(R"(metadata.version cannot be lowered where metadata could be lost by it; a server of Milena refuses that with
--unsafe too.

Examples:
  milena feature downgrade group.version=0 --dry-run
  milena feature downgrade transaction.version=1)");

  auto off = std::make_shared<FeatureOptions>();
  CLI::App& disabling = add_lowering(feature, context, "disable", "Lower features to level 0", off, disable);
  disabling.add_option("features", off->features, "features")->required()->type_name("FEATURE");
  disabling.footer("Examples:\n  milena feature disable share.version --dry-run");
}

}  // namespace milena::cli
