#include "fake_upstream/plan.h"

#include <fmt/format.h>

#include "fake_upstream/dialect.h"

namespace embedrouter::fake_upstream {

Plan right_plan(const Dialect& dialect, const Request& request, const Space& space, std::size_t width) {
  Plan plan;
  plan.dialect = &dialect;
  plan.base64 = request.base64;
  plan.model = request.model;
  for (const std::string& text : request.texts) {
    plan.data.push_back({.index = std::to_string(plan.data.size()),
                         .text = text,
                         .values = vector_of(text, space, request.dimensions.value_or(width)),
                         .embedding = {}});
  }
  plan.tokens = std::to_string(plausible_tokens(request.texts));
  return plan;
}

std::string render(const Plan& plan) {
  return plan.body ? *plan.body : plan.dialect->render(plan);
}

std::uint64_t plausible_tokens(const std::vector<std::string>& texts) {
  std::uint64_t tokens = 0;
  for (const std::string& text : texts) tokens += text.size() / 4 + 1;
  return tokens;
}

std::string json_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", c);
    } else {
      out += c;
    }
  }
  return out += '"';
}

}  // namespace embedrouter::fake_upstream
