// Ollama's own format, POST /api/embed (docs/api.md and the handler in server/). base_url is the server's
// root. Texts only. It cuts over-long texts unless asked not to, and takes no more than num_ctx tokens, whose
// default is below what most models take: every request asks for no cutting and for the context the model's
// entry declares. Numbers only, always normalised; a width it does not have is ignored there, which the gate
// sees.
#include "api/error_body.h"
#include "base/ascii.h"
#include "base/json_text.h"
#include "providers/dialect.h"
#include "providers/input_text.h"
#include "providers/vector_lists.h"

namespace embedrouter::providers {
namespace {

Result<UpstreamRequest> encode(const api::EmbedRequest& request, const catalog::Endpoint& endpoint) {
  std::string body = begin_body(R"({"model":)", request.items);
  append_json_string(body, endpoint.upstream_model);
  body += R"(,"input":)";
  append_input(body, request.items);
  body += R"(,"truncate":false)";
  if (request.dimensions && endpoint.dimensions)
    body += R"(,"dimensions":)" + std::to_string(*request.dimensions);
  if (endpoint.model != nullptr && endpoint.model->context_length > 0)
    body += R"(,"options":{"num_ctx":)" + std::to_string(endpoint.model->context_length) + '}';
  end_body(body, request, endpoint);
  UpstreamRequest upstream;
  upstream.path = "/api/embed";
  upstream.body = Body(std::move(body));
  return upstream;
}

// {"error":"…"}. A 400 is whatever went wrong in the process that runs the model, too: only what it says of
// the request is the request's fault.
Error explain(const UpstreamReply& reply) {
  if (reply.status == 503) return explain_as(ErrorCode::upstream_overloaded, reply);
  Error error = explain_status(reply);
  if (error.code() != ErrorCode::upstream_rejected) return error;
  const std::string said = api::read_complaint(reply.body->view()).message;
  for (const std::string_view ours : {"invalid", "unsupported", "does not support", "json:", "missing"}) {
    if (contains_ignoring_case(said, ours)) return error;
  }
  return explain_as(ErrorCode::upstream_error, reply);
}

class Reader {
 public:
  explicit Reader(std::string_view body) : json_(body) {}

  Result<api::EmbedReply> read() {
    if (json_.kind() != api::JsonKind::object)
      return fail(ErrorCode::upstream_invalid_answer, "the answer is not a JSON object");
    json_.enter('{');
    bool first = true;
    api::JsonString key;
    while (json_.next_member(first, key)) {
      if (auto done = read_member(key.raw); !done) return fail(std::move(done).error());
    }
    if (!json_.ok() || !json_.finish()) return fail(malformed_answer(json_));
    if (!seen_vectors_) return fail(ErrorCode::upstream_invalid_answer, "the answer has no embeddings");
    return std::move(reply_);
  }

 private:
  Result<void> read_member(std::string_view name) {
    if (name == "error")
      return fail(ErrorCode::upstream_error, "the provider answered with an error in place of vectors");
    if (name == "embeddings") {
      if (std::exchange(seen_vectors_, true))
        return fail(ErrorCode::upstream_invalid_answer, "the answer has embeddings twice");
      auto vectors = read_vector_lists(json_);
      if (!vectors) return fail(std::move(vectors).error());
      reply_.data = *std::move(vectors);
      return {};
    }
    if (name == "model" && json_.kind() == api::JsonKind::string) {
      api::JsonString model;
      if (json_.read_string(model) && !model.escaped)
        reply_.answered_model = model.raw.substr(0, api::kMostOfAName);
      if (!json_.ok()) return fail(malformed_answer(json_));
      return {};
    }
    api::Decimal tokens;
    if (name == "prompt_eval_count" && json_.kind() == api::JsonKind::number && json_.read_number(tokens)) {
      reply_.usage.prompt_tokens =
          static_cast<std::uint64_t>(std::max<std::int64_t>(0, api::to_integer(tokens).value_or(0)));
    } else if (json_.ok()) {
      json_.skip();
    }
    if (!json_.ok()) return fail(malformed_answer(json_));
    return {};
  }

  api::JsonCursor json_;
  api::EmbedReply reply_;
  bool seen_vectors_ = false;
};

Result<api::EmbedReply> decode(const UpstreamReply& reply, const api::EmbedRequest&) {
  auto out = Reader(reply.body->view()).read();
  if (out) out->owners.push_back(reply.body);
  return out;
}

}  // namespace

extern const Dialect kOllama{
    {.name = "ollama", .base64 = false, .token_ids = false, .input_types = false, .user = false},
    encode,
    decode,
    explain};

}  // namespace embedrouter::providers
