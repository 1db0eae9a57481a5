#pragma once
// Vectors on their way from whoever made them to the caller. No digit is parsed or printed unless something
// must change.

#include <embedrouter/error.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "api/embed_request.h"
#include "base/body.h"

namespace embedrouter::api {

// A JSON array of numbers as it stands in an answer, brackets included.
struct NumberText {
  std::string_view json;
};
// Base64 (standard alphabet, padded) over little-endian float32, as it stands in an answer, without the
// quotes.
struct Base64Text {
  std::string_view text;
};

// One vector in the form it was made. Does not own: EmbedReply::owners does.
using VectorView = std::variant<std::span<const float>, NumberText, Base64Text>;

struct Embedding {
  VectorView vector;
  // The `index` the upstream gave it; the gate orders by it, and afterwards it is the position in `data`.
  std::optional<std::int64_t> index;
};

enum class UsageSource : std::uint8_t { provider, counted, estimated };

struct Usage {
  std::uint64_t prompt_tokens = 0;
  std::uint64_t total_tokens = 0;
  // USD in units of 1e-12, an integer: prices per token have at most twelve decimals.
  std::int64_t cost_pico_usd = 0;
  UsageSource source = UsageSource::provider;
};

inline constexpr std::size_t kMostOfAName = 200;

// An item that has no vector, and why.
struct FailedItem {
  std::uint32_t item = 0;
  Error error;
};

struct EmbedReply {
  std::vector<Embedding> data;                      // after the gate: one per item, in order
  std::vector<std::shared_ptr<const void>> owners;  // of everything `data` points to
  Usage usage;
  std::string model;  // canonical slug of the model that served
  // What the upstream calls the model, where it names one; behind providers::Remote: only if that is not what
  // it was asked for. At most kMostOfAName bytes.
  std::string answered_model;
  std::string provider;                  // display name of the provider that served
  std::string space;                     // of the endpoint that served
  std::uint32_t width = 0;               // of every vector; set by the gate
  std::vector<std::uint32_t> truncated;  // indices of the items that were cut, ascending
  std::vector<FailedItem> failed;        // ascending; what `data` holds for these is nothing
};

struct ResponseInfo {
  std::string_view id;                  // gen-emb-…
  std::string_view metadata_json = {};  // openrouter_metadata, if asked for
};

// The 200 of CONTRACT 2.2 in the encoding asked for. Vectors already in that form are passed through as
// views; the others are converted, bit-exact. Short pieces are copied together, long ones referenced. The
// reply must be past the gate. Failed items are not in `data` but in `errors`, each with the error it would
// have been alone.
Body encode_embed_response(const EmbedReply& reply, EncodingFormat encoding, const ResponseInfo& info);

// The X-Embedrouter-… headers of that answer, in the order they are sent. `ignored`: of the DecodedRequest.
std::vector<std::pair<std::string_view, std::string>> reply_headers(
    const EmbedReply& reply, std::span<const std::string_view> ignored);

// What an upstream that speaks this format answered, before anything is checked but its shape: `data` in the
// order it came. `model` is what the upstream calls it.
struct WireReply {
  std::vector<Embedding> data;
  std::vector<std::shared_ptr<const void>> owners;           // of the vectors that could not stay in the body
  std::optional<std::uint64_t> prompt_tokens, total_tokens;  // absent, negative, fractional or text: nullopt
  std::string_view model;
};
// The views point into `body`. Fails with upstream_invalid_answer for anything that is not a complete JSON
// object with a `data` array of objects that each hold an `embedding` (array of numbers or string); an
// `error` member (not null) at any status is a failure too and carries the inner code in
// Error::provider_code. Number text is not looked into here beyond its brackets: scan_numbers does.
Result<WireReply> decode_embed_reply(const Buffer& body);

}  // namespace embedrouter::api
