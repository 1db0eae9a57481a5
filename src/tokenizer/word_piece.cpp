#include "tokenizer/word_piece.h"

#include <algorithm>

namespace embedrouter::tokenizer {

WordPiece::WordPiece(StringTable vocabulary, StringTable continuations, std::uint32_t highest_id,
                     WordPieceOptions options)
    : vocabulary_(std::move(vocabulary)),
      continuations_(std::move(continuations)),
      highest_id_(highest_id),
      options_(std::move(options)) {}

bool WordPiece::too_long(std::string_view piece) const noexcept {
  if (piece.size() <= options_.max_input_chars_per_word) return false;
  const auto starts = std::ranges::count_if(
      piece, [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; });
  return static_cast<std::size_t>(starts) > options_.max_input_chars_per_word;
}

void WordPiece::append_ids(std::string_view piece, std::vector<std::uint32_t>& ids) const {
  if (too_long(piece)) return ids.push_back(options_.unknown_id);
  const std::size_t before = ids.size();
  const StringTable* table = &vocabulary_;
  while (!piece.empty()) {
    const auto [id, length] = table->longest_prefix(piece);
    if (length == 0) {
      ids.resize(before);
      return ids.push_back(options_.unknown_id);
    }
    ids.push_back(id);
    piece.remove_prefix(length);
    table = &continuations_;
  }
}

std::optional<std::uint32_t> WordPiece::id_of(std::string_view token) const {
  const std::uint32_t id = vocabulary_.find(token);
  return id == StringTable::kNone ? std::nullopt : std::optional(id);
}

}  // namespace embedrouter::tokenizer
