#pragma once
#include <embedrouter/error.h>

#include <string_view>

#include "api/provider_preferences.h"
#include "catalog/catalog.h"

namespace embedrouter::routing {

// "author/name:floor" → the name without a suffix that routes, the sort it asks for, and the service
// tier whose endpoints it lets answer beside the usual ones (CONTRACT 6.5). A view into the name.
struct ModelName {
  std::string_view name;
  api::Sort sort = api::Sort::none;
  catalog::Tier tier = catalog::Tier::standard;
};
ModelName split_suffix(std::string_view model);

// Why the catalog has no model of this name, and what to do: a preset, a `~` alias or a suffix that means
// nothing here is told apart from a name nobody knows.
Error explain_unknown_model(std::string_view model);

}  // namespace embedrouter::routing
