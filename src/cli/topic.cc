// The command line of `milena topic`.
#include "cli/topic.h"

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/checks.h"
#include "cli/session_verb.h"
#include "cli/verbs.h"

namespace milena::cli {

Result<ConfigChange, std::string> parse_config_change(std::string_view text) {
  std::size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0)
    return Err("'" + std::string(text) + "' is not key=value, key+=value or key-=value");
  ConfigChange change;
  change.value = text.substr(equals + 1);
  std::size_t end = equals;
  if (text[equals - 1] == '+') change.operation = ConfigChange::Operation::kAppend;
  if (text[equals - 1] == '-') change.operation = ConfigChange::Operation::kSubtract;
  if (change.operation != ConfigChange::Operation::kSet) --end;
  change.key = text.substr(0, end);
  if (change.key.empty()) return Err("'" + std::string(text) + "' has no key before the '='");
  return change;
}

namespace {

void add_create(CLI::App& topic, Context& context) {
  auto options = std::make_shared<TopicOptions>();
  CLI::App& app = add_session_verb(topic, context, "create", "Create topics", options, create_topics);
  app.add_option("names", options->names, "names of the topics")->required()->type_name("NAME");
  app.add_option("-p,--partitions", options->partitions, "partitions (default: the server's num.partitions)")
      ->check(whole_number(1, 1'000'000))
      ->type_name("N");
  app.add_option("-r,--replication-factor,--replicas", options->replication_factor,
                 "copies of each partition (default: the server's)")
      ->check(whole_number(1, 32'767))
      ->type_name("N");
  app.add_option("-c,--config", options->configs, "a configuration of the topic, key=value; may be repeated")
      ->type_name("KEY=VALUE")
      ->take_all()
      ->allow_extra_args(false);
  app.add_flag("--if-not-exists", options->if_not_exists, "a topic that exists is fine");
  app.add_flag("--dry-run", options->dry_run, "ask the server whether it would work, change nothing");
  app.footer(R"(Examples:
  milena topic create orders
  milena topic create orders payments -p 12
  milena topic create state -c cleanup.policy=compact -c retention.ms=-1
  milena topic create orders --if-not-exists -o name)");
}

void add_list(CLI::App& topic, Context& context) {
  auto options = std::make_shared<TopicOptions>();
  CLI::App& app = add_session_verb(topic, context, "list", "List topics", options, list_topics);
  app.alias("ls");
  app.add_option("names", options->names, "only these topics")->type_name("NAME");
  app.add_flag("--regex", options->regex, "the names are regular expressions that must match as a whole");
  app.add_flag("-a,--internal", options->internal, "internal topics too (__consumer_offsets ...)");
  app.footer(R"(Examples:
  milena topic list
  milena topic list --regex 'orders-.*' -o wide
  milena topic list -o name | xargs -n1 milena topic describe)");
}

void add_describe(CLI::App& topic, Context& context) {
  auto options = std::make_shared<TopicOptions>();
  CLI::App& app =
      add_session_verb(topic, context, "describe", "Show partitions, replicas, offsets and configuration",
                       options, describe_topics);
  app.add_option("names", options->names, "names of the topics")->required()->type_name("NAME");
  app.add_flag("--regex", options->regex, "the names are regular expressions that must match as a whole");
  app.footer(R"(Examples:
  milena topic describe orders
  milena topic describe orders -o wide      (with every configuration)
  milena topic describe orders -o json | jq '.[0].partitions[].leader')");
}

void add_delete(CLI::App& topic, Context& context) {
  auto options = std::make_shared<TopicOptions>();
  CLI::App& app = *topic.add_subcommand("delete", "Delete topics and all their records");
  app.alias("rm");
  add_broker_options(app, context);
  add_output_options(app, context);
  app.add_option("names", options->names, "names of the topics")->required()->type_name("NAME");
  app.add_flag("--regex", options->regex, "the names are regular expressions that must match as a whole");
  app.add_flag("--if-exists", options->if_exists, "a topic that does not exist is fine");
  app.add_flag("-y,--yes", options->yes, "do not ask");
  app.footer(R"(Examples:
  milena topic delete orders
  milena topic delete orders payments --yes
  milena topic delete --regex 'test-.*'     (shows what matches; add --yes to delete))");
  app.callback([&context, options] {
    context.action = [&context, options] {
      if (!options->yes && !options->regex) {
        int exist = options->if_exists ? 0 : run_session(context, [options](Session* session) {
          return check_topics(session, *options);
        });
        if (exist != 0) return exist;
        std::string names;
        for (const std::string& name : options->names) names += (names.empty() ? "" : ", ") + name;
        auto agreed = confirm(context, options->yes, "deleting " + names, options->names.front());
        if (agreed.failed()) return context.fail(agreed.error());
      }
      return run_session(context, [options](Session* session) { return delete_topics(session, *options); });
    };
  });
}

void add_alter(CLI::App& topic, Context& context) {
  auto options = std::make_shared<TopicOptions>();
  CLI::App& app = add_session_verb(topic, context, "alter", "Change configuration, add partitions", options,
                                   alter_topics);
  app.add_option("names", options->names, "names of the topics")->required()->type_name("NAME");
  app.add_option("-c,--config", options->configs,
                 "set key=value; for lists key+=value and key-=value; may be repeated")
      ->type_name("KEY=VALUE")
      ->take_all()
      ->allow_extra_args(false);
  app.add_option("-d,--delete-config", options->deleted_configs, "back to the default; may be repeated")
      ->type_name("KEY")
      ->take_all()
      ->allow_extra_args(false);
  app.add_option("-p,--partitions", options->partitions, "number of partitions to have; it can only grow")
      ->check(whole_number(1, 1'000'000))
      ->type_name("N");
  app.add_flag("--dry-run", options->dry_run, "ask the server whether it would work, change nothing");
  app.footer(R"(Examples:
  milena topic alter orders -c retention.ms=3600000
  milena topic alter orders -d retention.ms
  milena topic alter orders -c cleanup.policy+=compact
  milena topic alter orders -p 24)");
}

}  // namespace

void add_topic_verbs(CLI::App& root, Context& context) {
  CLI::App& topic = *root.add_subcommand("topic", "Create, list, describe, change and delete topics");
  topic.alias("topics");
  topic.require_subcommand(1);
  topic.footer("'milena topic VERB --help' explains a verb with examples.");
  add_create(topic, context);
  add_list(topic, context);
  add_describe(topic, context);
  add_alter(topic, context);
  add_delete(topic, context);
}

}  // namespace milena::cli
