#include "api/model_query.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <span>
#include <utility>

#include "api/model_list.h"
#include "api/query_string.h"
#include "base/ascii.h"

namespace embedrouter::api {
namespace {

constexpr std::size_t kDefaultLimit = 500;
constexpr std::size_t kLargestLimit = 1000;
constexpr std::uint64_t kLargestNumber = 1'000'000'000;

// Reads a value; the text of a failure says what was expected. Empty: it was right.
using Fault = std::string;

template <class T>
Fault read_number(std::string_view text, T& value, T least, T most, const char* expected) {
  T read{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), read);
  if (error != std::errc{} || end != text.data() + text.size() || !(read >= least && read <= most))
    return expected;
  value = read;
  return {};
}

Fault read_whole(std::string_view text, std::uint64_t& value) {
  return read_number<std::uint64_t>(text, value, 0, kLargestNumber, "must be a whole number from 0");
}

Fault read_days(std::string_view text, std::optional<std::uint64_t>& value) {
  return read_whole(text, value.emplace());
}

Fault read_price(std::string_view text, std::optional<double>& value) {
  return read_number(text, value.emplace(), 0.0, std::numeric_limits<double>::max(),
                     "must be a number from 0: USD per million tokens");
}

Fault read_flag(std::string_view text, bool& value) {
  if (text != "true" && text != "false") return "must be true or false";
  value = text == "true";
  return {};
}

Fault read_list(std::string_view text, std::vector<std::string>& values) {
  values.clear();
  while (true) {
    const std::string_view one = text.substr(0, text.find(','));
    if (one.empty()) return "must be names with commas between them";
    values.emplace_back(one);
    if (one.size() == text.size()) return {};
    text.remove_prefix(one.size() + 1);
  }
}

Fault read_text(std::string_view text, std::string& value) {
  value = text;
  return {};
}

Fault read_sort(std::string_view text, ModelSort& value) {
  static constexpr std::array<std::pair<std::string_view, ModelSort>, 6> kSorts{
      {{"newest", ModelSort::newest},
       {"pricing-low-to-high", ModelSort::price_ascending},
       {"pricing-high-to-low", ModelSort::price_descending},
       {"context-high-to-low", ModelSort::context_descending},
       {"throughput-high-to-low", ModelSort::throughput_descending},
       {"latency-low-to-high", ModelSort::latency_ascending}}};
  const auto* const found = std::ranges::find(kSorts, text, &std::pair<std::string_view, ModelSort>::first);
  if (found == kSorts.end()) {
    return "must be newest, pricing-low-to-high, pricing-high-to-low, context-high-to-low, "
           "throughput-high-to-low or latency-low-to-high; nothing else is known of the models here";
  }
  value = found->second;
  return {};
}

// Parameters of the contract that say nothing about models here.
constexpr std::array<std::string_view, 12> kUnknowable{"category",
                                                       "region",
                                                       "min_intelligence_index",
                                                       "max_intelligence_index",
                                                       "min_coding_index",
                                                       "max_coding_index",
                                                       "min_agentic_index",
                                                       "max_agentic_index",
                                                       "min_tool_success_rate",
                                                       "max_tool_success_rate",
                                                       "use_rss",
                                                       "use_rss_chat_links"};

struct Row {
  std::string_view name;
  Fault (*read)(std::string_view text, ModelQuery& query);
};

constexpr std::size_t kPageRows = 2;
constexpr std::array kRows{
    Row{"offset",
        [](std::string_view text, ModelQuery& query) {
          std::uint64_t value = 0;
          Fault fault = read_whole(text, value);
          query.page.offset = value;
          if (!query.page.limit) query.page.limit = kDefaultLimit;
          return fault;
        }},
    Row{"limit",
        [](std::string_view text, ModelQuery& query) {
          return read_number<std::size_t>(text, query.page.limit.emplace(), 1, kLargestLimit,
                                          "must be a whole number from 1 to 1000");
        }},
    Row{"sort", [](std::string_view text, ModelQuery& query) { return read_sort(text, query.sort); }},
    Row{"output_modalities",
        [](std::string_view text, ModelQuery& query) { return read_list(text, query.output_modalities); }},
    Row{"input_modalities",
        [](std::string_view text, ModelQuery& query) { return read_list(text, query.input_modalities); }},
    Row{"supported_parameters",
        [](std::string_view text, ModelQuery& query) { return read_list(text, query.supported_parameters); }},
    Row{"providers",
        [](std::string_view text, ModelQuery& query) { return read_list(text, query.providers); }},
    Row{"model_authors",
        [](std::string_view text, ModelQuery& query) { return read_list(text, query.authors); }},
    Row{"q", [](std::string_view text, ModelQuery& query) { return read_text(text, query.text); }},
    Row{"arch", [](std::string_view text, ModelQuery& query) { return read_text(text, query.arch); }},
    Row{"context",
        [](std::string_view text, ModelQuery& query) { return read_whole(text, query.least_context); }},
    Row{"min_price",
        [](std::string_view text, ModelQuery& query) { return read_price(text, query.min_price); }},
    Row{"max_price",
        [](std::string_view text, ModelQuery& query) { return read_price(text, query.max_price); }},
    Row{"min_output_price",
        [](std::string_view text, ModelQuery& query) { return read_price(text, query.min_output_price); }},
    Row{"max_output_price",
        [](std::string_view text, ModelQuery& query) { return read_price(text, query.max_output_price); }},
    Row{"min_age_days",
        [](std::string_view text, ModelQuery& query) { return read_days(text, query.min_age_days); }},
    Row{"max_age_days",
        [](std::string_view text, ModelQuery& query) { return read_days(text, query.max_age_days); }},
    Row{"zdr", [](std::string_view text, ModelQuery& query) { return read_flag(text, query.zdr); }},
    Row{"distillable",
        [](std::string_view text, ModelQuery& query) { return read_flag(text, query.distillable); }},
};

Error refusal(const std::string& name, const std::string& reason) {
  return Error(ErrorCode::invalid_request, name + " " + reason).with_param(name);
}

Result<void> read(std::string_view text, std::span<const Row> rows, ModelQuery& query) {
  const auto parameters = parse_query(text);
  if (!parameters) return fail(parameters.error());
  for (const QueryParameter& parameter : *parameters) {
    const auto row = std::ranges::find(rows, parameter.name, &Row::name);
    if (row == rows.end()) {
      if (rows.size() > kPageRows && std::ranges::find(kUnknowable, parameter.name) != kUnknowable.end())
        return fail(refusal(parameter.name,
                            "cannot be applied: nothing of that kind is known of the models "
                            "here. Leave it out"));
      continue;
    }
    if (const Fault fault = row->read(parameter.value, query); !fault.empty())
      return fail(refusal(parameter.name, fault));
  }
  return {};
}

// Text in, vectors out: what every model here does.
bool any_is(const std::vector<std::string>& wanted, std::string_view has) {
  return wanted.empty() || std::ranges::any_of(wanted, [&](const std::string& one) {
           return one == "all" || same_ignoring_case(one, has);
         });
}

bool wanted(const ListedModel& model, const ModelQuery& query, std::int64_t now) {
  const auto honoured = supported_parameters(model);
  const auto provider_is_wanted = [&](const ListedEndpoint& endpoint) {
    return std::ranges::any_of(query.providers, [&](const std::string& name) {
      return same_ignoring_case(name, endpoint.provider) || same_ignoring_case(name, endpoint.provider_slug);
    });
  };
  const double price = static_cast<double>(model.pico_usd_per_token) * 1e-6;  // per million tokens
  const auto within = [](double value, const std::optional<double>& least,
                         const std::optional<double>& most) {
    return (!least || value >= *least * (1 - 1e-9)) && (!most || value <= *most * (1 + 1e-9));
  };
  constexpr std::int64_t kDay = 86'400;
  const std::int64_t age = (now - model.created) / kDay;
  return any_is(query.output_modalities, "embeddings") && any_is(query.input_modalities, "text") &&
         std::ranges::all_of(
             query.supported_parameters,
             [&](const std::string& name) { return std::ranges::find(honoured, name) != honoured.end(); }) &&
         (query.providers.empty() || std::ranges::any_of(model.endpoints, provider_is_wanted)) &&
         (query.authors.empty() || any_is(query.authors, model.id.substr(0, model.id.find('/')))) &&
         (contains_ignoring_case(model.id, query.text) || contains_ignoring_case(model.name, query.text)) &&
         contains_ignoring_case(model.tokenizer, query.arch) && model.context_length >= query.least_context &&
         within(price, query.min_price, query.max_price) &&
         within(0, query.min_output_price, query.max_output_price) &&
         (!query.min_age_days || age >= static_cast<std::int64_t>(*query.min_age_days)) &&
         (!query.max_age_days || age <= static_cast<std::int64_t>(*query.max_age_days)) &&
         (!query.zdr || std::ranges::any_of(model.endpoints, &ListedEndpoint::zdr)) &&
         (!query.distillable || model.distillable);
}

// Smaller comes first; what is unknown comes last.
double rank(const ListedModel& model, ModelSort sort) {
  constexpr double kLast = std::numeric_limits<double>::infinity();
  double best = kLast;
  switch (sort) {
    case ModelSort::newest:
      return 0;
    case ModelSort::price_ascending:
      return static_cast<double>(model.pico_usd_per_token);
    case ModelSort::price_descending:
      return -static_cast<double>(model.pico_usd_per_token);
    case ModelSort::context_descending:
      return model.context_length == 0 ? kLast : -static_cast<double>(model.context_length);
    case ModelSort::throughput_descending:
      for (const ListedEndpoint& endpoint : model.endpoints)
        if (endpoint.measured.throughput) best = std::min(best, -endpoint.measured.throughput->p50);
      return best;
    case ModelSort::latency_ascending:
      for (const ListedEndpoint& endpoint : model.endpoints)
        if (endpoint.measured.latency_ms) best = std::min(best, endpoint.measured.latency_ms->p50);
      return best;
  }
  return best;
}

}  // namespace

Result<ModelQuery> parse_model_query(std::string_view query, std::string_view default_output) {
  ModelQuery wish;
  wish.output_modalities.emplace_back(default_output);
  if (auto done = read(query, kRows, wish); !done) return fail(std::move(done).error());
  return wish;
}

Result<Page> parse_page(std::string_view query) {
  ModelQuery wish;
  if (auto done = read(query, std::span(kRows).first(kPageRows), wish); !done)
    return fail(std::move(done).error());
  return wish.page;
}

std::vector<ListedModel> select_models(std::vector<ListedModel> models, const ModelQuery& query,
                                       std::int64_t now) {
  std::erase_if(models, [&](const ListedModel& model) { return !wanted(model, query, now); });
  std::vector<std::pair<double, std::size_t>> places;  // with the place before, for ties
  places.reserve(models.size());
  for (const ListedModel& model : models) places.emplace_back(rank(model, query.sort), places.size());
  std::ranges::sort(places);
  std::vector<ListedModel> sorted;
  sorted.reserve(models.size());
  for (const auto& [_, before] : places) sorted.push_back(std::move(models[before]));
  return sorted;
}

std::string without_page(std::string_view query) {
  std::string rest;
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    const std::string_view name = pair.substr(0, pair.find('='));
    if (!pair.empty() && name != "offset" && name != "limit") rest.append(pair).append("&");
  }
  return rest;
}

}  // namespace embedrouter::api
