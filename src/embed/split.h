#pragma once
#include <memory>

#include "embed/embedder.h"

namespace embedrouter::embed {

// Most that one call to an endpoint may carry. 0: no limit.
struct BatchLimits {
  std::uint32_t items = 0;
  std::uint32_t tokens = 0;  // bounded by bytes: a token is at least one
};

// Sends a request in parts that keep the endpoint's limits and puts the answers together in the caller's
// order; usage is summed. Parts go one after the other, so the endpoint's concurrency is not multiplied.
class Split final : public Embedder {
 public:
  Split(std::unique_ptr<Embedder> inner, BatchLimits limits);
  std::string_view name() const override { return inner_->name(); }
  Task<Result<api::EmbedReply>> embed(const api::EmbedRequest& request, Call& call) override;

 private:
  std::unique_ptr<Embedder> inner_;
  BatchLimits limits_;
};

// How many of `items`, from the first, one call may carry; at least one.
std::size_t part_size(std::span<const api::Item> items, BatchLimits limits);

}  // namespace embedrouter::embed
