#pragma once
#include "tokenizer/json_fields.h"
#include "tokenizer/pipeline.h"

namespace embedrouter::tokenizer {

inline constexpr std::uint32_t kHighestId = 0x7FFFFFFE;

// From the members of tokenizer.json to the stages. What is not supported fails, naming the member and what
// it asks for. To support another kind of a stage: its file, and a row in the list of its reader.
Result<std::unique_ptr<const Normalizer>> read_normalizer(
    const JsonFields& file);  // null if the file has none
Result<std::unique_ptr<const PreTokenizer>> read_pre_tokenizer(
    const JsonFields& file);  // null if the file has none
Result<std::unique_ptr<const Model>> read_model(const JsonFields& file);
// True if the pre-tokenizer's pieces are for a byte-level model.
Result<bool> ends_in_bytes(const JsonFields& file);

// Sets the added tokens and the size of the vocabulary; normalizer and model are set already.
Result<void> read_added_tokens(const JsonFields& file, PipelineParts& parts);

// Sets `opening` and `closing`, ids of the vocabulary, whose size is set already.
Result<void> read_post_processor(const JsonFields& file, PipelineParts& parts);

}  // namespace embedrouter::tokenizer
