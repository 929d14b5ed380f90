// milena completion: scripts for shells, made from the table of verbs and options.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <map>
#include <memory>

#include "cli/checks.h"
#include "cli/verbs.h"
#include "config/key.h"

namespace milena::cli {
namespace {

// What may stand behind an option.
struct Value {
  enum class Kind : std::uint8_t {
    kNone,      // a flag
    kAny,       // nothing that could be listed
    kWords,     // these
    kSettings,  // these keys, each with a '=' behind it
    kNames,     // what this verb prints
    kFile,
  };
  Kind kind = Kind::kNone;
  std::string text;
};

struct Choice {
  std::vector<std::string> names;  // "-p", "--partitions"
  std::string about;
  Value value;
};

// A verb's path ("topic create"), its sub-verbs and its options.
struct Node {
  std::string path;
  std::vector<std::string> patterns;                       // "topic/create": how a shell's loop meets it
  std::vector<std::pair<std::string, std::string>> verbs;  // name, about
  std::vector<Choice> options;
  bool takes_file = false;  // as an argument
  Value first;              // what its first argument may be, where that can be listed
};

std::string joined(const std::vector<std::string>& words, const std::string& between) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : between) + word;
  return text;
}

std::string keys_of(config::Scope scope, const std::string& end) {
  std::vector<std::string> words;
  for (const config::Key& key : config::keys(scope)) words.push_back(std::string(key.name) + end);
  return joined(words, " ");
}

Value value_of(const std::string& path, CLI::Option& option) {
  using Kind = Value::Kind;
  if (option.get_items_expected_max() == 0) return {};
  if (auto words = choices(option); !words.empty()) return {Kind::kWords, joined(words, " ")};
  std::string type = option.get_type_name();
  if (type == "TOPIC") return {Kind::kNames, "topic list"};
  if (type == "GROUP") return {Kind::kNames, "group list"};
  if (type == "FILE") return {Kind::kFile, {}};
  if (type == "POSITION") return {Kind::kWords, "start end"};
  bool of_topic = path.starts_with("topic ");
  if (of_topic && option.check_lname("config")) return {Kind::kSettings, keys_of(config::Scope::kTopic, "=")};
  if (of_topic && option.check_lname("delete-config"))
    return {Kind::kWords, keys_of(config::Scope::kTopic, "")};
  if (option.check_lname("override")) return {Kind::kSettings, keys_of(config::Scope::kBroker, "=")};
  return {Kind::kAny, {}};
}

void collect(CLI::App& app, const std::string& path, std::vector<std::string> patterns,
             std::vector<Node>& nodes) {
  Node node{path, std::move(patterns), {}, {}, false, {}};
  for (CLI::Option* option : app.get_options([](const CLI::Option*) { return true; })) {
    Choice choice{{}, option->get_description(), value_of(path, *option)};
    for (const std::string& name : option->get_snames()) choice.names.push_back("-" + name);
    for (const std::string& name : option->get_lnames()) choice.names.push_back("--" + name);
    if (choice.names.empty()) {
      node.takes_file = node.takes_file || choice.value.kind == Value::Kind::kFile;
      if (choice.value.kind == Value::Kind::kWords && node.first.text.empty()) node.first = choice.value;
    } else {
      node.options.push_back(std::move(choice));
    }
  }
  std::vector<CLI::App*> children;
  for (CLI::App* child : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (child->get_name().empty()) continue;
    node.verbs.emplace_back(child->get_name(), child->get_description());
    children.push_back(child);
  }
  nodes.push_back(std::move(node));
  for (CLI::App* child : children) {
    std::vector<std::string> names{path + "/" + child->get_name()};
    for (const std::string& alias : child->get_aliases()) names.push_back(fmt::format("{}/{}", path, alias));
    std::string below = path.empty() ? child->get_name() : fmt::format("{} {}", path, child->get_name());
    collect(*child, below, std::move(names), nodes);
  }
}

// Verbs whose arguments are names that the cluster knows.
std::string names_command(const std::string& path) {
  for (const char* verb :
       {"topic describe", "topic delete", "topic alter", "topic list", "produce", "consume"})
    if (path == verb) return "topic list";
  for (const char* verb : {"group describe", "group delete", "group lag", "group seek"})
    if (path == verb) return "group list";
  return "";
}

// How a shell asks the cluster: the one that the line names, which `server` holds.
std::string asking(const std::string& verb, const std::string& server) {
  return fmt::format("milena {} {} -o name --timeout 200 2>/dev/null", verb, server);
}

// The options that say which cluster is meant, as the shells' patterns.
constexpr const char* kServerOptions =
    "-b|--bootstrap-server|--brokers|-F|--client-config|--command-config|-P|--profile";
constexpr const char* kServerOptionsJoined =
    "-b?*|-F?*|-P?*|--bootstrap-server=*|--brokers=*|--client-config=*|--command-config=*|--profile=*";

// A verb and its aliases, as a shell's pattern.
std::string called(const Node& node) {
  std::vector<std::string> names;
  for (const std::string& pattern : node.patterns) names.push_back(pattern.substr(pattern.rfind('/') + 1));
  return joined(names, "|");
}

// "cleanup.policy) words=... ;;" for each key that has few values, for behind the '='.
std::string key_cases(const std::string& before, const std::string& after) {
  std::map<std::string_view, std::string> values;
  for (config::Scope scope : {config::Scope::kTopic, config::Scope::kBroker, config::Scope::kGroup})
    for (const config::Key& key : config::keys(scope)) {
      std::string words = key.type == config::Type::kBoolean ? "true false" : std::string(key.allowed.words);
      if (!words.empty()) values.try_emplace(key.name, words);
    }
  std::string text;
  for (const auto& [name, words] : values) text += fmt::format("    {}) {}{}{} ;;\n", name, before, words, after);
  return text;
}

std::string words_of(const std::vector<std::pair<std::string, std::string>>& list) {
  std::string words;
  for (const auto& [name, about] : list) words += (words.empty() ? "" : " ") + name;
  return words;
}

// The loop's cases that find the verb: as bash and zsh write them.
std::string verb_cases(const std::vector<Node>& nodes) {
  std::string text = "      /help) helping=1 ;;\n";  // the verbs follow as if it were not there
  for (const Node& node : nodes)
    if (!node.path.empty() && node.path != "help")
      text += fmt::format("      \"{}\") verb=\"{}\" ;;\n", joined(node.patterns, "\"|\""), node.path);
  return text;
}

std::string bash_value(const Value& value) {
  switch (value.kind) {
    case Value::Kind::kWords:
    case Value::Kind::kSettings:
      return fmt::format("words=\"{}\" ", value.text);
    case Value::Kind::kNames:
      return fmt::format("names=\"$({})\" ", asking(value.text, "\"${server[@]}\""));
    case Value::Kind::kFile:
      return "files=1 ";
    default:
      return "";
  }
}

std::string bash_script(const std::vector<Node>& nodes) {
  std::string text = R"sh(# bash completion of milena:  eval "$(milena completion bash)"
_milena() {
  local current="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}" verb="" word words="" names="" files="" helping="" key="" i
  local -a typed=() server=()
  if [[ $current == "=" ]]; then current="" key="$before"
  elif [[ $before == "=" ]]; then key="${COMP_WORDS[COMP_CWORD-2]}"; fi
  if [[ $key == -* ]]; then before="$key" key=""; fi
  # The words as they stand: COMP_WORDS has host:port in three. The x makes the last one the current one.
  read -ra typed <<< "${COMP_LINE:0:COMP_POINT}x"
  for ((i = 1; i + 1 < ${#typed[@]}; i++)); do
    word="${typed[i]//[\"\']/}"
    case "$word" in
)sh";
  text += fmt::format("      {})\n", kServerOptions);
  text += R"sh(        if ((i + 2 < ${#typed[@]})); then
          i=$((i + 1))
          server+=("$word" "${typed[i]//[\"\']/}")
        fi ;;
)sh";
  text += fmt::format("      {}) server+=(\"$word\") ;;\n", kServerOptionsJoined);
  text += R"sh(    esac
  done
  for ((i = 0; i < ${#server[@]}; i++)); do
    if [[ ${server[i]} == "~/"* ]]; then server[i]="$HOME/${server[i]:2}"; fi
  done
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="${COMP_WORDS[i]}"
    case "$verb/$word" in
      */-*) ;;
)sh";
  text += verb_cases(nodes) + "    esac\n  done\n";
  text += "  if [[ -n $key ]]; then case \"$key\" in\n" + key_cases("words=\"", "\"") + "  esac\n";
  text += "  else case \"$verb\" in\n";
  for (const Node& node : nodes) {
    text += fmt::format("    \"{}\")\n      case \"$before\" in\n", node.path);
    if (!node.first.text.empty())
      text += fmt::format("        {}) {};;\n", called(node), bash_value(node.first));
    std::string options;
    for (const Choice& option : node.options) {
      options += (options.empty() ? "" : " ") + joined(option.names, " ");
      if (option.value.kind != Value::Kind::kNone)
        text += fmt::format("        {}) {};;\n", joined(option.names, "|"), bash_value(option.value));
    }
    std::string names = names_command(node.path);
    Value arguments{Value::Kind::kWords, words_of(node.verbs)};
    if (!names.empty()) arguments = {Value::Kind::kNames, names};
    text += fmt::format("        *) if [[ $current == -* ]]; then words=\"{}\"\n", options);
    text += fmt::format("          else {}{}; fi ;;\n      esac ;;\n", bash_value(arguments),
                        node.takes_file ? "files=1" : "");
  }
  text += R"sh(  esac; fi
  if [[ -n $helping ]]; then names="" files=""; fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
  # What names a group is anybody's choice; compgen would run the commands in it.
  while IFS= read -r word; do
    if [[ -n $word && $word == "$current"* ]]; then printf -v word %q "$word"; COMPREPLY+=("$word"); fi
  done <<< "$names"
  if [[ -n $files ]]; then compopt -o filenames 2>/dev/null; mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$current"); fi
  if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]]; then compopt -o nospace 2>/dev/null; fi
  return 0
}
complete -F _milena milena
)sh";
  return text;
}

std::string quoted(std::string text) {
  for (std::size_t at = 0; (at = text.find('\'', at)) != std::string::npos; at += 4)
    text.replace(at, 1, "'\\''");
  return "'" + text + "'";
}

std::string zsh_names(const std::string& verb) {
  return fmt::format("compadd -- ${{(f)\"$({})\"}}", asking(verb, "\"${server[@]}\""));
}

std::string zsh_value(const Value& value) {
  switch (value.kind) {
    case Value::Kind::kWords:
      return fmt::format("compadd -- {}; return", value.text);
    case Value::Kind::kSettings:
      return fmt::format("compadd -S '' -- {}; return", value.text);
    case Value::Kind::kNames:
      return zsh_names(value.text) + "; return";
    case Value::Kind::kFile:
      return "_files; return";
    default:
      return "return";
  }
}

std::string zsh_script(const std::vector<Node>& nodes) {
  std::string text = R"sh(#compdef milena
# zsh completion of milena:  milena completion zsh > ~/.zfunc/_milena  (with fpath+=~/.zfunc before compinit)
_milena() {
  local verb="" word before="${words[CURRENT-1]}" helping="" key=""
  local -a words_here server
  integer i
  if [[ $PREFIX == --*=* ]]; then before="${PREFIX%%=*}"; compset -P '*='
  elif [[ $PREFIX == *=* ]]; then key="${PREFIX%%=*}"; compset -P '*='; fi
  for ((i = 2; i < CURRENT; i++)); do
    word="${(Q)words[i]}"
    case "$word" in
)sh";
  text += fmt::format("      {})\n", kServerOptions);
  text += R"sh(        if (( i + 1 < CURRENT )); then i=$(( i + 1 )); server+=("$word" "${${(Q)words[i]}/#\~\//$HOME/}"); fi ;;
)sh";
  text += fmt::format("      {}) server+=(\"$word\") ;;\n", kServerOptionsJoined);
  text += R"sh(    esac
  done
  for ((i = 2; i < CURRENT; i++)); do
    word="${words[i]}"
    case "$verb/$word" in
      */-*) ;;
)sh";
  text += verb_cases(nodes) + "    esac\n  done\n";
  text += "  if [[ -n $key ]]; then case \"$key\" in\n" + key_cases("compadd -- ", "") + "  esac; return; fi\n";
  text += "  case \"$verb\" in\n";
  auto described = [](const std::string& name, std::string about) {
    for (std::size_t at = 0; (at = about.find(':', at)) != std::string::npos; at += 2) about.insert(at, "\\");
    return quoted(name + ":" + about);
  };
  for (const Node& node : nodes) {
    text += fmt::format("    \"{}\")\n      case \"$before\" in\n", node.path);
    for (const Choice& option : node.options)
      if (option.value.kind != Value::Kind::kNone)
        text += fmt::format("        {}) {} ;;\n", joined(option.names, "|"), zsh_value(option.value));
    if (!node.first.text.empty())
      text += fmt::format("        {}) {} ;;\n", called(node), zsh_value(node.first));
    text += "      esac\n      if [[ $PREFIX == -* ]]; then words_here=(";
    for (const Choice& option : node.options)
      for (const std::string& name : option.names) text += " " + described(name, option.about);
    text += " )\n      else ";
    std::string names = names_command(node.path);
    if (names.empty()) {
      text += "words_here=(";
      for (const auto& [name, about] : node.verbs) text += " " + described(name, about);
      text += fmt::format(" ){}; fi ;;\n", node.takes_file ? "; _files" : "");
    } else {
      text += "if [[ -z $helping ]]; then " + zsh_names(names) + "; fi; fi ;;\n";
    }
  }
  text += R"sh(  esac
  if (( ${#words_here} )); then _describe 'milena' words_here; fi
}
if [[ "$funcstack[1]" == "_milena" ]]; then _milena "$@"; else compdef _milena milena; fi
)sh";
  return text;
}

// How fish is told what stands behind an option; -x: that, and no file.
std::string fish_value(const Value& value) {
  switch (value.kind) {
    case Value::Kind::kNone:
      return "";
    case Value::Kind::kWords:
    case Value::Kind::kSettings:
      return fmt::format(" -x -a {}", quoted(value.text));
    case Value::Kind::kNames:
      return fmt::format(" -x -a {}", quoted("(" + asking(value.text, "(__milena_server)") + ")"));
    case Value::Kind::kFile:
      return " -r -F";
    case Value::Kind::kAny:
      return " -x";
  }
  return "";
}

constexpr const char* kFishFunctions =
    R"sh(# fish completion of milena:  milena completion fish > ~/.config/fish/completions/milena.fish
function __milena_words
  set -l words
  for word in (commandline -opc)[2..-1]
    string match -q -- '-*' $word; and continue
    set -a words $word
  end
  test "$words[1]" = help; and set -e words[1]
  for word in $words
    echo -- $word
  end
end
# The options that say which cluster is meant.
function __milena_server
  set -l words (commandline -opc)[2..-1]
  set -l i 1
  while test $i -le (count $words)
    switch $words[$i]
      case -b --bootstrap-server --brokers -F --client-config --command-config -P --profile
        set -l next (math $i + 1)
        if test $next -le (count $words)
          echo -- $words[$i]
          string replace -r '^~/' "$HOME/" -- $words[$next]
        end
        set i $next
      case '-b*' '-F*' '-P*' '--bootstrap-server=*' '--brokers=*' '--client-config=*' '--command-config=*' '--profile=*'
        echo -- $words[$i]
    end
    set i (math $i + 1)
  end
end
function __milena_at
  set -l verb (__milena_words)
  set -l wanted $argv
  set -l length (count $wanted)
  test $length -le (count $verb); or return 1
  test "$verb[1..$length]" = "$wanted"
end
function __milena_none
  test (count (__milena_words)) -eq 0
end
function __milena_only
  __milena_at $argv; or return 1
  test (count (__milena_words)) -eq (count $argv)
end
function __milena_names
  test (commandline -opc)[2] != help; and __milena_at $argv
end
complete -c milena -f
)sh";

std::string fish_script(const std::vector<Node>& nodes) {
  std::string text = kFishFunctions;
  for (const Node& node : nodes) {
    std::string here = node.path.empty() ? "__milena_none" : "__milena_only " + node.path;
    for (const auto& [name, about] : node.verbs)
      text += fmt::format("complete -c milena -n {} -a {} -d {}\n", quoted(here), name, quoted(about));
    std::string within = node.path.empty() ? "__milena_none" : "__milena_at " + node.path;
    for (const Choice& option : node.options)
      for (const std::string& name : option.names) {
        bool is_long = name.starts_with("--");
        text += fmt::format("complete -c milena -n {} -{} {}{} -d {}\n", quoted(within), is_long ? "l" : "s",
                            name.substr(is_long ? 2 : 1), fish_value(option.value), quoted(option.about));
      }
    if (!node.first.text.empty())
      text += fmt::format("complete -c milena -n {} -a {}\n", quoted(here), quoted(node.first.text));
    if (node.takes_file) text += fmt::format("complete -c milena -n {} -F\n", quoted(within));
    std::string names = names_command(node.path);
    if (!names.empty())
      text +=
          fmt::format("complete -c milena -n {} -a {}\n", quoted("__milena_names " + node.path), quoted("(" + asking(names, "(__milena_server)") + ")"));
  }
  return text;
}

}  // namespace

void add_completion_verb(CLI::App& root, Context& context) {
  auto shell = std::make_shared<std::string>();
  CLI::App& app = *root.add_subcommand("completion", "Print a completion script for a shell");
  app.add_option("shell", *shell, "bash, zsh or fish")
      ->required()
      ->check(one_of({"bash", "zsh", "fish"}))
      ->type_name("SHELL");
  app.footer(R"sh(Examples:
  eval "$(milena completion bash)"
  milena completion zsh > ~/.zfunc/_milena
  milena completion fish > ~/.config/fish/completions/milena.fish)sh");
  CLI::App* top = &root;
  app.callback([&context, top, shell] {
    context.action = [&context, top, shell] {
      std::vector<Node> nodes;
      collect(*top, "", {}, nodes);
      std::string text = *shell == "bash"  ? bash_script(nodes)
                         : *shell == "zsh" ? zsh_script(nodes)
                                           : fish_script(nodes);
      context.terminal.out(text);
      return 0;
    };
  });
}

}  // namespace milena::cli
