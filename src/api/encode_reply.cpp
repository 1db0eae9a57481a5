#include <utility>

#include "api/embed_reply.h"
#include "api/json_members.h"
#include "api/usd.h"
#include "api/vector_text.h"
#include "base/json_text.h"

namespace embedrouter::api {
namespace {

// Vectors shorter than this are copied into the text around them: a write vector costs more than the copy.
constexpr std::size_t kReferenceFrom = 4096;
// Copied and converted text is handed over in pieces of about this size, so that no huge string is grown by
// doubling.
constexpr std::size_t kPiece = 256 * 1024;

// Text and references in the order they are written.
class Pieces {
 public:
  explicit Pieces(Body& body) : body_(body) {}

  std::string& text() { return text_; }
  void reference(std::string_view view) {
    if (view.size() < kReferenceFrom) {
      text_ += view;
      return;
    }
    flush();
    body_.append_view(view);
  }
  void flush() {
    body_.append(std::move(text_));
    text_.clear();
  }

 private:
  Body& body_;
  std::string text_;
};

// The values of a vector that arrived as text, for conversion. The gate has found it sound.
std::vector<float> values_of(const VectorView& vector, std::size_t width) {
  std::vector<float> values(width);
  bool read = false;
  if (const auto* encoded = std::get_if<Base64Text>(&vector)) {
    read = decode_base64(encoded->text, values).has_value();
  } else if (const auto* numbers = std::get_if<NumberText>(&vector)) {
    read = parse_numbers(numbers->json, values).has_value();
  }
  if (!read) values.clear();
  return values;
}

void write_numbers(Pieces& out, const VectorView& vector, std::size_t width) {
  if (const auto* numbers = std::get_if<NumberText>(&vector)) return out.reference(numbers->json);
  if (const auto* floats = std::get_if<std::span<const float>>(&vector))
    return append_numbers(out.text(), *floats);
  append_numbers(out.text(), values_of(vector, width));
}

void write_base64(Pieces& out, const VectorView& vector, std::size_t width) {
  out.text() += '"';
  if (const auto* encoded = std::get_if<Base64Text>(&vector);
      encoded != nullptr && is_canonical_base64(encoded->text)) {
    out.reference(encoded->text);
  } else if (const auto* floats = std::get_if<std::span<const float>>(&vector)) {
    append_base64(out.text(), *floats);
  } else {
    append_base64(out.text(), values_of(vector, width));
  }
  out.text() += '"';
}

void append_usage(std::string& out, const Usage& usage) {
  static constexpr std::string_view kSources[] = {"provider", "counted", "estimated"};
  out += R"("usage":{"prompt_tokens":)" + std::to_string(usage.prompt_tokens);
  out += R"(,"total_tokens":)" + std::to_string(usage.total_tokens) + R"(,"cost":)";
  append_usd(out, usage.cost_pico_usd);
  out +=
      R"(,"is_byok":false,"cost_details":{"upstream_inference_cost":null,"upstream_inference_prompt_cost":)";
  append_usd(out, usage.cost_pico_usd);
  out += R"(,"upstream_inference_completions_cost":0},"usage_source":")";
  out += kSources[static_cast<std::size_t>(usage.source)];
  out += "\"}";
}

void append_member(std::string& out, std::string_view name, std::string_view value) {
  append_json_string(out, name);
  out += ':';
  append_json_string(out, value);
  out += ',';
}

// "errors":[{"index":3,"code":400,"message":"…","metadata":{"error_type":"…"}}]
void append_failed(std::string& out, const std::vector<FailedItem>& failed) {
  members::array(out, "errors", failed, [](std::string& to, const FailedItem& failure) {
    const ErrorTraits& row = traits(failure.error.code());
    to += '{';
    members::number(to, "index", failure.item);
    members::number(to, "code", row.http_status);
    members::text(to, "message", failure.error.message());
    members::key(to, "metadata");
    to += '{';
    members::text(to, "error_type", row.error_type);
    members::text(to, "code", row.name);
    to += "}}";
  });
}

std::string joined(const auto& values) {
  std::string text;
  for (const auto& value : values) {
    if (!text.empty()) text += ',';
    if constexpr (std::is_arithmetic_v<std::decay_t<decltype(value)>>) {
      text += std::to_string(value);
    } else {
      text += value;
    }
  }
  return text;
}

}  // namespace

Body encode_embed_response(const EmbedReply& reply, EncodingFormat encoding, const ResponseInfo& info) {
  Body body;
  Pieces out(body);
  out.text() = "{";
  append_member(out.text(), "id", info.id);
  append_member(out.text(), "object", "list");
  append_member(out.text(), "model", reply.model);
  append_member(out.text(), "provider", reply.provider);
  append_usage(out.text(), reply.usage);
  if (!info.metadata_json.empty()) {
    out.text() += R"(,"openrouter_metadata":)";
    out.text() += info.metadata_json;
  }
  if (!reply.failed.empty()) append_failed(out.text(), reply.failed);
  out.text() += R"(,"data":[)";
  auto truncated = reply.truncated.begin();
  auto failed = reply.failed.begin();
  bool first = true;
  for (std::size_t i = 0; i < reply.data.size(); ++i) {
    if (failed != reply.failed.end() && failed->item == i) {
      ++failed;
      continue;
    }
    out.text() += std::exchange(first, false) ? R"({"object":"embedding","index":)"
                                              : R"(,{"object":"embedding","index":)";
    out.text() += std::to_string(i);
    if (truncated != reply.truncated.end() && *truncated == i) {
      out.text() += R"(,"truncated":true)";
      ++truncated;
    }
    out.text() += R"(,"embedding":)";
    if (encoding == EncodingFormat::base64) {
      write_base64(out, reply.data[i].vector, reply.width);
    } else {
      write_numbers(out, reply.data[i].vector, reply.width);
    }
    out.text() += '}';
    if (out.text().size() >= kPiece) out.flush();
  }
  out.text() += "]}";
  out.flush();
  for (const auto& owner : reply.owners) body.keep_alive(owner);
  return body;
}

std::vector<std::pair<std::string_view, std::string>> reply_headers(
    const EmbedReply& reply, std::span<const std::string_view> ignored) {
  std::vector<std::pair<std::string_view, std::string>> headers{{"X-Embedrouter-Provider", reply.provider},
                                                                {"X-Embedrouter-Space", reply.space}};
  if (!reply.truncated.empty()) headers.emplace_back("X-Embedrouter-Truncated", joined(reply.truncated));
  if (!reply.failed.empty()) {
    std::vector<std::uint32_t> items;
    for (const FailedItem& failure : reply.failed) items.push_back(failure.item);
    headers.emplace_back("X-Embedrouter-Failed", joined(items));
  }
  if (!ignored.empty()) headers.emplace_back("X-Embedrouter-Ignored", joined(ignored));
  return headers;
}

}  // namespace embedrouter::api
