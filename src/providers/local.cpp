#include "providers/local.h"

#include <numeric>
#include <utility>

#include "base/await_callback.h"

namespace embedrouter::providers {

Local::Local(const catalog::Endpoint& endpoint, inference::LocalModel& model, asio::io_context& io)
    : endpoint_(endpoint), model_(model), io_(io) {}

Error Local::too_long(std::uint32_t item) const {
  const std::string name = "input[" + std::to_string(item) + "]";
  Error error(ErrorCode::context_length_exceeded,
              name + " has more than the " + std::to_string(model_.facts().max_tokens) +
                  " tokens this model takes; shorten or split it, or send \"truncate\": true to have it cut");
  return std::move(error).with_item(item).with_param(name);
}

Task<Result<api::EmbedReply>> Local::embed(const api::EmbedRequest& request, embed::Call& call) {
  inference::Job job;
  // The whole would fail on the first text that is too long; with `partial` the others are wanted.
  job.truncate = request.truncate || request.partial;
  if (request.input_type) job.input_type = std::string(*request.input_type);
  job.dimensions = request.dimensions.value_or(0);
  job.texts.reserve(request.items.size());
  for (const api::Item& item : request.items) job.texts.push_back(item.text);

  Timer deadline(io_.get_executor(), call.deadline);
  const auto start = [this, &job, &deadline](auto done) {
    const auto ticket = model_.submit(std::move(job), std::move(done));
    deadline.async_wait([ticket](const auto& cancelled) {
      if (!cancelled) ticket->cancel();
    });
    return [ticket] { ticket->cancel(); };
  };
  auto vectors = co_await await_callback<Result<inference::Vectors>>(io_.get_executor(), start);
  const bool in_time = deadline.cancel() != 0;
  if (!vectors && !in_time)
    co_return fail(ErrorCode::upstream_timeout, "the embedded model did not answer in the time there was");
  if (!vectors) co_return fail(std::move(vectors).error());
  call.times.queue += vectors->waited;
  call.times.inference += vectors->computed;

  const std::size_t width = vectors->width;
  api::EmbedReply reply;
  reply.data.reserve(request.items.size());
  for (std::size_t i = 0; i < request.items.size(); ++i) {
    reply.data.push_back({std::span(vectors->values.get() + i * width, width), static_cast<std::int64_t>(i)});
  }
  reply.owners.push_back(vectors->values);
  reply.usage.prompt_tokens =
      std::accumulate(vectors->tokens.begin(), vectors->tokens.end(), std::uint64_t{0});
  reply.usage.source = api::UsageSource::counted;
  if (request.truncate) {
    reply.truncated = std::move(vectors->truncated);
  } else {
    for (const std::uint32_t item : vectors->truncated) reply.failed.push_back({item, too_long(item)});
  }
  reply.model = endpoint_.model->id;
  reply.space = endpoint_.space;
  co_return reply;
}

}  // namespace embedrouter::providers
