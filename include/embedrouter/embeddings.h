#pragma once
// POST /embeddings: what is asked, what is answered.

#include <embedrouter/client_error.h>
#include <embedrouter/json_value.h>
#include <embedrouter/matrix.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace embedrouter::sdk::inline v0 {

// A part of a multimodal item. `data` of media is a URL of the scheme data:, or base64 as the provider takes
// it.
struct ContentPart {
  // As the API names them.
  enum class Type : std::uint8_t { text, image_url, input_audio, input_video, input_file };
  Type type = Type::text;
  std::string value{};                  // the text, the image's URL, or the data
  std::optional<std::string> format{};  // of audio, video and files: "wav", "mp4", "pdf"
};
// One joint vector.
struct ContentItem {
  std::vector<ContentPart> content{};
};

// Of the vocabulary of the model.
using TokenIds = std::vector<std::uint32_t>;

// The five forms of `input`.
struct Input {
  std::variant<std::string, std::vector<std::string>, TokenIds, std::vector<TokenIds>,
               std::vector<ContentItem>, std::span<const std::string_view>>
      value;

  Input(std::string text) : value(std::move(text)) {}
  Input(std::string_view text) : value(std::string(text)) {}
  Input(const char* text) : value(std::string(text)) {}
  Input(std::vector<std::string> texts) : value(std::move(texts)) {}
  Input(TokenIds tokens) : value(std::move(tokens)) {}
  Input(std::vector<TokenIds> tokens) : value(std::move(tokens)) {}
  Input(std::vector<ContentItem> items) : value(std::move(items)) {}
  // Not copied: the texts must live until generate() has returned its Call.
  template <std::size_t kExtent>
  Input(std::span<const std::string_view, kExtent> texts) : value(std::span<const std::string_view>(texts)) {}
  Input(const std::vector<std::string_view>& texts) : value(std::span<const std::string_view>(texts)) {}
};

// At most / at least so much, at a percentile of what was measured.
struct Percentiles {
  std::optional<double> p50{}, p75{}, p90{}, p99{};
};

// Which endpoints may serve a request, and in what order. Absent members leave the server's defaults.
struct ProviderPreferences {
  std::optional<std::vector<std::string>> order{}, only{}, ignore{};  // slugs
  std::optional<bool> allow_fallbacks{};
  std::optional<bool> require_parameters{};
  std::optional<std::string> data_collection{};  // "allow", "deny"
  std::optional<bool> zdr{};
  std::optional<bool> enforce_distillable_text{};
  std::optional<std::vector<std::string>> quantizations{};  // "fp16", "int8", …

  // `partition`: whether models are sorted each for itself.
  struct SortBy {
    std::string by;                          // "price", "throughput", "latency"
    std::optional<std::string> partition{};  // "model", "none"
  };
  std::optional<std::variant<std::string, SortBy>> sort{};
  // USD as decimal strings: prompt and completion per million tokens, the others per unit.
  struct MaxPrice {
    std::optional<std::string> prompt{}, completion{}, request{}, image{}, audio{};
  };
  std::optional<MaxPrice> max_price{};
  std::optional<std::variant<double, Percentiles>> preferred_min_throughput{};  // tokens per second
  std::optional<std::variant<double, Percentiles>> preferred_max_latency{};     // seconds
  std::vector<std::pair<std::string, Json>> options{};                          // by provider slug
};

// For observability; `others` are sent beside the named members.
struct TraceConfig {
  std::optional<std::string> trace_id{}, trace_name{}, span_name{}, generation_name{}, parent_span_id{};
  std::vector<std::pair<std::string, Json>> others{};
};

// The body of POST /embeddings. Unset members are not sent.
struct EmbeddingsRequest {
  Input input;
  std::string model;
  std::optional<std::int64_t> dimensions{};
  // "float", "base64". Unset, the server sends floats; base64 is a quarter of the bytes, exact, and quicker.
  std::optional<std::string> encoding_format{};
  std::optional<std::string> input_type{};  // "search_query", "search_document", …
  std::optional<std::string> user{};
  Nullable<ProviderPreferences> provider{};
  std::optional<std::string> session_id{};  // at most 256 characters
  std::optional<TraceConfig> trace{};
};

// Counts are of tokens, costs in USD.
struct PromptTokensDetails {
  std::optional<std::int64_t> text_tokens, image_tokens, audio_tokens, video_tokens, file_tokens;
};
// What the provider took.
struct CostDetails {
  double upstream_inference_completions_cost = 0;
  double upstream_inference_prompt_cost = 0;
  std::optional<double> upstream_inference_cost, server_tool_cost;
};
// What the request took.
struct EmbeddingsUsage {
  std::int64_t prompt_tokens = 0;
  std::int64_t total_tokens = 0;
  std::optional<double> cost;
  std::optional<bool> is_byok;
  std::optional<CostDetails> cost_details;
  std::optional<PromptTokensDetails> prompt_tokens_details;
};

// One vector as it stands in the answer. Valid as long as its response.
struct EmbeddingView {
  std::optional<std::int64_t> index;  // of the item it belongs to
  bool base64 = false;
  // The base64 text between its quotes, or the JSON array of numbers, brackets included.
  std::string_view text;

  // Decodes it. Fails with ErrorKind::response_validation where it is no vector of float32.
  Result<std::vector<float>> values() const;
};

// An answer of the documented shape. Moves and copies cheaply; copies share body and vectors. Thread-safe to
// read.
class EmbeddingsResponse {
 public:
  std::optional<std::string> id;
  std::string object;
  std::string model;
  std::optional<std::string> provider;  // display name, where the server tells
  std::optional<EmbeddingsUsage> usage;
  Headers headers;

  // In the order they came.
  std::span<const EmbeddingView> data() const noexcept { return data_; }
  // All vectors as one matrix, row i the vector of input item i: by their indices where they have some, else
  // in the order they came. Fails with ErrorKind::response_validation when there is not exactly one vector
  // for each item, when widths differ, or when a value is not finite in float32.
  // No copy is made: base64 and numbers were decoded straight into it.
  Result<Matrix> matrix() const;
  // The same into memory of yours: `out` must hold data().size() × width floats. The row of data()[i] is as
  // above. `out` is unspecified after a failure.
  Result<void> read_into(std::span<float> out, std::size_t width) const;
  // Of the first vector; 0 when there is none.
  Result<std::size_t> width() const;
  // The body as it came.
  std::string_view json() const noexcept { return body_ ? std::string_view(*body_) : std::string_view(); }

 private:
  friend class EmbeddingsDecoder;
  Error invalid_answer(const std::string& what) const;
  Result<void> check_count() const;

  std::shared_ptr<const std::string> body_;
  std::string secret_;                                         // as HttpResponse::secret
  std::vector<std::shared_ptr<const std::string>> unescaped_;  // what some views point to
  std::vector<EmbeddingView> data_;
  std::size_t items_ = 0;  // that were asked for
  std::optional<Matrix>
      rows_;  // decoded while the answer was read; unset if they are not as matrix() promises
};

}  // namespace embedrouter::sdk::inline v0
