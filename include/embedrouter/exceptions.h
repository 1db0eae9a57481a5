#pragma once
// What Result::value() throws: one class per kind of Error, named as in the official SDKs.

#include <embedrouter/client_error.h>

#include <stdexcept>

namespace embedrouter::sdk::inline v0 {

// The root: catches everything a call can throw.
class CallFailure : public std::runtime_error {
 public:
  explicit CallFailure(const Error& error) : std::runtime_error(error.message()), error_(error) {}
  const Error& error() const noexcept { return error_; }

 private:
  Error error_;
};

// The server answered, and not with what was asked for. Of a single vector of an answer (EmbeddingView) there
// is no error().answer(): then body and headers are empty and the status is 0.
class OpenRouterError : public CallFailure {
 public:
  using CallFailure::CallFailure;
  int status_code() const noexcept { return error().status(); }
  const std::string& body() const noexcept { return answer().body; }
  const Headers& headers() const noexcept { return answer().headers; }

 private:
  const Error::Answer& answer() const noexcept {
    static const Error::Answer kNone;
    return error().answer() != nullptr ? *error().answer() : kNone;
  }
};

// clang-format off
class BadRequestResponseError final : public OpenRouterError { public: using OpenRouterError::OpenRouterError; };
class UnauthorizedResponseError final : public OpenRouterError { public: using OpenRouterError::OpenRouterError; };
class PaymentRequiredResponseError final : public OpenRouterError { public: using OpenRouterError::OpenRouterError; };
class ForbiddenResponseError final : public OpenRouterError { public: using OpenRouterError::OpenRouterError; };
class NotFoundResponseError final : public OpenRouterError { public: using OpenRouterError::OpenRouterError; };
class RequestTimeoutResponseError final : public OpenRouterError { public: using OpenRouterError::OpenRouterError; };
class ConflictResponseError final : public OpenRouterError { public: using OpenRouterError::OpenRouterError; };
class PayloadTooLargeResponseError final : public OpenRouterError { public: using OpenRouterError::OpenRouterError; };
class TooManyRequestsResponseError final : public OpenRouterError { public: using OpenRouterError::OpenRouterError; };
class ClientClosedRequestResponseError final : public OpenRouterError { public: using OpenRouterError::OpenRouterError; };
class InternalServerResponseError final : public OpenRouterError { public: using OpenRouterError::OpenRouterError; };
class BadGatewayResponseError final : public OpenRouterError { public: using OpenRouterError::OpenRouterError; };
class ServiceUnavailableResponseError final : public OpenRouterError { public: using OpenRouterError::OpenRouterError; };
class GatewayTimeoutResponseError final : public OpenRouterError { public: using OpenRouterError::OpenRouterError; };
class EdgeNetworkTimeoutResponseError final : public OpenRouterError { public: using OpenRouterError::OpenRouterError; };
class ProviderOverloadedResponseError final : public OpenRouterError { public: using OpenRouterError::OpenRouterError; };
class OpenRouterDefaultError final : public OpenRouterError { public: using OpenRouterError::OpenRouterError; };
class ResponseValidationError final : public OpenRouterError { public: using OpenRouterError::OpenRouterError; };
// clang-format on

// No answer came; error().kind() says why.
class TransportError final : public CallFailure {
 public:
  using CallFailure::CallFailure;
};
class CancelledError final : public CallFailure {
 public:
  using CallFailure::CallFailure;
};
// The call cannot be made as it is.
class UsageError final : public CallFailure {
 public:
  using CallFailure::CallFailure;
};

}  // namespace embedrouter::sdk::inline v0
