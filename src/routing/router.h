#pragma once
#include <memory>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"
#include "base/random.h"
#include "catalog/catalog.h"
#include "embed/embedder.h"
#include "routing/candidate.h"

namespace embedrouter::routing {

// Finds the model, filters and orders its endpoints, and tries them inside one space until one has answered.
// One per I/O thread.
class Router final : public embed::Embedder {
 public:
  struct Route {
    const catalog::Endpoint* endpoint;
    std::unique_ptr<embed::Embedder> embedder;
    const embed::EndpointStatistics* statistics;
  };
  // `routes`: one for each endpoint of the catalog, which must outlive the router, as must the statistics,
  // `clock` and `random`.
  Router(const catalog::Catalog& catalog, std::vector<Route> routes, const Clock& clock, Random& random);

  std::string_view name() const override { return "router"; }
  Task<Result<api::EmbedReply>> embed(const api::EmbedRequest& request, embed::Call& call) override;

 private:
  Result<std::vector<Candidate>> plan(const api::EmbedRequest& request, embed::Call& call);
  Task<Result<api::EmbedReply>> try_in_turn(const api::EmbedRequest& request,
                                            std::span<const Candidate> candidates, embed::Call& call);
  Task<Result<api::EmbedReply>> try_one(const api::EmbedRequest& request, const Candidate& candidate,
                                        embed::Call& call);
  Task<bool> pause_before_retry(const embed::Call& call);

  const catalog::Catalog& catalog_;
  std::unordered_map<const catalog::Endpoint*, Route> routes_;
  const Clock& clock_;
  Random& random_;
};

// "author/name:floor" → the name without a suffix that routes, and the sort it asks for.
struct ModelName {
  std::string_view name;
  api::Sort sort = api::Sort::none;
};
ModelName split_suffix(std::string_view model);

}  // namespace embedrouter::routing
