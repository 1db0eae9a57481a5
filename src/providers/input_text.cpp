#include "providers/input_text.h"

#include <charconv>

#include "base/ascii.h"
#include "base/json_text.h"

namespace embedrouter::providers {
namespace {

// Longer than anything a dialect adds to the items but names of models and kinds of input.
constexpr std::size_t kFrame = 256;

void append_item(std::string& body, const api::Item& item) {
  if (!item.is_tokens()) {
    append_json_string(body, item.text);
    return;
  }
  char separator = '[';
  for (const std::uint32_t id : item.tokens) {
    char digits[10];
    const char* end = std::to_chars(digits, digits + sizeof digits, id).ptr;
    body += separator;
    body.append(digits, static_cast<std::size_t>(end - digits));
    separator = ',';
  }
  body += ']';
}

}  // namespace

std::string begin_body(std::string_view start, std::span<const api::Item> items) {
  std::size_t bytes = start.size() + kFrame;
  for (const api::Item& item : items) bytes += item.text.size() + item.tokens.size() * 8 + 8;
  std::string body;
  body.reserve(bytes);
  return body += start;
}

void append_input(std::string& body, std::span<const api::Item> items) {
  if (items.size() == 1) return append_item(body, items.front());
  char separator = '[';
  for (const api::Item& item : items) {
    body += separator;
    append_item(body, item);
    separator = ',';
  }
  body += ']';
}

void end_body(std::string& body, const api::EmbedRequest& request, const catalog::Endpoint& endpoint) {
  if (request.provider != nullptr) {
    const api::ProviderPreferences::Option* meant = nullptr;
    for (const auto& option : request.provider->options) {
      if (!catalog::names(option.slug, endpoint)) continue;
      if (meant == nullptr || same_ignoring_case(option.slug, endpoint.provider_slug)) meant = &option;
    }
    if (meant != nullptr && !meant->members.empty()) (body += ',') += meant->members;
  }
  body += '}';
}

}  // namespace embedrouter::providers
