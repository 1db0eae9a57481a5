#include "providers/vector_lists.h"

#include <string>

namespace embedrouter::providers {
namespace {

constexpr std::size_t kMostVectors = 1 << 16;

}  // namespace

Error malformed_answer(const api::JsonCursor& json) {
  return {ErrorCode::upstream_invalid_answer, "the answer is not valid JSON: " + json.fault()};
}

Result<std::vector<api::Embedding>> read_vector_lists(api::JsonCursor& json) {
  if (json.kind() != api::JsonKind::array)
    return fail(ErrorCode::upstream_invalid_answer, "the answer holds no list of vectors");
  json.enter('[');
  std::vector<api::Embedding> vectors;
  bool first = true;
  while (json.next_element(first)) {
    if (vectors.size() == kMostVectors)
      return fail(ErrorCode::upstream_invalid_answer,
                  "the answer holds more vectors than any request asks for");
    if (const api::JsonKind kind = json.kind(); kind != api::JsonKind::array) {
      return fail(ErrorCode::upstream_invalid_answer, "vector " + std::to_string(vectors.size()) +
                                                          " of the answer is " + std::string(name_of(kind)) +
                                                          ", not an array");
    }
    api::NumberText numbers;
    if (!json.skip_flat_array(numbers.json)) return fail(malformed_answer(json));
    vectors.push_back({numbers, {}});
  }
  if (!json.ok()) return fail(malformed_answer(json));
  return vectors;
}

}  // namespace embedrouter::providers
