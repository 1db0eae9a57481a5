#include "sdk/request_body.h"

#include <array>
#include <charconv>
#include <cmath>

#include "api/json_cursor.h"
#include "base/json_text.h"
#include "base/percent.h"

namespace embedrouter::sdk {
namespace {

namespace members = api::members;

// Writes what it can and keeps the first complaint.
class BodyWriter {
 public:
  Result<std::string> write(const EmbeddingsRequest& request) {
    out_ = '{';
    members::key(out_, "input");
    std::visit([this](const auto& value) { input(value); }, request.input.value);
    text("model", request.model);
    if (request.dimensions) members::number(out_, "dimensions", *request.dimensions);
    text("encoding_format", request.encoding_format);
    text("input_type", request.input_type);
    if (request.provider.is_null()) members::literal(out_, "provider", "null");
    if (request.provider.value()) provider(*request.provider.value());
    text("session_id", request.session_id);
    if (request.trace) trace(*request.trace);
    text("user", request.user);
    out_ += '}';
    if (!complaint_.empty()) return fail(ErrorKind::usage, std::move(complaint_));
    return std::move(out_);
  }

 private:
  void complain(std::string what) {
    if (complaint_.empty()) complaint_ = std::move(what);
  }

  void string(std::string_view value, std::string_view name, std::size_t item = kNone) {
    if (!is_utf8(value)) {
      complain(std::string(name) + (item == kNone ? "" : '[' + std::to_string(item) + ']') + " is not UTF-8");
      return;
    }
    append_json_string(out_, value);
  }

  void text(std::string_view name, const std::optional<std::string>& value) {
    if (!value) return;
    members::key(out_, name);
    string(*value, name);
  }
  void texts(std::string_view name, const std::optional<std::vector<std::string>>& values) {
    if (!values) return;
    members::key(out_, name);
    array(*values, [&](const std::string& value, std::size_t i) { string(value, name, i); });
  }
  void flag(std::string_view name, const std::optional<bool>& value) {
    if (value) members::flag(out_, name, *value);
  }
  void number(std::string_view name, const std::optional<double>& value) {
    if (!value) return;
    if (!std::isfinite(*value)) return complain(std::string(name) + " is not a finite number");
    members::literal(out_, name, number_text(*value));
  }
  void json(std::string_view name, const Json& value) {
    if (!is_json_text(value.text)) return complain(std::string(name) + " is not valid JSON");
    members::key(out_, name);
    out_ += value.text;
  }

  void array(const auto& values, const auto& write) {
    out_ += '[';
    std::size_t i = 0;
    for (const auto& value : values) {
      if (i != 0) out_ += ',';
      write(value, i++);
    }
    out_ += ']';
  }

  void input(const std::string& value) { string(value, "input"); }
  void input(const TokenIds& ids) {
    array(ids, [this](std::uint32_t id, std::size_t) {
      char digits[16];
      out_.append(digits, std::to_chars(std::begin(digits), std::end(digits), id).ptr);
    });
  }
  void input(const std::vector<TokenIds>& items) {
    array(items, [this](const TokenIds& ids, std::size_t) { input(ids); });
  }
  void input(const std::vector<ContentItem>& items) {
    array(items, [this](const ContentItem& item, std::size_t) {
      out_ += "{\"content\":";
      array(item.content, [this](const ContentPart& part, std::size_t) { content(part); });
      out_ += '}';
    });
  }
  void input(const auto& values) {
    std::size_t size = 0;
    for (const auto& value : values) size += value.size() + 3;
    out_.reserve(out_.size() + size + size / 8 + 256);
    array(values, [this](std::string_view value, std::size_t i) { string(value, "input", i); });
  }

  void content(const ContentPart& part) {
    static constexpr std::array<std::string_view, 5> kTypes{"text", "image_url", "input_audio", "input_video",
                                                            "input_file"};
    const std::string_view type = kTypes[static_cast<std::size_t>(part.type)];
    out_ += '{';
    members::text(out_, "type", type);
    members::key(out_, type);
    if (part.type == ContentPart::Type::text) {
      string(part.value, "input");
    } else {
      out_ += part.type == ContentPart::Type::image_url ? "{\"url\":" : "{\"data\":";
      string(part.value, "input");
      if (part.format && part.type != ContentPart::Type::image_url) text("format", part.format);
      out_ += '}';
    }
    out_ += '}';
  }

  void percentiles(std::string_view name, const std::optional<std::variant<double, Percentiles>>& value) {
    if (!value) return;
    if (const auto* plain = std::get_if<double>(&*value)) return number(name, *plain);
    const auto& at = std::get<Percentiles>(*value);
    members::key(out_, name);
    out_ += '{';
    number("p50", at.p50);
    number("p75", at.p75);
    number("p90", at.p90);
    number("p99", at.p99);
    out_ += '}';
  }

  void sort(const std::variant<std::string, ProviderPreferences::SortBy>& value) {
    if (const auto* plain = std::get_if<std::string>(&value)) return text("sort", *plain);
    const auto& by = std::get<ProviderPreferences::SortBy>(value);
    members::key(out_, "sort");
    out_ += '{';
    text("by", by.by);
    text("partition", by.partition);
    out_ += '}';
  }

  void provider(const ProviderPreferences& value) {
    members::key(out_, "provider");
    out_ += '{';
    flag("allow_fallbacks", value.allow_fallbacks);
    text("data_collection", value.data_collection);
    flag("enforce_distillable_text", value.enforce_distillable_text);
    texts("ignore", value.ignore);
    if (value.max_price) {
      members::key(out_, "max_price");
      out_ += '{';
      text("audio", value.max_price->audio);
      text("completion", value.max_price->completion);
      text("image", value.max_price->image);
      text("prompt", value.max_price->prompt);
      text("request", value.max_price->request);
      out_ += '}';
    }
    texts("only", value.only);
    if (!value.options.empty()) pairs("options", value.options);
    texts("order", value.order);
    percentiles("preferred_max_latency", value.preferred_max_latency);
    percentiles("preferred_min_throughput", value.preferred_min_throughput);
    texts("quantizations", value.quantizations);
    flag("require_parameters", value.require_parameters);
    if (value.sort) sort(*value.sort);
    flag("zdr", value.zdr);
    out_ += '}';
  }

  void pairs(std::string_view name, const std::vector<std::pair<std::string, Json>>& values) {
    members::key(out_, name);
    out_ += '{';
    for (const auto& [key, value] : values) json(key, value);
    out_ += '}';
  }

  void trace(const TraceConfig& value) {
    members::key(out_, "trace");
    out_ += '{';
    text("generation_name", value.generation_name);
    text("parent_span_id", value.parent_span_id);
    text("span_name", value.span_name);
    text("trace_id", value.trace_id);
    text("trace_name", value.trace_name);
    for (const auto& [key, other] : value.others) json(key, other);
    out_ += '}';
  }

  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  std::string out_;
  std::string complaint_;
};

struct Count {
  std::size_t operator()(const std::string&) const { return 1; }
  std::size_t operator()(const TokenIds&) const { return 1; }
  std::size_t operator()(const auto& items) const { return items.size(); }
};

}  // namespace

Result<std::string> encode_request(const EmbeddingsRequest& request) {
  return BodyWriter().write(request);
}

std::size_t item_count(const Input& input) {
  return std::visit(Count{}, input.value);
}

std::string number_text(double value) {
  char digits[32];
  return {digits, std::to_chars(std::begin(digits), std::end(digits), value).ptr};
}

bool is_json_text(std::string_view text) {
  api::JsonCursor json(text);
  return json.skip() && json.finish();
}

std::string percent_encode(std::string_view text) {
  return percent_encoded(text, ":");
}

void QueryWriter::add(std::string_view name, std::string_view value) {
  if (!text_.empty()) text_ += '&';
  text_ += name;
  text_ += '=';
  text_ += percent_encode(value);
}

}  // namespace embedrouter::sdk
