#include "local/local_transport.h"

#include <algorithm>
#include <chrono>
#include <numeric>
#include <optional>
#include <thread>
#include <utility>

#include "api/embed_reply.h"
#include "api/error_body.h"
#include "api/model_query.h"
#include "base/clock.h"
#include "base/random.h"
#include "catalog/listed.h"
#include "routing/exclude.h"
#include "routing/model_name.h"

namespace embedrouter::local {
namespace {

using sdk::ErrorKind;
using sdk::HttpResponse;

// A callback runs on this thread, which is one of a model's.
thread_local bool in_callback = false;

std::string new_id() {
  thread_local Random random(secure_seed());
  const auto seconds =
      std::chrono::floor<std::chrono::seconds>(SystemClock().wall().time_since_epoch()).count();
  return "gen-emb-" + std::to_string(seconds) + "-" + random.alphanumeric(20);
}

HttpResponse json(int status, std::string body, const std::string& url) {
  HttpResponse response;
  response.status = status;
  response.headers.add("Content-Type", "application/json");
  response.body = std::move(body);
  response.url = url;
  return response;
}

HttpResponse refusal(const Error& error, const std::string& id, const std::string& url) {
  HttpResponse response = json(error.http_status(), api::encode_error(error, id), url);
  if (const auto wait = error.retry_after()) {
    response.headers.add("Retry-After",
                         std::to_string(std::chrono::ceil<std::chrono::seconds>(*wait).count()));
  }
  return response;
}

// A request for vectors on its way.
struct Pending {
  Pending(api::DecodedRequest body, std::shared_ptr<const catalog::Catalog> from, const catalog::Endpoint& by)
      : decoded(std::move(body)), catalog(std::move(from)), endpoint(by) {}

  api::DecodedRequest decoded;
  std::shared_ptr<const catalog::Catalog> catalog;  // of the endpoint
  const catalog::Endpoint& endpoint;
  std::string id = new_id();
  std::string url;
  std::stop_token stop;
  sdk::ResponseHandler done;

  struct Cancel {
    std::shared_ptr<inference::Ticket> ticket;
    void operator()() const noexcept { ticket->cancel(); }
  };
  std::optional<std::stop_callback<Cancel>> on_stop;
};

HttpResponse answer(const Pending& pending, inference::Vectors vectors) {
  const api::EmbedRequest& request = pending.decoded.request();
  api::EmbedReply reply;
  reply.width = vectors.width;
  for (std::size_t i = 0; i < request.items.size(); ++i) {
    reply.data.push_back(
        {std::span(vectors.values.get() + i * vectors.width, vectors.width), static_cast<std::int64_t>(i)});
  }
  reply.usage.prompt_tokens = std::accumulate(vectors.tokens.begin(), vectors.tokens.end(), std::uint64_t{0});
  reply.usage.total_tokens = reply.usage.prompt_tokens;
  reply.usage.source = api::UsageSource::counted;
  reply.truncated = std::move(vectors.truncated);
  reply.model = pending.endpoint.model->id;
  reply.provider = pending.endpoint.provider_name;
  reply.space = pending.endpoint.space;
  HttpResponse response = json(
      200, api::encode_embed_response(reply, request.encoding, {.id = pending.id}).to_string(), pending.url);
  response.headers.add("X-Generation-Id", pending.id);
  for (auto& [name, value] : api::reply_headers(reply, pending.decoded.ignored()))
    response.headers.add(std::string(name), std::move(value));
  return response;
}

sdk::Result<HttpResponse> outcome(const Pending& pending, Result<inference::Vectors> vectors) {
  if (vectors) return answer(pending, *std::move(vectors));
  const Error& error = vectors.error();
  // Nobody waits any more: by the caller's wish, or since its time is over.
  const bool left = error.code() == ErrorCode::client_closed;
  if (left && !pending.stop.stop_requested())
    return sdk::fail(ErrorKind::timed_out, "the model did not answer within the timeout of the call");
  if (left || error.code() == ErrorCode::shutting_down)
    return sdk::fail(ErrorKind::cancelled, "the call was cancelled");
  return refusal(error, pending.id, pending.url);
}

// The endpoint that the request may be answered by: there is one.
Result<const catalog::Endpoint*> find_endpoint(const catalog::Catalog& catalog,
                                               const api::EmbedRequest& request,
                                               const sdk::Headers& headers) {
  const routing::ModelName asked = routing::split_suffix(request.model);
  const catalog::Model* model = catalog.find(asked.name);
  if (model == nullptr) return fail(routing::explain_unknown_model(asked.name));
  const catalog::Endpoint& endpoint = model->endpoints.front();
  if (const auto out = routing::exclude(endpoint, request, asked.tier))
    return fail(routing::nothing_left({&*out, 1}));
  const std::string* space = headers.find("X-Embedrouter-Space");
  if (space != nullptr && *space != endpoint.space) return fail(routing::nothing_in_space());
  if (request.partial) {
    return fail(Error(ErrorCode::invalid_request,
                      "partial is for requests to a router; embed_all embeds what can be and names the rest")
                    .with_param("partial"));
  }
  return &endpoint;
}

Result<std::string> list_models(const catalog::Catalog& catalog, std::string_view target) {
  const std::size_t mark = std::min(target.find('?'), target.size());
  const std::string_view path = target.substr(0, mark);
  const std::string_view query = target.substr(std::min(mark + 1, target.size()));
  const auto page = api::parse_page(query);
  if (!page) return fail(page.error());
  std::vector<api::ListedModel> models;
  for (const catalog::Model* model : catalog.listed()) models.push_back(catalog::listed(*model));
  return api::encode_model_list(models, *page, path, query);
}

}  // namespace

LocalTransport::LocalTransport(std::unique_ptr<inference::LocalModel> model,
                               std::shared_ptr<const catalog::Catalog> catalog)
    : model_(std::move(model)), catalog_(std::move(catalog)) {}

LocalTransport::~LocalTransport() {
  // A thread cannot wait for itself.
  if (in_callback) std::thread([model = std::move(model_)]() mutable { model.reset(); }).detach();
}

void LocalTransport::send(sdk::HttpRequest request, std::stop_token stop, sdk::ResponseHandler done) {
  if (!request.url.starts_with(kServerUrl)) {
    return done(
        sdk::fail(ErrorKind::usage, "this client embeds in its own process: it asks no other server"));
  }
  if (stop.stop_requested()) return done(sdk::fail(ErrorKind::cancelled, "the call was cancelled"));
  const std::string_view target = std::string_view(request.url).substr(kServerUrl.size());
  const std::string_view path = target.substr(0, target.find('?'));
  if (request.method == "POST" && path == "/embeddings")
    return embed(request, std::move(stop), std::move(done));
  if (request.method == "GET" && path == "/embeddings/models") {
    const auto list = list_models(*catalog_, target);
    return done(list ? json(200, *list, request.url) : refusal(list.error(), new_id(), request.url));
  }
  const Error unknown(ErrorCode::not_found,
                      "an embedded model answers POST /embeddings and GET /embeddings/models alone");
  done(refusal(unknown, new_id(), request.url));
}

void LocalTransport::embed(const sdk::HttpRequest& request, std::stop_token stop, sdk::ResponseHandler done) {
  const auto refuse = [&](const Error& error) { done(refusal(error, new_id(), request.url)); };
  auto decoded = api::decode_embed_request(Buffer(request.body ? *request.body : std::string_view()), {});
  if (!decoded) return refuse(decoded.error());
  const auto endpoint = find_endpoint(*catalog_, decoded->request(), request.headers);
  if (!endpoint) return refuse(endpoint.error());
  const auto pending = std::make_shared<Pending>(*std::move(decoded), catalog_, **endpoint);
  pending->url = request.url;
  pending->stop = std::move(stop);
  pending->done = std::move(done);

  const api::EmbedRequest& wanted = pending->decoded.request();
  inference::Job job;
  job.truncate = wanted.truncate;
  if (wanted.input_type) job.input_type = std::string(*wanted.input_type);
  job.dimensions = wanted.dimensions.value_or(0);
  if (request.timeout.count() > 0) job.deadline = SystemClock().now() + request.timeout;
  for (const api::Item& item : wanted.items) job.texts.push_back(item.text);
  auto ticket = model_->submit(std::move(job), [pending](Result<inference::Vectors> vectors) {
    const bool before = std::exchange(in_callback, true);
    pending->done(outcome(*pending, std::move(vectors)));
    pending->done = nullptr;  // what it holds may be this transport
    in_callback = before;
  });
  if (pending->stop.stop_possible())
    pending->on_stop.emplace(pending->stop, Pending::Cancel{std::move(ticket)});
}

}  // namespace embedrouter::local
