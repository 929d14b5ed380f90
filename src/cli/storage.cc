// The command line of `milena storage`.
#include "cli/storage.h"

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/verbs.h"

namespace milena::cli {
namespace {

using Work = int (*)(Context&, io::Loop&, const StorageOptions&);
constexpr const char* kAboutConfig =
    "the node's server.properties; without it ./data; KAFKA_* stand over either, as for milena server";
using Options = std::shared_ptr<StorageOptions>;

io::Task<int> run_work(io::Loop* loop, Context* context, Options options, Work work) {
  co_return work(*context, *loop, *options);
}

int print_random_uuid(Context& context, io::Loop& loop, const StorageOptions&) {
  context.terminal.out(loop.entropy().random_uuid().to_string() + "\n");
  return 0;
}

CLI::App& add_verb(CLI::App& storage, Context& context, const std::string& name, const std::string& about,
                   const Options& options, Work work) {
  CLI::App& app = *storage.add_subcommand(name, about);
  app.callback([&context, options, work] {
    context.action = [&context, options, work] {
      return context.host.run_on_loop(
          [&context, options, work](io::Loop* loop) { return run_work(loop, &context, options, work); });
    };
  });
  return app;
}

}  // namespace

void add_storage_verbs(CLI::App& root, Context& context) {
  CLI::App& storage = *root.add_subcommand("storage", "Format log directories and look at them");
  storage.require_subcommand(1);
  storage.footer("'milena storage VERB --help' explains a verb with examples.");

  auto format = std::make_shared<StorageOptions>();
  CLI::App& app = add_verb(storage, context, "format", "Write the first files of a node's log directories",
                           format, format_storage);
  add_output_options(app, context);
  app.add_option("-c,--config", format->config, kAboutConfig)->type_name("FILE");
  app.add_option("-t,--cluster-id", format->cluster_id, "id of the cluster, the same on all its nodes")
      ->required()
      ->type_name("ID");
  app.add_flag("-s,--standalone", format->standalone, "this node is the first and only controller");
  app.add_option("-I,--initial-controllers", format->initial_controllers,
                 "the first controller, id@host:port:directory-id; more than one is not possible yet")
      ->type_name("VOTER");
  app.add_flag("-N,--no-initial-controllers", format->no_initial_controllers,
               "this node joins controllers that exist");
  app.add_flag("-g,--ignore-formatted", format->ignore_formatted,
               "leave directories that are formatted as they are");
  app.add_option("-r,--release-version", format->release_version,
                 "begin with the features of this release, e.g. 4.1")
      ->type_name("RELEASE");
  app.add_option("-f,--feature", format->features, "begin with this level of a feature; may be repeated")
      ->type_name("NAME=LEVEL")
      ->take_all()
      ->allow_extra_args(false);
  app.add_option("-S,--add-scram", format->scram_credentials, "refused: SCRAM credentials are not there yet")
      ->type_name("CREDENTIAL")
      ->take_all()
      ->allow_extra_args(false);
  app.footer(R"(Examples:
  milena storage format --standalone -t $(milena storage random-uuid) -c server.properties
  milena storage format -t 5L6g3nShT-eMCtK--X86sw -c server.properties --ignore-formatted
  milena storage format -s -t $ID -c server.properties --release-version 4.1)");

  auto info = std::make_shared<StorageOptions>();
  CLI::App& show = add_verb(storage, context, "info",
                            "Show what a node's log directories hold, and what is wrong", info, show_storage);
  add_output_options(show, context);
  show.add_option("-c,--config", info->config, kAboutConfig)->type_name("FILE");
  show.footer("Examples:\n  milena storage info\n  milena storage info -c server.properties");

  auto uuid = std::make_shared<StorageOptions>();
  add_verb(storage, context, "random-uuid", "Print a new id for a cluster", uuid, print_random_uuid)
      .footer("Examples:\n  milena storage random-uuid");
}

}  // namespace milena::cli
