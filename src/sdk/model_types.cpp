// Models, endpoints, providers: which members an answer must have, as in the official Python SDK.
#include "sdk/model_types.h"

#include <array>

namespace embedrouter::sdk {

bool read(JsonReader& in, Pricing& out) {
  static constexpr std::array<std::string_view, 12> kOptional{"request",
                                                              "image",
                                                              "image_token",
                                                              "image_output",
                                                              "audio",
                                                              "audio_output",
                                                              "input_audio_cache",
                                                              "input_cache_read",
                                                              "internal_reasoning",
                                                              "input_cache_write",
                                                              "input_cache_write_1h",
                                                              "web_search"};
  if (in.json.kind() != api::JsonKind::object) return in.wrong("an object");
  in.json.enter('{');
  const std::size_t length = in.path.size();
  bool has_prompt = false, has_completion = false, first = true;
  api::JsonString key;
  while (in.json.next_member(first, key)) {
    bool good = true;
    in.path += '.';
    in.path += key.raw;
    if (key.raw == "prompt") {
      good = has_prompt = read(in, out.prompt);
    } else if (key.raw == "completion") {
      good = has_completion = read(in, out.completion);
    } else if (std::find(kOptional.begin(), kOptional.end(), key.raw) != kOptional.end()) {
      std::optional<std::string> price;
      good = read(in, price);
      if (price) out.others.insert_or_assign(std::string(key.raw), *std::move(price));
    } else {
      good = in.json.skip();
    }
    if (!good) return false;
    in.path.resize(length);
  }
  if (!in.json.ok()) return false;
  return (has_prompt && has_completion) || in.wrong("an object with prompt and completion");
}

}  // namespace embedrouter::sdk
