#pragma once
// The gate (DESIGN 3.2): what stands between an answer and the caller. An attempt has succeeded only when its
// answer passed.

#include <embedrouter/result.h>

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "api/embed_reply.h"
#include "api/embed_request.h"

namespace embedrouter::embed {

// What an endpoint's vectors must be like.
struct VectorContract {
  std::uint32_t dimensions = 0;  // native width
  bool normalized = true;        // length 1 within kNormTolerance
  // Compare the vectors of different texts. Not for the embedded model: to it, texts that are the same tokens
  // (two emoji outside its vocabulary) rightly have the same vector, and its tests hold it to the rest.
  bool cross_item = true;
};
inline constexpr double kNormTolerance = 1e-3;

// One per endpoint and thread; remembers what it has seen of it. Not thread-safe.
//
// Every answer: count, index permutation, width, encoding, usage. Every value, on base64 and on float arrays;
// on number text the grammar, the range and a non-zero digit of every vector, and the values themselves on
// the first kFirstAnswers answers, on one in kSampleEvery afterwards, on canaries, where vectors begin alike
// or end in 0, and on all while suspect().
class Gate {
 public:
  static constexpr std::uint64_t kFirstAnswers = 64;
  static constexpr std::uint64_t kSampleEvery = 64;
  // So many different texts with one and the same vector are a fault, whatever the texts.
  static constexpr std::size_t kTwinsAreAFault = 4;

  explicit Gate(VectorContract contract) : contract_(contract) {}

  // Two items whose texts differ and whose vectors do not: maybe the same tokens to the model, maybe a fault.
  // Asking for each alone tells.
  using Twins = std::pair<std::uint32_t, std::uint32_t>;

  // On success `reply.data` is in the order of the items, `reply.width` is set, and `reply.usage` is
  // plausible (estimated where the answer's was not). Errors carry the item where one is to blame.
  // `read_all`: whatever the sampling says.
  Result<std::optional<Twins>> inspect(const api::EmbedRequest& request, api::EmbedReply& reply,
                                       bool read_all = false);

  bool suspect() const noexcept { return suspect_; }

 private:
  Result<void> check_vector(const api::VectorView& vector, std::uint32_t item, std::size_t expected,
                            bool read_values);
  Result<std::optional<Twins>> compare_items(const api::EmbedRequest& request);
  Result<void> compare_with_recent(const api::EmbedRequest& request);

  VectorContract contract_;
  std::uint64_t answers_ = 0;
  bool suspect_ = false;                // until an answer passes with all its values read
  std::vector<float> values_;           // scratch: the vectors of the answer under inspection, if read
  std::vector<std::uint64_t> digests_;  // scratch: one per vector, if read
  std::uint64_t recent_digest_ = 0;     // the last vector seen, and the different texts that had it
  std::vector<std::uint64_t> recent_texts_;
};

// Texts that differ only in ASCII case, blanks and punctuation often are the same to a model: no reason for
// suspicion.
bool alike(std::string_view a, std::string_view b);

}  // namespace embedrouter::embed
