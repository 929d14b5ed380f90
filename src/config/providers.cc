#include "config/providers.h"

#include <fmt/format.h>

#include <cstdint>
#include <map>

#include "base/properties.h"
#include "config/value.h"

namespace milena::config {
namespace {

enum class Kind : std::uint8_t { kFile, kDirectory, kEnvironment };

struct Provider {
  Kind kind = Kind::kFile;
  std::vector<std::string> allowed_paths;  // empty: all
};

std::string find_value(const Settings& settings, const std::string& key) {
  auto at = settings.find(key);
  return at == settings.end() ? "" : std::string(trim(at->second.value));
}

std::optional<Kind> kind_of(std::string_view class_name) {
  constexpr std::string_view kPackage = "org.apache.kafka.common.config.provider.";
  if (class_name.starts_with(kPackage)) class_name.remove_prefix(kPackage.size());
  if (class_name == "FileConfigProvider") return Kind::kFile;
  if (class_name == "DirectoryConfigProvider") return Kind::kDirectory;
  if (class_name == "EnvVarConfigProvider") return Kind::kEnvironment;
  return std::nullopt;
}

std::map<std::string, Provider> read_providers(const Settings& settings, ConfigErrors& errors) {
  std::map<std::string, Provider> providers;
  for (const std::string& name : split_list(find_value(settings, "config.providers"))) {
    std::string prefix = "config.providers." + name;
    std::string class_name = find_value(settings, prefix + ".class");
    auto kind = kind_of(class_name);
    if (!kind) {
      errors.push_back({prefix + ".class",
                        fmt::format("{}.class is '{}'; FileConfigProvider, DirectoryConfigProvider and "
                                    "EnvVarConfigProvider are known",
                                    prefix, class_name),
                        ""});
      continue;
    }
    if (!find_value(settings, prefix + ".param.allowlist.pattern").empty()) {
      errors.push_back({prefix + ".param.allowlist.pattern",
                        prefix + ".param.allowlist.pattern is not supported; remove it", ""});
      continue;
    }
    providers[name] = {*kind, split_list(find_value(settings, prefix + ".param.allowed.paths"))};
  }
  return providers;
}

bool is_allowed(const Provider& provider, std::string_view path) {
  if (provider.allowed_paths.empty()) return true;
  if (path.find("/../") != std::string_view::npos || path.ends_with("/..")) return false;
  for (std::string_view root : provider.allowed_paths) {
    while (root.size() > 1 && root.ends_with('/')) root.remove_suffix(1);
    if (path == root || root == "/" || (path.starts_with(root) && path.substr(root.size()).starts_with('/')))
      return true;
  }
  return false;
}

Result<std::string, std::string> fetch(const Provider& provider, const std::string& path,
                                       const std::string& key, const ProviderSources& sources) {
  if (provider.kind == Kind::kEnvironment) {
    if (auto value = sources.environment_variable(key)) return std::move(*value);
    return Err(fmt::format("there is no environment variable {}", key));
  }
  if (!is_allowed(provider, path))
    return Err(fmt::format("{} is outside the provider's allowed.paths", path));
  if (provider.kind == Kind::kDirectory) {
    if (key.find('/') != std::string::npos || key == "." || key == "..")
      return Err(fmt::format("{} is no file name", key));
    return sources.read_file(path + "/" + key);
  }
  TRY_ASSIGN(std::string content, sources.read_file(path));
  auto properties = parse_properties(content);
  if (properties.failed()) {
    return Err(fmt::format("{}, line {}: {}", path, properties.error().line, properties.error().message));
  }
  auto at = properties->find(key);
  if (at == properties->end()) return Err(fmt::format("{} has no key {}", path, key));
  return at->second;
}

Result<std::string, std::string> expand(std::string_view text,
                                        const std::map<std::string, Provider>& providers,
                                        const ProviderSources& sources) {
  std::string out;
  while (true) {
    std::size_t open = text.find("${");
    std::size_t close = open == std::string_view::npos ? open : text.find('}', open);
    if (close == std::string_view::npos) return out + std::string(text);
    std::string_view inner = text.substr(open + 2, close - open - 2);
    std::size_t first = inner.find(':');
    auto provider = providers.find(std::string(inner.substr(0, first)));
    out += text.substr(0, open);
    if (first == std::string_view::npos || provider == providers.end()) {
      out += text.substr(open, close + 1 - open);
    } else {
      std::string_view rest = inner.substr(first + 1);
      std::size_t second = rest.find(':');
      std::string path(second == std::string_view::npos ? "" : rest.substr(0, second));
      std::string key(second == std::string_view::npos ? rest : rest.substr(second + 1));
      TRY_ASSIGN(std::string value, fetch(provider->second, path, key, sources));
      out += value;
    }
    text.remove_prefix(close + 1);
  }
}

}  // namespace

Result<Settings, ConfigErrors> resolve_providers(Settings settings, const ProviderSources& sources) {
  ConfigErrors errors;
  std::map<std::string, Provider> providers = read_providers(settings, errors);
  for (auto& [key, setting] : settings) {
    if (providers.empty() || key.starts_with("config.providers")) continue;
    auto value = expand(setting.value, providers, sources);
    if (value.failed()) {
      errors.push_back({key, fmt::format("{}: {}", key, value.error()), setting.source});
    } else {
      setting.value = std::move(*value);
    }
  }
  if (!errors.empty()) return Err(std::move(errors));
  return settings;
}

}  // namespace milena::config
