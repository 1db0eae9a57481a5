#include "apps/local_embedding.h"

#include <future>
#include <utility>

namespace embedrouter::apps {

Result<inference::Vectors> embed_now(inference::LocalModel& model, const std::vector<std::string>& texts) {
  inference::Job job;
  job.texts.assign(texts.begin(), texts.end());
  std::promise<Result<inference::Vectors>> vectors;
  model.submit(std::move(job), [&](Result<inference::Vectors> done) { vectors.set_value(std::move(done)); });
  return vectors.get_future().get();
}

}  // namespace embedrouter::apps
