#include "api/explanation.h"

#include <array>
#include <charconv>
#include <utility>

#include "api/json_cursor.h"
#include "api/json_members.h"

namespace embedrouter::api {
namespace {

void text_or_null(std::string& out, std::string_view name, std::string_view value) {
  value.empty() ? members::nulls(out, name) : members::text(out, name, value);
}

void count(std::string& out, std::string_view name, std::uint64_t value) {
  members::literal(out, name, std::to_string(value));
}

// Four decimals: a share of a hundredth of a percent, a tenth of a microsecond.
void decimal_or_null(std::string& out, std::string_view name, std::optional<double> value) {
  if (!value) return members::nulls(out, name);
  std::array<char, 64> text;
  const auto [end, error] =
      std::to_chars(text.data(), text.data() + text.size(), *value, std::chars_format::fixed, 4);
  members::literal(out, name, std::string_view(text.data(), static_cast<std::size_t>(end - text.data())));
}

void append_health(std::string& out, const ExplainedEndpoint& endpoint) {
  members::key(out, "health");
  out += '{';
  members::text(out, "state", endpoint.state);
  members::text(out, "standing", endpoint.standing);
  decimal_or_null(out, "seconds_left", endpoint.seconds_left);
  count(out, "successes_last_5m", endpoint.successes);
  count(out, "failures_last_5m", endpoint.failures);
  count(out, "rate_limited_last_5m", endpoint.rate_limited);
  decimal_or_null(out, "latency_ms_last_5m", endpoint.latency_ms);
  out += '}';
}

void append_endpoint(std::string& out, const ExplainedEndpoint& endpoint) {
  out += '{';
  members::text(out, "id", endpoint.id);
  members::text(out, "provider_name", endpoint.provider);
  members::text(out, "tag", endpoint.provider_slug);
  members::literal(out, "place", endpoint.place ? std::to_string(*endpoint.place) : "null");
  decimal_or_null(out, "share", endpoint.share);
  text_or_null(out, "dropped_by", endpoint.dropped_by);
  text_or_null(out, "why", endpoint.why);
  members::text(out, "space", endpoint.space);
  append_health(out, endpoint);
  members::text(out, "price_prompt", endpoint.price_prompt);
  members::length(out, "max_batch_items", endpoint.max_batch_items);
  members::length(out, "max_batch_tokens", endpoint.max_batch_tokens);
  count(out, "calls", endpoint.calls);
  out += '}';
}

void append_fault(std::string& out, const Error& fault) {
  members::key(out, "fault");
  out += '{';
  members::number(out, "status", fault.http_status());
  members::text(out, "code", traits(fault.code()).name);
  members::text(out, "message", fault.message());
  text_or_null(out, "param", fault.param());
  out += '}';
}

// A string or number ahead as text; empty for null and anything else.
std::string read_scalar(JsonCursor& json) {
  const JsonKind kind = json.kind();
  if (kind == JsonKind::string) {
    JsonString text;
    std::string storage;
    return json.read_string(text) ? std::string(text_of(text, storage)) : std::string();
  }
  std::string_view raw;
  if (!json.skip(&raw) || kind != JsonKind::number) return {};
  return std::string(raw);
}

// Each member of the object ahead; `take` reads its value. False if what is ahead is no object.
bool read_members(JsonCursor& json, const auto& take) {
  if (json.kind() != JsonKind::object) return json.skip(), false;
  if (!json.enter('{')) return false;
  bool first = true;
  JsonString key;
  while (json.next_member(first, key)) take(key.raw);
  return json.ok();
}

template <class T>
using Fields = std::initializer_list<std::pair<std::string_view, std::string T::*>>;

// A member of `fields` into `to`; false, with nothing read, if `key` is none of them.
template <class T>
bool read_field(JsonCursor& json, std::string_view key, T& to, Fields<T> fields) {
  for (const auto& [name, member] : fields) {
    if (name == key) return to.*member = read_scalar(json), true;
  }
  return false;
}

ExplanationRow read_row(JsonCursor& json) {
  using Row = ExplanationRow;
  ExplanationRow row;
  const auto health = [&](std::string_view key) {
    if (!read_field<Row>(json, key, row,
                         {{"state", &Row::state},
                          {"standing", &Row::standing},
                          {"seconds_left", &Row::seconds_left},
                          {"failures_last_5m", &Row::failures},
                          {"rate_limited_last_5m", &Row::rate_limited},
                          {"latency_ms_last_5m", &Row::latency_ms}}))
      json.skip();
  };
  read_members(json, [&](std::string_view key) {
    if (key == "health") {
      read_members(json, health);
    } else if (!read_field<Row>(json, key, row,
                                {{"id", &Row::id},
                                 {"place", &Row::place},
                                 {"share", &Row::share},
                                 {"dropped_by", &Row::dropped_by},
                                 {"why", &Row::why},
                                 {"price_prompt", &Row::price},
                                 {"calls", &Row::calls}})) {
      json.skip();
    }
  });
  return row;
}

}  // namespace

std::string encode_explanation(const Explanation& explanation) {
  std::string out = R"({"data":{)";
  members::text(out, "model", explanation.model);
  members::text(out, "requested", explanation.requested);
  members::text(out, "strategy", explanation.strategy);
  members::flag(out, "fallbacks", explanation.fallbacks);
  const bool routed = !explanation.endpoints.empty() && explanation.endpoints.front().place;
  text_or_null(out, "space", routed ? explanation.endpoints.front().space : std::string_view());
  count(out, "items", explanation.items);
  explanation.fault ? append_fault(out, *explanation.fault) : members::nulls(out, "fault");
  members::array(out, "endpoints", explanation.endpoints, append_endpoint);
  return out += "}}";
}

Result<ExplanationSummary> decode_explanation(std::string_view body) {
  using Summary = ExplanationSummary;
  ExplanationSummary summary;
  JsonCursor json(body);
  bool found = false;
  const auto fault = [&](std::string_view key) {
    if (!read_field<Summary>(json, key, summary, {{"message", &Summary::fault}})) json.skip();
  };
  const auto data = [&](std::string_view key) {
    if (key == "fault") {
      read_members(json, fault);
    } else if (key == "endpoints" && json.kind() == JsonKind::array) {
      found = json.enter('[');
      bool first = true;
      while (found && json.next_element(first)) summary.rows.push_back(read_row(json));
    } else if (!read_field<Summary>(json, key, summary,
                                    {{"model", &Summary::model},
                                     {"strategy", &Summary::strategy},
                                     {"space", &Summary::space},
                                     {"items", &Summary::items}})) {
      json.skip();
    }
  };
  read_members(json, [&](std::string_view key) {
    key == "data" ? (void)read_members(json, data) : (void)json.skip();
  });
  if (!json.ok())
    return fail(ErrorCode::upstream_invalid_answer, "the explanation is not JSON: " + json.fault());
  if (!found || !json.finish())
    return fail(ErrorCode::upstream_invalid_answer, "the answer explains no route");
  return summary;
}

}  // namespace embedrouter::api
