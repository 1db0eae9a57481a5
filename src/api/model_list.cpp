#include "api/model_list.h"

#include <algorithm>
#include <charconv>

#include "api/json_cursor.h"
#include "base/json_text.h"

namespace embedrouter::api {
namespace {

constexpr std::size_t kDefaultLimit = 500;
constexpr std::size_t kLargestLimit = 1000;

// `name` with the text in front of it: ,"name":
void key(std::string& out, std::string_view name) {
  if (out.back() != '{') out += ',';
  append_json_string(out, name);
  out += ':';
}
void member(std::string& out, std::string_view name, std::string_view value) {
  key(out, name);
  append_json_string(out, value);
}
void literal(std::string& out, std::string_view name, std::string_view json) {
  key(out, name);
  out += json;
}
void number(std::string& out, std::string_view name, std::uint64_t value) {
  literal(out, name, std::to_string(value));
}
void length(std::string& out, std::string_view name, std::uint64_t value) {
  literal(out, name, value == 0 ? "null" : std::to_string(value));
}
void strings(std::string& out, std::string_view name, const auto& values) {
  key(out, name);
  out += '[';
  for (const auto& value : values) {
    if (out.back() != '[') out += ',';
    append_json_string(out, value);
  }
  out += ']';
}

// What a router's user needs to know and the OpenRouter entry has no member for.
void append_extension(std::string& out, const ListedModel& model) {
  key(out, "embedrouter");
  out += '{';
  number(out, "dimensions", model.dimensions);
  key(out, "matryoshka");
  out += '[';
  for (const std::uint32_t width : model.matryoshka) {
    if (out.back() != '[') out += ',';
    out += std::to_string(width);
  }
  out += ']';
  literal(out, "normalized", model.normalized ? "true" : "false");
  strings(out, "aliases", model.aliases);
  strings(out, "input_types", model.input_types);
  key(out, "endpoints");
  out += '[';
  for (const ListedEndpoint& endpoint : model.endpoints) {
    if (out.back() != '[') out += ',';
    out += '{';
    member(out, "provider", endpoint.provider);
    member(out, "price_prompt", endpoint.price_prompt);
    member(out, "space", endpoint.space);
    member(out, "quantization", endpoint.quantization);
    length(out, "max_batch_items", endpoint.max_batch_items);
    literal(out, "normalized", endpoint.normalized ? "true" : "false");
    literal(out, "token_ids", endpoint.token_ids ? "true" : "false");
    out += '}';
  }
  out += "]}";
}

std::optional<std::uint64_t> whole_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value > 1'000'000'000) return std::nullopt;
  return value;
}

}  // namespace

void append_model(std::string& out, const ListedModel& model) {
  std::vector<std::string_view> parameters{"encoding_format", "user"};
  if (!model.matryoshka.empty()) parameters.emplace_back("dimensions");
  if (!model.input_types.empty()) parameters.emplace_back("input_type");
  out += '{';
  member(out, "id", model.id);
  member(out, "canonical_slug", model.id);
  literal(out, "hugging_face_id", "null");
  member(out, "name", model.name);
  literal(out, "created", std::to_string(model.created));
  member(out, "description", model.description);
  length(out, "context_length", model.context_length);
  key(out, "architecture");
  out += R"({"modality":"text->embeddings","input_modalities":["text"],"output_modalities":["embeddings"])";
  if (!model.tokenizer.empty()) member(out, "tokenizer", model.tokenizer);
  literal(out, "instruct_type", "null");
  out += '}';
  key(out, "pricing");
  out += '{';
  member(out, "prompt", model.price_prompt);
  member(out, "completion", "0");
  member(out, "request", "0");
  member(out, "image", "0");
  out += '}';
  key(out, "top_provider");
  out += '{';
  length(out, "context_length", model.context_length);
  literal(out, "max_completion_tokens", "null");
  literal(out, "is_moderated", "false");
  out += '}';
  literal(out, "per_request_limits", "null");
  strings(out, "supported_parameters", parameters);
  literal(out, "default_parameters", "null");
  literal(out, "supported_voices", "null");
  literal(out, "knowledge_cutoff", "null");
  literal(out, "expiration_date", "null");
  key(out, "links");
  out += '{';
  member(out, "details", "/api/v1/models/" + std::string(model.id) + "/endpoints");
  out += '}';
  append_extension(out, model);
  out += '}';
}

Result<Page> parse_page(std::string_view query) {
  Page page;
  bool offset_given = false;
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    const std::size_t equals = pair.find('=');
    const std::string_view name = pair.substr(0, equals);
    if (name != "offset" && name != "limit") continue;
    const auto value =
        equals == std::string_view::npos ? std::nullopt : whole_number(pair.substr(equals + 1));
    if (name == "offset") {
      if (!value)
        return fail(
            Error(ErrorCode::invalid_request, "offset must be a whole number from 0").with_param("offset"));
      page.offset = *value;
      offset_given = true;
    } else {
      if (!value || *value == 0 || *value > kLargestLimit) {
        return fail(Error(ErrorCode::invalid_request, "limit must be a whole number from 1 to 1000")
                        .with_param("limit"));
      }
      page.limit = value;
    }
  }
  if (offset_given && !page.limit) page.limit = kDefaultLimit;
  return page;
}

std::string encode_model_list(std::span<const ListedModel> all, Page page, std::string_view path) {
  const std::size_t first = std::min(page.offset, all.size());
  const std::size_t count = std::min(page.limit.value_or(all.size()), all.size() - first);
  std::string out = R"({"data":[)";
  for (const ListedModel& model : all.subspan(first, count)) {
    if (out.back() != '[') out += ',';
    append_model(out, model);
  }
  out += R"(],"total_count":)" + std::to_string(all.size()) + R"(,"links":{"next":)";
  if (first + count < all.size()) {
    append_json_string(out, std::string(path) + "?offset=" + std::to_string(first + count) +
                                "&limit=" + std::to_string(*page.limit));
  } else {
    out += "null";
  }
  return out += "}}";
}

namespace {

std::string read_text(JsonCursor& json) {
  JsonString text;
  std::string storage;
  if (json.kind() != JsonKind::string) {
    json.skip();
    return {};
  }
  return json.read_string(text) ? std::string(text_of(text, storage)) : std::string();
}

std::uint64_t read_count(JsonCursor& json) {
  std::string_view raw;
  return json.skip(&raw) ? whole_number(raw).value_or(0) : 0;
}

void read_inner(JsonCursor& json, std::string_view wanted, const auto& take) {
  if (json.kind() != JsonKind::object) {
    json.skip();
    return;
  }
  json.enter('{');
  bool first = true;
  JsonString name;
  while (json.next_member(first, name)) {
    if (name.raw == wanted) {
      take();
    } else {
      json.skip();
    }
  }
}

ModelSummary read_model(JsonCursor& json) {
  ModelSummary model;
  if (!json.enter('{')) return model;
  bool first = true;
  JsonString name;
  while (json.next_member(first, name)) {
    if (name.raw == "id") {
      model.id = read_text(json);
    } else if (name.raw == "context_length") {
      model.context_length = read_count(json);
    } else if (name.raw == "pricing") {
      read_inner(json, "prompt", [&] { model.price_prompt = read_text(json); });
    } else if (name.raw == "embedrouter") {
      read_inner(json, "dimensions", [&] { model.dimensions = read_count(json); });
    } else {
      json.skip();
    }
  }
  return model;
}

}  // namespace

Result<std::vector<ModelSummary>> decode_model_list(std::string_view body) {
  std::vector<ModelSummary> models;
  JsonCursor json(body);
  bool found = false;
  read_inner(json, "data", [&] {
    found = json.enter('[');
    bool first = true;
    while (found && json.next_element(first)) models.push_back(read_model(json));
  });
  if (!json.ok())
    return fail(ErrorCode::upstream_invalid_answer, "the list of models is not JSON: " + json.fault());
  if (!found || !json.finish())
    return fail(ErrorCode::upstream_invalid_answer, "the answer is no list of models");
  return models;
}

}  // namespace embedrouter::api
