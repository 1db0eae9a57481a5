#include "tokenizer/read_parts.h"

#include "tokenizer/bert_normalizer.h"
#include "tokenizer/bert_pre_tokenizer.h"
#include "tokenizer/word_piece.h"

#include <algorithm>

namespace embedrouter::tokenizer {
namespace {

// One kind of a stage: what the file calls it in `type`, and how it is read.
template <class Stage>
struct Kind {
  std::string_view type;
  Result<std::unique_ptr<const Stage>> (*read)(const JsonFields& fields);
};

template <class Stage, std::size_t n>
Result<std::unique_ptr<const Stage>> read_stage(const JsonFields& file, std::string_view name,
                                                const Kind<Stage> (&kinds)[n]) {
  auto fields = file.object(name);
  if (!fields) return fail(std::move(fields).error());
  auto type = fields->text("type");
  if (!type) return fail(std::move(type).error());
  std::string supported;
  for (const Kind<Stage>& kind : kinds) {
    if (kind.type == *type) return kind.read(*fields);
    supported += (supported.empty() ? "" : ", ") + std::string(kind.type);
  }
  return wrong_file(fields->path("type") + " is " + in_quotes(*type) +
                    ", which is not supported. Supported: " + supported);
}

Result<std::unique_ptr<const Normalizer>> read_bert_normalizer(const JsonFields& fields) {
  BertNormalizerOptions options;
  const auto read = [&](std::string_view name, bool& into) -> Result<void> {
    auto flag = fields.flag(name);
    if (!flag) return fail(std::move(flag).error());
    into = *flag;
    return {};
  };
  for (const auto& [name, into] : {std::pair("clean_text", &options.clean_text),
                                   std::pair("handle_chinese_chars", &options.handle_chinese_chars),
                                   std::pair("lowercase", &options.lowercase)}) {
    if (auto done = read(name, *into); !done) return fail(std::move(done).error());
  }
  options.strip_accents = options.lowercase;  // unless the file says otherwise
  if (!fields.lacks("strip_accents")) {
    if (auto done = read("strip_accents", options.strip_accents); !done) return fail(std::move(done).error());
  }
  return std::make_unique<const BertNormalizer>(options);
}

Result<std::unique_ptr<const PreTokenizer>> read_bert_pre_tokenizer(const JsonFields&) {
  return std::make_unique<const BertPreTokenizer>();
}

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

}  // namespace

Result<std::unique_ptr<const Normalizer>> read_normalizer(const JsonFields& file) {
  static constexpr Kind<Normalizer> kKinds[] = {{"BertNormalizer", read_bert_normalizer}};
  if (file.lacks("normalizer")) return nullptr;
  return read_stage(file, "normalizer", kKinds);
}

Result<std::unique_ptr<const PreTokenizer>> read_pre_tokenizer(const JsonFields& file) {
  static constexpr Kind<PreTokenizer> kKinds[] = {{"BertPreTokenizer", read_bert_pre_tokenizer}};
  if (file.lacks("pre_tokenizer")) return nullptr;
  return read_stage(file, "pre_tokenizer", kKinds);
}

Result<std::unique_ptr<const Model>> read_model(const JsonFields& file) {
  static constexpr Kind<Model> kKinds[] = {{"WordPiece", read_word_piece}};
  return read_stage(file, "model", kKinds);
}

}  // namespace embedrouter::tokenizer
