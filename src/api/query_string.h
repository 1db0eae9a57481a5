#pragma once
#include <embedrouter/result.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace embedrouter::api {

struct QueryParameter {
  std::string name, value;  // decoded
};

// "a=1&b=x%20y" in its order; a part without '=' has an empty value. Fails with a 400 that names the
// parameter where a percent sign is not followed by two hex digits or the text is not UTF-8.
Result<std::vector<QueryParameter>> parse_query(std::string_view query);

// Of a segment of a path: "a%2Fb" → "a/b". nullopt as above.
std::optional<std::string> percent_decode(std::string_view text);

}  // namespace embedrouter::api
