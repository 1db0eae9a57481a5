#pragma once
// The client of an embeddings API: OpenRouter's, this router's, or any server that speaks OpenAI's format.
//
//   embedrouter::sdk::Client client({.server_url = "http://127.0.0.1:8080/api/v1"});
//   auto reply = client.embeddings().generate({.input = "a text", .model = "Taurus"}).get();
//   if (!reply) return complain(reply.error().message());
//   auto vectors = reply->matrix();
//
// A setting is that of the call, else of the client, else of the environment, else the default named here.
//
// A method of a resource makes a Call and sends nothing; its arguments are encoded at once, and one that
// cannot be is ErrorKind::usage of the Call. Any call may fail as ErrorKind tells, without an answer or with
// one that is not as it should be. Statuses named at a method, and 500, have an ErrorKind of their own there;
// any other is unexpected_response. "Any key" is what an inference key and a management key are; some servers
// need none.

#include <embedrouter/account.h>
#include <embedrouter/call.h>
#include <embedrouter/client_error.h>
#include <embedrouter/embed_all.h>
#include <embedrouter/embeddings.h>
#include <embedrouter/hooks.h>
#include <embedrouter/models.h>
#include <embedrouter/retry.h>
#include <embedrouter/transport.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace embedrouter::sdk::inline v0 {

// Of a Client. Functions given here must not throw: on the SDK's thread that ends the program.
struct ClientOptions {
  // The key, or a function that is asked for it before every call (thread-safe). Not given: the variable
  // OPENROUTER_API_KEY; without that no Authorization header is sent.
  std::variant<std::monostate, std::string, std::function<std::string()>> api_key{};
  // Not given: OPENROUTER_BASE_URL, else https://openrouter.ai/api/v1.
  std::optional<std::string> server_url{};
  // Who calls. Not given: OPENROUTER_HTTP_REFERER; OPENROUTER_X_OPEN_ROUTER_TITLE or OPENROUTER_APP_TITLE;
  // OPENROUTER_X_OPEN_ROUTER_CATEGORIES or OPENROUTER_APP_CATEGORIES.
  std::optional<std::string> http_referer{}, title{}, categories{};
  RetryConfig retries{};
  std::chrono::milliseconds timeout{120'000};        // of each attempt; 0: none
  std::chrono::milliseconds connect_timeout{5'000};  // until its connection stands; 0: none
  TransportOptions transport_options{};              // of the shipped transport
  Hooks hooks{};
  // Receives a line for each request and each answer, without keys; with the bodies. Not given: standard
  // error if OPENROUTER_DEBUG is set, else nowhere. Thread-safe.
  std::function<void(std::string_view)> debug_logger{};
  // Another transport, sleeper or clock, for tests or other networks. Null: the shipped ones.
  std::shared_ptr<Transport> transport{};
  std::shared_ptr<Sleeper> sleeper{};
  RetrySources retry_sources{};
};

// Vectors of texts, and the models that make them. As every resource: thin, copyable, thread-safe, and
// keeping the Connection alive.
class Embeddings {
 public:
  explicit Embeddings(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}

  // POST /embeddings: one vector for each item of the input, in one request. An inference key.
  // Also 400 401 402 403 404 408 413 429 499 502 503 504 524 529.
  Call<EmbeddingsResponse> generate(const EmbeddingsRequest& request, CallOptions options = {}) const;
  // GET /embeddings/models: the models that generate() takes, a page at a time. Any key or none. Also 400.
  Call<ModelsPage> list_models(PageQuery query = {}, CallOptions options = {}) const;
  // Any number of texts, each of them UTF-8: see <embedrouter/embed_all.h>. An inference key. Blocks; not to
  // be called on a thread of the SDK. Fails if not one text was embedded, with the error of the first.
  Result<EmbedAllResult> embed_all(std::span<const std::string_view> texts, const EmbedAllOptions& how,
                                   CallOptions options = {}) const;

 private:
  std::shared_ptr<Connection> connection_;
};

// Models of every kind.
class Models {
 public:
  explicit Models(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}

  // GET /models: those that pass the filters, a page at a time; without `output_modalities`, models whose
  // output is text. Any key or none. Also 400 403 503.
  Call<ModelsPage> list(const ModelsQuery& query = {}, CallOptions options = {}) const;
  // GET /models/count: how many there are of these output modalities, comma-separated, or "all"; unset: text.
  // Any key or none. Also 400 403.
  Call<std::int64_t> count(const std::optional<std::string>& output_modalities = {},
                           CallOptions options = {}) const;
  // GET /models/user: the models the key's owner may use; `bearer` is that key, whatever the client's is.
  // Also 401 403 404 503.
  Call<ModelsPage> list_for_user(std::string bearer, const UserModelsQuery& query = {},
                                 CallOptions options = {}) const;
  // GET /model/{author}/{slug}: one model by its id or an alias of it; a slug may end in a variant, ":free".
  // Any key or none. Also 403 404.
  Call<Model> get(std::string_view author, std::string_view slug, CallOptions options = {}) const;

 private:
  std::shared_ptr<Connection> connection_;
};

// Where models are served, at what price and how well.
class Endpoints {
 public:
  explicit Endpoints(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}

  // GET /models/{author}/{slug}/endpoints: those of one model. Any key or none; some servers tell latency to
  // callers with a key alone. Also 403 404 503.
  Call<ModelEndpoints> list(std::string_view author, std::string_view slug, CallOptions options = {}) const;
  // GET /endpoints/zdr: those of all models that keep no data. Any key or none. Also 403 503.
  Call<std::vector<Endpoint>> list_zdr_endpoints(CallOptions options = {}) const;

 private:
  std::shared_ptr<Connection> connection_;
};

// Who serves models.
class Providers {
 public:
  explicit Providers(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}

  // GET /providers: all of them. Any key or none.
  Call<std::vector<Provider>> list(CallOptions options = {}) const;

 private:
  std::shared_ptr<Connection> connection_;
};

// The keys that callers use.
class ApiKeys {
 public:
  explicit ApiKeys(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}

  // GET /key: the key the call is made with. Any key. Also 401.
  Call<CurrentApiKey> get_current_key_metadata(CallOptions options = {}) const;
  // GET /keys: a part of the list, whose length the server sets; `offset` leads on. A management key, as for
  // all that follow. Also 400 401 404 429.
  Call<std::vector<ApiKey>> list(const ApiKeysQuery& query = {}, CallOptions options = {}) const;
  // POST /keys: makes one; its text is in this answer and never told again. Also 400 401 403 429.
  Call<CreatedApiKey> create(const CreateApiKeyRequest& request, CallOptions options = {}) const;
  // GET /keys/{hash}. Also 401 404 429.
  Call<ApiKey> get(std::string_view hash, CallOptions options = {}) const;
  // PATCH /keys/{hash}: the key as it then is. Also 400 401 403 404 409 429.
  Call<ApiKey> update(std::string_view hash, const UpdateApiKeyRequest& request,
                      CallOptions options = {}) const;
  // DELETE /keys/{hash}: from then on the key is a 401. Also 401 404 429.
  Call<void> remove(std::string_view hash, CallOptions options = {}) const;

 private:
  std::shared_ptr<Connection> connection_;
};

// What is paid and spent.
class CreditsResource {
 public:
  explicit CreditsResource(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}

  // GET /credits: of the account. A management key. Also 401 403.
  Call<Credits> get_credits(CallOptions options = {}) const;

 private:
  std::shared_ptr<Connection> connection_;
};

// What became of requests.
class Generations {
 public:
  explicit Generations(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}

  // GET /generation: by the id an answer had (EmbeddingsResponse::id); may lag a moment behind it. The key
  // that made the request, or a management key; another's is a 404. Also 400 401 402 403 404 429 502 524 529.
  Call<Generation> get_generation(std::string_view id, CallOptions options = {}) const;

 private:
  std::shared_ptr<Connection> connection_;
};

// Usage over time.
class Analytics {
 public:
  explicit Analytics(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}

  // GET /activity: a row for each day and endpoint, of the last 30 completed days (UTC). A management key.
  // Also 400 401 403 404.
  Call<std::vector<ActivityItem>> get_user_activity(const ActivityQuery& query = {},
                                                    CallOptions options = {}) const;

 private:
  std::shared_ptr<Connection> connection_;
};

// Keys of yours for providers ("bring your own key"). All need a management key.
class Byok {
 public:
  explicit Byok(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}

  // GET /byok: a page of them; `offset` leads on. Also 400 401 403.
  Call<ByokPage> list(const ByokQuery& query = {}, CallOptions options = {}) const;
  // POST /byok: hands one over, which is never told again. Also 400 401 403.
  Call<ByokKey> create(const CreateByokKeyRequest& request, CallOptions options = {}) const;
  // GET /byok/{id}. Also 401 403 404.
  Call<ByokKey> get(std::string_view id, CallOptions options = {}) const;
  // PATCH /byok/{id}: the credential as it then is. Also 400 401 403 404 409.
  Call<ByokKey> update(std::string_view id, const UpdateByokKeyRequest& request,
                       CallOptions options = {}) const;
  // DELETE /byok/{id}. Also 401 403 404.
  Call<void> remove(std::string_view id, CallOptions options = {}) const;

 private:
  std::shared_ptr<Connection> connection_;
};

// Thin and copyable: copies share one Connection, and so do its resources. Thread-safe. When the last of them
// goes, calls under way end with ErrorKind::cancelled. Its destructor waits for the callback that is running
// and for those of the calls it ends; inside a callback it waits for none, and they run behind it.
class Client {
 public:
  // Sends nothing. What is wrong with the options is told by the calls.
  explicit Client(ClientOptions options = {});
  // Over another Connection: <embedrouter/testing/mock_connection.h>, for instance.
  explicit Client(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}

  // The resources, as the official SDKs name them.
  Embeddings embeddings() const { return Embeddings(connection_); }
  Models models() const { return Models(connection_); }
  Endpoints endpoints() const { return Endpoints(connection_); }
  Providers providers() const { return Providers(connection_); }
  ApiKeys api_keys() const { return ApiKeys(connection_); }
  CreditsResource credits() const { return CreditsResource(connection_); }
  Generations generations() const { return Generations(connection_); }
  Analytics analytics() const { return Analytics(connection_); }
  Byok byok() const { return Byok(connection_); }

  // For operations of your own: a Call over it.
  const std::shared_ptr<Connection>& connection() const noexcept { return connection_; }

 private:
  std::shared_ptr<Connection> connection_;
};

// The Connection that a Client of these options has: retries, headers, hooks, log, over a Transport.
std::shared_ptr<Connection> make_connection(ClientOptions options);

}  // namespace embedrouter::sdk::inline v0
