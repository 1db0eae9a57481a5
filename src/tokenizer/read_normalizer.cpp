#include "tokenizer/bert_normalizer.h"
#include "tokenizer/precompiled.h"
#include "tokenizer/read_parts.h"
#include "tokenizer/read_stage.h"
#include "tokenizer/replace.h"
#include "tokenizer/text_normalizers.h"
#include "tokenizer/unicode_normalizer.h"

#include <array>
#include <optional>

namespace embedrouter::tokenizer {
namespace {

using Read = Result<std::unique_ptr<const Normalizer>>;

constexpr std::size_t kMostGrowth = 64;

Read read_bert_normalizer(const JsonFields& fields) {
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

template <UnicodeForm form>
Read read_form(const JsonFields&) {
  return std::make_unique<const UnicodeNormalizer>(form);
}

template <class Simple>
Read read_simple(const JsonFields&) {
  return std::make_unique<const Simple>();
}

Read read_strip(const JsonFields& fields) {
  auto left = fields.flag("strip_left");
  if (!left) return fail(std::move(left).error());
  auto right = fields.flag("strip_right");
  if (!right) return fail(std::move(right).error());
  return std::make_unique<const Strip>(*left, *right);
}

Result<std::string> read_content(const JsonFields& fields, std::string_view name) {
  constexpr std::size_t kMost = 64;
  auto content = fields.text(name);
  if (!content) return fail(std::move(content).error());
  if (content->size() > kMost)
    return wrong_file(fields.path(name) + " is longer than " + std::to_string(kMost) + " bytes");
  return std::string(*content);
}

Read read_prepend(const JsonFields& fields) {
  auto content = read_content(fields, "prepend");
  if (!content) return fail(std::move(content).error());
  return std::make_unique<const Prepend>(std::move(*content));
}

Read read_replace(const JsonFields& fields) {
  auto content = read_content(fields, "content");
  if (!content) return fail(std::move(content).error());
  auto from = fields.object("pattern");
  if (!from) return fail(std::move(from).error());
  const bool is_regex = from->lacks("String");
  const std::string_view kind = is_regex ? "Regex" : "String";
  auto text = from->text(kind);
  if (!text) return fail(std::move(text).error());
  auto pattern = is_regex ? Pattern::regex(*text) : Pattern::literal(*text);
  if (!pattern) return wrong_file(from->path(kind) + " " + pattern.error().message());
  return std::make_unique<const Replace>(std::move(*pattern), std::move(*content));
}

// Nothing if `text` is no base64.
std::optional<std::string> from_base64(std::string_view text) {
  static constexpr auto kValues = [] {
    std::array<std::int8_t, 256> values{};
    values.fill(-1);
    constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (std::size_t i = 0; i < kDigits.size(); ++i)
      values[static_cast<unsigned char>(kDigits[i])] = static_cast<std::int8_t>(i);
    return values;
  }();
  if (text.size() % 4 != 0) return std::nullopt;
  for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3 + 2);
  std::uint32_t bits = 0;
  int held = 0;
  for (const char digit : text) {
    const int value = kValues[static_cast<unsigned char>(digit)];
    if (value < 0) return std::nullopt;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    held += 6;
    if (held < 8) continue;
    held -= 8;
    bytes.push_back(static_cast<char>(bits >> held & 0xFF));
  }
  return bytes;
}

Read read_precompiled(const JsonFields& fields) {
  auto text = fields.text("precompiled_charsmap");
  if (!text) return fail(std::move(text).error());
  const std::string path = fields.path("precompiled_charsmap");
  const auto bytes = from_base64(*text);
  if (!bytes) return wrong_file(path + " is not base64");
  auto made = Precompiled::read(*bytes);
  if (!made) return wrong_file(path + " " + made.error().message());
  return std::move(*made);
}

Read read_any(const JsonFields& fields);

Read read_sequence(const JsonFields& fields) {
  auto all = read_list<Normalizer>(fields, "normalizers", read_any);
  if (!all) return fail(std::move(all).error());
  return std::make_unique<const NormalizerSequence>(std::move(*all));
}

Read read_any(const JsonFields& fields) {
  static constexpr Kind<Normalizer> kKinds[] = {{"BertNormalizer", read_bert_normalizer},
                                                {"Lowercase", read_simple<Lowercase>},
                                                {"NFC", read_form<UnicodeForm::nfc>},
                                                {"NFD", read_form<UnicodeForm::nfd>},
                                                {"NFKC", read_form<UnicodeForm::nfkc>},
                                                {"NFKD", read_form<UnicodeForm::nfkd>},
                                                {"Precompiled", read_precompiled},
                                                {"Prepend", read_prepend},
                                                {"Replace", read_replace},
                                                {"Sequence", read_sequence},
                                                {"Strip", read_strip},
                                                {"StripAccents", read_simple<StripAccents>}};
  return read_stage(fields, kKinds);
}

}  // namespace

Result<std::unique_ptr<const Normalizer>> read_normalizer(const JsonFields& file) {
  if (file.lacks("normalizer")) return nullptr;
  auto fields = file.object("normalizer");
  if (!fields) return fail(std::move(fields).error());
  auto normalizer = read_any(*fields);
  if (normalizer && (*normalizer)->growth() > kMostGrowth)
    return wrong_file("normalizer makes a text more than " + std::to_string(kMostGrowth) + " times as long");
  return normalizer;
}

}  // namespace embedrouter::tokenizer
