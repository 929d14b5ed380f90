// The command line as a whole: all verbs, help, version, and what is said about a wrong one.
#include "cli/commands.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <csignal>

#include "cli/client_config.h"
#include "cli/context.h"
#include "cli/suggest.h"
#include "cli/verbs.h"

namespace milena::cli {
namespace {

constexpr const char* kAbout =
    "Milena: an event streaming platform in one binary, compatible with Apache Kafka.\n"
    "'milena VERB --help' explains a verb with examples.";

constexpr const char* kFirstSteps = R"(First steps:
  milena server                          a node on ./data, for clients on localhost:9092
  milena topic create orders
  echo hello | milena produce orders
  milena consume orders -e

Environment: MILENA_BROKERS (servers, as -b), MILENA_PROFILE (as -P), NO_COLOR, CLICOLOR_FORCE.
Exit codes: 0 done, 1 failed, 2 usage, 3 not found, 4 not allowed, 5 timeout or unreachable,
130 interrupted (143 by SIGTERM).)";

// The server's command line belongs to its own parser; here its options are for completion.
void add_server_words(CLI::App& root) {
  CLI::App& app =
      *root.add_subcommand("server", "Run a node (broker and controller); see 'milena server --help'");
  app.add_option("file")->type_name("FILE");
  app.add_option("--override", "one key over the file and the environment")->type_name("KEY=VALUE");
  app.add_option("--port", "clients' port; the controller's is the next one")->type_name("N");
  app.add_flag("--no-format")->description("never format empty log directories");
}

void build(CLI::App& root, Context& context) {
  root.name("milena");
  root.description(kAbout);
  root.set_version_flag("--version,-V", "milena " + context.host.version);
  root.require_subcommand(0, 1);
  root.get_formatter()->column_width(34);
  add_server_words(root);
  add_topic_verbs(root, context);
  add_produce_verb(root, context);
  add_consume_verb(root, context);
  add_group_verbs(root, context);
  add_status_verb(root, context);
  add_config_verbs(root, context);
  add_quorum_verbs(root, context);
  add_feature_verbs(root, context);
  add_log_verbs(root, context);
  add_storage_verbs(root, context);
  add_completion_verb(root, context);
  root.add_subcommand("help", "Explain a verb: milena help topic create");
  root.add_subcommand("version", "Print the version");
  root.footer(kFirstSteps);  // last: verbs would inherit it
}

std::vector<std::string> verbs_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* child : app.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(child->get_name());
  return names;
}

std::vector<std::string> options_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options())
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  return names;
}

// The innermost verb that the words name, and how the command line to it reads.
CLI::App* walk(CLI::App& root, const std::vector<std::string>& words, std::string& path, std::size_t& used) {
  CLI::App* app = &root;
  path = "milena";
  for (used = 0; used < words.size(); ++used) {
    if (words[used].starts_with('-')) continue;
    CLI::App* next = nullptr;
    for (CLI::App* child : app->get_subcommands([](const CLI::App*) { return true; }))
      if (child->check_name(words[used])) next = child;
    if (next == nullptr) break;
    app = next;
    path += " " + app->get_name();
  }
  return app;
}

bool has_short_option(const CLI::App& app, char letter) {
  for (const CLI::Option* option : app.get_options())
    for (const std::string& name : option->get_snames())
      if (name == std::string(1, letter)) return true;
  return false;
}

// The first word that begins like an option and is none of the verb's. A digit makes it a negative number.
std::string unknown_option(const CLI::App& app, const std::vector<std::string>& words) {
  std::vector<std::string> known = options_of(app);
  for (const std::string& word : words) {
    if (word == "--") break;
    std::string name = word.substr(0, word.find('='));
    if (name.starts_with("--")) {
      if (std::find(known.begin(), known.end(), name) == known.end()) return name;
    } else if (name.size() > 1 && name[0] == '-' && !(name[1] >= '0' && name[1] <= '9')) {
      if (!has_short_option(app, name[1])) return name.substr(0, 2);
    }
  }
  return "";
}

Failure explain(CLI::App& root, const std::vector<std::string>& words, const std::string& why) {
  std::string path;
  std::size_t used = 0;
  CLI::App* app = walk(root, words, path, used);
  std::string help = path + " --help";
  std::vector<std::string> verbs = verbs_of(*app);
  if (words.size() > 1 && words[0].starts_with('-'))
    return usage(fmt::format("options come after the verb: {} stands before it", words[0]),
                 fmt::format("milena VERB {} ...; milena --help lists the verbs", words[0]));
  if (!verbs.empty() && used < words.size())
    return usage(fmt::format("unknown verb '{} {}'{}", path, words[used], did_you_mean(words[used], verbs)),
                 help);
  if (!verbs.empty()) {
    std::string list;
    for (const std::string& verb : verbs) list += (list.empty() ? "" : ", ") + verb;
    return usage(fmt::format("'{}' needs a verb: {}", path, list), help);
  }
  if (std::string option = unknown_option(*app, words); !option.empty())
    return usage(fmt::format("'{}' has no option {}{}", path, option, did_you_mean(option, options_of(*app))),
                 help);
  return usage(fmt::format("{}: {}", path, why), help);
}

int show_help(CLI::App& root, Context& context, const std::vector<std::string>& words) {
  std::string path;
  std::size_t used = 0;
  CLI::App* app = walk(root, words, path, used);
  if (used < words.size())
    return context.fail(usage(fmt::format("there is no verb '{} {}'{}", path, words[used],
                                          did_you_mean(words[used], verbs_of(*app))),
                              "milena help"));
  std::string before =
      path.size() > app->get_name().size() ? path.substr(0, path.size() - app->get_name().size() - 1) : "";
  context.terminal.out(app->help(before, CLI::AppFormatMode::Normal));
  return 0;
}

int parse_and_run(CLI::App& root, Context& context, const std::vector<std::string>& arguments) {
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  try {
    root.parse(std::move(reversed));
  } catch (const CLI::CallForHelp&) {
    return show_help(root, context, [&] {
      std::vector<std::string> words;
      for (const std::string& word : arguments)
        if (!word.starts_with('-')) words.push_back(word);
      std::string path;
      std::size_t used = 0;
      walk(root, words, path, used);
      words.resize(used);
      return words;
    }());
  } catch (const CLI::CallForVersion&) {
    context.terminal.out("milena " + context.host.version + "\n");
    return 0;
  } catch (const CLI::ParseError& error) {
    return context.fail(explain(root, arguments, error.what()));
  }
  if (context.common.colour == "always") context.terminal.set_colour(Terminal::Colour::kAlways);
  if (context.common.colour == "never") context.terminal.set_colour(Terminal::Colour::kNever);
  auto configured = load_client_config(context);
  if (configured.failed()) return context.fail(configured.error());
  if (context.action) return context.action();
  return context.fail(explain(root, arguments, "nothing to do"));
}

}  // namespace

int run(const std::vector<std::string>& arguments, const Host& host) {
  std::signal(SIGPIPE, SIG_IGN);  // a reader that goes away is met as EPIPE
  Context context(host);
  CLI::App root;
  build(root, context);
  int code = 0;
  if (arguments.empty() || arguments[0] == "help" || arguments[0] == "--help" || arguments[0] == "-h") {
    std::vector<std::string> words(arguments.begin() + (arguments.empty() ? 0 : 1), arguments.end());
    code = show_help(root, context, words);
    if (arguments.empty()) code = static_cast<int>(Exit::kUsage);
  } else if (arguments[0] == "version") {
    context.terminal.out("milena " + host.version + "\n");
  } else {
    code = parse_and_run(root, context, arguments);
  }
  context.terminal.flush();
  return code;
}

}  // namespace milena::cli
