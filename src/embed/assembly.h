#pragma once
#include <embedrouter/result.h>

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "api/embed_reply.h"
#include "api/embed_request.h"

namespace embedrouter::embed {

// The answer to one request while its items are answered in parts, by one endpoint or by several of a space.
// An item that is answered stays answered.
class Assembly {
 public:
  // `items`: of the whole request. Below, items are numbers in it.
  explicit Assembly(std::size_t items) : items_(items) {}

  // `part`, which is past the gate, answers `items` one by one; the numbers in its failures and in what was
  // cut are those of the part. Fails, and takes nothing, where its vectors are not as wide as the others.
  Result<void> add(std::span<const std::uint32_t> items, api::EmbedReply part);
  // `items` have no answer for now.
  void fail(std::span<const std::uint32_t> items, const Error& error);

  std::size_t answered() const noexcept { return answered_; }
  // Those that another endpoint, or the same one later, may answer. In order.
  std::vector<std::uint32_t> pending() const;
  // The first item that no other endpoint will answer, and why; null if there is none.
  const Error* refusal() const;
  // Of the first pending item; null if there is none, or none was tried.
  const Error* last_failure() const;

  // What there is: each item has a vector or is among the failed.
  api::EmbedReply take();

 private:
  enum class State : std::uint8_t { open, answered };
  void keep_facts(const api::EmbedReply& part);
  void prepare();

  std::size_t items_;
  std::size_t answered_ = 0;
  std::vector<State> states_;                // empty until something is known
  std::map<std::uint32_t, Error> failures_;  // of open items
  api::EmbedReply whole_;
};

// `error`, which names its item by a number in a part, naming it by `item`, its number in the whole. Any
// error may be given; without a number of its own it comes back as it is.
Error renamed(Error error, std::span<const std::uint32_t> items);
// `error`, naming `item` as the one to blame.
Error blaming(Error error, std::uint32_t item);

// A part of a request: these of its items.
class Part {
 public:
  // What the views of `whole` point to must outlive it.
  Part(const api::EmbedRequest& whole, std::span<const std::uint32_t> items);
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;
  const api::EmbedRequest& request() const noexcept { return request_; }

 private:
  std::vector<api::Item> gathered_;  // where the items do not stand side by side
  api::EmbedRequest request_;
};

}  // namespace embedrouter::embed
