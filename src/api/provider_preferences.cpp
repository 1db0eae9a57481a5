#include "api/provider_preferences.h"

#include <cmath>
#include <iterator>

#include "api/request_reader.h"

namespace embedrouter::api {
namespace {

constexpr std::size_t kMostEntries = 256;

// An object: `read` for each member that is in `known` (rows with a name) and not null. Others are skipped.
template <class Rows, class Read>
Result<void> read_members(RequestReader& reader, std::string_view param, const Rows& known, Read read) {
  if (auto open = reader.open_object(param); !open) return open;
  std::uint32_t seen = 0;
  bool first = true;
  JsonString key;
  while (reader.json().next_member(first, key)) {
    const std::string_view name = reader.in_place(key);
    const auto row = std::ranges::find_if(known, [&](const auto& r) { return r.name == name; });
    if (row == std::end(known)) {
      if (!reader.json().skip()) return reader.malformed();
      continue;
    }
    const std::uint32_t bit = 1U << std::distance(std::begin(known), row);
    if ((seen & bit) != 0) {
      const std::string path = std::string(param) + "." + std::string(name);
      return invalid(path, path + " appears twice");
    }
    seen |= bit;
    if (reader.skip_null()) continue;
    if (auto done = read(*row); !done) return done;
  }
  if (!reader.json().ok()) return reader.malformed();
  return {};
}

Result<void> read_strings(RequestReader& reader, std::string_view param, std::vector<std::string_view>& out) {
  constexpr std::string_view kExpected = "an array of strings";
  JsonCursor& json = reader.json();
  if (json.kind() != JsonKind::array) return reader.wrong_kind(param, kExpected);
  json.enter('[');
  out.clear();
  bool first = true;
  while (json.next_element(first)) {
    const std::string at = std::string(param) + "[" + std::to_string(out.size()) + "]";
    if (out.size() == kMostEntries) {
      return invalid(param,
                     std::string(param) + " has more than " + std::to_string(kMostEntries) + " entries");
    }
    auto text = reader.text(at);
    if (!text) return fail(std::move(text).error());
    if (text->empty()) return invalid(at, at + " is empty");
    out.push_back(*text);
  }
  if (!json.ok()) return reader.malformed();
  return {};
}

Result<void> read_flag(RequestReader& reader, std::string_view param, bool& out) {
  const auto flag = reader.flag(param);
  if (!flag) return fail(flag.error());
  out = *flag;
  return {};
}

// Finite and not negative; as a number, or, where `or_text`, as a string that holds one.
Result<void> read_amount(RequestReader& reader, const std::string& param, bool or_text,
                         std::optional<double>& out) {
  const std::string_view expected =
      or_text ? "a number that is not negative, or a string of one" : "a number that is not negative";
  const JsonKind kind = reader.json().kind();
  if (kind != JsonKind::number && !(or_text && kind == JsonKind::string))
    return reader.wrong_kind(param, expected);
  std::string_view digits;
  if (kind == JsonKind::string) {
    auto text = reader.text(param);
    if (!text) return fail(std::move(text).error());
    const char* at = text->data();
    Decimal decimal;
    if (read_decimal(at, at + text->size(), decimal) && at == text->data() + text->size()) digits = *text;
  } else {
    Decimal decimal;
    if (!reader.json().read_number(decimal)) return reader.malformed();
    digits = decimal.text;
  }
  double value = -1;
  fast_float::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (!std::isfinite(value) || value < 0)
    return invalid(param, (std::string(param) + " must be ").append(expected));
  out = value;
  return {};
}

struct Amount {
  std::string_view name;
  std::optional<double>* value;
};
Result<void> read_amounts(RequestReader& reader, std::string_view param, bool or_text,
                          std::initializer_list<Amount> amounts) {
  return read_members(reader, param, amounts, [&](const Amount& amount) {
    return read_amount(reader, std::string(param) + "." + std::string(amount.name), or_text, *amount.value);
  });
}

Result<void> read_percentiles(RequestReader& reader, std::string_view param, Percentiles& out) {
  if (reader.json().kind() == JsonKind::number)
    return read_amount(reader, std::string(param), false, out.p50);
  if (reader.json().kind() != JsonKind::object)
    return reader.wrong_kind(param, "a number or an object of percentiles");
  return read_amounts(reader, param, false,
                      {{"p50", &out.p50}, {"p75", &out.p75}, {"p90", &out.p90}, {"p99", &out.p99}});
}

Result<void> read_sort_name(RequestReader& reader, std::string_view param, Sort& out) {
  const auto name = reader.text(param);
  if (!name) return fail(name.error());
  if (*name == "price") {
    out = Sort::price;
  } else if (*name == "throughput") {
    out = Sort::throughput;
  } else if (*name == "latency") {
    out = Sort::latency;
  } else if (*name == "exacto") {  // orders by tool calling, which embeddings models do not do
    out = Sort::none;
  } else {
    return invalid(param, std::string(param) + " must be \"price\", \"throughput\" or \"latency\"");
  }
  return {};
}

struct Member {
  std::string_view name;
  Result<void> (*read)(RequestReader&, ProviderPreferences&);
};
using P = ProviderPreferences;
using R = RequestReader;

// Means something only where there are several models.
Result<void> read_partition(RequestReader& reader, ProviderPreferences&) {
  const auto partition = reader.text("provider.sort.partition");
  if (!partition) return fail(partition.error());
  if (*partition == "model" || *partition == "none") return {};
  return invalid("provider.sort.partition", "provider.sort.partition must be \"model\" or \"none\"");
}

constexpr Member kSortMembers[] = {
    {"by", [](R& r, P& p) { return read_sort_name(r, "provider.sort.by", p.sort); }},
    {"partition", read_partition},
};

Result<void> read_sort(RequestReader& reader, ProviderPreferences& out) {
  if (reader.json().kind() == JsonKind::string) return read_sort_name(reader, "provider.sort", out.sort);
  if (reader.json().kind() != JsonKind::object)
    return reader.wrong_kind("provider.sort", "a string or an object with by and partition");
  return read_members(reader, "provider.sort", kSortMembers,
                      [&](const Member& member) { return member.read(reader, out); });
}

Result<void> read_data_collection(RequestReader& reader, ProviderPreferences& out) {
  const auto text = reader.text("provider.data_collection");
  if (!text) return fail(text.error());
  out.deny_data_collection = *text == "deny";
  if (out.deny_data_collection || *text == "allow") return {};
  return invalid("provider.data_collection", "provider.data_collection must be \"allow\" or \"deny\"");
}

// What stands between the braces of an entry of `options`. It is merged into the provider's request as it is,
// so it must not hold what the router writes there, nor what would change the vectors behind its back.
Result<std::string_view> read_option_members(std::string_view path, std::string_view json) {
  std::vector<std::string_view> names;
  JsonCursor cursor(json);
  cursor.enter('{');
  bool first = true;
  JsonString key;
  while (cursor.next_member(first, key)) {
    if (key.escaped) return invalid(path, std::string(path) + " has an escape in a name; write it plainly");
    const std::string at = std::string(path) + "." + std::string(key.raw);
    if (std::ranges::find(names, key.raw) != names.end()) return invalid(path, at + " appears twice");
    if (names.size() == kMostEntries) {
      return invalid(path, std::string(path) + " has more than " + std::to_string(kMostEntries) + " entries");
    }
    if (is_decided_here(key.raw)) {
      return invalid(path, at + " cannot be set for one provider: the router decides it, from the members of "
                                "the request where they say so");
    }
    names.push_back(key.raw);
    cursor.skip();
  }
  std::string_view members = json.substr(1, json.size() - 2);
  const std::size_t begin = members.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return std::string_view();
  return members.substr(begin, members.find_last_not_of(" \t\r\n") + 1 - begin);
}

Result<void> read_options(RequestReader& reader, ProviderPreferences& out) {
  constexpr std::string_view kParam = "provider.options";
  if (auto open = reader.open_object(kParam); !open) return open;
  bool first = true;
  JsonString key;
  while (reader.json().next_member(first, key)) {
    ProviderPreferences::Option option{reader.in_place(key), {}};
    if (std::ranges::find(out.options, option.slug, &ProviderPreferences::Option::slug) != out.options.end())
      return invalid(kParam, "provider.options names one provider twice");
    if (reader.skip_null()) continue;
    if (out.options.size() == kMostEntries) {
      return invalid(kParam, "provider.options has more than " + std::to_string(kMostEntries) + " entries");
    }
    if (reader.json().kind() != JsonKind::object) return reader.wrong_kind(kParam, "an object of objects");
    std::string_view json;
    if (!reader.json().skip(&json)) return reader.malformed();
    auto members = read_option_members(std::string(kParam) + "." + std::string(option.slug), json);
    if (!members) return fail(std::move(members).error());
    option.members = *members;
    out.options.push_back(option);
  }
  if (!reader.json().ok()) return reader.malformed();
  return {};
}

constexpr Member kMembers[] = {
    {"order",
     [](R& r, P& p) {
       auto read = read_strings(r, "provider.order", p.order);
       p.has_order = !p.order.empty();
       return read;
     }},
    {"only", [](R& r, P& p) { return p.has_only = true, read_strings(r, "provider.only", p.only); }},
    {"ignore", [](R& r, P& p) { return read_strings(r, "provider.ignore", p.ignore); }},
    {"quantizations", [](R& r, P& p) { return read_strings(r, "provider.quantizations", p.quantizations); }},
    {"allow_fallbacks",
     [](R& r, P& p) { return read_flag(r, "provider.allow_fallbacks", p.allow_fallbacks); }},
    {"require_parameters",
     [](R& r, P& p) { return read_flag(r, "provider.require_parameters", p.require_parameters); }},
    {"zdr", [](R& r, P& p) { return read_flag(r, "provider.zdr", p.zdr); }},
    {"enforce_distillable_text",
     [](R& r, P& p) {
       return read_flag(r, "provider.enforce_distillable_text", p.enforce_distillable_text);
     }},
    {"data_collection", read_data_collection},
    {"sort", read_sort},
    {"max_price",
     [](R& r, P& p) {
       auto& price = p.max_price;
       return read_amounts(r, "provider.max_price", true,
                           {{"prompt", &price.prompt},
                            {"completion", &price.completion},
                            {"request", &price.request},
                            {"image", &price.image},
                            {"audio", &price.audio}});
     }},
    {"preferred_min_throughput",
     [](R& r, P& p) {
       return read_percentiles(r, "provider.preferred_min_throughput", p.preferred_min_throughput);
     }},
    {"preferred_max_latency",
     [](R& r, P& p) {
       return read_percentiles(r, "provider.preferred_max_latency", p.preferred_max_latency);
     }},
    {"options", read_options},
};

}  // namespace

Result<void> read_provider(RequestReader& reader, ProviderPreferences& out) {
  static_assert(std::size(kMembers) <= 32, "read_members remembers 32");
  return read_members(reader, "provider", kMembers,
                      [&](const Member& member) { return member.read(reader, out); });
}

}  // namespace embedrouter::api
