#pragma once
#include "catalog/catalog.h"
#include "inference/local_model.h"

namespace embedrouter::local {

// What the catalog lists of a model in this process; `id` and `created` stay empty.
catalog::EmbeddedFacts facts_of(const inference::LocalModel& model);

}  // namespace embedrouter::local
