#include "local/embedded_facts.h"

namespace embedrouter::local {

catalog::EmbeddedFacts facts_of(const inference::LocalModel& model) {
  const inference::ModelFacts& loaded = model.facts();
  catalog::EmbeddedFacts facts;
  facts.width = loaded.width;
  facts.max_tokens = loaded.max_tokens;
  facts.precision = loaded.precision;
  facts.space = loaded.space;
  facts.normalized = loaded.normalized;
  facts.symmetric = loaded.symmetric;
  facts.input_types = loaded.input_types;
  return facts;
}

}  // namespace embedrouter::local
