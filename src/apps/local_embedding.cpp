#include "apps/local_embedding.h"

#include <future>
#include <memory>
#include <utility>

namespace embedrouter::apps {

Result<inference::Vectors> embed_now(inference::LocalModel& model, const std::vector<std::string>& texts) {
  inference::Job job;
  job.texts.assign(texts.begin(), texts.end());
  // Shared: the model's thread is still inside set_value() when the wait ends.
  auto vectors = std::make_shared<std::promise<Result<inference::Vectors>>>();
  auto done = vectors->get_future();
  model.submit(std::move(job),
               [vectors](Result<inference::Vectors> result) { vectors->set_value(std::move(result)); });
  return done.get();
}

}  // namespace embedrouter::apps
