#include "tokenizer/unigram.h"

#include "tokenizer/scratch.h"

#include <algorithm>

namespace embedrouter::tokenizer {
namespace {

constexpr double kUnknownPenalty = 10;
constexpr std::uint32_t kNowhere = 0xFFFFFFFF;

// The best way to the end of a prefix of the piece: where its last token starts, which it is.
struct Best {
  double score = 0;
  std::uint32_t start = kNowhere;
  std::uint32_t id = 0;
};

std::size_t character_length(char first) noexcept {
  const auto byte = static_cast<unsigned char>(first);
  return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

}  // namespace

Unigram::Unigram(DoubleArray tokens, std::vector<double> scores, UnigramOptions options)
    : tokens_(std::move(tokens)), scores_(std::move(scores)), options_(options) {
  if (!scores_.empty()) unknown_score_ = *std::ranges::min_element(scores_) - kUnknownPenalty;
  has_bytes_ = options_.byte_fallback;
  for (std::size_t byte = 0; byte < byte_ids_.size() && has_bytes_; ++byte) {
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    byte_ids_[byte] = tokens_.find(std::string("<0x") + kDigits[byte >> 4] + kDigits[byte & 15] + ">");
  }
}

void Unigram::append_ids(std::string_view piece, std::vector<std::uint32_t>& ids) const {
  Scratch<std::vector<Best>> best;
  best->resize(piece.size() + 1);
  for (std::size_t at = 0; at < piece.size();) {
    const double so_far = (*best)[at].score;
    const std::size_t character = character_length(piece[at]);
    bool covered = false;  // by a token of this character alone
    const auto reach = [&](std::size_t length, double score, std::uint32_t id) {
      Best& target = (*best)[at + length];
      if (target.start != kNowhere && so_far + score <= target.score) return;
      target = {so_far + score, static_cast<std::uint32_t>(at), id};
    };
    tokens_.each_prefix(piece.substr(at), [&](std::size_t length, std::uint32_t id) {
      reach(length, scores_[id], id);
      covered = covered || length == character;
    });
    if (!covered) reach(character, unknown_score_, options_.unknown_id);
    at += character;
  }
  // Backwards from the end; the ids come in the wrong order and are turned round.
  const std::size_t before = ids.size();
  for (std::size_t end = piece.size(); end > 0;) {
    const Best& last = (*best)[end];
    std::size_t start = last.start;
    if (last.id != options_.unknown_id) {
      ids.push_back(last.id);
    } else {
      while (start > 0 && (*best)[start].id == options_.unknown_id) start = (*best)[start].start;
      append_unknown(piece.substr(start, end - start), ids);
    }
    end = start;
  }
  std::reverse(ids.begin() + static_cast<std::ptrdiff_t>(before), ids.end());
}

// Backwards too.
void Unigram::append_unknown(std::string_view text, std::vector<std::uint32_t>& ids) const {
  const std::uint32_t whole = tokens_.find(text);
  if (whole != DoubleArray::kNone) return ids.push_back(whole);
  const auto known = [this](char byte) {
    return byte_ids_[static_cast<unsigned char>(byte)] != DoubleArray::kNone;
  };
  if (!has_bytes_ || !std::ranges::all_of(text, known)) return ids.push_back(options_.unknown_id);
  for (auto byte = text.rbegin(); byte != text.rend(); ++byte)
    ids.push_back(byte_ids_[static_cast<unsigned char>(*byte)]);
}

std::optional<std::uint32_t> Unigram::id_of(std::string_view token) const {
  const std::uint32_t id = tokens_.find(token);
  return id == DoubleArray::kNone ? std::nullopt : std::optional(id);
}

}  // namespace embedrouter::tokenizer
