#include "embed/split.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace embedrouter::embed {
namespace {

// Appends the answer for the items from `offset` on.
void join(api::EmbedReply& whole, api::EmbedReply part, std::size_t offset) {
  for (api::Embedding& embedding : part.data) {
    embedding.index = static_cast<std::int64_t>(whole.data.size());
    whole.data.push_back(embedding);
  }
  std::ranges::move(part.owners, std::back_inserter(whole.owners));
  for (const std::uint32_t item : part.truncated)
    whole.truncated.push_back(item + static_cast<std::uint32_t>(offset));
  whole.usage.prompt_tokens += part.usage.prompt_tokens;
  whole.usage.total_tokens += part.usage.total_tokens;
  whole.usage.cost_pico_usd += part.usage.cost_pico_usd;
  whole.usage.source = std::max(whole.usage.source, part.usage.source);
}

Error shifted(Error error, std::size_t offset) {
  if (!error.item() || offset == 0) return error;
  const auto item = static_cast<std::uint32_t>(*error.item() + offset);
  // The message names the item by its place in the part.
  std::string message = error.message();
  const std::string before = "input[" + std::to_string(*error.item()) + "]";
  const std::string after = "input[" + std::to_string(item) + "]";
  if (const auto at = message.find(before); at != std::string::npos)
    message.replace(at, before.size(), after);
  Error moved(error.code(), std::move(message));
  moved = std::move(moved)
              .with_detail(error.detail())
              .with_item(item)
              .with_provider(error.provider(), error.provider_code())
              .with_upstream_status(error.upstream_status());
  if (!error.param().empty())
    moved = std::move(moved).with_param(error.param() == before ? after : error.param());
  if (error.retry_after()) moved = std::move(moved).with_retry_after(*error.retry_after());
  return moved;
}

}  // namespace

Split::Split(std::unique_ptr<Embedder> inner, BatchLimits limits)
    : inner_(std::move(inner)), limits_(limits) {}

std::size_t part_size(std::span<const api::Item> items, BatchLimits limits) {
  const std::size_t most =
      limits.items == 0 ? items.size() : std::min<std::size_t>(items.size(), limits.items);
  if (limits.tokens == 0) return most;
  std::size_t tokens = 0;
  for (std::size_t i = 0; i < most; ++i) {
    tokens += items[i].is_tokens() ? items[i].tokens.size() : items[i].text.size();
    if (tokens > limits.tokens && i > 0) return i;
  }
  return most;
}

Task<Result<api::EmbedReply>> Split::embed(const api::EmbedRequest& request, Call& call) {
  std::size_t offset = part_size(request.items, limits_);
  if (offset == request.items.size()) {
    auto reply = co_await inner_->embed(request, call);
    co_return reply;
  }
  api::EmbedRequest part = request;
  part.items = request.items.first(offset);
  auto whole = co_await inner_->embed(part, call);
  if (!whole) co_return whole;
  while (offset < request.items.size()) {
    part.items = request.items.subspan(offset);
    part.items = part.items.first(part_size(part.items, limits_));
    auto reply = co_await inner_->embed(part, call);
    if (!reply) co_return fail(shifted(std::move(reply).error(), offset));
    if (reply->width != whole->width) {
      co_return fail(ErrorCode::upstream_invalid_vector,
                     "the provider changed the width of its vectors within one request");
    }
    join(*whole, *std::move(reply), offset);
    offset += part.items.size();
  }
  co_return whole;
}

}  // namespace embedrouter::embed
