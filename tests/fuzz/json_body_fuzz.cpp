// The body of POST /embeddings: any bytes are a request or a 400.
#include <cstdlib>

#include "api/embed_request.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace embedrouter;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  auto decoded = api::decode_embed_request(Buffer(bytes), api::DecodeLimits{.inputs = 64});
  if (!decoded) {
    if (decoded.error().http_status() != 400) std::abort();
    return 0;
  }
  const api::EmbedRequest& request = decoded->request();
  if (request.items.empty() || request.items.size() > 64 || request.model.empty()) std::abort();
  const bool tokens = request.items.front().is_tokens();
  for (const api::Item& item : request.items) {
    if (item.is_tokens() != tokens || item.text.empty() == item.tokens.empty()) std::abort();
  }
  return 0;
}
