#pragma once
// Inside api/: what the readers of a request body share. `param` is the path of a member as an error names
// it.

#include <vector>

#include "api/embed_request.h"
#include "api/json_cursor.h"

namespace embedrouter::api {

class RequestReader {
 public:
  // Strings with escapes are unescaped where they stand, so `body` changes; views into it stay valid.
  explicit RequestReader(Buffer& body) noexcept : body_(body), json_(body.view()) {}

  JsonCursor& json() noexcept { return json_; }
  std::string_view in_place(const JsonString& string) noexcept;

  // Each reads the value ahead if it is of that kind; else the failure names `param`.
  Result<std::string_view> text(std::string_view param);
  Result<bool> flag(std::string_view param);
  // Any integer from `least` to `most`.
  Result<std::int64_t> integer(std::string_view param, std::int64_t least, std::int64_t most);
  Result<void> open_object(std::string_view param);
  // True, and past it, if null is ahead.
  bool skip_null() noexcept { return json_.kind() == JsonKind::null && json_.read_null(); }

  // The body is not JSON: what and where.
  tl::unexpected<Error> malformed() const;
  // `param` must be `expected`, and is not; or the body is not JSON there.
  tl::unexpected<Error> wrong_kind(std::string_view param, std::string_view expected);

 private:
  Buffer& body_;
  JsonCursor json_;
};

tl::unexpected<Error> invalid(std::string_view param, std::string message);

// Fills `items` with views into the body and into `tokens`.
Result<void> read_input(RequestReader& reader, const DecodeLimits& limits, std::vector<Item>& items,
                        std::vector<std::uint32_t>& tokens);
Result<void> read_provider(RequestReader& reader, ProviderPreferences& out);
// True for the members of a provider's request that this router writes or that would change the vectors: they
// are members of the request here, or refused.
bool is_decided_here(std::string_view name);

}  // namespace embedrouter::api
