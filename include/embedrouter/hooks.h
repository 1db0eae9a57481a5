#pragma once
// Code of yours around each call. Hooks run on the SDK's thread or on one that waits for its call, several at
// once: they must be thread-safe and quick, and must not throw, which on the SDK's thread ends the program.

#include <embedrouter/client_error.h>
#include <embedrouter/http.h>

#include <cstdint>
#include <functional>
#include <string_view>

namespace embedrouter::sdk::inline v0 {

// Of the call. Valid while the hook runs.
struct HookContext {
  std::string_view operation;  // "embeddings.generate"
  std::string_view base_url;
  std::uint32_t attempt = 0;  // counted from 0
};

// Empty ones are not called.
struct Hooks {
  // Before each attempt; may change the request. An error ends the call with it.
  std::function<Result<void>(const HookContext&, HttpRequest&)> before_request{};
  // Once, with an answer below 400; may change it. An error ends the call with it.
  std::function<Result<void>(const HookContext&, HttpResponse&)> after_success{};
  // After each attempt that brought no answer (`error` is set), and once for a call that ends with a status
  // from 400 on (`response` is set). May change what it is given.
  std::function<void(const HookContext&, HttpResponse* response, Error* error)> after_error{};
};

}  // namespace embedrouter::sdk::inline v0
