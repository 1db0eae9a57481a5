#pragma once
// The stages of tokenizer.json: text → Normalizer → PreTokenizer → Model, one file for each kind that is
// supported. Stages never change after loading and are thread-safe. Every text they see is valid UTF-8.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace embedrouter::tokenizer {

class Normalizer {
 public:
  virtual ~Normalizer() = default;
  // Appends the normal form of `text`.
  virtual void append(std::string_view text, std::string& out) const = 0;
};

class PreTokenizer {
 public:
  virtual ~PreTokenizer() = default;
  // Takes the next piece off `rest` and returns it; empty when none is left. Pieces point into the text.
  virtual std::string_view next(std::string_view& rest) const = 0;
};

class Model {
 public:
  virtual ~Model() = default;
  // Appends the ids of one piece.
  virtual void append_ids(std::string_view piece, std::vector<std::uint32_t>& ids) const = 0;
  virtual std::optional<std::uint32_t> id_of(std::string_view token) const = 0;
  virtual std::size_t token_count() const = 0;
  // 0 if there are no tokens.
  virtual std::uint32_t highest_id() const = 0;
};

}  // namespace embedrouter::tokenizer
