// An upstream's 200: what is taken for an answer can be written as one, in both forms.
#include <cstdlib>

#include "api/embed_reply.h"
#include "api/error_body.h"
#include "api/model_list.h"
#include "api/vector_text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace embedrouter;
  const Buffer body(std::string_view(reinterpret_cast<const char*>(data), size));
  (void)api::read_complaint(body.view());
  (void)api::decode_model_list(body.view());
  auto wire = api::decode_embed_reply(body);
  if (!wire) return 0;
  api::EmbedReply reply;
  for (const api::Embedding& embedding : wire->data) {
    // What the gate would do.
    if (const auto* numbers = std::get_if<api::NumberText>(&embedding.vector)) {
      const auto facts = api::scan_numbers(numbers->json);
      if (!facts || facts->width == 0 || (reply.width != 0 && facts->width != reply.width)) continue;
      reply.width = static_cast<std::uint32_t>(facts->width);
    } else {
      const auto width = api::base64_width(std::get<api::Base64Text>(embedding.vector).text);
      if (!width || *width == 0 || (reply.width != 0 && *width != reply.width)) continue;
      std::vector<float> values(*width);
      if (!api::decode_base64(std::get<api::Base64Text>(embedding.vector).text, values) ||
          !api::measure(values))
        continue;
      reply.width = static_cast<std::uint32_t>(*width);
    }
    reply.data.push_back(embedding);
  }
  for (const auto form : {api::EncodingFormat::float_numbers, api::EncodingFormat::base64}) {
    const std::string text =
        api::encode_embed_response(reply, form, api::ResponseInfo{"gen-emb-fuzz"}).to_string();
    const auto again = api::decode_embed_reply(Buffer(text));
    if (!again || again->data.size() != reply.data.size()) std::abort();
  }
  return 0;
}
