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

// For a segment of a path or a value of a query, as the official SDKs send it.
std::string percent_encode(std::string_view text) {
  return percent_encoded(text, ":");
}

class BodyWriter : public ObjectWriter {
 public:
  Result<std::string> write(const EmbeddingsRequest& request) {
    members::key(out_, "input");
    std::visit([this](const auto& value) { input(value); }, request.input.value);
    member("model", request.model);
    member("dimensions", request.dimensions);
    member("encoding_format", request.encoding_format);
    member("input_type", request.input_type);
    if (request.provider.is_null()) members::literal(out_, "provider", "null");
    if (request.provider.value()) provider(*request.provider.value());
    member("session_id", request.session_id);
    if (request.trace) trace(*request.trace);
    member("user", request.user);
    return take();
  }

 private:
  void input(const std::string& value) { string("input", value); }
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
    array(values, [this](std::string_view value, std::size_t i) { string("input", value, i); });
  }

  void content(const ContentPart& part) {
    static constexpr std::array<std::string_view, 5> kTypes{"text", "image_url", "input_audio", "input_video",
                                                            "input_file"};
    const std::string_view type = kTypes[static_cast<std::size_t>(part.type)];
    out_ += '{';
    members::text(out_, "type", type);
    members::key(out_, type);
    if (part.type == ContentPart::Type::text) {
      string("input", part.value);
    } else {
      out_ += part.type == ContentPart::Type::image_url ? "{\"url\":" : "{\"data\":";
      string("input", part.value);
      if (part.type != ContentPart::Type::image_url) member("format", part.format);
      out_ += '}';
    }
    out_ += '}';
  }

  void percentiles(std::string_view name, const std::optional<std::variant<double, Percentiles>>& value) {
    if (!value) return;
    if (const auto* plain = std::get_if<double>(&*value)) return member(name, *plain);
    object(name, [&, this] {
      const auto& at = std::get<Percentiles>(*value);
      member("p50", at.p50);
      member("p75", at.p75);
      member("p90", at.p90);
      member("p99", at.p99);
    });
  }

  void sort(const std::variant<std::string, ProviderPreferences::SortBy>& value) {
    if (const auto* plain = std::get_if<std::string>(&value)) return member("sort", *plain);
    object("sort", [&, this] {
      const auto& by = std::get<ProviderPreferences::SortBy>(value);
      member("by", by.by);
      member("partition", by.partition);
    });
  }

  void provider(const ProviderPreferences& value) {
    object("provider", [&, this] {
      member("allow_fallbacks", value.allow_fallbacks);
      member("data_collection", value.data_collection);
      member("enforce_distillable_text", value.enforce_distillable_text);
      member("ignore", value.ignore);
      if (value.max_price) {
        object("max_price", [this, &price = *value.max_price] {
          member("audio", price.audio);
          member("completion", price.completion);
          member("image", price.image);
          member("prompt", price.prompt);
          member("request", price.request);
        });
      }
      member("only", value.only);
      if (!value.options.empty()) object("options", [&, this] { others("provider.options", value.options); });
      member("order", value.order);
      percentiles("preferred_max_latency", value.preferred_max_latency);
      percentiles("preferred_min_throughput", value.preferred_min_throughput);
      member("quantizations", value.quantizations);
      member("require_parameters", value.require_parameters);
      if (value.sort) sort(*value.sort);
      member("zdr", value.zdr);
    });
  }

  void trace(const TraceConfig& value) {
    object("trace", [&, this] {
      member("generation_name", value.generation_name);
      member("parent_span_id", value.parent_span_id);
      member("span_name", value.span_name);
      member("trace_id", value.trace_id);
      member("trace_name", value.trace_name);
      others("trace", value.others);
    });
  }

  // Members of names that the caller chose.
  void others(std::string_view of, const std::vector<std::pair<std::string, Json>>& values) {
    for (const auto& [name, value] : values) {
      if (check("a name in " + std::string(of), name)) member(name, value);
    }
  }
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

bool RequestWriter::check(std::string_view name, std::string_view value) {
  if (is_utf8(value)) return true;
  complain(std::string(name) + " is not UTF-8");
  return false;
}
bool RequestWriter::check(std::string_view name, double value) {
  if (std::isfinite(value)) return true;
  complain(std::string(name) + " is not a finite number");
  return false;
}

Result<std::string> RequestWriter::take() {
  if (!complaint_.empty()) return fail(ErrorKind::usage, std::move(complaint_));
  return std::move(out_);
}

PathWriter& PathWriter::segment(std::string_view name, std::string_view value) {
  check(name, value);
  out_ += '/';
  out_ += percent_encode(value);
  return *this;
}

void QueryWriter::add(std::string_view name, std::string_view value) {
  check(name, value);
  if (!out_.empty()) out_ += '&';
  out_ += name;
  out_ += '=';
  out_ += percent_encode(value);
}

void ObjectWriter::member(std::string_view name, const Json& value) {
  if (is_json_text(value.text)) return members::literal(out_, name, value.text);
  complain(std::string(name) + " is not valid JSON");
}
void ObjectWriter::member(std::string_view name, const std::vector<std::string>& values) {
  members::key(out_, name);
  array(values, [&, this](const std::string& value, std::size_t i) { string(name, value, i); });
}

}  // namespace embedrouter::sdk
