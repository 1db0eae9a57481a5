#pragma once
// What a query asks of a list of models (CONTRACT 5): a page, filters, an order.

#include <embedrouter/result.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace embedrouter::api {

struct ListedModel;

// offset >= 0 (0 if absent) and limit 1…1000 (500 if absent and an offset is given; all if neither is).
struct Page {
  std::size_t offset = 0;
  std::optional<std::size_t> limit;  // nullopt: everything
};

// Newest first is the order of the catalog.
enum class ModelSort : std::uint8_t {
  newest,
  price_ascending,
  price_descending,
  context_descending,
  throughput_descending,
  latency_ascending
};

struct ModelQuery {
  Page page;
  ModelSort sort = ModelSort::newest;
  std::vector<std::string> output_modalities;                                           // or "all"
  std::vector<std::string> input_modalities, supported_parameters, providers, authors;  // empty: any
  std::string text, arch;
  std::uint64_t least_context = 0;
  // USD per million tokens.
  std::optional<double> min_price, max_price, min_output_price, max_output_price;
  std::optional<std::uint64_t> min_age_days, max_age_days;
  bool zdr = false, distillable = false;
};

// Parameters nobody knows are ignored, as the contract asks; one that is known and cannot be applied, or
// whose value is none, is a 400 that names it. `default_output`: what `output_modalities` is when absent.
Result<ModelQuery> parse_model_query(std::string_view query, std::string_view default_output);
// As above for GET /embeddings/models, which knows only offset and limit.
Result<Page> parse_page(std::string_view query);

// The models that `query` asks for, in its order. `now`: unix seconds.
std::vector<ListedModel> select_models(std::vector<ListedModel> models, const ModelQuery& query,
                                       std::int64_t now);

// `query` without offset and limit, as it stands, ready for more: "" or "q=x&".
std::string without_page(std::string_view query);

}  // namespace embedrouter::api
