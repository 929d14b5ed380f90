// The command line of `milena group`.
#include "cli/group.h"

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/session_verb.h"
#include "cli/verbs.h"

namespace milena::cli {
namespace {

void add_delete(CLI::App& group, Context& context) {
  auto options = std::make_shared<GroupOptions>();
  CLI::App& app = *group.add_subcommand("delete", "Delete groups and their committed offsets");
  app.alias("rm");
  add_broker_options(app, context);
  add_output_options(app, context);
  app.add_option("groups", options->groups, "names of the groups")->required()->type_name("GROUP");
  app.add_flag("-y,--yes", options->yes, "do not ask");
  app.footer("Examples:\n  milena group delete billing\n  milena group delete billing audit --yes");
  app.callback([&context, options] {
    context.action = [&context, options] {
      std::string names;
      for (const std::string& name : options->groups) names += (names.empty() ? "" : ", ") + name;
      auto agreed = confirm(context, options->yes, "deleting " + names, options->groups.front());
      if (agreed.failed()) return context.fail(agreed.error());
      return run_session(context, [options](Session* session) { return delete_groups(session, *options); });
    };
  });
}

void add_seek(CLI::App& group, Context& context) {
  auto options = std::make_shared<GroupOptions>();
  CLI::App& app =
      add_session_verb(group, context, "seek", "Move a group's committed offsets", options, seek_group);
  options->groups.resize(1);
  app.add_option("group", options->groups[0], "name of the group; it must have no members")
      ->required()
      ->type_name("GROUP");
  app.add_option("--to", options->to, "start, end, an offset, @TIME, or +N and -N from where the group is")
      ->required()
      ->type_name("POSITION");
  app.add_option("-t,--topic", options->topics, "only this topic; may be repeated (default: all it has read)")
      ->type_name("TOPIC")
      ->take_all()
      ->allow_extra_args(false);
  app.add_option("-p,--partition", options->partitions, "only this partition; may be repeated")
      ->type_name("N")
      ->take_all()
      ->allow_extra_args(false);
  app.add_flag("--dry-run", options->dry_run, "show what would change, change nothing");
  app.add_flag("-y,--yes", options->yes, "do it");
  app.footer(R"(Examples:
  milena group seek billing --to start --dry-run
  milena group seek billing --to start --yes
  milena group seek billing --to @2026-01-31T12:00:00Z --topic orders --yes
  milena group seek billing --to -100 --topic orders -p 0 --yes)");
}

}  // namespace

void add_group_verbs(CLI::App& root, Context& context) {
  CLI::App& group =
      *root.add_subcommand("group", "List, describe, move and delete consumer groups; show lag");
  group.alias("groups");
  group.require_subcommand(1);
  group.footer("'milena group VERB --help' explains a verb with examples.");
  auto list = std::make_shared<GroupOptions>();
  CLI::App& ls = add_session_verb(group, context, "list", "List groups", list, list_groups);
  ls.alias("ls");
  ls.footer("Examples:\n  milena group list\n  milena group list -o wide");

  auto describe = std::make_shared<GroupOptions>();
  CLI::App& show = add_session_verb(group, context, "describe", "Show members, offsets and lag", describe,
                                    describe_groups);
  show.add_option("groups", describe->groups, "names of the groups")->required()->type_name("GROUP");
  show.footer("Examples:\n  milena group describe billing\n  milena group describe billing -o json");

  auto lag = std::make_shared<GroupOptions>();
  CLI::App& behind =
      add_session_verb(group, context, "lag", "How far groups are behind, by partition", lag, show_lag);
  behind.add_option("groups", lag->groups, "names of the groups (default: all)")->type_name("GROUP");
  behind.footer("Partitions of which the group has committed nothing are left out.\n\nExamples:\n  milena group lag\n  milena group lag billing -o json | jq 'map(.lag)|add'");
  add_seek(group, context);
  add_delete(group, context);
}

}  // namespace milena::cli
