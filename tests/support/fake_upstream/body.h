#pragma once
// Reading the JSON bodies of requests, as all formats need it.

#include <simdjson.h>

#include <optional>
#include <string>
#include <vector>

#include "fake_upstream/plan.h"

namespace embedrouter::fake_upstream {

// A parsed body whose members are looked up by name.
class Body {
 public:
  // Nothing, and `why`, if `text` is not a JSON object.
  static std::optional<Body> parse(const std::string& text, std::string& why);

  std::vector<std::string> members() const;
  std::string text(std::string_view name) const;  // empty if absent or no string
  std::optional<bool> flag(std::string_view name) const;
  // The texts of a member that is a string, strings, token ids or arrays of token ids.
  bool texts(std::string_view name, std::vector<std::string>& out) const;
  // Nothing and no `why` if absent; nothing and `why` if it is no width.
  std::optional<std::size_t> width(std::string_view name, std::string& why) const;

 private:
  std::unique_ptr<simdjson::dom::parser> parser_;
  simdjson::dom::object object_;
};

}  // namespace embedrouter::fake_upstream
