#include "sdk/answer.h"

#include <algorithm>

#include "base/ascii.h"
#include "sdk/debug_log.h"

namespace embedrouter::sdk {
namespace {

constexpr std::size_t kMostOfABody = 10'000;

// Bare, as Python's email package reads it: anything odd is text/plain.
std::string_view media_type(const HttpResponse& response) {
  const std::string* header = response.headers.find("content-type");
  if (header == nullptr) return "application/octet-stream";
  std::string_view text(*header);
  text = text.substr(0, text.find(';'));
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return "text/plain";
  text = text.substr(first, text.find_last_not_of(" \t") + 1 - first);
  return std::ranges::count(text, '/') == 1 ? text : "text/plain";
}

bool is_json(const HttpResponse& response) {
  return same_ignoring_case(media_type(response), "application/json");
}

// A server may show what it was sent.
HttpResponse redacted(HttpResponse response) {
  redact(response.body, response.secret);
  Headers headers;
  for (auto [name, value] : response.headers) {
    redact(value, response.secret);
    headers.add(std::move(name), std::move(value));
  }
  response.headers = std::move(headers);
  return response;
}

std::shared_ptr<Error::Answer> answer_of(HttpResponse&& response) {
  auto answer = std::make_shared<Error::Answer>();
  answer->status = response.status;
  answer->headers = std::move(response.headers);
  answer->body = std::move(response.body);
  return answer;
}

// As OpenRouterDefaultError words it.
Error unexpected(HttpResponse&& response, std::string message) {
  message += ": Status " + std::to_string(response.status);
  const std::string* header = response.headers.find("content-type");
  const std::string type = header == nullptr || header->empty() ? "\"\"" : *header;
  if (type != "application/json") {
    message += " Content-Type ";
    message += type.find(' ') == std::string::npos ? type : '"' + type + '"';
  }
  message += ". Body: ";
  const std::string& body = response.body;
  if (body.empty()) {
    message += "\"\"";
  } else if (body.size() <= kMostOfABody) {
    message += body;
  } else {
    message +=
        body.substr(0, kMostOfABody) + "...and " + std::to_string(body.size() - kMostOfABody) + " more bytes";
  }
  return {ErrorKind::unexpected_response, std::move(message), answer_of(std::move(response))};
}

struct EnvelopeError {
  std::int64_t code = 0;
  std::string message;
  std::optional<Json> metadata;
};
struct Envelope {
  EnvelopeError error;
  std::optional<std::string> user_id;
  std::optional<Json> openrouter_metadata;
};

ErrorKind kind_of(int status) {
  switch (status) {
    case 400:
      return ErrorKind::bad_request;
    case 401:
      return ErrorKind::unauthorized;
    case 402:
      return ErrorKind::payment_required;
    case 403:
      return ErrorKind::forbidden;
    case 404:
      return ErrorKind::not_found;
    case 408:
      return ErrorKind::request_timeout;
    case 409:
      return ErrorKind::conflict;
    case 413:
      return ErrorKind::payload_too_large;
    case 429:
      return ErrorKind::too_many_requests;
    case 499:
      return ErrorKind::client_closed_request;
    case 500:
      return ErrorKind::internal_server;
    case 502:
      return ErrorKind::bad_gateway;
    case 503:
      return ErrorKind::service_unavailable;
    case 504:
      return ErrorKind::gateway_timeout;
    case 524:
      return ErrorKind::edge_network_timeout;
    case 529:
      return ErrorKind::provider_overloaded;
    default:
      return ErrorKind::unexpected_response;
  }
}

bool is_object(const std::optional<Json>& json) {
  return !json || json->text.starts_with('{');
}

}  // namespace

template <>
struct Schema<EnvelopeError> {
  static constexpr std::tuple kMembers{required<&EnvelopeError::code>("code"),
                                       required<&EnvelopeError::message>("message"),
                                       optional<&EnvelopeError::metadata>("metadata")};
};
template <>
struct Schema<Envelope> {
  static constexpr std::tuple kMembers{required<&Envelope::error>("error"),
                                       optional<&Envelope::user_id>("user_id"),
                                       optional<&Envelope::openrouter_metadata>("openrouter_metadata")};
};

bool is_success(const Operation& operation, const HttpResponse& response) {
  return response.status == operation.success && is_json(response);
}

Error validation_error(HttpResponse response, std::string what) {
  redact(what, response.secret);
  return {ErrorKind::response_validation, "Response validation failed: " + what,
          answer_of(redacted(std::move(response)))};
}

Error error_of(const Operation& operation, HttpResponse response) {
  response = redacted(std::move(response));
  const int status = response.status;
  const bool typed = std::ranges::find(operation.typed, status) != std::end(operation.typed);
  if (!typed || !is_json(response)) {
    const bool error = status / 100 == 4 || status / 100 == 5;
    return unexpected(std::move(response), error ? "API error occurred" : "Unexpected response received");
  }
  Envelope envelope;
  JsonReader in(response.body);
  if (!read(in, envelope) || !in.json.finish()) {
    const std::string what = in.what();
    return validation_error(std::move(response), what);
  }
  if (!is_object(envelope.error.metadata))
    return validation_error(std::move(response), "error.metadata is not an object");
  if (!is_object(envelope.openrouter_metadata))
    return validation_error(std::move(response), "openrouter_metadata is not an object");
  auto answer = answer_of(std::move(response));
  answer->code = envelope.error.code;
  answer->message = envelope.error.message;
  if (envelope.error.metadata) answer->metadata = std::move(envelope.error.metadata->text);
  answer->user_id = std::move(envelope.user_id);
  if (envelope.openrouter_metadata)
    answer->openrouter_metadata = std::move(envelope.openrouter_metadata->text);
  std::string message = envelope.error.message.empty() ? answer->body : std::move(envelope.error.message);
  return {kind_of(status), std::move(message), std::move(answer)};
}

}  // namespace embedrouter::sdk
