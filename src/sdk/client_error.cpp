#include <embedrouter/client_error.h>
#include <embedrouter/exceptions.h>

namespace embedrouter::sdk::inline v0 {

std::string_view class_name(ErrorKind kind) noexcept {
  switch (kind) {
    case ErrorKind::bad_request:
      return "BadRequestResponseError";
    case ErrorKind::unauthorized:
      return "UnauthorizedResponseError";
    case ErrorKind::payment_required:
      return "PaymentRequiredResponseError";
    case ErrorKind::forbidden:
      return "ForbiddenResponseError";
    case ErrorKind::not_found:
      return "NotFoundResponseError";
    case ErrorKind::request_timeout:
      return "RequestTimeoutResponseError";
    case ErrorKind::conflict:
      return "ConflictResponseError";
    case ErrorKind::payload_too_large:
      return "PayloadTooLargeResponseError";
    case ErrorKind::too_many_requests:
      return "TooManyRequestsResponseError";
    case ErrorKind::client_closed_request:
      return "ClientClosedRequestResponseError";
    case ErrorKind::internal_server:
      return "InternalServerResponseError";
    case ErrorKind::bad_gateway:
      return "BadGatewayResponseError";
    case ErrorKind::service_unavailable:
      return "ServiceUnavailableResponseError";
    case ErrorKind::gateway_timeout:
      return "GatewayTimeoutResponseError";
    case ErrorKind::edge_network_timeout:
      return "EdgeNetworkTimeoutResponseError";
    case ErrorKind::provider_overloaded:
      return "ProviderOverloadedResponseError";
    case ErrorKind::unexpected_response:
      return "OpenRouterDefaultError";
    case ErrorKind::response_validation:
      return "ResponseValidationError";
    case ErrorKind::connect_failed:
    case ErrorKind::untrusted:
    case ErrorKind::timed_out:
    case ErrorKind::connection_lost:
    case ErrorKind::protocol:
      return "TransportError";
    case ErrorKind::cancelled:
      return "CancelledError";
    case ErrorKind::usage:
      return "UsageError";
  }
  return "CallFailure";
}

void throw_error(const Error& error) {
  switch (error.kind()) {
    case ErrorKind::bad_request:
      throw BadRequestResponseError(error);
    case ErrorKind::unauthorized:
      throw UnauthorizedResponseError(error);
    case ErrorKind::payment_required:
      throw PaymentRequiredResponseError(error);
    case ErrorKind::forbidden:
      throw ForbiddenResponseError(error);
    case ErrorKind::not_found:
      throw NotFoundResponseError(error);
    case ErrorKind::request_timeout:
      throw RequestTimeoutResponseError(error);
    case ErrorKind::conflict:
      throw ConflictResponseError(error);
    case ErrorKind::payload_too_large:
      throw PayloadTooLargeResponseError(error);
    case ErrorKind::too_many_requests:
      throw TooManyRequestsResponseError(error);
    case ErrorKind::client_closed_request:
      throw ClientClosedRequestResponseError(error);
    case ErrorKind::internal_server:
      throw InternalServerResponseError(error);
    case ErrorKind::bad_gateway:
      throw BadGatewayResponseError(error);
    case ErrorKind::service_unavailable:
      throw ServiceUnavailableResponseError(error);
    case ErrorKind::gateway_timeout:
      throw GatewayTimeoutResponseError(error);
    case ErrorKind::edge_network_timeout:
      throw EdgeNetworkTimeoutResponseError(error);
    case ErrorKind::provider_overloaded:
      throw ProviderOverloadedResponseError(error);
    case ErrorKind::unexpected_response:
      throw OpenRouterDefaultError(error);
    case ErrorKind::response_validation:
      throw ResponseValidationError(error);
    case ErrorKind::connect_failed:
    case ErrorKind::untrusted:
    case ErrorKind::timed_out:
    case ErrorKind::connection_lost:
    case ErrorKind::protocol:
      throw TransportError(error);
    case ErrorKind::cancelled:
      throw CancelledError(error);
    case ErrorKind::usage:
      throw UsageError(error);
  }
  throw CallFailure(error);
}

}  // namespace embedrouter::sdk::inline v0
