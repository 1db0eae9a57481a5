// Ollama's own: POST /api/embed. Texts only.
#include <fmt/format.h>

#include "fake_upstream/body.h"
#include "fake_upstream/dialect.h"

namespace embedrouter::fake_upstream {
namespace {

std::optional<Request> read(const std::string& text, std::string& why) {
  const auto body = Body::parse(text, why);
  if (!body) return std::nullopt;
  Request request;
  request.members = body->members();
  request.model = body->text("model");
  request.may_cut = body->flag("truncate").value_or(true);
  if (request.model.empty()) why = "model is required";
  if (!body->texts("input", request.texts)) why = "invalid input type";
  request.dimensions = body->width("dimensions", why);
  return why.empty() ? std::optional(std::move(request)) : std::nullopt;
}

std::string rendered(const Plan& plan) {
  std::string out = fmt::format(R"({{"model":{},"embeddings":{},"total_duration":1000,"load_duration":500)",
                                json_string(plan.model), vector_lists(plan));
  if (!plan.tokens.empty()) out += R"(,"prompt_eval_count":)" + plan.tokens;
  return out += '}';
}

std::string error(long, std::string_view, std::string_view message) {
  return fmt::format(R"({{"error":{}}})", json_string(message));
}

}  // namespace

extern const Dialect kOllama{.name = "ollama",
                             .path = "/api/embed",
                             .base_path = "",
                             .features = kModel | kObject,
                             .read = read,
                             .render = rendered,
                             .error = error,
                             .tokens_header = ""};

}  // namespace embedrouter::fake_upstream
