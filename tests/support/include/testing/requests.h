#pragma once
#include <cmath>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "api/embed_reply.h"
#include "api/embed_request.h"
#include "api/vector_text.h"

namespace embedrouter::testing {

// A request over texts it keeps.
class TextRequest {
 public:
  explicit TextRequest(std::vector<std::string> texts, std::string model = "test/model")
      : texts_(std::make_shared<std::vector<std::string>>(std::move(texts))),
        model_(std::make_shared<std::string>(std::move(model))) {
    for (const std::string& text : *texts_) items_.push_back({text, {}});
    request.model = *model_;
    request.items = items_;
  }
  TextRequest(const TextRequest&) = delete;
  TextRequest& operator=(const TextRequest&) = delete;

  api::EmbedRequest request;

 private:
  std::shared_ptr<std::vector<std::string>> texts_;
  std::shared_ptr<std::string> model_;
  std::vector<api::Item> items_;
};

// The unit vector that stands for a text: a function of it, so that any misplacement shows.
inline std::vector<float> vector_of(std::string_view text, std::size_t width) {
  std::vector<float> values(width);
  double squared = 0;
  std::uint64_t state = std::hash<std::string_view>{}(text);
  for (float& value : values) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    value = static_cast<float>(static_cast<double>(state >> 33) / static_cast<double>(1U << 30) - 1.0);
    squared += static_cast<double>(value) * value;
  }
  for (float& value : values) value = static_cast<float>(value / std::sqrt(squared));
  return values;
}

inline api::Embedding as_floats(api::EmbedReply& reply, std::vector<float> values,
                                std::optional<std::int64_t> index) {
  auto owner = std::make_shared<const std::vector<float>>(std::move(values));
  api::Embedding embedding{std::span<const float>(*owner), index};
  reply.owners.push_back(std::move(owner));
  return embedding;
}

inline api::Embedding as_text(api::EmbedReply& reply, std::string json, std::optional<std::int64_t> index) {
  auto owner = std::make_shared<const std::string>(std::move(json));
  api::Embedding embedding{api::NumberText{*owner}, index};
  reply.owners.push_back(std::move(owner));
  return embedding;
}

inline std::string json_of(const std::vector<float>& values) {
  std::string json;
  api::append_numbers(json, values);
  return json;
}

inline api::Embedding as_base64(api::EmbedReply& reply, const std::vector<float>& values,
                                std::optional<std::int64_t> index) {
  std::string text;
  api::append_base64(text, values);
  auto owner = std::make_shared<const std::string>(std::move(text));
  api::Embedding embedding{api::Base64Text{*owner}, index};
  reply.owners.push_back(std::move(owner));
  return embedding;
}

}  // namespace embedrouter::testing
