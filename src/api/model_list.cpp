#include "api/model_list.h"

#include <algorithm>
#include <charconv>

#include "api/json_cursor.h"
#include "api/json_members.h"

namespace embedrouter::api {
namespace {

// What stands in front of the slash: "openai" of "openai/text-embedding-3-small".
std::string_view author_of(std::string_view id) {
  return id.substr(0, id.find('/'));
}

// What a router's user needs to know and the OpenRouter entry has no member for.
void append_extension(std::string& out, const ListedModel& model) {
  members::key(out, "embedrouter");
  out += '{';
  members::number(out, "dimensions", model.dimensions);
  members::array(out, "matryoshka", model.matryoshka,
                 [](std::string& to, std::uint32_t width) { to += std::to_string(width); });
  members::flag(out, "normalized", model.normalized);
  members::texts(out, "aliases", model.aliases);
  members::texts(out, "input_types", model.input_types);
  members::array(out, "endpoints", model.endpoints, [](std::string& to, const ListedEndpoint& endpoint) {
    to += '{';
    members::text(to, "provider", endpoint.provider);
    members::text(to, "price_prompt", endpoint.price_prompt);
    members::text(to, "space", endpoint.space);
    members::text(to, "quantization", endpoint.quantization);
    members::length(to, "max_batch_items", endpoint.max_batch_items);
    members::flag(to, "normalized", endpoint.normalized);
    members::flag(to, "token_ids", endpoint.token_ids);
    to += '}';
  });
  out += '}';
}

}  // namespace

std::vector<std::string_view> supported_parameters(const ListedModel& model) {
  std::vector<std::string_view> parameters{"encoding_format", "user"};
  if (!model.matryoshka.empty()) parameters.emplace_back("dimensions");
  if (!model.input_types.empty()) parameters.emplace_back("input_type");
  return parameters;
}

void append_architecture(std::string& out, const ListedModel& model, Absent absent) {
  members::key(out, "architecture");
  out += R"({"modality":"text->embeddings","input_modalities":["text"],"output_modalities":["embeddings"])";
  if (!model.tokenizer.empty()) {
    members::text(out, "tokenizer", model.tokenizer);
  } else if (absent == Absent::is_null) {
    members::nulls(out, "tokenizer");
  }
  members::nulls(out, "instruct_type");
  out += '}';
}

void append_pricing(std::string& out, std::string_view price_prompt) {
  members::key(out, "pricing");
  out += '{';
  members::text(out, "prompt", price_prompt);
  for (const char* other : {"completion", "request", "image"}) members::text(out, other, "0");
  out += '}';
}

void append_model(std::string& out, const ListedModel& model) {
  out += '{';
  members::text(out, "id", model.id);
  members::text(out, "object", "model");                // OpenAI's
  members::text(out, "owned_by", author_of(model.id));  // OpenAI's
  members::text(out, "canonical_slug", model.id);
  members::nulls(out, "hugging_face_id");
  members::text(out, "name", model.name);
  members::number(out, "created", model.created);
  members::text(out, "description", model.description);
  members::length(out, "context_length", model.context_length);
  append_architecture(out, model, Absent::is_left_out);
  append_pricing(out, model.price_prompt);
  members::key(out, "top_provider");
  out += '{';
  members::length(out, "context_length", model.context_length);
  members::nulls(out, "max_completion_tokens");
  members::flag(out, "is_moderated", false);
  out += '}';
  members::nulls(out, "per_request_limits");
  members::texts(out, "supported_parameters", supported_parameters(model));
  members::nulls(out, "default_parameters", "supported_voices", "knowledge_cutoff", "expiration_date");
  members::key(out, "links");
  out += '{';
  members::text(out, "details", "/api/v1/models/" + std::string(model.id) + "/endpoints");
  out += '}';
  append_extension(out, model);
  out += '}';
}

std::string encode_model(const ListedModel& model) {
  std::string out = R"({"data":)";
  append_model(out, model);
  return out += '}';
}

std::string encode_model_count(std::size_t count) {
  return R"({"data":{"count":)" + std::to_string(count) + "}}";
}

std::string encode_model_list(std::span<const ListedModel> all, Page page, std::string_view path,
                              std::string_view query) {
  const std::size_t first = std::min(page.offset, all.size());
  const std::size_t count = std::min(page.limit.value_or(all.size()), all.size() - first);
  std::string out = R"({"object":"list")";
  members::array(out, "data", all.subspan(first, count), append_model);
  members::number(out, "total_count", static_cast<std::int64_t>(all.size()));
  members::key(out, "links");
  out += R"({"next":)";
  if (first + count < all.size()) {
    append_json_string(out, std::string(path) + "?" + without_page(query) + "offset=" +
                                std::to_string(first + count) + "&limit=" + std::to_string(*page.limit));
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
  if (!json.skip(&raw)) return 0;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(raw.data(), raw.data() + raw.size(), value);
  return error == std::errc{} && end == raw.data() + raw.size() ? value : 0;
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
