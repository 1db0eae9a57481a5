#pragma once
// Failures are values. One enum, one table: from a code follow its wire name, HTTP status, error_type and
// what the router does about it. See CONTRACT sections 3.2 and 3.3 for the wire and docs/failure_policy.md
// for the policy.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace embedrouter {

enum class ErrorCode : std::uint8_t {
  // The caller can mend these.
  invalid_request,           // a member of the body or a query parameter is wrong; `param` names it
  context_length_exceeded,   // a text is longer than the model takes; `item` names it
  content_policy_violation,  // a provider's content policy refuses a text; final
  token_input_unsupported,   // token ids for a model whose vocabulary the caller cannot know
  unauthorized,              // no key, an unknown one, or a revoked one
  payment_required,
  permission_denied,
  not_found,          // unknown path
  model_not_found,    // no model of that name
  model_unavailable,  // every endpoint of the model says its provider no longer has it
  no_endpoint,        // the model exists, but the request's filters leave no endpoint of it
  method_not_allowed,
  request_timeout,  // the request did not arrive in time
  space_mismatch,   // the pinned space is not the one that would answer
  payload_too_large,
  unsupported_coding,  // a Content-Encoding that is not spoken here
  expectation_failed,  // an Expect header other than 100-continue
  headers_too_large,
  rate_limited,   // the caller's own limit
  client_closed,  // the caller left; nobody reads the answer
  // The router cannot, now.
  internal,
  not_implemented,  // an HTTP feature nothing here speaks (a transfer coding, a version)
  overloaded,       // the router's own queues are full; Retry-After: 1
  not_ready,        // GET /readyz: do not send requests here now
  shutting_down,
  no_equivalent_upstream,  // nothing healthy is left in the space of the request
  upstreams_failed,        // every endpoint failed, each in its own way
  // An upstream failed. What it said never reaches the caller verbatim.
  upstream_unreachable,     // connect, TLS, reset, closed mid-answer
  upstream_untrusted,       // its TLS identity does not verify, or ours does not for it
  upstream_redirected,      // it points elsewhere; keys and texts do not follow
  upstream_error,           // a 5xx
  upstream_invalid_answer,  // a 200 that is not one: broken JSON, wrong form, an error object
  upstream_count_mismatch,  // another number of vectors than of texts
  upstream_invalid_vector,  // non-finite, zero, empty or wrongly wide
  upstream_rejected,        // a 4xx about the request itself
  upstream_policy,          // as content_policy_violation, where the operator lets other providers be asked
  upstream_unauthorized,    // the router's own key was refused: the operator must act
  upstream_forbidden,       // that key is good, but not for this: the operator must act
  upstream_quota,           // the router's own balance there is exhausted
  upstream_rate_limited,
  upstream_overloaded,    // it says that it is, and that it is not our rate
  upstream_timeout,       // a deadline of the router ran out, or one of the provider's
  upstream_edge_timeout,  // the edge in front of the provider waited in vain
};
inline constexpr std::size_t kErrorCodeCount = static_cast<std::size_t>(ErrorCode::upstream_edge_timeout) + 1;

// What a failure means for the provider's key that was sent with the call: whether, and where, the key is
// left unused for a while, and another one tried at once. How long: providers/keys.h.
enum class Parking : std::uint8_t {
  none,
  pause,       // at this endpoint, for the time it names
  endpoint,    // at this endpoint, until a call with it goes well again
  everywhere,  // at every endpoint of the provider, until then
};

// One row of the table, which docs/failure_policy.md shows. `name` is stable and goes to the wire as
// error.metadata.code; `error_type` is the vocabulary of CONTRACT 3.3.
struct ErrorTraits {
  ErrorCode code;
  std::string_view name;
  int http_status;
  std::string_view error_type;
  bool retry;           // the same endpoint may succeed if asked again
  bool fall_back;       // another endpoint may succeed
  bool against_health;  // counts against the endpoint
  Parking parking;
};
const ErrorTraits& traits(ErrorCode code) noexcept;

// A failure with a cause the caller can act on. `message` is safe to show to the caller: it never holds a
// key, and holds no input text. `detail` is for the log alone.
class Error {
 public:
  Error(ErrorCode code, std::string message) : code_(code), message_(std::move(message)) {}

  ErrorCode code() const noexcept { return code_; }
  int http_status() const noexcept { return traits(code_).http_status; }
  const std::string& message() const noexcept { return message_; }
  const std::string& detail() const noexcept { return detail_; }
  // The member of the request that is wrong, as a path: "input[3]", "provider.order". Empty if none is.
  const std::string& param() const noexcept { return param_; }
  // Index of the item of `input` that is wrong.
  std::optional<std::uint32_t> item() const noexcept { return item_; }
  // Display name of the provider that failed, and its own code. Empty if none did.
  const std::string& provider() const noexcept { return provider_; }
  const std::string& provider_code() const noexcept { return provider_code_; }
  // The HTTP status the provider answered; 0 if it answered none, or a 200.
  int upstream_status() const noexcept { return upstream_status_; }
  std::optional<std::chrono::milliseconds> retry_after() const noexcept { return retry_after_; }
  // The provider was not asked, since what it would say is known: this failure says nothing new of it.
  bool unsent() const noexcept { return unsent_; }

  Error with_code(ErrorCode v) && { return code_ = v, std::move(*this); }
  Error with_message(std::string v) && { return message_ = std::move(v), std::move(*this); }
  Error with_detail(std::string v) && { return detail_ = std::move(v), std::move(*this); }
  Error with_param(std::string v) && { return param_ = std::move(v), std::move(*this); }
  Error with_item(std::uint32_t v) && { return item_ = v, std::move(*this); }
  Error with_provider(std::string name, std::string code = {}) && {
    return provider_ = std::move(name), provider_code_ = std::move(code), std::move(*this);
  }
  Error with_upstream_status(int v) && { return upstream_status_ = v, std::move(*this); }
  Error with_retry_after(std::chrono::milliseconds v) && { return retry_after_ = v, std::move(*this); }
  Error as_unsent() && { return unsent_ = true, std::move(*this); }

 private:
  ErrorCode code_;
  std::string message_, detail_, param_, provider_, provider_code_;
  int upstream_status_ = 0;
  bool unsent_ = false;
  std::optional<std::uint32_t> item_;
  std::optional<std::chrono::milliseconds> retry_after_;
};

}  // namespace embedrouter
