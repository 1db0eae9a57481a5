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

// BERT's and RoBERTa's differ in what stands between two texts.
Result<void> read_bert_processing(const JsonFields& fields, PipelineParts& parts) {
  auto cls = read_pair(fields, "cls", parts.vocabulary_size);
  if (!cls) return fail(std::move(cls).error());
  auto sep = read_pair(fields, "sep", parts.vocabulary_size);
  if (!sep) return fail(std::move(sep).error());
  parts.opening.push_back(*cls);
  parts.closing.push_back(*sep);
  return {};
}

// Moves offsets, which nobody asks for here.
Result<void> read_byte_level(const JsonFields&, PipelineParts&) {
  return {};
}

Result<void> read_sequence(const JsonFields& fields, PipelineParts& parts);

Result<void> read_any(const JsonFields& fields, PipelineParts& parts) {
  struct Kind {
    std::string_view type;
    Result<void> (*read)(const JsonFields& fields, PipelineParts& parts);
  };
  static constexpr Kind kKinds[] = {{"TemplateProcessing", read_template},
                                    {"BertProcessing", read_bert_processing},
                                    {"RobertaProcessing", read_bert_processing},
                                    {"ByteLevel", read_byte_level},
                                    {"Sequence", read_sequence}};
  auto type = fields.text("type");
  if (!type) return fail(std::move(type).error());
  std::string supported;
  for (const Kind& kind : kKinds) {
    if (kind.type == *type) return kind.read(fields, parts);
    supported += (supported.empty() ? "" : ", ") + std::string(kind.type);
  }
  return wrong_file(fields.path("type") + " is " + in_quotes(*type) +
                    ", which is not supported. Supported: " + supported);
}

// Offsets and one that adds tokens, as files have them.
Result<void> read_sequence(const JsonFields& fields, PipelineParts& parts) {
  auto list = fields.list("processors");
  if (!list) return fail(std::move(list).error());
  std::size_t index = 0;
  for (const element from : *list) {
    auto member = JsonFields::of(from, fields.path("processors") + "[" + std::to_string(index++) + "]");
    if (!member) return fail(std::move(member).error());
    const bool adds_already = !parts.opening.empty() || !parts.closing.empty();
    if (adds_already && member->text("type").value_or(std::string_view()) != "ByteLevel")
      return wrong_file(fields.path("processors") + " has two that add tokens, which is not supported");
    if (auto done = read_any(*member, parts); !done) return done;
  }
  return {};
}

}  // namespace

Result<void> read_post_processor(const JsonFields& file, PipelineParts& parts) {
  if (file.lacks("post_processor")) return {};
  auto fields = file.object("post_processor");
  if (!fields) return fail(std::move(fields).error());
  return read_any(*fields, parts);
}

}  // namespace embedrouter::tokenizer
