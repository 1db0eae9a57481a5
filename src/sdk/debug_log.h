#pragma once
// Lines for people, without secrets: what authenticates is replaced, and so is the key wherever it stands.

#include <embedrouter/http.h>

#include <string>
#include <string_view>

namespace embedrouter::sdk {

// Replaces `secret` in `text`, unless it has fewer than 8 characters.
void redact(std::string& text, std::string_view secret);

// "Request: POST https://… headers … body". `body` is empty where it may hold keys of others.
std::string request_line(const HttpRequest& request, std::string_view body, std::string_view secret);
std::string response_line(const HttpResponse& response, std::string_view body, std::string_view secret);

}  // namespace embedrouter::sdk
