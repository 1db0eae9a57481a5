#pragma once
#include <string>
#include <vector>

#include "inference/local_model.h"

namespace embedrouter::apps {

// Embeds and waits.
Result<inference::Vectors> embed_now(inference::LocalModel& model, const std::vector<std::string>& texts);

}  // namespace embedrouter::apps
