#pragma once
#include <embedrouter/embeddings.h>

#include "sdk/json_schema.h"

namespace embedrouter::sdk::inline v0 {

// POST /embeddings, 200: one pass that looks at no digit of a vector but to see that it is one.
class EmbeddingsDecoder {
 public:
  // `items`: how many were asked for.
  static Result<EmbeddingsResponse> decode(HttpResponse response, std::size_t items);
  // Of an answer that was decoded and is not what was asked for.
  static Error invalid(const EmbeddingsResponse& response, const std::string& what);

 private:
  EmbeddingsDecoder(std::string_view body, std::size_t items)
      : in_(body), body_size_(body.size()), items_(items) {}
  bool read_body();
  bool read_data();
  bool read_item(EmbeddingView& out);
  bool read_vector(EmbeddingView& out);
  bool read_base64(EmbeddingView& out);
  // The place of the vector that is being read, if it should become a row.
  std::span<float> row_for(const EmbeddingView& view);
  void keep_rows();
  bool read_word(std::string_view expected);

  JsonReader in_;
  std::size_t body_size_;
  std::size_t items_;
  std::shared_ptr<float[]> rows_;  // in the order they came
  std::size_t width_ = 0;
  std::size_t filled_ = 0;  // rows that are decoded; those behind one that is not are not either
  EmbeddingsResponse out_;
};

}  // namespace embedrouter::sdk::inline v0
