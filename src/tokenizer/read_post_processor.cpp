#include "tokenizer/read_parts.h"

namespace embedrouter::tokenizer {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;

constexpr std::size_t kMostAround = 64;  // tokens before a text, and after it

// The id that `item` is, if the vocabulary has it. Others would read outside the model's table.
Result<std::uint32_t> read_id(simdjson::simdjson_result<element> item, const std::string& path,
                              std::uint32_t vocabulary_size) {
  std::uint64_t id = 0;
  if (item.get(id) || id >= vocabulary_size) return wrong_file(path + " must be an id of the vocabulary");
  return static_cast<std::uint32_t>(id);
}

// What a TemplateProcessing puts around one text: special_tokens[id].ids of each item of `single` that is not
// the text.
Result<void> append_special(const JsonFields& special_tokens, std::string_view id,
                            std::uint32_t vocabulary_size, std::vector<std::uint32_t>& into) {
  auto token = special_tokens.object(id);
  if (!token) return fail(std::move(token).error());
  auto ids = token->list("ids");
  if (!ids) return fail(std::move(ids).error());
  std::size_t index = 0;
  for (const element item : *ids) {
    auto value =
        read_id(element(item), token->path("ids") + "[" + std::to_string(index++) + "]", vocabulary_size);
    if (!value) return fail(std::move(value).error());
    if (into.size() == kMostAround)
      return wrong_file("post_processor puts more than " + std::to_string(kMostAround) +
                        " tokens beside a text");
    into.push_back(*value);
  }
  return {};
}

// One item of `single`: {"SpecialToken": {"id": …, "type_id": 0}} or {"Sequence": {"id": "A", "type_id": 0}}.
struct Item {
  bool is_text;
  std::string_view id;
};

Result<Item> read_item(element from, const std::string& path) {
  auto fields = JsonFields::of(from, path);
  if (!fields) return fail(std::move(fields).error());
  const bool is_text = !fields->lacks("Sequence");
  auto inner = fields->object(is_text ? "Sequence" : "SpecialToken");
  if (!inner) return fail(std::move(inner).error());
  auto id = inner->text("id");
  if (!id) return fail(std::move(id).error());
  auto type = inner->number("type_id", 0);  // BERT's second segment has no use here
  if (!type) return fail(std::move(type).error());
  return Item{is_text, *id};
}

Result<void> read_template(const JsonFields& fields, PipelineParts& parts) {
  auto items = fields.list("single");
  if (!items) return fail(std::move(items).error());
  auto special_tokens = fields.object("special_tokens");
  if (!special_tokens) return fail(std::move(special_tokens).error());
  const std::string single = fields.path("single");
  std::size_t texts = 0;
  std::size_t index = 0;
  for (const element from : *items) {
    auto item = read_item(from, single + "[" + std::to_string(index++) + "]");
    if (!item) return fail(std::move(item).error());
    if (item->is_text) {
      ++texts;
      if (item->id != "A")
        return wrong_file(single + " names the sequence " + in_quotes(item->id) + "; there is only \"A\"");
      continue;
    }
    auto& side = texts == 0 ? parts.opening : parts.closing;
    if (auto done = append_special(*special_tokens, item->id, parts.vocabulary_size, side); !done)
      return fail(std::move(done).error());
  }
  if (texts != 1) return wrong_file(single + " must hold the sequence \"A\" once");
  return {};
}

// "cls": ["[CLS]", 101]: the id.
Result<std::uint32_t> read_pair(const JsonFields& fields, std::string_view name,
                                std::uint32_t vocabulary_size) {
  auto pair = fields.list(name);
  if (!pair) return fail(std::move(pair).error());
  return read_id(pair->at(1), fields.path(name) + "[1]", vocabulary_size);
}

Result<void> read_bert_processing(const JsonFields& fields, PipelineParts& parts) {
  auto cls = read_pair(fields, "cls", parts.vocabulary_size);
  if (!cls) return fail(std::move(cls).error());
  auto sep = read_pair(fields, "sep", parts.vocabulary_size);
  if (!sep) return fail(std::move(sep).error());
  parts.opening = {*cls};
  parts.closing = {*sep};
  return {};
}

}  // namespace

Result<void> read_post_processor(const JsonFields& file, PipelineParts& parts) {
  if (file.lacks("post_processor")) return {};
  auto fields = file.object("post_processor");
  if (!fields) return fail(std::move(fields).error());
  auto type = fields->text("type");
  if (!type) return fail(std::move(type).error());
  if (*type == "TemplateProcessing") return read_template(*fields, parts);
  if (*type == "BertProcessing") return read_bert_processing(*fields, parts);
  return wrong_file("post_processor.type is " + in_quotes(*type) +
                    ", which is not supported. Supported: TemplateProcessing, BertProcessing");
}

}  // namespace embedrouter::tokenizer
