#pragma once
// How a call fails: an Error inside a Result, or, for those who ask for it with value(), an exception of
// <embedrouter/exceptions.h>.

#include <embedrouter/http.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <type_traits>
#include <utility>

namespace embedrouter::sdk::inline v0 {

// Why a call failed.
enum class ErrorKind : std::uint8_t {
  // The server answered with a status that the operation documents, in the documented form.
  bad_request,            // 400
  unauthorized,           // 401
  payment_required,       // 402
  forbidden,              // 403
  not_found,              // 404
  request_timeout,        // 408
  conflict,               // 409
  payload_too_large,      // 413
  too_many_requests,      // 429
  client_closed_request,  // 499
  internal_server,        // 500
  bad_gateway,            // 502
  service_unavailable,    // 503
  gateway_timeout,        // 504
  edge_network_timeout,   // 524
  provider_overloaded,    // 529
  // It answered, but not like that.
  unexpected_response,  // another status, or not JSON
  response_validation,  // JSON, but not of the documented shape
  // No answer came.
  connect_failed,   // name, route, refused
  untrusted,        // the TLS identity does not verify
  timed_out,        // the timeout of the attempt or of its connection
  connection_lost,  // reset while sending or reading
  protocol,         // closed without a whole answer, malformed HTTP, or larger than max_response_bytes
  cancelled,        // by the stop token of the call
  usage,            // the call cannot be made as it is: message() says what to change
};

// "BadRequestResponseError": the name of the class that value() throws.
std::string_view class_name(ErrorKind kind) noexcept;

// A failure of a call. A value; cheap to copy. Nothing in it holds the API key; `body` may quote the input.
class Error {
 public:
  // What the server said. `code` to `openrouter_metadata` are members of the error envelope and unset where
  // it has none; the metadata are JSON text.
  struct Answer {
    int status = 0;
    Headers headers;
    std::string body;
    std::optional<std::int64_t> code;
    std::string message;
    std::optional<std::string> metadata;
    std::optional<std::string> user_id;
    std::optional<std::string> openrouter_metadata;
  };

  Error(ErrorKind kind, std::string message, std::shared_ptr<const Answer> answer = nullptr)
      : kind_(kind), message_(std::move(message)), answer_(std::move(answer)) {}

  ErrorKind kind() const noexcept { return kind_; }
  const std::string& message() const noexcept { return message_; }
  // Null when none came: transport errors, cancelled, usage.
  const Answer* answer() const noexcept { return answer_.get(); }
  // Of the answer; 0 without one.
  int status() const noexcept { return answer_ ? answer_->status : 0; }

  bool is_transport() const noexcept {
    return kind_ >= ErrorKind::connect_failed && kind_ <= ErrorKind::protocol;
  }

 private:
  ErrorKind kind_;
  std::string message_;
  std::shared_ptr<const Answer> answer_;
};

// Throws the exception of `error`'s kind. In a program built with -fno-exceptions it ends the program.
[[noreturn]] void throw_error(const Error& error);

// A value or an Error. Test it (`if (!result)`), then `*result` or `result.error()`. value() throws the
// exception of the error's kind instead.
template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
  using Base = tl::expected<T, Error>;

 public:
  using Base::Base;
  Result(Base base) : Base(std::move(base)) {}

  // The value, or throws as throw_error() does.
  std::add_lvalue_reference_t<T> value() & {
    if (!this->has_value()) throw_error(this->error());
    if constexpr (!std::is_void_v<T>) return **this;
  }
  std::add_lvalue_reference_t<const T> value() const& {
    if (!this->has_value()) throw_error(this->error());
    if constexpr (!std::is_void_v<T>) return **this;
  }
  T value() && {
    if (!this->has_value()) throw_error(this->error());
    if constexpr (!std::is_void_v<T>) return *std::move(*this);
  }
};

// What a function that returns a Result fails with.
inline tl::unexpected<Error> fail(ErrorKind kind, std::string message) {
  return tl::unexpected<Error>(Error(kind, std::move(message)));
}
// The same, of an Error there is already.
inline tl::unexpected<Error> fail(Error error) {
  return tl::unexpected<Error>(std::move(error));
}

}  // namespace embedrouter::sdk::inline v0
