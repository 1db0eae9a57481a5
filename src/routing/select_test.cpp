#include "routing/select.h"

#include <gtest/gtest.h>

#include "routing/test_market.h"
#include "testing/requests.h"

namespace embedrouter::routing {
namespace {

using testing::TextRequest;

// Models "test/model" and "test/model:free"; the first has all endpoints, the other the cheapest.
struct Bench {
  explicit Bench(const testing::Offers& endpoints) {
    catalog::Config config = testing::market(endpoints, "~test/latest");
    catalog::ModelConfig free = config.models.front();
    free.id = "test/model:free";
    free.aliases.clear();
    free.endpoints.resize(1);
    config.models.push_back(free);
    catalog = *catalog::Catalog::build(config, nullptr);
    std::vector<Route> routes;
    for (const catalog::Model* each : catalog->listed()) {
      for (const catalog::Endpoint& endpoint : each->endpoints)
        routes.push_back({&endpoint, nullptr, &states.of(endpoint.id)});
    }
    selector = std::make_unique<Selector>(*catalog, std::move(routes), clock);
    wish.sort = api::Sort::price;
  }
  Result<std::vector<Candidate>> select(const std::string& model = "test/model") {
    const TextRequest texts({"x"}, model);
    api::EmbedRequest request = texts.request;
    request.provider = &wish;
    call.candidates.clear();
    return selector->select(request, call, random);
  }
  // The ids of the endpoints to try, or the code of the failure.
  std::string selected(const std::string& model = "test/model") {
    const auto kept = select(model);
    if (!kept) return std::string(traits(kept.error().code()).name);
    std::string names;
    for (const Candidate& c : *kept) (names += c.endpoint->provider_slug) += ' ';
    return names;
  }
  // "provider:what took it out " of all, as the call tells it.
  std::string story() const {
    std::string text;
    for (const embed::CandidateRecord& c : call.candidates)
      ((text += c.provider) += ":") += c.excluded_by + " ";
    return text;
  }

  ManualClock clock;
  EndpointStates states;
  Random random{5};
  api::ProviderPreferences wish;
  std::shared_ptr<const catalog::Catalog> catalog;
  std::unique_ptr<Selector> selector;
  embed::Call call{"gen-emb-1", clock.now() + std::chrono::hours(1)};
};

TEST(Selector, without_fallbacks_the_top_endpoint_is_alone) {
  Bench bench({{"a", "s"}, {"b", "s"}, {"c", "t"}});
  bench.wish.allow_fallbacks = false;
  EXPECT_EQ(bench.selected(), "a ");
  EXPECT_EQ(bench.story(), "a: b:provider.allow_fallbacks c:provider.allow_fallbacks ");
}

TEST(Selector, without_fallbacks_those_of_the_order_stay) {
  Bench bench({{"a", "s"}, {"b", "s"}, {"c", "s"}});
  bench.wish.allow_fallbacks = false;
  bench.wish.has_order = true;
  bench.wish.order = {"c", "b"};
  EXPECT_EQ(bench.selected(), "c b ");
  EXPECT_EQ(bench.story(), "c: b: a:provider.order ");
}

TEST(Selector, suffixes_admit_their_tier) {
  Bench bench({{"a", "s"}, {"a/priority", "s"}, {"a/flex", "s"}, {"a/eu", "s"}});
  EXPECT_EQ(bench.selected(), "a a/eu ");
  EXPECT_EQ(bench.selected("test/model:floor"), "a a/flex a/eu ");
  EXPECT_EQ(bench.selected("test/model:nitro"), "a a/priority a/eu ")
      << "an explicit sort wins over the suffix";
  bench.wish.has_order = true;
  bench.wish.order = {"a"};
  EXPECT_EQ(bench.selected("test/model:floor"), "a a/eu ") << "an order admits no tier";
  bench.wish.order = {"a/flex"};
  EXPECT_EQ(bench.selected(), "a/flex a a/eu ") << "but those it names whole";
}

TEST(Selector, the_free_variant_is_a_model_of_its_own_and_a_tilde_an_alias) {
  Bench bench({{"a", "s"}, {"b", "s"}});
  EXPECT_EQ(bench.selected("test/model:free"), "a ");
  EXPECT_EQ(bench.selected("~test/latest"), "a b ");
  EXPECT_EQ(bench.selected("~test/latest:floor"), "a b ");
  EXPECT_EQ(bench.selected("other/model:free"), "model_not_found");
  EXPECT_EQ(bench.selected("~other/latest"), "model_not_found");
  EXPECT_EQ(bench.selected("@preset/mine"), "invalid_request");
}

TEST(Selector, a_pinned_space_is_kept_or_refused) {
  Bench bench({{"a", "s"}, {"b", "t"}});
  bench.call.pinned_space = "t";
  EXPECT_EQ(bench.selected(), "b ");
  EXPECT_EQ(bench.story(), "b: a:X-Embedrouter-Space ");
  bench.call.pinned_space = "u";
  EXPECT_EQ(bench.selected(), "space_mismatch");
}

}  // namespace
}  // namespace embedrouter::routing
