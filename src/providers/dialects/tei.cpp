// text-embeddings-inference's own format, POST /embed (its OpenAPI document, router/src/http/types.rs and
// server.rs). base_url is the server's root; a server has one model, so none is named. Texts or token ids. It
// cuts over-long texts by default (--auto-truncate), so every request asks it not to. `input_type` is a key
// of the model's own prompts. Numbers only; a plain list of vectors; the tokens stand in a header.
#include <charconv>

#include "api/error_body.h"
#include "base/ascii.h"
#include "base/json_text.h"
#include "providers/dialect.h"
#include "providers/input_text.h"
#include "providers/vector_lists.h"

namespace embedrouter::providers {
namespace {

Result<UpstreamRequest> encode(const api::EmbedRequest& request, const catalog::Endpoint& endpoint) {
  std::string body = begin_body(R"({"inputs":)", request.items);
  append_input(body, request.items);
  body += R"(,"truncate":false,"normalize":)";
  body += endpoint.normalized ? "true" : "false";
  if (request.input_type && !endpoint.input_types.empty()) {
    body += R"(,"prompt_name":)";
    append_json_string(body, *request.input_type);
  }
  if (request.dimensions && endpoint.dimensions)
    body += R"(,"dimensions":)" + std::to_string(*request.dimensions);
  end_body(body, request, endpoint);
  UpstreamRequest upstream;
  upstream.path = "/embed";
  upstream.body = Body(std::move(body));
  return upstream;
}

// {"error":"…","error_type":"Validation"}. Of the statuses it has for its types of error, two mean something
// else elsewhere: 424 is a failure of the model, 429 a full queue.
Error explain(const UpstreamReply& reply) {
  const api::UpstreamComplaint said = api::read_complaint(reply.body->view());
  if (reply.status == 424) return explain_as(ErrorCode::upstream_error, reply);
  if (same_ignoring_case(said.type, "overloaded")) return explain_as(ErrorCode::upstream_overloaded, reply);
  return explain_status(reply);
}

std::uint64_t tokens_of(const UpstreamReply& reply) {
  const std::string_view text = reply.header("x-compute-tokens");
  std::uint64_t tokens = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), tokens);
  return error == std::errc{} && end == text.data() + text.size() ? tokens : 0;
}

Result<api::EmbedReply> decode(const UpstreamReply& reply, const api::EmbedRequest&) {
  api::JsonCursor json(reply.body->view());
  auto vectors = read_vector_lists(json);
  if (!vectors) return fail(std::move(vectors).error());
  if (!json.finish()) return fail(malformed_answer(json));
  api::EmbedReply out;
  out.data = *std::move(vectors);
  out.owners.push_back(reply.body);
  out.usage.prompt_tokens = tokens_of(reply);
  return out;
}

}  // namespace

extern const Dialect kTei{
    {.name = "tei", .base64 = false, .user = false, .max_batch_items = 32}, encode, decode, explain};

}  // namespace embedrouter::providers
