#include "tokenizer/tokenizer.h"

#include "tokenizer/json_fields.h"
#include "tokenizer/pipeline.h"
#include "tokenizer/read_parts.h"

#include <fstream>
#include <string>

namespace embedrouter::tokenizer {
namespace {

using simdjson::dom::element;

constexpr std::size_t kMaxFile = std::size_t{128} << 20;

Result<PipelineParts> read_parts(element root) {
  auto file = JsonFields::of(root, "");
  if (!file) return fail(std::move(file).error());
  auto version = file->text("version");
  if (!version) return fail(std::move(version).error());
  if (*version != "1.0")
    return wrong_file("version is " + in_quotes(*version) + ", which is not supported. Supported: 1.0");

  PipelineParts parts;
  auto normalizer = read_normalizer(*file);
  if (!normalizer) return fail(std::move(normalizer).error());
  parts.normalizer = std::move(*normalizer);
  auto pre_tokenizer = read_pre_tokenizer(*file);
  if (!pre_tokenizer) return fail(std::move(pre_tokenizer).error());
  parts.pre_tokenizer = std::move(*pre_tokenizer);
  auto model = read_model(*file);
  if (!model) return fail(std::move(model).error());
  parts.model = std::move(*model);
  if (auto read = read_added_tokens(*file, parts); !read) return fail(std::move(read).error());
  if (auto read = read_post_processor(*file, parts); !read) return fail(std::move(read).error());
  return parts;
}

}  // namespace

Result<std::unique_ptr<const Tokenizer>> Tokenizer::parse(std::string_view tokenizer_json) {
  if (tokenizer_json.size() > kMaxFile) return wrong_file("larger than 128 MiB");
  if (tokenizer_json.empty()) return wrong_file("not valid JSON: it is empty");
  simdjson::dom::parser parser;
  element root;
  if (const auto error = parser.parse(tokenizer_json.data(), tokenizer_json.size()).get(root))
    return wrong_file(std::string("not valid JSON: ") + simdjson::error_message(error));
  auto parts = read_parts(root);
  if (!parts) return fail(std::move(parts).error());
  return std::make_unique<const Pipeline>(std::move(*parts));
}

Result<std::unique_ptr<const Tokenizer>> Tokenizer::load(const std::filesystem::path& tokenizer_json) {
  const auto named = [&](std::string message) {
    return wrong_file(tokenizer_json.string() + ": " + std::move(message));
  };
  std::error_code error;
  const auto size = std::filesystem::file_size(tokenizer_json, error);
  if (error) return named("cannot be read: " + error.message());
  if (size > kMaxFile) return named("larger than 128 MiB");
  std::string json(size, '\0');
  std::ifstream file(tokenizer_json, std::ios::binary);
  if (!file.read(json.data(), static_cast<std::streamsize>(size))) return named("cannot be read");
  auto tokenizer = parse(json);
  if (!tokenizer) return named(tokenizer.error().message());
  return tokenizer;
}

}  // namespace embedrouter::tokenizer
