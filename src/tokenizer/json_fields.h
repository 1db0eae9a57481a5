#pragma once
#include <embedrouter/result.h>

#include <cstdint>
#include <string>
#include <string_view>

#include <simdjson.h>

namespace embedrouter::tokenizer {

// A name or content of the file, quoted for a message and cut to a readable length.
std::string in_quotes(std::string_view text);

// Members of one JSON object, read with messages that name the member by its path, "model.unk_token". Valid
// while the parser keeps the document.
class JsonFields {
 public:
  static Result<JsonFields> of(simdjson::dom::element element, std::string path);

  std::string path(std::string_view name) const;
  // True if the member is absent or null.
  bool lacks(std::string_view name) const;

  // Each fails when the member is missing or of another kind.
  Result<std::string_view> text(std::string_view name) const;
  Result<bool> flag(std::string_view name) const;
  Result<std::uint32_t> number(std::string_view name, std::uint32_t highest) const;
  Result<JsonFields> object(std::string_view name) const;
  Result<simdjson::dom::array> list(std::string_view name) const;

  simdjson::dom::object members() const noexcept { return object_; }

 private:
  JsonFields(simdjson::dom::object object, std::string path) : object_(object), path_(std::move(path)) {}

  simdjson::dom::object object_;
  std::string path_;
};

// Failures of this layer are the operator's to mend: a file of the model folder is wrong or asks for too
// much.
inline auto wrong_file(std::string message) {
  return fail(ErrorCode::internal, std::move(message));
}

}  // namespace embedrouter::tokenizer
