#include "embed/gate.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <unordered_map>

#include "api/vector_text.h"

namespace embedrouter::embed {
namespace {

using api::Embedding;
using api::EmbedReply;
using api::EmbedRequest;
using api::Item;

tl::unexpected<Error> invalid(ErrorCode code, std::uint32_t item, const std::string& what) {
  return fail(
      Error(code, "the provider's vector for input[" + std::to_string(item) + "] " + what).with_item(item));
}

// Puts `data` into the order its indices give.
Result<void> order(const EmbedRequest& request, EmbedReply& reply) {
  const std::size_t n = request.items.size();
  if (reply.data.size() != n) {
    return fail(ErrorCode::upstream_count_mismatch, "the provider answered " +
                                                        std::to_string(reply.data.size()) + " vectors for " +
                                                        std::to_string(n) + " inputs");
  }
  const auto indexed = static_cast<std::size_t>(
      std::ranges::count_if(reply.data, [](const Embedding& e) { return e.index.has_value(); }));
  if (indexed == 0) {
    for (std::size_t i = 0; i < n; ++i) reply.data[i].index = static_cast<std::int64_t>(i);
    return {};
  }
  if (indexed != n) {
    return fail(ErrorCode::upstream_invalid_answer, "the provider gave only some of its vectors an index");
  }
  std::size_t i = 0;
  while (i < n && reply.data[i].index == static_cast<std::int64_t>(i)) ++i;
  if (i == n) return {};  // already in order, as nearly always

  std::vector<Embedding> ordered(n);
  std::vector<bool> seen(n, false);
  for (const Embedding& e : reply.data) {
    if (*e.index < 0 || static_cast<std::uint64_t>(*e.index) >= n ||
        seen[static_cast<std::size_t>(*e.index)]) {
      return fail(ErrorCode::upstream_invalid_answer,
                  "the provider's indices are not a permutation: " + std::to_string(*e.index));
    }
    seen[static_cast<std::size_t>(*e.index)] = true;
    ordered[static_cast<std::size_t>(*e.index)] = e;
  }
  reply.data = std::move(ordered);
  return {};
}

Result<std::size_t> width_of(const api::VectorView& vector) {
  if (const auto* floats = std::get_if<std::span<const float>>(&vector)) return floats->size();
  if (const auto* text = std::get_if<api::Base64Text>(&vector)) return api::base64_width(text->text);
  return std::size_t{0};  // number text: known when it is scanned
}

bool same_item(const Item& a, const Item& b) {
  return a.text == b.text && std::ranges::equal(a.tokens, b.tokens);
}

// A token is at least a byte, and every model adds only a few of its own to a text.
void make_usage_plausible(const EmbedRequest& request, api::Usage& usage) {
  std::uint64_t bytes = 0;
  std::uint64_t ids = 0;
  for (const Item& item : request.items) {
    bytes += item.text.size();
    ids += item.tokens.size();
  }
  constexpr std::uint64_t kSpecialTokens = 8;
  const std::uint64_t most = bytes + ids + kSpecialTokens * request.items.size();
  if (usage.prompt_tokens == 0 || usage.prompt_tokens > most) {
    constexpr std::uint64_t kBytesPerToken = 4;
    usage.prompt_tokens =
        std::max<std::uint64_t>(request.items.size(), ids + (bytes + kBytesPerToken - 1) / kBytesPerToken);
    usage.source = api::UsageSource::estimated;
  }
  usage.total_tokens = usage.prompt_tokens;
}

unsigned folded(unsigned char c) {
  return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}
bool letter_or_digit(unsigned char c) {
  return (c >= '0' && c <= '9') || (folded(c) >= 'a' && folded(c) <= 'z');
}
bool counts(unsigned char c) {
  return c >= 0x80 || letter_or_digit(c);
}

// What every vocabulary tells apart: ASCII letters, whatever their case, and digits. 0 for a text that has
// none.
std::uint64_t certain_digest(const Item& item) {
  std::uint64_t digest = 0;
  const auto mix = [&](std::uint64_t value) { digest = (digest ^ (value + 1)) * 0x9e3779b97f4a7c15; };
  for (const char c : item.text) {
    if (letter_or_digit(static_cast<unsigned char>(c))) mix(folded(static_cast<unsigned char>(c)));
  }
  for (const std::uint32_t id : item.tokens) mix(id);
  return digest;
}

// Its last value is 0: the rest of a vector that was filled up, perhaps.
bool ends_in_zero(std::string_view numbers) {
  const std::size_t comma = numbers.rfind(',');
  if (comma == std::string_view::npos) return false;
  const std::string_view last = numbers.substr(comma + 1);
  return last.substr(0, last.find_first_of("eE")).find_first_of("123456789") == std::string_view::npos;
}

// What a look at the text of numbers shows of faults that only the values prove.
bool looks_odd(const EmbedReply& reply) {
  constexpr std::size_t kBeginning = 64;
  std::string_view before;
  for (const api::Embedding& embedding : reply.data) {
    const auto* text = std::get_if<api::NumberText>(&embedding.vector);
    if (text == nullptr) return false;
    const std::string_view beginning = text->json.substr(0, kBeginning);
    if (beginning == before || ends_in_zero(text->json)) return true;
    before = beginning;
  }
  return false;
}

}  // namespace

bool alike(std::string_view a, std::string_view b) {
  std::size_t i = 0;
  std::size_t j = 0;
  for (;;) {
    while (i < a.size() && !counts(static_cast<unsigned char>(a[i]))) ++i;
    while (j < b.size() && !counts(static_cast<unsigned char>(b[j]))) ++j;
    if (i == a.size() || j == b.size()) return i == a.size() && j == b.size();
    if (folded(static_cast<unsigned char>(a[i++])) != folded(static_cast<unsigned char>(b[j++])))
      return false;
  }
}

Result<std::optional<Gate::Twins>> Gate::inspect(const EmbedRequest& request, EmbedReply& reply,
                                                 bool read_all) {
  const bool read_values =
      answers_ < kFirstAnswers || answers_ % kSampleEvery == 0 || suspect_ || read_all || looks_odd(reply);
  ++answers_;
  const bool was_suspect = std::exchange(suspect_, true);  // until this answer has passed
  if (auto ordered = order(request, reply); !ordered) return fail(std::move(ordered).error());

  const std::size_t width = request.dimensions.value_or(contract_.dimensions);
  const std::size_t n = reply.data.size();
  digests_.clear();
  bool all_read = true;
  for (std::uint32_t i = 0; i < n; ++i) {
    const bool text = std::holds_alternative<api::NumberText>(reply.data[i].vector);
    all_read = all_read && (read_values || !text);
    auto checked = check_vector(reply.data[i].vector, i, width, read_values || !text);
    if (!checked) return fail(std::move(checked).error());
  }
  reply.width = static_cast<std::uint32_t>(width);
  make_usage_plausible(request, reply.usage);

  std::optional<Twins> twins;
  if (all_read && contract_.cross_item) {
    auto compared = compare_items(request);
    if (!compared) return fail(std::move(compared).error());
    if (read_values) twins = *compared;
    if (auto recent = compare_with_recent(request); !recent) return fail(std::move(recent).error());
  }
  suspect_ = was_suspect && !all_read;
  return twins;
}

// With `read_values` the vector's values are checked one by one and its digest is kept; without, its text is
// scanned.
Result<void> Gate::check_vector(const api::VectorView& vector, std::uint32_t item, std::size_t expected,
                                bool read_values) {
  const auto wrong_width = [&](std::size_t got) {
    return invalid(ErrorCode::upstream_invalid_vector, item,
                   "has " + std::to_string(got) + " values instead of " + std::to_string(expected));
  };
  const auto broken = [&](const Error& error) {
    return invalid(error.code(), item, "is not usable: " + error.message());
  };

  auto width = width_of(vector);
  if (!width) return broken(width.error());
  std::span<const float> values;
  Result<api::VectorFacts> facts = api::VectorFacts{};
  if (const auto* text = std::get_if<api::NumberText>(&vector)) {
    facts = api::scan_numbers(text->json);
    if (!facts) return broken(facts.error());
    if (facts->width != expected) return wrong_width(facts->width);
    if (!facts->nonzero) return invalid(ErrorCode::upstream_invalid_vector, item, "is all zeros");
    if (!read_values) return {};
    values_.resize(expected);
    if (auto parsed = api::parse_numbers(text->json, values_); !parsed) return broken(parsed.error());
    values = values_;
  } else {
    if (*width != expected) return wrong_width(*width);
    if (const auto* encoded = std::get_if<api::Base64Text>(&vector)) {
      values_.resize(expected);
      if (auto decoded = api::decode_base64(encoded->text, values_); !decoded) return broken(decoded.error());
      values = values_;
    } else {
      values = std::get<std::span<const float>>(vector);
    }
  }
  facts = api::measure(values);
  if (!facts) return broken(facts.error());
  if (!facts->nonzero) return invalid(ErrorCode::upstream_invalid_vector, item, "is all zeros");
  if (contract_.normalized && std::abs(std::sqrt(facts->squared_norm) - 1) > kNormTolerance) {
    return invalid(ErrorCode::upstream_invalid_vector, item,
                   "has length " + std::to_string(std::sqrt(facts->squared_norm)) +
                       " where the endpoint is declared normalized (if that is how it is, the operator sets "
                       "normalized = "
                       "false)");
  }
  digests_.push_back(std::hash<std::string_view>{}(
      std::string_view(reinterpret_cast<const char*>(values.data()), values.size_bytes())));
  return {};
}

Result<std::optional<Gate::Twins>> Gate::compare_items(const EmbedRequest& request) {
  std::unordered_map<std::uint64_t, std::uint32_t> first_with;
  std::optional<Twins> twins;
  std::vector<std::uint32_t> distinct_twins;  // of the first vector that repeats
  for (std::uint32_t i = 0; i < digests_.size(); ++i) {
    const auto [at, fresh] = first_with.try_emplace(digests_[i], i);
    if (fresh) continue;
    const Item& first = request.items[at->second];
    const Item& second = request.items[i];
    if (same_item(first, second) || (!first.is_tokens() && alike(first.text, second.text))) continue;
    if (!twins) twins.emplace(at->second, i);
    if (digests_[i] != digests_[twins->first]) continue;
    if (distinct_twins.empty()) distinct_twins.push_back(at->second);
    const bool known = std::ranges::any_of(
        distinct_twins, [&](std::uint32_t t) { return same_item(request.items[t], second); });
    if (!known && distinct_twins.size() < kTwinsAreAFault) distinct_twins.push_back(i);
    if (distinct_twins.size() >= kTwinsAreAFault) {
      return invalid(ErrorCode::upstream_invalid_vector, i, "is the same as those of other texts");
    }
  }
  return twins;
}

// The same fault spread over small requests: one vector for every text.
Result<void> Gate::compare_with_recent(const EmbedRequest& request) {
  for (std::uint32_t i = 0; i < digests_.size(); ++i) {
    if (digests_[i] != recent_digest_) {
      recent_digest_ = digests_[i];
      recent_texts_.clear();
    }
    const std::uint64_t text = certain_digest(request.items[i]);
    if (text == 0) continue;
    if (std::ranges::find(recent_texts_, text) == recent_texts_.end()) recent_texts_.push_back(text);
    if (recent_texts_.size() >= kTwinsAreAFault) {
      recent_texts_.pop_back();
      return invalid(ErrorCode::upstream_invalid_vector, i, "is the same as those of other texts");
    }
  }
  return {};
}

}  // namespace embedrouter::embed
