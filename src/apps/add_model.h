#pragma once
#include <string>

#include "apps/common.h"

namespace embedrouter::apps {

struct AddOptions {
  Where where;
  std::string what;      // a hub's "author/slug", or a folder: "/…", "./…", "../…"
  std::string id;        // to serve it under; empty: the hub's, or "local/<name of the folder>"
  std::string revision;  // of the hub; empty: main
};

// `embedrouter models add`: fetches or copies a model, loads it once, embeds a text with it, and installs it.
// What goes wrong is told on std::cerr. Returns the exit status.
int add_model(const AddOptions& options);

}  // namespace embedrouter::apps
