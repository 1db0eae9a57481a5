#include "tokenizer/read_parts.h"

#include <algorithm>
#include <string>
#include <unordered_set>

namespace embedrouter::tokenizer {
namespace {

struct Listed {
  AddedToken token;
  bool normalized = false;
};

Result<Listed> read_token(simdjson::dom::element from, const std::string& path) {
  auto fields = JsonFields::of(from, path);
  if (!fields) return fail(std::move(fields).error());
  Listed listed;
  auto content = fields->text("content");
  if (!content) return fail(std::move(content).error());
  if (content->empty() || content->size() > StringTable::kMaxLength)
    return wrong_file(fields->path("content") + " must have 1 to " + std::to_string(StringTable::kMaxLength) +
                      " bytes");
  listed.token.content = *content;
  auto id = fields->number("id", kHighestId);
  if (!id) return fail(std::move(id).error());
  listed.token.id = *id;
  for (const auto& [name, into] :
       {std::pair("normalized", &listed.normalized), std::pair("single_word", &listed.token.single_word),
        std::pair("lstrip", &listed.token.lstrip), std::pair("rstrip", &listed.token.rstrip)}) {
    auto flag = fields->flag(name);
    if (!flag) return fail(std::move(flag).error());
    *into = *flag;
  }
  return listed;
}

// The reference keeps no id that the file gives: a token of the vocabulary keeps its own, others are numbered
// behind it. A file that says otherwise would be read in two ways, so it is refused.
class Numbering {
 public:
  explicit Numbering(const Model& model) : model_(model), next_(model.token_count()) {}

  Result<void> check(const AddedToken& token, const std::string& path) {
    if (!contents_.insert(token.content).second) return wrong_file(path + ".content is there twice");
    const auto known = model_.id_of(token.content);
    const std::uint64_t expected = known ? *known : next_;
    if (token.id != expected)
      return wrong_file(path + ".id is " + std::to_string(token.id) + ", but " + in_quotes(token.content) +
                        " has the id " + std::to_string(expected) +
                        (known ? " in model.vocab" : ", the next one behind model.vocab"));
    if (!ids_.insert(token.id).second) return wrong_file(path + ".id is there twice");
    next_ = std::max<std::uint64_t>(next_, expected + 1);
    return {};
  }

 private:
  const Model& model_;
  std::uint64_t next_;
  std::unordered_set<std::string> contents_;
  std::unordered_set<std::uint32_t> ids_;
};

Result<std::string> normalized(const std::string& content, const Normalizer* normalizer,
                               const std::string& path) {
  if (!normalizer) return content;
  std::string form;
  normalizer->append(content, form);
  if (form.empty() || form.size() > StringTable::kMaxLength)
    return wrong_file(path + ".content must have 1 to " + std::to_string(StringTable::kMaxLength) +
                      " bytes after the normalizer");
  return form;
}

}  // namespace

Result<void> read_added_tokens(const JsonFields& file, PipelineParts& parts) {
  parts.vocabulary_size = parts.model->highest_id() + 1;
  if (file.lacks("added_tokens")) return {};
  auto list = file.list("added_tokens");
  if (!list) return fail(std::move(list).error());
  std::vector<AddedToken> raw;
  std::vector<AddedToken> after_normalizer;
  std::unordered_set<std::string> forms;
  Numbering numbering(*parts.model);
  for (const simdjson::dom::element from : *list) {
    const std::string path = "added_tokens[" + std::to_string(raw.size() + after_normalizer.size()) + "]";
    auto listed = read_token(from, path);
    if (!listed) return fail(std::move(listed).error());
    AddedToken& token = listed->token;
    if (auto done = numbering.check(token, path); !done) return done;
    parts.vocabulary_size = std::max(parts.vocabulary_size, token.id + 1);
    if (listed->normalized) {
      auto form = normalized(token.content, parts.normalizer.get(), path);
      if (!form) return fail(std::move(form).error());
      // The reference then finds now the one, now the other.
      if (!forms.insert(*form).second)
        return wrong_file(path + ".content has the normal form of another added token");
      token.content = std::move(*form);
    }
    (listed->normalized ? after_normalizer : raw).push_back(std::move(token));
  }
  parts.raw_tokens = AddedTokens(std::move(raw));
  parts.normalized_tokens = AddedTokens(std::move(after_normalizer));
  return {};
}

}  // namespace embedrouter::tokenizer
