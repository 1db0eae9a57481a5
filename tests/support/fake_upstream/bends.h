#pragma once
// What the rows of the table have in common.

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <string>
#include <string_view>

#include "fake_upstream/faults.h"

namespace embedrouter::fake_upstream {

// The parts of the table, one file each.
std::span<const Fault> content_faults();
std::span<const Fault> transport_faults();
std::span<const Fault> status_faults();

// `code` is JSON.
inline void answer_error(Plan& plan, long status, std::string_view code, std::string_view message) {
  plan.status = static_cast<int>(status);
  plan.body = plan.dialect->error(status, code, message);
}

inline void plain_status(Plan& plan, long status) {
  answer_error(plan, status, fmt::format(R"("fake_{}")", status), fmt::format("status {} as asked", status));
}

inline void unusual_body(Plan& plan, std::string_view content_type, std::string body) {
  plan.content_type = content_type;
  plan.body = std::move(body);
}

inline bool poisoned(std::string_view text) {
  return text.find("poison") != std::string_view::npos;
}

inline constexpr std::string_view kHtml = "<!doctype html><html><body><h1>502 Bad Gateway</h1></body></html>";

}  // namespace embedrouter::fake_upstream
