// milena completion: scripts for shells, made from the table of verbs and options.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/checks.h"
#include "cli/verbs.h"

namespace milena::cli {
namespace {

// A verb's path ("topic create"), its sub-verbs and its options.
struct Node {
  std::string path;
  std::vector<std::pair<std::string, std::string>> verbs;    // name, about
  std::vector<std::pair<std::string, std::string>> options;  // "--partitions", about
};

void collect(const CLI::App& app, const std::string& path, std::vector<Node>& nodes) {
  Node node{path, {}, {}};
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_snames())
      node.options.emplace_back("-" + name, option->get_description());
    for (const std::string& name : option->get_lnames())
      node.options.emplace_back("--" + name, option->get_description());
  }
  std::vector<const CLI::App*> children;
  for (const CLI::App* child : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (child->get_name().empty()) continue;
    node.verbs.emplace_back(child->get_name(), child->get_description());
    children.push_back(child);
  }
  nodes.push_back(std::move(node));
  for (const CLI::App* child : children)
    collect(*child, path.empty() ? child->get_name() : path + " " + child->get_name(), nodes);
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

std::string words_of(const std::vector<std::pair<std::string, std::string>>& list) {
  std::string words;
  for (const auto& [name, about] : list) words += (words.empty() ? "" : " ") + name;
  return words;
}

std::string bash_script(const std::vector<Node>& nodes) {
  std::string text = R"sh(# bash completion of milena:  eval "$(milena completion bash)"
_milena() {
  local current="${COMP_WORDS[COMP_CWORD]}" verb="" word words="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="${COMP_WORDS[i]}"
    case "$verb/$word" in
      */-*) ;;
)sh";
  for (const Node& node : nodes)
    if (!node.path.empty()) {
      std::size_t space = node.path.rfind(' ');
      std::string parent = space == std::string::npos ? "" : node.path.substr(0, space);
      std::string leaf = space == std::string::npos ? node.path : node.path.substr(space + 1);
      text += fmt::format("      \"{}/{}\") verb=\"{}\" ;;\n", parent, leaf, node.path);
    }
  text += "    esac\n  done\n  case \"$verb\" in\n";
  for (const Node& node : nodes) {
    text += fmt::format("    \"{}\")\n", node.path);
    text += fmt::format("      if [[ $current == -* ]]; then words=\"{}\"\n", words_of(node.options));
    std::string names = names_command(node.path);
    if (names.empty()) {
      text += fmt::format("      else words=\"{}\"; fi ;;\n", words_of(node.verbs));
    } else {
      text +=
          fmt::format("      else words=\"$(milena {} -o name --timeout 200 2>/dev/null)\"; fi ;;\n", names);
    }
  }
  text += R"sh(  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
  if [[ ${#COMPREPLY[@]} -eq 0 && $current != -* ]]; then mapfile -t COMPREPLY < <(compgen -f -- "$current"); fi
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

std::string zsh_script(const std::vector<Node>& nodes) {
  std::string text = R"sh(#compdef milena
# zsh completion of milena:  milena completion zsh > ~/.zfunc/_milena  (with fpath+=~/.zfunc before compinit)
_milena() {
  local verb="" word
  local -a words_here
  integer i
  for ((i = 2; i < CURRENT; i++)); do
    word="${words[i]}"
    case "$verb/$word" in
)sh";
  for (const Node& node : nodes)
    if (!node.path.empty()) {
      std::size_t space = node.path.rfind(' ');
      std::string parent = space == std::string::npos ? "" : node.path.substr(0, space);
      std::string leaf = space == std::string::npos ? node.path : node.path.substr(space + 1);
      text += fmt::format("      \"{}/{}\") verb=\"{}\" ;;\n", parent, leaf, node.path);
    }
  text += "    esac\n  done\n  case \"$verb\" in\n";
  auto described = [](const std::string& name, std::string about) {
    for (std::size_t at = 0; (at = about.find(':', at)) != std::string::npos; at += 2) about.insert(at, "\\");
    return quoted(name + ":" + about);
  };
  for (const Node& node : nodes) {
    text += fmt::format("    \"{}\")\n      if [[ $PREFIX == -* ]]; then words_here=(", node.path);
    for (const auto& [name, about] : node.options) text += " " + described(name, about);
    text += " )\n      else ";
    std::string names = names_command(node.path);
    if (names.empty()) {
      text += "words_here=(";
      for (const auto& [name, about] : node.verbs) text += " " + described(name, about);
      text += " ); fi ;;\n";
    } else {
      text += fmt::format("words_here=(${{(f)\"$(milena {} -o name --timeout 200 2>/dev/null)\"}}); fi ;;\n",
                          names);
    }
  }
  text += R"sh(  esac
  if (( ${#words_here} )); then _describe 'milena' words_here; else _files; fi
}
if [[ "$funcstack[1]" == "_milena" ]]; then _milena "$@"; else compdef _milena milena; fi
)sh";
  return text;
}

std::string fish_script(const std::vector<Node>& nodes) {
  std::string text =
      R"sh(# fish completion of milena:  milena completion fish > ~/.config/fish/completions/milena.fish
function __milena_at
  set -l verb
  for word in (commandline -opc)[2..-1]
    string match -q -- '-*' $word; and continue
    set -a verb $word
  end
  set -l wanted $argv
  test (count $wanted) -le (count $verb); or return 1
  test "$verb[1..(count $wanted)]" = "$wanted"
end
function __milena_none
  for word in (commandline -opc)[2..-1]
    string match -q -- '-*' $word; or return 1
  end
end
function __milena_only
  __milena_at $argv; or return 1
  set -l count 0
  for word in (commandline -opc)[2..-1]
    string match -q -- '-*' $word; or set count (math $count + 1)
  end
  test $count -eq (count $argv)
end
complete -c milena -f
)sh";
  for (const Node& node : nodes) {
    std::string here = node.path.empty() ? "__milena_none" : "__milena_only " + node.path;
    for (const auto& [name, about] : node.verbs)
      text += fmt::format("complete -c milena -n {} -a {} -d {}\n", quoted(here), name, quoted(about));
    std::string within = node.path.empty() ? "__milena_none" : "__milena_at " + node.path;
    for (const auto& [name, about] : node.options) {
      bool is_long = name.starts_with("--");
      text += fmt::format("complete -c milena -n {} -{} {} -d {}\n", quoted(within), is_long ? "l" : "s",
                          name.substr(is_long ? 2 : 1), quoted(about));
    }
    std::string names = names_command(node.path);
    if (!names.empty())
      text += fmt::format("complete -c milena -n {} -a {}\n", quoted(within),
                          quoted(fmt::format("(milena {} -o name --timeout 200 2>/dev/null)", names)));
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
      collect(*top, "", nodes);
      std::string text = *shell == "bash"  ? bash_script(nodes)
                         : *shell == "zsh" ? zsh_script(nodes)
                                           : fish_script(nodes);
      context.terminal.out(text);
      return 0;
    };
  });
}

}  // namespace milena::cli
