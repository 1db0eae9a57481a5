#include "fake_upstream/body.h"

#include <utility>

namespace embedrouter::fake_upstream {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;

constexpr std::size_t kMaxDimensions = 65'536;

bool all_integers(const array& items) {
  for (const element item : items) {
    if (!item.is_uint64() && !item.is_int64()) return false;
  }
  return true;
}

std::string ids_as_text(const array& ids) {
  std::string out;
  for (const element id : ids) {
    if (!out.empty()) out += ',';
    out += simdjson::minify(id);
  }
  return out;
}

}  // namespace

std::optional<Body> Body::parse(const std::string& text, std::string& why) {
  Body body;
  body.parser_ = std::make_unique<simdjson::dom::parser>();
  if (body.parser_->parse(text).get(body.object_)) {
    why = "the body is not a JSON object";
    return std::nullopt;
  }
  return body;
}

std::vector<std::string> Body::members() const {
  std::vector<std::string> names;
  for (const auto& [key, value] : object_) names.emplace_back(key);
  return names;
}

std::string Body::text(std::string_view name) const {
  std::string_view text;
  return object_[name].get(text) ? std::string() : std::string(text);
}

std::optional<bool> Body::flag(std::string_view name) const {
  bool value = false;
  return object_[name].get(value) ? std::nullopt : std::optional(value);
}

bool Body::texts(std::string_view name, std::vector<std::string>& out) const {
  element input;
  if (object_[name].get(input)) return false;
  if (std::string_view text; !input.get(text)) {
    out.emplace_back(text);
    return true;
  }
  array items;
  if (input.get(items) || items.size() == 0) return false;
  if (all_integers(items)) {
    out.push_back(ids_as_text(items));
    return true;
  }
  for (const element item : items) {
    std::string_view text;
    array ids;
    if (!item.get(text)) {
      out.emplace_back(text);
    } else if (!item.get(ids) && ids.size() > 0 && all_integers(ids)) {
      out.push_back(ids_as_text(ids));
    } else {
      return false;
    }
  }
  return true;
}

std::optional<std::size_t> Body::width(std::string_view name, std::string& why) const {
  std::uint64_t width = 0;
  if (object_[name].get(width)) return std::nullopt;
  if (width >= 1 && width <= kMaxDimensions) return width;
  why = std::string(name) + " is out of range";
  return std::nullopt;
}

}  // namespace embedrouter::fake_upstream
