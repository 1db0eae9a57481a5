#pragma once
// The lists of models (CONTRACT 5): the entry of a model, a page of them, and how a client reads one.

#include <embedrouter/result.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/endpoint_list.h"
#include "api/model_query.h"

namespace embedrouter::api {

struct ListedModel {
  std::string_view id, name, description, tokenizer;  // description and tokenizer may be empty
  std::int64_t created = 0;                           // unix seconds
  std::uint32_t context_length = 0;                   // 0: unknown
  std::string_view price_prompt = "0";                // of the cheapest endpoint
  std::int64_t pico_usd_per_token = 0;                // the same, 1e-12 USD
  std::uint32_t dimensions = 0;
  std::span<const std::uint32_t> matryoshka;
  std::span<const std::string> aliases;
  bool normalized = true, distillable = false;
  std::vector<std::string_view> input_types;
  std::vector<ListedEndpoint> endpoints;
};

// The members of the request that the model honours.
std::vector<std::string_view> supported_parameters(const ListedModel& model);

void append_model(std::string& out, const ListedModel& model);
// The clients refuse a null tokenizer in a list of models and a missing one in a list of endpoints.
enum class Absent : std::uint8_t { is_left_out, is_null };
void append_architecture(std::string& out, const ListedModel& model, Absent absent);
void append_pricing(std::string& out, std::string_view price_prompt);

std::string encode_model(const ListedModel& model);  // {"data":{…}}
std::string encode_model_count(std::size_t count);
// `path` and `query`: of the request, for links.next. The answer is a list to OpenAI's clients too.
std::string encode_model_list(std::span<const ListedModel> all, Page page, std::string_view path,
                              std::string_view query);

// What a client shows of a list; text is unescaped.
struct ModelSummary {
  std::string id, price_prompt;
  std::uint64_t dimensions = 0, context_length = 0;
};
Result<std::vector<ModelSummary>> decode_model_list(std::string_view body);

}  // namespace embedrouter::api
