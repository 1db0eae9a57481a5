#include "net/message.h"

#include "net/field_text.h"

namespace embedrouter::net {

std::optional<std::string_view> Headers::find(std::string_view name) const {
  for (const Header& field : fields_) {
    if (same_ignoring_case(field.name, name)) return field.value;
  }
  return std::nullopt;
}

void Headers::set(std::string_view name, std::string_view value) {
  for (Header& field : fields_) {
    if (!same_ignoring_case(field.name, name)) continue;
    field.value = value;
    return;
  }
  add(name, value);
}

}  // namespace embedrouter::net
