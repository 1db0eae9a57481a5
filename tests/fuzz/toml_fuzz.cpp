// The configuration file: no bytes may crash the reader, and what it finds sound a catalog can be built from.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "catalog/catalog.h"
#include "catalog/config.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace embedrouter::catalog;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const ConfigOutcome outcome = parse_config(text, {.home = "/home/u", .dialects = {{.name = "openai"}}});
  const auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1;
  for (const ConfigFault& fault : outcome.faults) {
    if (fault.message.empty() || fault.line > lines) std::abort();
  }
  if (!outcome.faults.empty()) return 0;
  const EmbeddedFacts facts{.width = 384, .max_tokens = 256, .precision = "fp32", .space = "minilm:fp32"};
  if (!Catalog::build(outcome.config, outcome.config.embedded.enabled ? &facts : nullptr)) std::abort();
  return 0;
}
