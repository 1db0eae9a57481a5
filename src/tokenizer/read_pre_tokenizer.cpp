#include "tokenizer/bert_pre_tokenizer.h"
#include "tokenizer/byte_level.h"
#include "tokenizer/metaspace.h"
#include "tokenizer/read_parts.h"
#include "tokenizer/read_stage.h"
#include "tokenizer/unicode.h"

namespace embedrouter::tokenizer {
namespace {

using Read = Result<std::unique_ptr<const PreTokenizer>>;

template <class Simple>
Read read_simple(const JsonFields&) {
  return std::make_unique<const Simple>();
}

Read read_byte_level(const JsonFields& fields) {
  ByteLevelOptions options;
  auto space = fields.flag("add_prefix_space");
  if (!space) return fail(std::move(space).error());
  options.add_prefix_space = *space;
  if (!fields.lacks("use_regex")) {
    auto regex = fields.flag("use_regex");
    if (!regex) return fail(std::move(regex).error());
    options.use_regex = *regex;
  }
  return std::make_unique<const ByteLevel>(options);
}

// `add_prefix_space` is how older files say `prepend_scheme`: "always" or "never".
Result<bool> read_prepend_scheme(const JsonFields& fields) {
  bool prepend = true;
  if (!fields.lacks("add_prefix_space")) {
    auto space = fields.flag("add_prefix_space");
    if (!space) return fail(std::move(space).error());
    prepend = *space;
  }
  if (fields.lacks("prepend_scheme")) return prepend;
  auto scheme = fields.text("prepend_scheme");
  if (!scheme) return fail(std::move(scheme).error());
  if (*scheme != "always" && *scheme != "never")
    return wrong_file(fields.path("prepend_scheme") + " is " + in_quotes(*scheme) +
                      ", which is not supported. Supported: always, never");
  if (!prepend && *scheme == "always")
    return wrong_file(fields.path("prepend_scheme") + " contradicts add_prefix_space");
  return *scheme == "always";
}

Read read_metaspace(const JsonFields& fields) {
  MetaspaceOptions options;
  auto replacement = fields.text("replacement");
  if (!replacement) return fail(std::move(replacement).error());
  const char* end = replacement->data();
  if (!replacement->empty()) unicode::next_code_point(end);
  if (replacement->empty() || end != replacement->data() + replacement->size() || *replacement == " ")
    return wrong_file(fields.path("replacement") + " must be one character, not a blank");
  options.replacement = *replacement;
  auto prepend = read_prepend_scheme(fields);
  if (!prepend) return fail(std::move(prepend).error());
  options.prepend = *prepend;
  if (!fields.lacks("split")) {
    auto split = fields.flag("split");
    if (!split) return fail(std::move(split).error());
    options.split = *split;
  }
  return std::make_unique<const Metaspace>(std::move(options));
}

Read read_one(const JsonFields& fields) {
  static constexpr Kind<PreTokenizer> kKinds[] = {{"BertPreTokenizer", read_simple<BertPreTokenizer>},
                                                  {"ByteLevel", read_byte_level},
                                                  {"Metaspace", read_metaspace},
                                                  {"WhitespaceSplit", read_simple<WhitespaceSplit>}};
  return read_stage(fields, kKinds);
}

Read read_sequence(const JsonFields& fields) {
  auto all = read_list<PreTokenizer>(fields, "pretokenizers", read_one);
  if (!all) return fail(std::move(all).error());
  if (all->empty()) return wrong_file(fields.path("pretokenizers") + " is empty");
  return std::make_unique<const PreTokenizerSequence>(std::move(*all));
}

}  // namespace

Result<std::unique_ptr<const PreTokenizer>> read_pre_tokenizer(const JsonFields& file) {
  static constexpr Kind<PreTokenizer> kKinds[] = {{"BertPreTokenizer", read_simple<BertPreTokenizer>},
                                                  {"ByteLevel", read_byte_level},
                                                  {"Metaspace", read_metaspace},
                                                  {"Sequence", read_sequence},
                                                  {"WhitespaceSplit", read_simple<WhitespaceSplit>}};
  if (file.lacks("pre_tokenizer")) return nullptr;
  auto fields = file.object("pre_tokenizer");
  if (!fields) return fail(std::move(fields).error());
  return read_stage(*fields, kKinds);
}

Result<bool> ends_in_bytes(const JsonFields& file) {
  if (file.lacks("pre_tokenizer")) return false;
  auto fields = file.object("pre_tokenizer");
  if (!fields) return fail(std::move(fields).error());
  const auto is_byte_level = [](const JsonFields& stage) {
    return stage.text("type").value_or(std::string_view()) == "ByteLevel";
  };
  if (fields->lacks("pretokenizers")) return is_byte_level(*fields);
  auto list = fields->list("pretokenizers");
  if (!list) return fail(std::move(list).error());
  bool last = false;
  for (const simdjson::dom::element from : *list) {
    auto stage = JsonFields::of(from, fields->path("pretokenizers"));
    if (!stage) return fail(std::move(stage).error());
    if (last)
      return wrong_file(fields->path("pretokenizers") +
                        " has a stage behind ByteLevel, which is not supported");
    last = is_byte_level(*stage);
  }
  return last;
}

}  // namespace embedrouter::tokenizer
