#pragma once
// The body of POST /embeddings as views (CONTRACT 2.1). Nothing here owns text.

#include <embedrouter/result.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "api/provider_preferences.h"
#include "base/buffer.h"

namespace embedrouter::api {

enum class EncodingFormat : std::uint8_t { float_numbers, base64 };

// One item of `input`: either a text or token ids; the other is empty. A content object with one text part is
// a text.
struct Item {
  std::string_view text;                  // UTF-8, at least one byte
  std::span<const std::uint32_t> tokens;  // at least one id

  bool is_tokens() const noexcept { return !tokens.empty(); }
};

// What the caller asks for. A value made of views: copying it is cheap, and a part of a request (a split
// batch) is the same request over a part of `items`. Everything it points to belongs to the DecodedRequest it
// came from.
struct EmbedRequest {
  std::string_view model;       // as the caller wrote it: alias, suffix and all
  std::span<const Item> items;  // at least one; all texts or all token ids
  EncodingFormat encoding = EncodingFormat::float_numbers;
  std::optional<std::uint32_t> dimensions;     // >= 1
  std::optional<std::string_view> input_type;  // free form; search_query, search_document, query, document, …
  std::optional<std::string_view> user;
  std::optional<std::string_view> session_id;     // at most 256 characters
  bool has_trace = false;                         // metadata: noted, never forwarded
  bool truncate = false;                          // extension: cut over-long texts instead of refusing them
  bool partial = false;                           // extension: answer the items that can be, name the others
  const ProviderPreferences* provider = nullptr;  // null: none given
};

// Owns what its request points to. Movable: the views stay valid.
class DecodedRequest {
 public:
  const EmbedRequest& request() const noexcept;
  // Names of members of the body that mean nothing here, in the order they came; for X-Embedrouter-Ignored.
  // At most 16, each at most 64 bytes and free of what a header cannot hold.
  const std::vector<std::string_view>& ignored() const noexcept;

  struct Storage;
  explicit DecodedRequest(std::unique_ptr<Storage> storage);
  DecodedRequest(DecodedRequest&&) noexcept;
  DecodedRequest& operator=(DecodedRequest&&) noexcept;
  ~DecodedRequest();

 private:
  std::unique_ptr<Storage> storage_;
};

struct DecodeLimits {
  std::size_t inputs = 2048;  // items in one request
};

// Checks every rule of CONTRACT 2.5 and names the member that breaks one (Error::param, and Error::item where
// an item of `input` is wrong). Never throws, whatever the bytes. Refuses duplicate known members, trailing
// text, invalid UTF-8, lone surrogates, and parameters that would change vectors but that nothing here can
// apply (`models`, `preset`, `normalize`, `output_dtype`, `output_type`, …: one list, in embed_request.cpp).
Result<DecodedRequest> decode_embed_request(Buffer body, const DecodeLimits& limits);

}  // namespace embedrouter::api
