#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/json_fields.h"

namespace embedrouter::tokenizer {

// One kind of a stage: what the file calls it in `type`, and how it is read.
template <class Stage>
struct Kind {
  std::string_view type;
  Result<std::unique_ptr<const Stage>> (*read)(const JsonFields& fields);
};

template <class Stage, std::size_t n>
Result<std::unique_ptr<const Stage>> read_stage(const JsonFields& fields, const Kind<Stage> (&kinds)[n]) {
  auto type = fields.text("type");
  if (!type) return fail(std::move(type).error());
  std::string supported;
  for (const Kind<Stage>& kind : kinds) {
    if (kind.type == *type) return kind.read(fields);
    supported += (supported.empty() ? "" : ", ") + std::string(kind.type);
  }
  return wrong_file(fields.path("type") + " is " + in_quotes(*type) +
                    ", which is not supported. Supported: " + supported);
}

// The members of the list `name`, each a stage read by `read`.
template <class Stage>
Result<std::vector<std::unique_ptr<const Stage>>> read_list(
    const JsonFields& fields, std::string_view name,
    Result<std::unique_ptr<const Stage>> (*read)(const JsonFields& fields)) {
  constexpr std::size_t kMost = 16;
  auto list = fields.list(name);
  if (!list) return fail(std::move(list).error());
  std::vector<std::unique_ptr<const Stage>> all;
  for (const simdjson::dom::element from : *list) {
    auto member = JsonFields::of(from, fields.path(name) + "[" + std::to_string(all.size()) + "]");
    if (!member) return fail(std::move(member).error());
    if (all.size() == kMost)
      return wrong_file(fields.path(name) + " has more than " + std::to_string(kMost) + " members");
    auto stage = read(*member);
    if (!stage) return fail(std::move(stage).error());
    all.push_back(std::move(*stage));
  }
  return all;
}

}  // namespace embedrouter::tokenizer
