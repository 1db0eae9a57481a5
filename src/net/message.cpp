#include "net/message.h"

#include "net/field_text.h"

namespace embedrouter::net {

std::optional<std::string_view> Headers::find(std::string_view name) const {
  for (const Header& field : fields_) {
    if (same_ignoring_case(field.name, name)) return field.value;
  }
  return std::nullopt;
}

}  // namespace embedrouter::net
