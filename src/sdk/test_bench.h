#pragma once
// A client over mocks.
#include <embedrouter/client.h>
#include <embedrouter/testing/mock_connection.h>
#include <embedrouter/testing/mock_transport.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace embedrouter::sdk::inline v0::testing {

inline constexpr const char* kKey = "sk-or-v1-0123456789abcdef";
// 1.0, 2.0 and -0.5, 0.25
inline constexpr const char* kTwo = R"({"object":"list","model":"m","data":[
  {"object":"embedding","index":0,"embedding":"AACAPwAAAEA="},
  {"object":"embedding","index":1,"embedding":[-0.5,0.25]}],
  "usage":{"prompt_tokens":3,"total_tokens":3,"cost":0.5}})";

struct Bench {
  std::shared_ptr<MockTransport> transport = std::make_shared<MockTransport>();
  std::shared_ptr<MockTime> time = std::make_shared<MockTime>();

  Client client(ClientOptions options = {}) {
    if (std::holds_alternative<std::monostate>(options.api_key)) options.api_key = kKey;
    if (!options.server_url) options.server_url = "http://host/api/v1/";
    options.transport = transport;
    options.sleeper = time;
    options.retry_sources = {[time = time] { return time->now(); }, [] { return 0.0; }};
    return Client(std::move(options));
  }
};

inline Result<EmbeddingsResponse> ask(const Client& client, CallOptions options = {}) {
  return client.embeddings().generate({.input = "hi", .model = "m"}, std::move(options)).get();
}

// The answer to a request for two items.
inline Result<EmbeddingsResponse> decoded(std::string body) {
  auto mock = std::make_shared<MockConnection>();
  mock->answer(200, std::move(body));
  return Client(mock)
      .embeddings()
      .generate({.input = std::vector<std::string>{"a", "b"}, .model = "m"})
      .get();
}

}  // namespace embedrouter::sdk::inline v0::testing
