// OpenAI's embeddings format, spoken by OpenAI, OpenRouter, vLLM, text-embeddings-inference (/v1), Ollama
// (/v1), LiteLLM, and another embedrouter. Texts or token ids; `dimensions` and `input_type` only where the
// endpoint is declared to honour them; never `provider`, `session_id` or `trace`. The form the client asked
// for is asked of the upstream where it has it.
#include <charconv>

#include "base/json_text.h"
#include "base/sha256.h"
#include "providers/dialect.h"

namespace embedrouter::providers {
namespace {

void append_input(std::string& out, const api::Item& item) {
  if (!item.is_tokens()) {
    append_json_string(out, item.text);
    return;
  }
  char separator = '[';
  for (const std::uint32_t id : item.tokens) {
    char digits[10];
    const char* end = std::to_chars(digits, digits + sizeof digits, id).ptr;
    out += separator;
    out.append(digits, static_cast<std::size_t>(end - digits));
    separator = ',';
  }
  out += ']';
}

bool ask_for_base64(const api::EmbedRequest& request, const catalog::Endpoint& endpoint) {
  if (!endpoint.encodings_float) return true;
  return request.encoding == api::EncodingFormat::base64 && endpoint.encodings_base64;
}

Result<UpstreamRequest> encode(const api::EmbedRequest& request, const catalog::Endpoint& endpoint) {
  std::size_t bytes = 256;
  for (const api::Item& item : request.items) bytes += item.text.size() + item.tokens.size() * 8 + 8;
  std::string body;
  body.reserve(bytes);
  body += R"({"model":)";
  append_json_string(body, endpoint.upstream_model);
  body += R"(,"input":)";
  if (request.items.size() == 1) {
    append_input(body, request.items.front());
  } else {
    char separator = '[';
    for (const api::Item& item : request.items) {
      body += separator;
      append_input(body, item);
      separator = ',';
    }
    body += ']';
  }
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
  body += '}';
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
  out.usage.prompt_tokens = wire->prompt_tokens.value_or(wire->total_tokens.value_or(0));
  return out;
}

}  // namespace

extern const Dialect kOpenai{"openai", encode, decode, explain_status};

}  // namespace embedrouter::providers
