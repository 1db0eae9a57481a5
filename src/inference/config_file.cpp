#include "inference/config_file.h"

#include <cstdio>

namespace embedrouter::inference {

Result<ConfigFile> ConfigFile::parse(std::string_view json, std::string_view name) {
  ConfigFile file;
  file.name_ = name;
  file.parser_ = std::make_unique<simdjson::dom::parser>();
  if (file.parser_->parse(simdjson::padded_string(json)).get(file.root_) != simdjson::SUCCESS)
    return fail(ErrorCode::internal, file.name_ + " is not valid JSON");
  return file;
}

tl::unexpected<Error> ConfigFile::wrong(std::string what) const {
  return fail(ErrorCode::internal, name_ + ": " + std::move(what));
}

bool ConfigFile::lacks(std::string_view member) const {
  simdjson::dom::element value;
  return root_[member].get(value) != simdjson::SUCCESS || value.is_null();
}

Result<std::uint32_t> ConfigFile::count(std::string_view member, std::uint32_t least,
                                        std::uint32_t most) const {
  std::uint64_t value = 0;
  if (root_[member].get_uint64().get(value) != simdjson::SUCCESS || value < least || value > most) {
    return wrong('"' + std::string(member) + "\" must be a number from " + std::to_string(least) + " to " +
                 std::to_string(most));
  }
  return static_cast<std::uint32_t>(value);
}

Result<bool> ConfigFile::flag(std::string_view member, bool otherwise) const {
  if (lacks(member)) return otherwise;
  bool value = false;
  if (root_[member].get_bool().get(value) != simdjson::SUCCESS)
    return wrong('"' + std::string(member) + "\" must be true or false");
  return value;
}

Result<std::string_view> ConfigFile::text(std::string_view member) const {
  std::string_view value;
  if (root_[member].get_string().get(value) != simdjson::SUCCESS)
    return wrong('"' + std::string(member) + "\" must be a string");
  return value;
}

Result<std::string> read_config_text(const std::filesystem::path& path) {
  constexpr std::size_t kLargestFile = 4 << 20;
  const auto wrong = [](std::string what) { return fail(ErrorCode::internal, std::move(what)); };
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  if (error) return wrong("cannot read " + path.string() + ": " + error.message());
  if (size > kLargestFile) return wrong(path.string() + " is too large to be a configuration file");
  std::string text(size, '\0');
  std::FILE* file = std::fopen(path.c_str(), "rbe");
  const bool whole = file != nullptr && std::fread(text.data(), 1, size, file) == size;
  if (file != nullptr) std::fclose(file);
  if (!whole) return wrong("cannot read " + path.string());
  return text;
}

}  // namespace embedrouter::inference
