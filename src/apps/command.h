#pragma once
#include <functional>

namespace embedrouter::apps {

// A command sets `run` when it is the one that was asked for; main calls it and exits with its status.
using Run = std::function<int()>;

}  // namespace embedrouter::apps
