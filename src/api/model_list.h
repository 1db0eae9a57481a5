#pragma once
// GET /embeddings/models (CONTRACT 5.1): the entry of a model, a page of them, and the query that asks for
// one.

#include <embedrouter/result.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace embedrouter::api {

// An endpoint as its model's entry shows it (an extension: `embedrouter.endpoints`).
struct ListedEndpoint {
  std::string_view provider, price_prompt, space, quantization;
  std::uint32_t max_batch_items = 0;  // 0: no declared limit
  bool normalized = true, token_ids = false;
};

struct ListedModel {
  std::string_view id, name, description, tokenizer;  // description and tokenizer may be empty
  std::int64_t created = 0;                           // unix seconds
  std::uint32_t context_length = 0;                   // 0: unknown
  std::string_view price_prompt = "0";                // of the cheapest endpoint
  std::uint32_t dimensions = 0;
  std::span<const std::uint32_t> matryoshka;
  std::span<const std::string> aliases;
  bool normalized = true;
  std::vector<std::string_view> input_types;
  std::vector<ListedEndpoint> endpoints;
};

void append_model(std::string& out, const ListedModel& model);

// offset >= 0 (0 if absent) and limit 1…1000 (500 if absent and an offset is given; all if neither is).
struct Page {
  std::size_t offset = 0;
  std::optional<std::size_t> limit;  // nullopt: everything
};
// Fails with a 400 that names the parameter. Other parameters are left alone.
Result<Page> parse_page(std::string_view query);

// `path`: of the request, for links.next.
std::string encode_model_list(std::span<const ListedModel> all, Page page, std::string_view path);

// What a client shows of a list; text is unescaped.
struct ModelSummary {
  std::string id, price_prompt;
  std::uint64_t dimensions = 0, context_length = 0;
};
Result<std::vector<ModelSummary>> decode_model_list(std::string_view body);

}  // namespace embedrouter::api
