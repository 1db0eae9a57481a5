// OpenAI's: POST …/embeddings.
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
  request.encoding_format = body->text("encoding_format");
  request.base64 = request.encoding_format == "base64";
  request.input_type = body->text("input_type");
  if (request.model.empty()) why = "model must be a string";
  if (!body->texts("input", request.texts))
    why = "input must be a string, strings, token ids, or arrays of token ids";
  request.dimensions = body->width("dimensions", why);
  return why.empty() ? std::optional(std::move(request)) : std::nullopt;
}

std::string rendered(const Plan& plan) {
  std::string out = R"({"object":"list","data":[)";
  bool first = true;
  for (const Entry& entry : plan.data) {
    if (!first) out += ',';
    first = false;
    out += R"({"object":"embedding",)";
    if (!entry.index.empty()) out += R"("index":)" + entry.index + ',';
    out += R"("embedding":)";
    if (!entry.embedding.empty()) {
      out += entry.embedding;
    } else if (plan.base64) {
      out += '"' + base64_of(float32_bytes(entry.values)) + '"';
    } else {
      out += number_array(entry.values);
    }
    out += '}';
  }
  out += R"(],"model":)" + json_string(plan.model);
  if (!plan.tokens.empty())
    out += fmt::format(R"(,"usage":{{"prompt_tokens":{0},"total_tokens":{0}}})", plan.tokens);
  return out += '}';
}

std::string_view type_of(long status, std::string_view code) {
  if (code == "\"insufficient_quota\"") return "insufficient_quota";
  switch (status) {
    case 400:
    case 413:
    case 422:
      return "invalid_request_error";
    case 401:
      return "authentication_error";
    case 402:
      return "insufficient_quota";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 429:
      return "rate_limit_error";
    default:
      return "server_error";
  }
}

std::string error(long status, std::string_view code, std::string_view message) {
  return fmt::format(R"({{"error":{{"message":{},"type":"{}","param":null,"code":{}}}}})",
                     json_string(message), type_of(status, code), code);
}

}  // namespace

extern const Dialect kOpenai{.name = "openai",
                             .path = "/embeddings",
                             .base_path = "/v1",
                             .features = kIndex | kBase64 | kModel | kObject | kCodes,
                             .read = read,
                             .render = rendered,
                             .error = error,
                             .tokens_header = ""};

}  // namespace embedrouter::fake_upstream
