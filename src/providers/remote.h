#pragma once
#include <memory>
#include <string>

#include "base/clock.h"
#include "catalog/catalog.h"
#include "embed/embedder.h"
#include "net/client.h"
#include "providers/dialect.h"

namespace embedrouter::providers {

struct RemoteOptions {
  std::string base_path;      // of the provider's base_url: "/v1"
  std::string authorization;  // "Bearer …"; empty: none. Never logged.
};

// One endpoint of a provider over HTTP: encode, send, decode.
class Remote final : public embed::Embedder {
 public:
  // `endpoint`, `client` and `clock` must outlive it; `client` is shared by the provider's endpoints on this
  // thread.
  Remote(const catalog::Endpoint& endpoint, const Dialect& dialect, net::Client& client,
         RemoteOptions options, const Clock& clock);

  std::string_view name() const override { return endpoint_.id; }
  Task<Result<api::EmbedReply>> embed(const api::EmbedRequest& request, embed::Call& call) override;

 private:
  const catalog::Endpoint& endpoint_;
  const Dialect& dialect_;
  net::Client& client_;
  RemoteOptions options_;
  const Clock& clock_;
};

}  // namespace embedrouter::providers
