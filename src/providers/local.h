#pragma once
#include "catalog/catalog.h"
#include "embed/embedder.h"
#include "inference/local_model.h"

namespace embedrouter::providers {

// The embedded model as an endpoint. The model is shared by all threads; this wrapper belongs to one.
class Local final : public embed::Embedder {
 public:
  // Both must outlive it; `io` is the thread's own.
  Local(const catalog::Endpoint& endpoint, inference::LocalModel& model, asio::io_context& io);

  std::string_view name() const override { return endpoint_.id; }
  Task<Result<api::EmbedReply>> embed(const api::EmbedRequest& request, embed::Call& call) override;

 private:
  Error too_long(std::uint32_t item) const;

  const catalog::Endpoint& endpoint_;
  inference::LocalModel& model_;
  asio::io_context& io_;
};

}  // namespace embedrouter::providers
