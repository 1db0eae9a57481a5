#include "api/request_reader.h"

namespace embedrouter::api {

tl::unexpected<Error> invalid(std::string_view param, std::string message) {
  return fail(Error(ErrorCode::invalid_request, std::move(message)).with_param(std::string(param)));
}

std::string_view RequestReader::in_place(const JsonString& string) noexcept {
  if (!string.escaped) return string.raw;
  char* const at = body_.data() + (string.raw.data() - body_.data());
  return {at, unescape(string.raw, at)};
}

tl::unexpected<Error> RequestReader::malformed() const {
  return fail(ErrorCode::invalid_request, "the body is not valid JSON: " + json_.fault());
}

tl::unexpected<Error> RequestReader::wrong_kind(std::string_view param, std::string_view expected) {
  const JsonKind kind = json_.kind();
  if (kind == JsonKind::nothing) {
    json_.skip();
    return malformed();
  }
  std::string message(param);
  ((message += " must be ") += expected) += ", not ";
  return invalid(param, message += name_of(kind));
}

Result<std::string_view> RequestReader::text(std::string_view param) {
  if (json_.kind() != JsonKind::string) return wrong_kind(param, "a string");
  JsonString string;
  if (!json_.read_string(string)) return malformed();
  return in_place(string);
}

Result<bool> RequestReader::flag(std::string_view param) {
  if (json_.kind() != JsonKind::boolean) return wrong_kind(param, "true or false");
  bool value = false;
  if (!json_.read_bool(value)) return malformed();
  return value;
}

Result<std::int64_t> RequestReader::integer(std::string_view param, std::int64_t least, std::int64_t most) {
  std::string expected = "an integer from " + std::to_string(least) + " to " + std::to_string(most);
  if (json_.kind() != JsonKind::number) return wrong_kind(param, expected);
  Decimal decimal;
  if (!json_.read_number(decimal)) return malformed();
  const auto value = to_integer(decimal);
  if (!value || *value < least || *value > most)
    return invalid(param, std::string(param) + " must be " + std::move(expected));
  return *value;
}

Result<void> RequestReader::open_object(std::string_view param) {
  if (json_.kind() != JsonKind::object) return wrong_kind(param, "an object");
  if (!json_.enter('{')) return malformed();
  return {};
}

}  // namespace embedrouter::api
