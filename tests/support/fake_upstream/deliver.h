#pragma once
#include <cstdint>
#include <functional>
#include <string_view>

#include "fake_upstream/plan.h"
#include "fake_upstream/stream.h"

namespace embedrouter::fake_upstream {

enum class Ending : std::uint8_t { answered, cut, client_left };
std::string_view word(Ending ending);

// Delivers the answer as the plan says; `begins` is called before its first byte, if there is one. The stream
// is open afterwards only if another request may follow.
Ending deliver(Stream& stream, const Plan& plan, const std::function<void()>& begins = {});

}  // namespace embedrouter::fake_upstream
