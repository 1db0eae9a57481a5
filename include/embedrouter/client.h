#pragma once
// The client of an embeddings API: OpenRouter's, this router's, or any server that speaks OpenAI's format.
//
//   embedrouter::sdk::Client client({.server_url = "http://127.0.0.1:8080/api/v1"});
//   auto reply = client.embeddings().generate({.input = "a text", .model = "Taurus"}).get();
//   if (!reply) return complain(reply.error().message());
//   auto vectors = reply->matrix();
//
// A setting is that of the call, else of the client, else of the environment, else the default named here.

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

class Embeddings {
 public:
  explicit Embeddings(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}

  Call<EmbeddingsResponse> generate(const EmbeddingsRequest& request, CallOptions options = {}) const;
  Call<ModelsPage> list_models(PageQuery query = {}, CallOptions options = {}) const;
  // Any number of texts: see <embedrouter/embed_all.h>. Blocks; not to be called on a thread of the SDK.
  Result<EmbedAllResult> embed_all(std::span<const std::string_view> texts, const EmbedAllOptions& how,
                                   CallOptions options = {}) const;

 private:
  std::shared_ptr<Connection> connection_;
};

class Models {
 public:
  explicit Models(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}

  Call<ModelsPage> list(const ModelsQuery& query = {}, CallOptions options = {}) const;
  Call<std::int64_t> count(const std::optional<std::string>& output_modalities = {},
                           CallOptions options = {}) const;
  // The models the key's owner may use; `bearer` is that key.
  Call<ModelsPage> list_for_user(std::string bearer, const UserModelsQuery& query = {},
                                 CallOptions options = {}) const;
  Call<Model> get(std::string_view author, std::string_view slug, CallOptions options = {}) const;

 private:
  std::shared_ptr<Connection> connection_;
};

class Endpoints {
 public:
  explicit Endpoints(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}

  Call<ModelEndpoints> list(std::string_view author, std::string_view slug, CallOptions options = {}) const;
  Call<std::vector<Endpoint>> list_zdr_endpoints(CallOptions options = {}) const;

 private:
  std::shared_ptr<Connection> connection_;
};

class Providers {
 public:
  explicit Providers(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}

  Call<std::vector<Provider>> list(CallOptions options = {}) const;

 private:
  std::shared_ptr<Connection> connection_;
};

class ApiKeys {
 public:
  explicit ApiKeys(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}

  Call<CurrentApiKey> get_current_key_metadata(CallOptions options = {}) const;
  Call<std::vector<ApiKey>> list(const ApiKeysQuery& query = {}, CallOptions options = {}) const;
  Call<CreatedApiKey> create(const CreateApiKeyRequest& request, CallOptions options = {}) const;
  Call<ApiKey> get(std::string_view hash, CallOptions options = {}) const;
  Call<ApiKey> update(std::string_view hash, const UpdateApiKeyRequest& request,
                      CallOptions options = {}) const;
  Call<void> remove(std::string_view hash, CallOptions options = {}) const;

 private:
  std::shared_ptr<Connection> connection_;
};

class CreditsResource {
 public:
  explicit CreditsResource(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}

  Call<Credits> get_credits(CallOptions options = {}) const;

 private:
  std::shared_ptr<Connection> connection_;
};

class Generations {
 public:
  explicit Generations(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}

  Call<Generation> get_generation(std::string_view id, CallOptions options = {}) const;

 private:
  std::shared_ptr<Connection> connection_;
};

class Analytics {
 public:
  explicit Analytics(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}

  Call<std::vector<ActivityItem>> get_user_activity(const ActivityQuery& query = {},
                                                    CallOptions options = {}) const;

 private:
  std::shared_ptr<Connection> connection_;
};

class Byok {
 public:
  explicit Byok(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}

  Call<ByokPage> list(const ByokQuery& query = {}, CallOptions options = {}) const;
  Call<ByokKey> create(const CreateByokKeyRequest& request, CallOptions options = {}) const;
  Call<ByokKey> get(std::string_view id, CallOptions options = {}) const;
  Call<ByokKey> update(std::string_view id, const UpdateByokKeyRequest& request,
                       CallOptions options = {}) const;
  Call<void> remove(std::string_view id, CallOptions options = {}) const;

 private:
  std::shared_ptr<Connection> connection_;
};

// Thin and copyable: copies share one Connection. Thread-safe. When the
// last copy goes, calls under way end with ErrorKind::cancelled.
class Client {
 public:
  explicit Client(ClientOptions options = {});
  // Over another Connection: <embedrouter/testing/mock_connection.h>, for instance.
  explicit Client(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}

  Embeddings embeddings() const { return Embeddings(connection_); }
  Models models() const { return Models(connection_); }
  Endpoints endpoints() const { return Endpoints(connection_); }
  Providers providers() const { return Providers(connection_); }
  ApiKeys api_keys() const { return ApiKeys(connection_); }
  CreditsResource credits() const { return CreditsResource(connection_); }
  Generations generations() const { return Generations(connection_); }
  Analytics analytics() const { return Analytics(connection_); }
  Byok byok() const { return Byok(connection_); }

  const std::shared_ptr<Connection>& connection() const noexcept { return connection_; }

 private:
  std::shared_ptr<Connection> connection_;
};

// The Connection that a Client of these options has: retries, headers, hooks, log, over a Transport.
std::shared_ptr<Connection> make_connection(ClientOptions options);

}  // namespace embedrouter::sdk::inline v0
