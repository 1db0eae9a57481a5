#include "tokenizer/byte_pairs.h"
#include "tokenizer/read_parts.h"
#include "tokenizer/read_stage.h"
#include "tokenizer/unicode.h"
#include "tokenizer/unigram.h"
#include "tokenizer/word_piece.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace embedrouter::tokenizer {
namespace {

// Tokens of model.vocab, checked, with their highest id.
struct Vocabulary {
  std::vector<std::pair<std::string_view, std::uint32_t>> tokens;
  std::uint32_t highest_id = 0;
};

Result<Vocabulary> read_vocabulary(const JsonFields& vocab) {
  Vocabulary vocabulary;
  for (const auto& [token, element] : vocab.members()) {
    std::uint64_t id = 0;
    if (element.get(id) || id > kHighestId)
      return wrong_file(vocab.path(in_quotes(token)) + " must be a whole number from 0 to " +
                        std::to_string(kHighestId));
    if (token.size() > StringTable::kMaxLength)
      return wrong_file(vocab.path(in_quotes(token)) + " is longer than " +
                        std::to_string(StringTable::kMaxLength) + " bytes");
    vocabulary.tokens.emplace_back(token, static_cast<std::uint32_t>(id));
    vocabulary.highest_id = std::max(vocabulary.highest_id, static_cast<std::uint32_t>(id));
  }
  return vocabulary;
}

Result<WordPieceOptions> read_word_piece_options(const JsonFields& model) {
  WordPieceOptions options;
  auto prefix = model.text("continuing_subword_prefix");
  if (!prefix) return fail(std::move(prefix).error());
  options.continuing_subword_prefix = *prefix;
  auto longest = model.number("max_input_chars_per_word", kHighestId);
  if (!longest) return fail(std::move(longest).error());
  options.max_input_chars_per_word = *longest;
  return options;
}

Result<std::unique_ptr<const Model>> read_word_piece(const JsonFields& model) {
  auto options = read_word_piece_options(model);
  if (!options) return fail(std::move(options).error());
  auto unknown = model.text("unk_token");
  if (!unknown) return fail(std::move(unknown).error());
  auto vocab = model.object("vocab");
  if (!vocab) return fail(std::move(vocab).error());
  auto vocabulary = read_vocabulary(*vocab);
  if (!vocabulary) return fail(std::move(vocabulary).error());

  const std::string_view prefix = options->continuing_subword_prefix;
  const auto continues = [prefix](const auto& token) {
    return token.first.size() > prefix.size() && token.first.starts_with(prefix);
  };
  StringTable whole(vocabulary->tokens.size());
  StringTable continuations(static_cast<std::size_t>(std::ranges::count_if(vocabulary->tokens, continues)));
  for (const auto& token : vocabulary->tokens) {
    if (token.first.empty()) continue;  // no text is ever matched with it
    if (!whole.insert(token.first, token.second))
      return wrong_file(vocab->path(in_quotes(token.first)) + " is there twice");
    if (continues(token)) continuations.insert(token.first.substr(prefix.size()), token.second);
  }
  options->unknown_id = whole.find(*unknown);
  if (options->unknown_id == StringTable::kNone)
    return wrong_file("model.unk_token is " + in_quotes(*unknown) + ", which model.vocab does not hold");
  return std::make_unique<const WordPiece>(std::move(whole), std::move(continuations), vocabulary->highest_id,
                                           std::move(*options));
}

// Members that may be absent or empty, but not say anything else.
Result<void> read_absent(const JsonFields& model, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    if (model.lacks(name)) continue;
    if (auto text = model.text(name); text && text->empty()) continue;
    if (auto flag = model.flag(name); flag && !*flag) continue;
    return wrong_file(model.path(name) + " is not supported");
  }
  return {};
}

// The bytes that the letters of a token stand for; nothing if one stands for none.
std::optional<std::string> bytes_of(std::string_view token) {
  std::string bytes;
  for (const char *at = token.data(), *end = at + token.size(); at != end;) {
    const int byte = byte_of_letter(unicode::next_code_point(at));
    if (byte < 0) return std::nullopt;
    bytes.push_back(static_cast<char>(byte));
  }
  return bytes;
}

Result<BytePairs::Tokens> read_byte_tokens(const JsonFields& vocab) {
  auto vocabulary = read_vocabulary(vocab);
  if (!vocabulary) return fail(std::move(vocabulary).error());
  BytePairs::Tokens tokens;
  tokens.by_bytes = StringTable(vocabulary->tokens.size());
  tokens.others = StringTable(vocabulary->tokens.size());
  tokens.highest_id = vocabulary->highest_id;
  for (const auto& [token, id] : vocabulary->tokens) {
    if (token.empty()) continue;  // no text is ever matched with it
    const auto bytes = bytes_of(token);
    if (!(bytes ? tokens.by_bytes.insert(*bytes, id) : tokens.others.insert(token, id)))
      return wrong_file(vocab.path(in_quotes(token)) + " is there twice");
  }
  for (std::size_t byte = 0; byte < tokens.of_byte.size(); ++byte) {
    const char text = static_cast<char>(byte);
    tokens.of_byte[byte] = tokens.by_bytes.find({&text, 1});
    if (tokens.of_byte[byte] == StringTable::kNone)
      return wrong_file("model.vocab lacks the letter of the byte " + std::to_string(byte) +
                        "; only vocabularies with all 256 are supported");
  }
  return tokens;
}

// A merge is "a b" or, in newer files, ["a", "b"].
bool read_pair(simdjson::dom::element from, std::string_view& left, std::string_view& right) {
  simdjson::dom::array both;
  if (!from.get(both)) return both.size() == 2 && !both.at(0).get(left) && !both.at(1).get(right);
  std::string_view text;
  if (from.get(text)) return false;
  const std::size_t blank = text.find(' ');
  if (blank == text.npos || text.find(' ', blank + 1) != text.npos) return false;
  left = text.substr(0, blank);
  right = text.substr(blank + 1);
  return true;
}

Result<std::vector<Merge>> read_merges(const JsonFields& model, const BytePairs::Tokens& tokens) {
  auto list = model.list("merges");
  if (!list) return fail(std::move(list).error());
  std::vector<Merge> merges;
  const auto id_of = [&tokens](const std::optional<std::string>& bytes) {
    return bytes && !bytes->empty() ? tokens.by_bytes.find(*bytes) : StringTable::kNone;
  };
  for (const simdjson::dom::element from : *list) {
    const std::string path = model.path("merges") + "[" + std::to_string(merges.size()) + "]";
    std::string_view left;
    std::string_view right;
    if (!read_pair(from, left, right)) return wrong_file(path + " must be two tokens");
    const auto left_bytes = bytes_of(left);
    const auto right_bytes = bytes_of(right);
    const auto both = left_bytes && right_bytes ? std::optional(*left_bytes + *right_bytes) : std::nullopt;
    const Merge merge{.left = id_of(left_bytes),
                      .right = id_of(right_bytes),
                      .rank = static_cast<std::uint32_t>(merges.size()),
                      .whole = id_of(both)};
    if (merge.left == StringTable::kNone || merge.right == StringTable::kNone ||
        merge.whole == StringTable::kNone)
      return wrong_file(path + " is of tokens that model.vocab does not hold");
    merges.push_back(merge);
  }
  return merges;
}

Result<std::unique_ptr<const Model>> read_byte_pairs(const JsonFields& model) {
  if (auto none =
          read_absent(model, {"dropout", "continuing_subword_prefix", "end_of_word_suffix", "byte_fallback"});
      !none)
    return fail(std::move(none).error());
  bool whole_pieces = false;
  if (!model.lacks("ignore_merges")) {
    auto ignore = model.flag("ignore_merges");
    if (!ignore) return fail(std::move(ignore).error());
    whole_pieces = *ignore;
  }
  auto vocab = model.object("vocab");
  if (!vocab) return fail(std::move(vocab).error());
  auto tokens = read_byte_tokens(*vocab);
  if (!tokens) return fail(std::move(tokens).error());
  auto merges = read_merges(model, *tokens);
  if (!merges) return fail(std::move(merges).error());
  return std::make_unique<const BytePairs>(std::move(*tokens), MergeTable(*merges), whole_pieces);
}

// The number that the reference makes of the digits of `exact`: it divides (or multiplies) them by a power of
// ten, which rounds once more than it should. The last bit decides between ways through a text that score the
// same. The digits are the fewest that mean `exact`, as files have them.
double as_reference_reads(double exact) {
  std::array<char, 32> text{};
  const auto end =
      std::to_chars(text.begin(), text.end(), std::abs(exact), std::chars_format::scientific).ptr;
  int exponent = 0;
  std::uint64_t significand = 0;
  const char* at = text.begin();
  for (bool behind_point = false; at != end && *at != 'e'; ++at) {
    if (*at == '.') {
      behind_point = true;
    } else {
      significand = significand * 10 + static_cast<std::uint64_t>(*at - '0');
      if (behind_point) --exponent;
    }
  }
  int power = 0;
  if (at != end) std::from_chars(at[1] == '+' ? at + 2 : at + 1, end, power);
  exponent += power;
  auto digits = static_cast<double>(significand);
  constexpr int kLargest = 308;
  for (; exponent < -kLargest; exponent += kLargest) digits /= 1e308;
  static const auto kPowers = [] {
    std::array<double, kLargest + 1> powers{};
    for (int i = 0; i <= kLargest; ++i) {
      const std::string one = "1e" + std::to_string(i);
      std::from_chars(one.data(), one.data() + one.size(), powers[static_cast<std::size_t>(i)]);
    }
    return powers;
  }();
  const double scale = kPowers[static_cast<std::size_t>(std::abs(exponent))];
  return std::copysign(exponent < 0 ? digits / scale : digits * scale, exact);
}

// One member of vocab: ["▁the", -3.5].
Result<std::pair<std::string_view, double>> read_scored(simdjson::dom::element from,
                                                        const std::string& path) {
  simdjson::dom::array both;
  std::string_view token;
  double score = 0;
  if (from.get(both) || both.size() != 2 || both.at(0).get(token) || both.at(1).get(score) ||
      !std::isfinite(score))
    return wrong_file(path + " must be a token and its score");
  if (token.empty() || token.size() > StringTable::kMaxLength)
    return wrong_file(path + " must have 1 to " + std::to_string(StringTable::kMaxLength) + " bytes");
  return std::pair(token, as_reference_reads(score));
}

Result<std::unique_ptr<const Model>> read_unigram(const JsonFields& model) {
  auto vocab = model.list("vocab");
  if (!vocab) return fail(std::move(vocab).error());
  std::vector<std::pair<std::string_view, std::uint32_t>> tokens;
  std::vector<double> scores;
  for (const simdjson::dom::element from : *vocab) {
    auto scored = read_scored(from, model.path("vocab") + "[" + std::to_string(tokens.size()) + "]");
    if (!scored) return fail(std::move(scored).error());
    tokens.emplace_back(scored->first, static_cast<std::uint32_t>(tokens.size()));
    scores.push_back(scored->second);
  }
  std::ranges::sort(tokens);
  const auto same = std::ranges::adjacent_find(tokens, {}, &decltype(tokens)::value_type::first);
  if (same != tokens.end())
    return wrong_file(model.path("vocab") + " has " + in_quotes(same->first) + " twice");
  UnigramOptions options;
  if (tokens.empty()) return wrong_file(model.path("vocab") + " is empty");
  auto unknown = model.number("unk_id", static_cast<std::uint32_t>(tokens.size() - 1));
  if (!unknown) return fail(std::move(unknown).error());
  options.unknown_id = *unknown;
  if (!model.lacks("byte_fallback")) {
    auto fallback = model.flag("byte_fallback");
    if (!fallback) return fail(std::move(fallback).error());
    options.byte_fallback = *fallback;
  }
  return std::make_unique<const Unigram>(DoubleArray(std::move(tokens)), std::move(scores), options);
}

}  // namespace

Result<std::unique_ptr<const Model>> read_model(const JsonFields& file) {
  static constexpr Kind<Model> kKinds[] = {
      {"WordPiece", read_word_piece}, {"BPE", read_byte_pairs}, {"Unigram", read_unigram}};
  auto fields = file.object("model");
  if (!fields) return fail(std::move(fields).error());
  auto bytes = ends_in_bytes(file);
  if (!bytes) return fail(std::move(bytes).error());
  if (*bytes != (fields->text("type").value_or(std::string_view()) == "BPE"))
    return wrong_file("model.type BPE and the pre_tokenizer ByteLevel are supported together only");
  return read_stage(*fields, kKinds);
}

}  // namespace embedrouter::tokenizer
