// embedrouter: serve, embed, models, keys, endpoints, route, doctor, completion.
#include <CLI/CLI.hpp>
#include <csignal>
#include <exception>
#include <iostream>

#include "apps/common.h"
#include "apps/completion_command.h"
#include "apps/doctor_command.h"
#include "apps/embed_command.h"
#include "apps/endpoints_command.h"
#include "apps/keys_command.h"
#include "apps/models_command.h"
#include "apps/route_command.h"
#include "apps/serve_command.h"

int main(int argc, char** argv) {
  using namespace embedrouter::apps;
  std::signal(SIGPIPE, SIG_IGN);
  CLI::App app("Embedrouter: one endpoint for embeddings, with a model inside", "embedrouter");
  app.set_version_flag("--version", "embedrouter " EMBEDROUTER_VERSION);
  app.require_subcommand(1);
  Run run;
  add_serve_command(app, run);
  add_embed_command(app, run);
  add_models_command(app, run);
  add_keys_command(app, run);
  add_endpoints_command(app, run);
  add_route_command(app, run);
  add_doctor_command(app, run);
  add_completion_command(app, run);
  try {
    app.parse(argc, argv);
    return run();
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kOk : kUsage;
  } catch (const std::exception& error) {
    std::cerr << "embedrouter: " << error.what() << "\n";
    return kFailure;
  }
}
