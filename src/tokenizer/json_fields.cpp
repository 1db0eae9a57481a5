#include "tokenizer/json_fields.h"

namespace embedrouter::tokenizer {

std::string in_quotes(std::string_view text) {
  constexpr std::size_t kReadable = 60;
  std::size_t length = std::min(text.size(), kReadable);
  while (length > 0 && length < text.size() && (static_cast<unsigned char>(text[length]) & 0xC0) == 0x80)
    --length;
  return '"' + std::string(text.substr(0, length)) + (length < text.size() ? "…\"" : "\"");
}

Result<JsonFields> JsonFields::of(simdjson::dom::element element, std::string path) {
  simdjson::dom::object object;
  if (element.get(object)) return wrong_file((path.empty() ? "the file" : path) + " must be an object");
  return JsonFields(object, std::move(path));
}

std::string JsonFields::path(std::string_view name) const {
  return path_.empty() ? std::string(name) : path_ + "." + std::string(name);
}

bool JsonFields::lacks(std::string_view name) const {
  simdjson::dom::element element;
  return object_.at_key(name).get(element) || element.is_null();
}

Result<std::string_view> JsonFields::text(std::string_view name) const {
  std::string_view value;
  if (object_.at_key(name).get(value)) return wrong_file(path(name) + " must be a string");
  return value;
}

Result<bool> JsonFields::flag(std::string_view name) const {
  bool value = false;
  if (object_.at_key(name).get(value)) return wrong_file(path(name) + " must be true or false");
  return value;
}

Result<std::uint32_t> JsonFields::number(std::string_view name, std::uint32_t highest) const {
  std::uint64_t value = 0;
  if (object_.at_key(name).get(value) || value > highest)
    return wrong_file(path(name) + " must be a whole number from 0 to " + std::to_string(highest));
  return static_cast<std::uint32_t>(value);
}

Result<JsonFields> JsonFields::object(std::string_view name) const {
  simdjson::dom::element element;
  if (object_.at_key(name).get(element)) return wrong_file(path(name) + " is missing");
  return of(element, path(name));
}

Result<simdjson::dom::array> JsonFields::list(std::string_view name) const {
  simdjson::dom::array value;
  if (object_.at_key(name).get(value)) return wrong_file(path(name) + " must be a list");
  return value;
}

}  // namespace embedrouter::tokenizer
