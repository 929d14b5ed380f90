/// add_session_verb: a verb that talks to a broker, with the options that all of those share.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "cli/context.h"

namespace milena::cli {

/// `options` are filled by the command line before `verb` gets its copy of them.
template <class Options>
CLI::App& add_session_verb(CLI::App& parent, Context& context, const std::string& name,
                           const std::string& about, const std::shared_ptr<Options>& options,
                           io::Task<int> (*verb)(Session*, Options)) {
  CLI::App& app = *parent.add_subcommand(name, about);
  add_broker_options(app, context);
  add_output_options(app, context);
  app.callback([&context, options, verb] {
    context.action = [&context, options, verb] {
      return run_session(context, [options, verb](Session* session) { return verb(session, *options); });
    };
  });
  return app;
}

}  // namespace milena::cli
