#include "tokenizer/pipeline.h"

#include "tokenizer/scratch.h"
#include "tokenizer/unicode.h"

#include <algorithm>

#include <simdjson.h>

namespace embedrouter::tokenizer {
namespace {

// Hands the pieces of a text to the model.
class ToModel final : public PieceSink {
 public:
  ToModel(const Model& model, std::vector<std::uint32_t>& ids) : model_(model), ids_(ids) {}
  void take(std::string_view piece) override { model_.append_ids(piece, ids_); }

 private:
  const Model& model_;
  std::vector<std::uint32_t>& ids_;
};

// Cuts the ids behind `start` to `limit`: the last of the text go, the closing ones stay while there is room
// for them.
void cut(std::vector<std::uint32_t>& ids, std::size_t start, std::size_t limit, std::size_t around,
         std::size_t closing) {
  if (limit >= around) {
    const auto end_of_text = ids.end() - static_cast<std::ptrdiff_t>(closing);
    const std::size_t excess = ids.size() - start - limit;
    ids.erase(end_of_text - static_cast<std::ptrdiff_t>(excess), end_of_text);
  }
  ids.resize(std::min(ids.size(), start + limit));
}

}  // namespace

std::size_t Pipeline::encode(std::string_view text, std::vector<std::uint32_t>& ids,
                             std::size_t limit) const {
  const std::size_t start = ids.size();
  ids.insert(ids.end(), parts_.opening.begin(), parts_.opening.end());
  if (simdjson::validate_utf8(text)) {
    append_raw(text, ids);
  } else {
    std::string repaired;
    unicode::append_repaired(repaired, text);
    append_raw(repaired, ids);
  }
  ids.insert(ids.end(), parts_.closing.begin(), parts_.closing.end());
  const std::size_t count = ids.size() - start;
  if (count > limit)
    cut(ids, start, limit, parts_.opening.size() + parts_.closing.size(), parts_.closing.size());
  return count;
}

void Pipeline::append_raw(std::string_view text, std::vector<std::uint32_t>& ids) const {
  AddedTokens::Search search(parts_.raw_tokens, text);
  std::string_view between;
  while (const auto id = search.next(between)) {
    append_segment(between, ids);
    ids.push_back(*id);
  }
  append_segment(between, ids);
}

void Pipeline::append_segment(std::string_view text, std::vector<std::uint32_t>& ids) const {
  if (text.empty()) return;
  if (!parts_.normalizer) return append_normalized(text, ids);
  Scratch<> scratch;
  parts_.normalizer->append(text, *scratch);
  append_normalized(*scratch, ids);
}

void Pipeline::append_normalized(std::string_view text, std::vector<std::uint32_t>& ids) const {
  AddedTokens::Search search(parts_.normalized_tokens, text);
  std::string_view between;
  while (const auto id = search.next(between)) {
    append_pieces(between, ids);
    ids.push_back(*id);
  }
  append_pieces(between, ids);
}

void Pipeline::append_pieces(std::string_view text, std::vector<std::uint32_t>& ids) const {
  if (text.empty()) return;
  if (!parts_.pre_tokenizer) return parts_.model->append_ids(text, ids);
  ToModel sink(*parts_.model, ids);
  parts_.pre_tokenizer->cut(text, sink);
}

}  // namespace embedrouter::tokenizer
