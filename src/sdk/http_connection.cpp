// The Connection of a Client: what surrounds an attempt. Once per call: URL, headers, key. Per attempt:
// hooks, log, transport, and the wait before the next.
#include <embedrouter/client.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "base/ascii.h"
#include "base/clock.h"
#include "base/random.h"
#include "sdk/debug_log.h"
#include "sdk/retry_loop.h"

namespace embedrouter::sdk::inline v0 {
namespace {

using Milliseconds = std::chrono::milliseconds;

constexpr std::string_view kProduction = "https://openrouter.ai/api/v1";
constexpr std::size_t kOwnHeaders = 7;
constexpr std::string_view kUserAgent = "embedrouter-cpp/" EMBEDROUTER_VERSION;

// Each under one of `names`, the first that is set and not empty.
std::optional<std::string> from_environment(std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const char* value = std::getenv(name);
    if (value != nullptr && *value != '\0') return value;
  }
  return std::nullopt;
}

void fill_from_environment(ClientOptions& options) {
  const auto fill = [](std::optional<std::string>& option, std::initializer_list<const char*> names) {
    if (!option) option = from_environment(names);
  };
  fill(options.server_url, {"OPENROUTER_BASE_URL"});
  fill(options.http_referer, {"OPENROUTER_HTTP_REFERER"});
  fill(options.title, {"OPENROUTER_X_OPEN_ROUTER_TITLE", "OPENROUTER_APP_TITLE"});
  fill(options.categories, {"OPENROUTER_X_OPEN_ROUTER_CATEGORIES", "OPENROUTER_APP_CATEGORIES"});
  if (!options.debug_logger && from_environment({"OPENROUTER_DEBUG"})) {
    options.debug_logger = [](std::string_view line) {
      std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data());
    };
  }
  if (std::holds_alternative<std::monostate>(options.api_key)) {
    if (auto key = from_environment({"OPENROUTER_API_KEY"})) options.api_key = *std::move(key);
  }
}

// What all calls of a Connection share.
struct Settings {
  ClientOptions options;

  std::string key() const {
    if (const auto* key = std::get_if<std::string>(&options.api_key)) return *key;
    if (const auto* ask = std::get_if<std::function<std::string()>>(&options.api_key))
      return *ask ? (*ask)() : "";
    return {};
  }
};

constexpr std::string_view kBearer = "bearer ";
bool starts_with_bearer(std::string_view key) {
  return same_ignoring_case(key.substr(0, kBearer.size()), kBearer);
}

// What authenticates, without its scheme.
std::string_view secret_of(const Headers& headers) {
  const std::string* const value = headers.find("authorization");
  if (value == nullptr) return {};
  return std::string_view(*value).substr(value->find(' ') + 1);
}

// Operations whose bodies hold keys.
bool has_secret_bodies(std::string_view operation) {
  return operation.starts_with("api_keys.") || operation.starts_with("byok.");
}

// One call on its way: what it is made of, and what becomes of each attempt. It makes none itself.
class CallState {
 public:
  CallState(std::shared_ptr<const Settings> settings, ApiCall call)
      : settings_(std::move(settings)),
        call_(std::move(call)),
        loop_(call_.options.retries ? *call_.options.retries : settings_->options.retries,
              settings_->options.retry_sources.now()) {}

  std::stop_token stop() const { return call_.options.stop; }

  // Once, before all else.
  Result<void> build() {
    base_url_ = call_.options.server_url ? *call_.options.server_url
                                         : options().server_url.value_or(std::string(kProduction));
    if (base_url_.ends_with('/')) base_url_.pop_back();
    key_ = call_.bearer.empty() ? settings_->key() : std::move(call_.bearer);
    if (starts_with_bearer(key_)) {
      scheme_ = key_.substr(0, kBearer.size());
      key_.erase(0, kBearer.size());
    }
    request_ = make_request();
    return check(request_.headers);
  }

  // The request of the next attempt.
  Result<HttpRequest> begin() {
    if (stop().stop_requested()) return cancelled();
    // Made again rather than copied: mostly there is one attempt.
    HttpRequest request = loop_.attempts() == 0 ? std::move(request_) : make_request();
    if (options().hooks.before_request) {
      auto agreed = options().hooks.before_request(context(), request);
      if (!agreed) return fail(std::move(agreed).error());
    }
    secret_ = secret_of(request.headers);
    log(request);
    return request;
  }

  // What it came to; the wait before the next one, if there is to be one.
  std::optional<Milliseconds> settle(Result<HttpResponse>& answer) {
    if (answer) {
      // A server may show what it was sent.
      if (answer->status >= 400) redact(answer->body, secret_);
      log(*answer);
    } else {
      if (options().debug_logger) options().debug_logger("No answer: " + answer.error().message());
      if (options().hooks.after_error) options().hooks.after_error(context(), nullptr, &answer.error());
    }
    const auto& sources = options().retry_sources;
    return loop_.next(answer, sources.now(), sources.uniform());
  }

  // Once, after all else.
  Result<HttpResponse> finish(Result<HttpResponse> answer) {
    const Hooks& hooks = options().hooks;
    if (answer) answer->secret = std::move(secret_);
    if (answer && answer->status >= 400) {
      if (hooks.after_error) hooks.after_error(context(), &*answer, nullptr);
    } else if (answer && hooks.after_success) {
      auto agreed = hooks.after_success(context(), *answer);
      if (!agreed) return fail(std::move(agreed).error());
    }
    return answer;
  }

  static tl::unexpected<Error> cancelled() { return fail(ErrorKind::cancelled, "the call was cancelled"); }

 private:
  const ClientOptions& options() const { return settings_->options; }

  HttpRequest make_request() const {
    const CallOptions& of_call = call_.options;
    HttpRequest request;
    request.method = call_.method;
    request.url.reserve(base_url_.size() + call_.path.size() + 1 + call_.query.size());
    request.url.append(base_url_).append(call_.path);
    if (!call_.query.empty()) request.url.append(1, '?').append(call_.query);
    request.body = call_.body;
    request.timeout = of_call.timeout.value_or(options().timeout);
    request.connect_timeout = of_call.connect_timeout.value_or(options().connect_timeout);

    Headers& headers = request.headers;
    headers.reserve(kOwnHeaders + of_call.headers.size());
    const auto add = [&headers](const char* name, const std::optional<std::string>& a,
                                const std::optional<std::string>& b) {
      const auto& value = a ? a : b;
      if (value && !value->empty()) headers.add(name, *value);
    };
    add("HTTP-Referer", of_call.http_referer, options().http_referer);
    add("X-OpenRouter-Title", of_call.title, options().title);
    add("X-OpenRouter-Categories", of_call.categories, options().categories);
    headers.add("Accept", std::string(call_.accept));
    headers.add("User-Agent", std::string(kUserAgent));
    if (!key_.empty()) headers.add("Authorization", scheme_ + key_);
    if (call_.body) headers.add("Content-Type", "application/json");
    for (const auto& [name, value] : of_call.headers) headers.set(name, value);
    return request;
  }

  Result<void> check(const Headers& headers) const {
    if (!base_url_.starts_with("http://") && !base_url_.starts_with("https://")) {
      // What has no scheme may be anything, a key too, and is not repeated.
      const std::size_t scheme = base_url_.find(':');
      return fail(
          ErrorKind::usage,
          "the server URL must begin with http:// or https://" +
              (scheme == std::string::npos ? "" : ", not with \"" + base_url_.substr(0, scheme) + ":\""));
    }
    for (const auto& [name, value] : headers) {
      const auto breaks = [](char c) { return c == '\r' || c == '\n' || c == '\0'; };
      if (name.empty() || std::ranges::any_of(name, breaks) || name.find(':') != std::string::npos ||
          std::ranges::any_of(value, breaks)) {
        return fail(ErrorKind::usage,
                    "the header " + (name.find_first_of("\r\n") == std::string::npos ? name : "") +
                        " holds a character that no header can (a line break at the end of a key?)");
      }
    }
    return {};
  }

  HookContext context() const { return {call_.operation, base_url_, loop_.attempts()}; }

  void log(const HttpRequest& request) const {
    if (!options().debug_logger) return;
    const bool secret = has_secret_bodies(call_.operation);
    options().debug_logger(request_line(request,
                                        secret         ? "[redacted]"
                                        : request.body ? std::string_view(*request.body)
                                                       : "",
                                        secret_));
  }
  void log(const HttpResponse& response) const {
    if (!options().debug_logger) return;
    const bool secret = has_secret_bodies(call_.operation);
    options().debug_logger(
        response_line(response, secret ? "[redacted]" : std::string_view(response.body), secret_));
  }

  std::shared_ptr<const Settings> settings_;
  ApiCall call_;
  RetryLoop loop_;
  std::string base_url_;
  std::string key_;                 // without "Bearer "
  std::string scheme_ = "Bearer ";  // as the key has it
  std::string secret_;              // what the last attempt authenticates with
  HttpRequest request_;             // of the first attempt
};

// A call that nobody waits for: each step is the callback of the one before. The transport and the sleeper
// belong to the Connection: its end ends the calls.
class AsyncCall : public std::enable_shared_from_this<AsyncCall> {
 public:
  AsyncCall(CallState state, std::weak_ptr<Transport> transport, std::weak_ptr<Sleeper> sleeper,
            ResponseHandler done)
      : state_(std::move(state)),
        transport_(std::move(transport)),
        sleeper_(std::move(sleeper)),
        done_(std::move(done)) {}

  void start() {
    if (auto built = state_.build(); !built) return done_(fail(std::move(built).error()));
    attempt();
  }

 private:
  void attempt() {
    const auto transport = transport_.lock();
    if (!transport) return finish(CallState::cancelled());
    auto request = state_.begin();
    if (!request) return finish(fail(std::move(request).error()));
    transport->send(
        *std::move(request), state_.stop(),
        [self = shared_from_this()](Result<HttpResponse> answer) { self->answered(std::move(answer)); });
  }

  void answered(Result<HttpResponse> answer) {
    const auto wait = state_.settle(answer);
    if (!wait) return finish(std::move(answer));
    const auto sleeper = sleeper_.lock();
    if (!sleeper) return finish(CallState::cancelled());
    sleeper->sleep(*wait, state_.stop(), [self = shared_from_this()] { self->attempt(); });
  }

  void finish(Result<HttpResponse> answer) { done_(state_.finish(std::move(answer))); }

  CallState state_;
  std::weak_ptr<Transport> transport_;
  std::weak_ptr<Sleeper> sleeper_;
  ResponseHandler done_;
};

class HttpConnection final : public Connection {
 public:
  explicit HttpConnection(ClientOptions options)
      : transport_(std::move(options.transport)), sleeper_(std::move(options.sleeper)) {
    fill_from_environment(options);
    if (!transport_ || !sleeper_) {
      auto curl = std::make_shared<CurlTransport>(options.transport_options);
      if (!transport_) transport_ = curl;
      if (!sleeper_) sleeper_ = curl;
    }
    if (!options.retry_sources.now) {
      options.retry_sources.now = [clock = SystemClock()] {
        return std::chrono::duration_cast<Milliseconds>(clock.wall().time_since_epoch());
      };
    }
    if (!options.retry_sources.uniform) {
      options.retry_sources.uniform = [] {
        thread_local Random random(secure_seed());
        return random.uniform();
      };
    }
    settings_ = std::make_shared<const Settings>(Settings{std::move(options)});
  }

  void start(ApiCall call, ResponseHandler done) override {
    std::make_shared<AsyncCall>(CallState(settings_, std::move(call)), transport_, sleeper_, std::move(done))
        ->start();
  }

  Result<HttpResponse> run(ApiCall call) override {
    CallState state(settings_, std::move(call));
    if (auto built = state.build(); !built) return fail(std::move(built).error());
    while (true) {
      auto request = state.begin();
      if (!request) return state.finish(fail(std::move(request).error()));
      auto answer = transport_->send_and_wait(*std::move(request), state.stop());
      const auto wait = state.settle(answer);
      if (!wait) return state.finish(std::move(answer));
      sleeper_->sleep_and_wait(*wait, state.stop());
    }
  }

 private:
  std::shared_ptr<Transport> transport_;
  std::shared_ptr<Sleeper> sleeper_;
  std::shared_ptr<const Settings> settings_;
};

}  // namespace

std::shared_ptr<Connection> make_connection(ClientOptions options) {
  return std::make_shared<HttpConnection>(std::move(options));
}

Client::Client(ClientOptions options) : connection_(make_connection(std::move(options))) {}

}  // namespace embedrouter::sdk::inline v0
