#include "routing/filter.h"

#include <gtest/gtest.h>

#include "testing/requests.h"

namespace embedrouter::routing {
namespace {

using testing::TextRequest;

struct Bench {
  Bench() {
    model.id = "test/model";
    model.dimensions = 1024;
    endpoint.model = &model;
    endpoint.id = "test/model@acme";
    endpoint.provider_slug = "acme";
    endpoint.provider_name = "Acme AI";
    endpoint.quantization = "fp16";
    endpoint.pico_usd_per_token = 20'000;  // 0.02 USD per million
    request.request.provider = &wish;
  }
  // The parameter that excludes the endpoint, or "" if it may answer.
  std::string excluded_by(catalog::Tier admitted = catalog::Tier::standard) const {
    const auto out = exclude(endpoint, request.request, admitted);
    return out ? out->parameter : "";
  }
  ErrorCode failure() {
    auto kept = filter(std::vector{Candidate{&endpoint}}, request.request, catalog::Tier::standard, excluded);
    return kept ? ErrorCode::internal : kept.error().code();
  }

  catalog::Model model;
  catalog::Endpoint endpoint;
  api::ProviderPreferences wish;
  TextRequest request{{"alpha"}};
  std::vector<embed::CandidateRecord> excluded;
};

TEST(Filter, keeps_an_endpoint_that_nothing_speaks_against) {
  Bench bench;
  EXPECT_EQ(bench.excluded_by(), "");
  EXPECT_EQ(bench.failure(), ErrorCode::internal);
}

TEST(Filter, honours_or_refuses_dimensions) {
  Bench bench;
  bench.request.request.dimensions = 1024;
  EXPECT_EQ(bench.excluded_by(), "") << "its own width";
  bench.request.request.dimensions = 512;
  EXPECT_EQ(bench.excluded_by(), "dimensions");
  EXPECT_EQ(bench.failure(), ErrorCode::invalid_request);
  bench.model.matryoshka = {256, 512};
  EXPECT_EQ(bench.excluded_by(), "dimensions") << "the model can, the endpoint is not said to";
  bench.endpoint.dimensions = true;
  EXPECT_EQ(bench.excluded_by(), "");
  bench.request.request.dimensions = 300;
  EXPECT_EQ(bench.excluded_by(), "dimensions");
}

TEST(Filter, honours_or_refuses_input_type) {
  Bench bench;
  bench.request.request.input_type = "search_query";
  EXPECT_EQ(bench.excluded_by(), "input_type");
  bench.endpoint.input_types = {"search_query"};
  EXPECT_EQ(bench.excluded_by(), "");
  bench.request.request.input_type = "document";
  EXPECT_EQ(bench.excluded_by(), "input_type");
  bench.model.symmetric = true;
  EXPECT_EQ(bench.excluded_by(), "");
  bench.request.request.input_type = "clustering";
  EXPECT_EQ(bench.excluded_by(), "input_type") << "symmetric in queries and documents only";
}

TEST(Filter, refuses_token_ids_with_what_to_do) {
  Bench bench;
  const std::vector<std::uint32_t> ids{1, 2};
  const std::vector<api::Item> items{{{}, ids}};
  bench.request.request.items = items;
  EXPECT_EQ(bench.failure(), ErrorCode::token_input_unsupported);
  const auto kept = filter(std::vector{Candidate{&bench.endpoint}}, bench.request.request,
                           catalog::Tier::standard, bench.excluded);
  EXPECT_NE(kept.error().message().find("check_embedding_ctx_length=False"), std::string::npos);
  bench.endpoint.token_ids = true;
  EXPECT_EQ(bench.excluded_by(), "");
}

TEST(Filter, takes_truncate_on_the_embedded_model_alone) {
  Bench bench;
  bench.request.request.truncate = true;
  EXPECT_EQ(bench.excluded_by(), "truncate");
  bench.endpoint.embedded = true;
  EXPECT_EQ(bench.excluded_by(), "");
}

TEST(Filter, applies_every_preference) {
  struct Row {
    const char* parameter;
    void (*set)(api::ProviderPreferences& wish);
  };
  const std::vector<Row> rows{
      {"provider.only", [](auto& w) { w.has_only = true; }},
      {"provider.only", [](auto& w) { w.has_only = true, w.only = {"other"}; }},
      {"", [](auto& w) { w.has_only = true, w.only = {"ACME"}; }},
      {"", [](auto& w) { w.has_only = true, w.only = {"acme ai"}; }},
      {"provider.ignore", [](auto& w) { w.ignore = {"acme"}; }},
      {"", [](auto& w) { w.ignore = {"acme-two"}; }},
      {"provider.order", [](auto& w) { w.has_order = true, w.order = {"other"}, w.allow_fallbacks = false; }},
      {"", [](auto& w) { w.has_order = true, w.order = {"other", "acme"}, w.allow_fallbacks = false; }},
      {"", [](auto& w) { w.allow_fallbacks = false; }},
      {"", [](auto& w) { w.has_order = true, w.order = {"other"}; }},
      {"provider.zdr", [](auto& w) { w.zdr = true; }},
      {"provider.data_collection", [](auto& w) { w.deny_data_collection = true; }},
      {"provider.enforce_distillable_text", [](auto& w) { w.enforce_distillable_text = true; }},
      {"provider.quantizations", [](auto& w) { w.quantizations = {"fp8", "int8"}; }},
      {"", [](auto& w) { w.quantizations = {"fp8", "fp16"}; }},
      {"provider.max_price", [](auto& w) { w.max_price.prompt = 0.019; }},
      {"", [](auto& w) { w.max_price.prompt = 0.02; }},
      {"", [](auto& w) { w.max_price.request = 0, w.max_price.image = 0; }},
      {"", [](auto& w) { w.options = {{"acme", "\"a\":1"}}; }},
      {"", [](auto& w) { w.require_parameters = true; }},
  };
  for (std::size_t i = 0; i < rows.size(); ++i) {
    Bench bench;
    rows[i].set(bench.wish);
    EXPECT_EQ(bench.excluded_by(), rows[i].parameter) << "row " << i;
  }
}

TEST(Filter, families_of_quantizations_cover_their_members) {
  struct Row {
    const char *wanted, *has, *out;
  };
  for (const auto& [wanted, has, out] :
       {Row{"fp4", "mxfp4", ""}, Row{"fp4", "nvfp4", ""}, Row{"fp8", "mxfp8", ""},
        Row{"mxfp8", "fp8", "provider.quantizations"}, Row{"fp4", "mxfp8", "provider.quantizations"},
        Row{"fp16", "bf16", "provider.quantizations"}}) {
    Bench bench;
    bench.endpoint.quantization = has;
    bench.wish.quantizations = {wanted};
    EXPECT_EQ(bench.excluded_by(), out) << wanted << " and " << has;
  }
}

TEST(Filter, distillation_is_for_the_models_that_allow_it) {
  Bench bench;
  bench.wish.enforce_distillable_text = true;
  bench.model.distillable = true;
  EXPECT_EQ(bench.excluded_by(), "");
}

TEST(Filter, parameters_can_be_required_even_where_they_change_no_vector) {
  Bench bench;
  bench.request.request.user = "u";
  EXPECT_EQ(bench.excluded_by(), "");
  bench.wish.require_parameters = true;
  EXPECT_EQ(bench.excluded_by(), "provider.require_parameters");
  bench.endpoint.user = true;
  EXPECT_EQ(bench.excluded_by(), "");
}

TEST(Filter, requiring_no_parameters_does_not_loosen_honoured_or_refused) {
  Bench bench;
  bench.wish.require_parameters = false;
  bench.request.request.dimensions = 7;
  EXPECT_EQ(bench.excluded_by(), "dimensions");
}

TEST(Filter, options_for_the_embedded_model_are_refused) {
  Bench bench;
  bench.endpoint.embedded = true;
  bench.wish.options = {{"other", ""}};
  EXPECT_EQ(bench.excluded_by(), "");
  bench.wish.options = {{"Acme", ""}};
  EXPECT_EQ(bench.excluded_by(), "provider.options");
  EXPECT_EQ(bench.failure(), ErrorCode::invalid_request);
}

TEST(Filter, a_base_slug_means_its_regions_and_a_whole_slug_that_one) {
  Bench bench;
  bench.endpoint.provider_slug = "acme/eu";
  bench.wish.has_only = true;
  for (const auto& [name, out] :
       std::vector<std::pair<std::string_view, std::string>>{{"acme", ""},
                                                             {"ACME/eu", ""},
                                                             {"Acme AI", ""},
                                                             {"acme/us", "provider.only"},
                                                             {"acm", "provider.only"},
                                                             {"acme/", "provider.only"},
                                                             {"eu", "provider.only"}}) {
    bench.wish.only = {name};
    EXPECT_EQ(bench.excluded_by(), out) << name;
  }
}

TEST(Filter, a_service_tier_answers_who_names_it_or_whose_suffix_lets_it_in) {
  using catalog::Tier;
  struct Row {
    const char* out;
    Tier admitted;
    void (*set)(api::ProviderPreferences& wish);
  };
  const auto nothing = [](api::ProviderPreferences&) {};
  const std::vector<Row> rows{
      {"service_tier", Tier::standard, nothing},
      {"", Tier::priority, nothing},
      {"service_tier", Tier::flex, nothing},
      {"", Tier::standard, [](auto& w) { w.has_order = true, w.order = {"acme/priority"}; }},
      {"service_tier", Tier::standard, [](auto& w) { w.has_order = true, w.order = {"acme"}; }},
      {"service_tier", Tier::priority, [](auto& w) { w.has_order = true, w.order = {"acme"}; }},
      {"", Tier::standard, [](auto& w) { w.has_only = true, w.only = {"acme/priority"}; }},
      {"provider.only", Tier::priority, [](auto& w) { w.has_only = true, w.only = {"acme"}; }},
      {"", Tier::priority, [](auto& w) { w.ignore = {"acme"}; }},
      {"provider.ignore", Tier::priority, [](auto& w) { w.ignore = {"acme/priority"}; }},
  };
  for (std::size_t i = 0; i < rows.size(); ++i) {
    Bench bench;
    bench.endpoint.provider_slug = "acme/priority";
    bench.endpoint.tier = catalog::tier_of(bench.endpoint.provider_slug);
    rows[i].set(bench.wish);
    EXPECT_EQ(bench.excluded_by(rows[i].admitted), rows[i].out) << "row " << i;
  }
}

TEST(Filter, a_404_names_every_preference_that_took_part) {
  Bench bench;
  catalog::Endpoint other = bench.endpoint;
  other.provider_slug = other.provider_name = "other";
  other.pico_usd_per_token = 1;
  bench.wish.ignore = {"other"};
  bench.wish.max_price.prompt = 0.001;
  const auto kept = filter(std::vector{Candidate{&bench.endpoint}, Candidate{&other}}, bench.request.request,
                           catalog::Tier::standard, bench.excluded);
  ASSERT_FALSE(kept);
  EXPECT_EQ(kept.error().param(), "provider.max_price");
  for (const char* part : {"provider.max_price", "provider.ignore"})
    EXPECT_NE(kept.error().message().find(part), std::string::npos) << kept.error().message();
}

TEST(Filter, policies_declared_by_the_operator_satisfy_the_preferences) {
  Bench bench;
  bench.wish.zdr = true;
  bench.wish.deny_data_collection = true;
  bench.endpoint.policy = {.zdr = true, .training = false};
  EXPECT_EQ(bench.excluded_by(), "");
}

TEST(Filter, a_preference_that_leaves_nothing_is_a_404_that_names_it) {
  Bench bench;
  bench.wish.has_only = true;
  bench.wish.only = {"other"};
  const auto kept = filter(std::vector{Candidate{&bench.endpoint}}, bench.request.request,
                           catalog::Tier::standard, bench.excluded);
  ASSERT_FALSE(kept);
  EXPECT_EQ(kept.error().http_status(), 404);
  EXPECT_EQ(kept.error().param(), "provider.only");
}

}  // namespace
}  // namespace embedrouter::routing
