#include <embedrouter/error.h>

#include <array>

namespace embedrouter {
namespace {

using enum ErrorCode;

// clang-format off
constexpr std::array<ErrorTraits, kErrorCodeCount> kTable{{
    // code                    name                        status  error_type                retry  fall   health  key
    {invalid_request,         "invalid_request",           400, "invalid_request",          false, false, false, Parking::none},
    {context_length_exceeded, "context_length_exceeded",   400, "context_length_exceeded",  false, false, false, Parking::none},
    {content_policy_violation, "content_policy_violation", 400, "content_policy_violation", false, false, false, Parking::none},
    {token_input_unsupported, "token_input_unsupported",   400, "invalid_request",          false, false, false, Parking::none},
    {unauthorized,            "unauthorized",              401, "authentication",           false, false, false, Parking::none},
    {payment_required,        "payment_required",          402, "payment_required",         false, false, false, Parking::none},
    {permission_denied,       "permission_denied",         403, "permission_denied",        false, false, false, Parking::none},
    {not_found,               "not_found",                 404, "not_found",                false, false, false, Parking::none},
    {model_not_found,         "model_not_found",           404, "not_found",                false, false, false, Parking::none},
    {model_unavailable,       "model_unavailable_upstream", 404, "not_found",               false, true,  true,  Parking::none},
    {no_endpoint,             "no_endpoint",               404, "not_found",                false, false, false, Parking::none},
    {method_not_allowed,      "method_not_allowed",        405, "invalid_request",          false, false, false, Parking::none},
    {request_timeout,         "request_timeout",           408, "timeout",                  false, false, false, Parking::none},
    {space_mismatch,          "space_mismatch",            412, "precondition_failed",      false, false, false, Parking::none},
    {payload_too_large,       "payload_too_large",         413, "payload_too_large",        false, false, false, Parking::none},
    {unsupported_coding,      "unsupported_content_encoding", 415, "invalid_request",       false, false, false, Parking::none},
    {expectation_failed,      "expectation_failed",        417, "invalid_request",          false, false, false, Parking::none},
    {headers_too_large,       "headers_too_large",         431, "invalid_request",          false, false, false, Parking::none},
    {rate_limited,            "rate_limited",              429, "rate_limit_exceeded",      false, false, false, Parking::none},
    {client_closed,           "client_closed",             499, "unprocessable",            false, false, false, Parking::none},
    {internal,                "internal",                  500, "server",                   false, false, false, Parking::none},
    {not_implemented,         "not_implemented",           501, "invalid_request",          false, false, false, Parking::none},
    {overloaded,              "overloaded",                503, "provider_overloaded",      false, true,  false, Parking::none},
    {not_ready,               "not_ready",                 503, "provider_unavailable",     false, false, false, Parking::none},
    {shutting_down,           "shutting_down",             503, "provider_overloaded",      false, false, false, Parking::none},
    {no_equivalent_upstream,  "no_equivalent_upstream",    503, "provider_unavailable",     false, true,  false, Parking::none},
    {upstreams_failed,        "temporarily_unavailable",   503, "provider_unavailable",     false, false, false, Parking::none},
    {upstream_unreachable,    "upstream_unreachable",      502, "provider_unavailable",     true,  true,  true,  Parking::none},
    {upstream_untrusted,      "upstream_untrusted",        502, "provider_unavailable",     false, true,  true,  Parking::none},
    {upstream_redirected,     "upstream_redirected",       502, "provider_unavailable",     false, true,  true,  Parking::none},
    {upstream_error,          "upstream_error",            502, "provider_unavailable",     true,  true,  true,  Parking::none},
    {upstream_invalid_answer, "upstream_invalid_answer",   502, "provider_unavailable",     true,  true,  true,  Parking::none},
    {upstream_count_mismatch, "upstream_count_mismatch",   502, "provider_unavailable",     true,  true,  true,  Parking::none},
    {upstream_invalid_vector, "upstream_invalid_vector",   502, "provider_unavailable",     true,  true,  true,  Parking::none},
    {upstream_rejected,       "upstream_rejected",         400, "invalid_request",          false, false, false, Parking::none},
    {upstream_policy,         "upstream_policy",           400, "content_policy_violation", false, true,  false, Parking::none},
    {upstream_unauthorized,   "upstream_unauthorized",     403, "permission_denied",        false, true,  true,  Parking::everywhere},
    {upstream_forbidden,      "upstream_forbidden",        403, "permission_denied",        false, true,  false, Parking::endpoint},
    {upstream_quota,          "upstream_quota",            402, "payment_required",         false, true,  true,  Parking::everywhere},
    {upstream_rate_limited,   "upstream_rate_limited",     429, "rate_limit_exceeded",      false, true,  false, Parking::pause},
    {upstream_overloaded,     "upstream_overloaded",       529, "provider_overloaded",      true,  true,  true,  Parking::none},
    {upstream_timeout,        "upstream_timeout",          504, "timeout",                  false, true,  true,  Parking::none},
    {upstream_edge_timeout,   "upstream_edge_timeout",     524, "timeout",                  false, true,  true,  Parking::none},
}};
// clang-format on

constexpr bool in_order() {
  for (std::size_t i = 0; i < kTable.size(); ++i) {
    if (kTable[i].code != static_cast<ErrorCode>(i)) return false;
  }
  return true;
}
static_assert(in_order(), "a row per code, in the order of the enum");

}  // namespace

const ErrorTraits& traits(ErrorCode code) noexcept {
  return kTable[static_cast<std::size_t>(code)];
}

}  // namespace embedrouter
