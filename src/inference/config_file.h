#pragma once
#include <embedrouter/result.h>

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <simdjson.h>

namespace embedrouter::inference {

// A small JSON file of a model folder. Messages name the file and the member.
class ConfigFile {
 public:
  // `name`: of the file, in messages.
  static Result<ConfigFile> parse(std::string_view json, std::string_view name);

  simdjson::dom::element root() const noexcept { return root_; }
  tl::unexpected<Error> wrong(std::string what) const;

  // True if the member is absent or null.
  bool lacks(std::string_view member) const;
  Result<std::uint32_t> count(std::string_view member, std::uint32_t least, std::uint32_t most) const;
  Result<bool> flag(std::string_view member, bool otherwise) const;
  Result<std::string_view> text(std::string_view member) const;
  // The value of that name; others are refused.
  template <class Value>
  Result<Value> choice(std::string_view member,
                       std::initializer_list<std::pair<std::string_view, Value>> choices) const {
    auto value = text(member);
    if (!value) return fail(std::move(value).error());
    std::string names;
    for (const auto& [name, means] : choices) {
      if (name == *value) return means;
      names += (names.empty() ? "\"" : ", \"") + std::string(name) + '"';
    }
    return wrong('"' + std::string(member) + "\" is \"" + std::string(value->substr(0, 60)) +
                 "\", which is not supported. Supported: " + names);
  }

 private:
  std::unique_ptr<simdjson::dom::parser> parser_;  // where it is: `root_` points into it
  simdjson::dom::element root_;
  std::string name_;
};

// Of at most 4 MiB.
Result<std::string> read_config_text(const std::filesystem::path& path);

}  // namespace embedrouter::inference
