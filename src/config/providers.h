/// `config.providers`: values written as `${name:path:key}` are fetched from elsewhere (KIP-297, KIP-421,
/// KIP-887). Known are Kafka's own file, directory and environment providers; a provider of another class is
/// an error. `${...}` of a name that is not in `config.providers` stays as it is.
///
/// `${file:/path/secrets.properties:key}`, `${directory:/path:file}`, `${env:NAME}`. The provider's
/// parameters `allowed.paths` (file, directory) is kept; `allowlist.pattern` (env) is an error.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/result.h"
#include "config/settings.h"

namespace milena::config {

/// How to reach the outside. Called only for settings that name a provider, on the caller's thread.
struct ProviderSources {
  /// The whole content of a file, or a sentence saying why not.
  std::function<Result<std::string, std::string>(const std::string& path)> read_file;
  std::function<std::optional<std::string>(const std::string& name)> environment_variable;
};

/// `settings` with every `${...}` of a configured provider replaced.
/// Errors: unknown class, a file that cannot be read, a key, file or variable that does not exist.
Result<Settings, ConfigErrors> resolve_providers(Settings settings, const ProviderSources& sources);

}  // namespace milena::config
