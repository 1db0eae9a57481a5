#pragma once
#include <embedrouter/embeddings.h>

#include "sdk/json_schema.h"

namespace embedrouter::sdk::inline v0 {

// POST /embeddings, 200: one pass that looks at no digit of a vector but to see that it is one.
class EmbeddingsDecoder {
 public:
  // `items`: how many were asked for.
  static Result<EmbeddingsResponse> decode(HttpResponse response, std::size_t items);

 private:
  explicit EmbeddingsDecoder(std::string_view body) : in_(body) {}
  bool read_body();
  bool read_data();
  bool read_item(EmbeddingView& out);
  bool read_vector(EmbeddingView& out);
  bool read_word(std::string_view expected);

  JsonReader in_;
  EmbeddingsResponse out_;
};

}  // namespace embedrouter::sdk::inline v0
