// tokenizer.json of any bytes: refused, or a tokenizer whose ids are all below its vocabulary size.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "tokenizer/tokenizer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto tokenizer =
      embedrouter::tokenizer::Tokenizer::parse({reinterpret_cast<const char*>(data), size});
  if (!tokenizer) {
    if (tokenizer.error().message().empty()) std::abort();
    return 0;
  }
  for (const std::string_view text :
       {"", "Hello, world! [SEP] unaffable", " \xC3\x89\xE6\xBC\xA2 a\xCC\x81\xFF "}) {
    std::vector<std::uint32_t> ids;
    const std::size_t count = (*tokenizer)->encode(text, ids);
    if (count != ids.size()) std::abort();
    if (std::ranges::any_of(ids, [&](auto id) { return id >= (*tokenizer)->vocabulary_size(); }))
      std::abort();
    ids.clear();
    (*tokenizer)->encode(text, ids, 3);
    if (ids.size() > 3) std::abort();
  }
  return 0;
}
