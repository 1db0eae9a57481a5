// OpenAI's embeddings format, spoken by OpenAI, OpenRouter, vLLM, text-embeddings-inference (/v1), Ollama
// (/v1), LiteLLM, and another embedrouter. Texts or token ids; `dimensions` and `input_type` only where the
// endpoint is declared to honour them; of `provider` its `options` alone; never `session_id` or `trace`. The
// form the client asked for is asked of the upstream where it has it.
#include <charconv>

#include "base/json_text.h"
#include "base/sha256.h"
#include "providers/dialect.h"
#include "providers/input_text.h"

namespace embedrouter::providers {
namespace {

bool ask_for_base64(const api::EmbedRequest& request, const catalog::Endpoint& endpoint) {
  if (!endpoint.encodings_float) return true;
  return request.encoding == api::EncodingFormat::base64 && endpoint.encodings_base64;
}

Result<UpstreamRequest> encode(const api::EmbedRequest& request, const catalog::Endpoint& endpoint) {
  std::string body = begin_body(R"({"model":)", request.items);
  append_json_string(body, endpoint.upstream_model);
  body += R"(,"input":)";
  append_input(body, request.items);
  body +=
      ask_for_base64(request, endpoint) ? R"(,"encoding_format":"base64")" : R"(,"encoding_format":"float")";
  if (request.dimensions && endpoint.dimensions)
    body += R"(,"dimensions":)" + std::to_string(*request.dimensions);
  if (request.input_type && !endpoint.input_types.empty()) {
    body += R"(,"input_type":)";
    append_json_string(body, *request.input_type);
  }
  // Hashed, never raw (CONTRACT 2.1).
  if (request.user) body += R"(,"user":")" + to_hex(sha256(*request.user)) + '"';
  end_body(body, request, endpoint);
  UpstreamRequest upstream;
  upstream.path = "/embeddings";
  upstream.body = Body(std::move(body));
  return upstream;
}

// {"error":{"code":429,…}} in a 200 means what that status would have.
Error explain_inner_error(const UpstreamReply& reply, const Error& inner) {
  UpstreamReply meant = reply;
  const std::string& code = inner.provider_code();
  const auto [end, error] = std::from_chars(code.data(), code.data() + code.size(), meant.status);
  if (error != std::errc{} || end != code.data() + code.size() || meant.status < 400 || meant.status > 599)
    meant.status = 502;
  return explain_status(meant);
}

Result<api::EmbedReply> decode(const UpstreamReply& reply, const api::EmbedRequest&) {
  auto wire = api::decode_embed_reply(*reply.body);
  if (!wire && !wire.error().provider_code().empty()) return fail(explain_inner_error(reply, wire.error()));
  if (!wire) return fail(std::move(wire).error());
  api::EmbedReply out;
  out.data = std::move(wire->data);
  out.owners = std::move(wire->owners);
  out.owners.push_back(reply.body);
  out.answered_model = wire->model.substr(0, api::kMostOfAName);
  out.usage.prompt_tokens = wire->prompt_tokens.value_or(wire->total_tokens.value_or(0));
  return out;
}

}  // namespace

extern const Dialect kOpenai{{.name = "openai"}, encode, decode, explain_status};

}  // namespace embedrouter::providers
