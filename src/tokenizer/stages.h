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
  // How many times as long as the text what the file says itself may make it; Unicode's own growth is small.
  virtual std::size_t growth() const { return 1; }
};

// Takes pieces one after the other. A piece is valid only during the call.
class PieceSink {
 public:
  virtual void take(std::string_view piece) = 0;

 protected:
  ~PieceSink() = default;
};

class PreTokenizer {
 public:
  virtual ~PreTokenizer() = default;
  // Gives the pieces of `text`, none of them empty, to `sink`.
  virtual void cut(std::string_view text, PieceSink& sink) const = 0;
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
