#include "embed/assembly.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

namespace embedrouter::embed {
namespace {

std::string name_of(std::uint32_t item) {
  return "input[" + std::to_string(item) + "]";
}

// "A", "A, B": who answered, in the order they began to.
void add_name(std::string& names, const std::string& name) {
  if (names.empty()) {
    names = name;
  } else if (names != name && !names.starts_with(name + ", ") && !names.ends_with(", " + name) &&
             names.find(", " + name + ", ") == std::string::npos) {
    names += ", " + name;
  }
}

}  // namespace

Error renamed(Error error, std::span<const std::uint32_t> items) {
  if (!error.item() || *error.item() >= items.size()) return error;
  const std::string before = name_of(*error.item());
  const std::uint32_t item = items[*error.item()];
  const std::string after = name_of(item);
  // The message names the item by its place in the part.
  std::string message = error.message();
  if (const auto at = message.find(before); at != std::string::npos)
    message.replace(at, before.size(), after);
  const bool parameter = error.param() == before;
  error = std::move(error).with_item(item).with_message(std::move(message));
  return parameter ? std::move(error).with_param(after) : error;
}

Error blaming(Error error, std::uint32_t item) {
  const std::string name = name_of(item);
  std::string message = name + ": " + error.message();
  return std::move(error).with_item(item).with_param(name).with_message(std::move(message));
}

Part::Part(const api::EmbedRequest& whole, std::span<const std::uint32_t> items) : request_(whole) {
  const bool side_by_side = items.back() - items.front() + 1 == items.size() && std::ranges::is_sorted(items);
  if (side_by_side) {
    request_.items = whole.items.subspan(items.front(), items.size());
    return;
  }
  gathered_.reserve(items.size());
  for (const std::uint32_t item : items) gathered_.push_back(whole.items[item]);
  request_.items = gathered_;
}

void Assembly::prepare() {
  if (!states_.empty()) return;
  states_.assign(items_, State::open);
  whole_.data.resize(items_);
}

void Assembly::keep_facts(const api::EmbedReply& part) {
  if (answered_ == 0) {
    whole_.model = part.model;
    whole_.space = part.space;
    whole_.width = part.width;
  }
  add_name(whole_.provider, part.provider);
  whole_.usage.prompt_tokens += part.usage.prompt_tokens;
  whole_.usage.total_tokens += part.usage.total_tokens;
  whole_.usage.cost_pico_usd += part.usage.cost_pico_usd;
  whole_.usage.source = std::max(whole_.usage.source, part.usage.source);
}

Result<void> Assembly::add(std::span<const std::uint32_t> items, api::EmbedReply part) {
  prepare();
  if (answered_ != 0 && part.width != whole_.width && part.failed.size() < items.size()) {
    return embedrouter::fail(ErrorCode::upstream_invalid_vector,
                             "the provider changed the width of its vectors within one request");
  }
  if (part.failed.size() < items.size()) keep_facts(part);
  auto failed = part.failed.begin();
  for (std::uint32_t i = 0; i < items.size(); ++i) {
    const std::uint32_t item = items[i];
    if (failed != part.failed.end() && failed->item == i) {
      failures_.insert_or_assign(item, renamed(std::move(failed->error), items));
      ++failed;
      continue;
    }
    whole_.data[item] = part.data[i];
    whole_.data[item].index = item;
    states_[item] = State::answered;
    failures_.erase(item);
    ++answered_;
  }
  std::ranges::move(part.owners, std::back_inserter(whole_.owners));
  for (const std::uint32_t cut : part.truncated) whole_.truncated.push_back(items[cut]);
  return {};
}

void Assembly::fail(std::span<const std::uint32_t> items, const Error& error) {
  prepare();
  for (const std::uint32_t item : items) failures_.insert_or_assign(item, error);
}

std::vector<std::uint32_t> Assembly::pending() const {
  std::vector<std::uint32_t> items;
  for (std::uint32_t i = 0; i < items_; ++i) {
    if (!states_.empty() && states_[i] == State::answered) continue;
    const auto failure = failures_.find(i);
    if (failure == failures_.end() || traits(failure->second.code()).fall_back) items.push_back(i);
  }
  return items;
}

const Error* Assembly::refusal() const {
  const auto found = std::ranges::find_if(
      failures_, [](const auto& failure) { return !traits(failure.second.code()).fall_back; });
  return found == failures_.end() ? nullptr : &found->second;
}

const Error* Assembly::last_failure() const {
  const auto found = std::ranges::find_if(
      failures_, [](const auto& failure) { return traits(failure.second.code()).fall_back; });
  return found == failures_.end() ? nullptr : &found->second;
}

api::EmbedReply Assembly::take() {
  prepare();
  std::ranges::sort(whole_.truncated);
  for (auto& [item, error] : failures_) whole_.failed.push_back({item, std::move(error)});
  failures_.clear();
  return std::move(whole_);
}

}  // namespace embedrouter::embed
