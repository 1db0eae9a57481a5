#pragma once
#include <memory>
#include <string>

#include "base/clock.h"
#include "catalog/catalog.h"
#include "embed/embedder.h"
#include "net/client.h"
#include "providers/dialect.h"
#include "providers/keys.h"

namespace embedrouter::providers {

struct RemoteOptions {
  std::string base_path;          // of the provider's base_url: "/v1"
  std::shared_ptr<KeyPool> keys;  // of the provider
  bool policy_fallback = false;   // other providers may be asked what this one refuses for its content
};

// One endpoint of a provider over HTTP: encode, send, decode. A call whose key is refused is made again with
// each of the provider's other keys, as one attempt; when all are parked it fails at once, unsent.
class Remote final : public embed::Embedder {
 public:
  // `endpoint`, `client` and `clock` must outlive it; `client` is shared by the provider's endpoints on this
  // thread.
  Remote(const catalog::Endpoint& endpoint, const Dialect& dialect, net::Client& client,
         RemoteOptions options, const Clock& clock);

  std::string_view name() const override { return endpoint_.id; }
  Task<Result<api::EmbedReply>> embed(const api::EmbedRequest& request, embed::Call& call) override;

 private:
  Task<Result<api::EmbedReply>> ask(const api::EmbedRequest& request, const UpstreamRequest& encoded,
                                    std::string_view authorization, std::uint64_t span, embed::Call& call);
  Error told(Error error, std::string_view authorization) const;

  const catalog::Endpoint& endpoint_;
  const Dialect& dialect_;
  net::Client& client_;
  RemoteOptions options_;
  const Clock& clock_;
};

}  // namespace embedrouter::providers
