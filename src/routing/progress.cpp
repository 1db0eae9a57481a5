#include "routing/progress.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace embedrouter::routing {

embed::Assembly& Progress::assembly() {
  if (!assembly_) assembly_.emplace(request_.items.size());
  return *assembly_;
}

std::vector<std::uint32_t> Progress::pending_items() const {
  if (rest_) return items_;
  std::vector<std::uint32_t> all(request_.items.size());
  std::iota(all.begin(), all.end(), 0U);
  return all;
}

void Progress::ask_for(std::vector<std::uint32_t> items) {
  items_ = std::move(items);
  rest_ = std::make_unique<embed::Part>(request_, items_);
}

std::optional<Error> Progress::take(Result<api::EmbedReply> reply) {
  if (!reply && !rest_) return std::move(reply).error();
  if (reply && !rest_ && reply->failed.empty()) {
    whole_ = *std::move(reply);
    return std::nullopt;
  }
  const std::vector<std::uint32_t> asked = pending_items();
  if (!reply) return embed::renamed(std::move(reply).error(), asked);
  if (auto added = assembly().add(asked, *std::move(reply)); !added) return std::move(added).error();
  std::vector<std::uint32_t> left = assembly().pending();
  std::erase_if(left, [&](std::uint32_t item) { return !std::ranges::binary_search(asked, item); });
  if (left.empty()) return std::nullopt;
  Error failure = *assembly().last_failure();
  ask_for(std::move(left));
  return failure;
}

void Progress::refuse(std::uint32_t item, const Error& error) {
  assembly().fail(std::span(&item, 1), error);
}

Result<api::EmbedReply> Progress::outcome() {
  if (whole_) return *std::move(whole_);
  const Error* refusal = assembly().refusal();
  if (refusal != nullptr && (!request_.partial || !has_answers())) return fail(*refusal);
  return assembly().take();
}

Result<api::EmbedReply> Progress::outcome(Error failure) {
  if (!request_.partial || !has_answers()) return fail(std::move(failure));
  assembly().fail(pending_items(), failure);
  return assembly().take();
}

}  // namespace embedrouter::routing
