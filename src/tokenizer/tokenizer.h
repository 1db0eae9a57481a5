#pragma once
#include <embedrouter/result.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string_view>
#include <vector>

namespace embedrouter::tokenizer {

// Text to token ids, as the `tokenizers` library does it from the same tokenizer.json with its truncation and
// padding off: special tokens of the text recognised, the post-processor's special tokens ([CLS] … [SEP])
// added. Immutable and thread-safe after loading; encode() allocates nothing beyond `ids` and the thread's
// scratch.
class Tokenizer {
 public:
  // Fails, naming the member, for anything the file asks for that is not supported.
  static Result<std::unique_ptr<const Tokenizer>> load(const std::filesystem::path& tokenizer_json);
  static Result<std::unique_ptr<const Tokenizer>> parse(std::string_view tokenizer_json);
  virtual ~Tokenizer() = default;

  // Appends the ids of `text`, special tokens included, and returns how many the whole text has. With
  // `limit`, appends at most that many, cut as the reference cuts (the text's last tokens go, the closing
  // special tokens stay); the count returned is still the whole one. `text` need not be valid UTF-8: each bad
  // byte is read as U+FFFD.
  virtual std::size_t encode(std::string_view text, std::vector<std::uint32_t>& ids,
                             std::size_t limit = static_cast<std::size_t>(-1)) const = 0;

  // One more than the highest id that the vocabulary and the added tokens have: the rows an embedding table
  // needs.
  virtual std::uint32_t vocabulary_size() const = 0;
};

}  // namespace embedrouter::tokenizer
