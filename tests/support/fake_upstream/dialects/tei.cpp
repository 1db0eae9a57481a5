// text-embeddings-inference's own: POST /embed. The body names no model, so the path does: /nan/embed.
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
  request.input_type = body->text("prompt_name");
  request.may_cut = body->flag("truncate").value_or(true);  // --auto-truncate is the server's default
  if (!body->texts("inputs", request.texts))
    why = "inputs must be a string, strings, token ids, or arrays of token ids";
  request.dimensions = body->width("dimensions", why);
  return why.empty() ? std::optional(std::move(request)) : std::nullopt;
}

std::string_view type_of(long status) {
  switch (status) {
    case 400:
      return "Empty";
    case 413:
      return "Validation";
    case 422:
      return "Tokenizer";
    case 429:
      return "Overloaded";
    case 503:
      return "Unhealthy";
    default:
      return "Backend";
  }
}

std::string error(long status, std::string_view, std::string_view message) {
  return fmt::format(R"({{"error":{},"error_type":"{}"}})", json_string(message), type_of(status));
}

}  // namespace

extern const Dialect kTei{.name = "tei",
                          .path = "/embed",
                          .base_path = "/<model>",
                          .features = 0,
                          .read = read,
                          .render = vector_lists,
                          .error = error,
                          .tokens_header = "x-compute-tokens"};

}  // namespace embedrouter::fake_upstream
