#pragma once
#include <embedrouter/result.h>

#include <memory>
#include <optional>
#include <vector>

#include "embed/assembly.h"

namespace embedrouter::routing {

// How far a request has come: what one endpoint has answered stays answered, and only the rest is asked of
// the next. Items are numbers in the request.
class Progress {
 public:
  // `request` must outlive it.
  explicit Progress(const api::EmbedRequest& request) : request_(request) {}

  // What is to be asked for next: the whole request, as long as nothing is answered.
  const api::EmbedRequest& pending() const { return rest_ ? rest_->request() : request_; }
  std::vector<std::uint32_t> pending_items() const;
  // From now on only these.
  void ask_for(std::vector<std::uint32_t> items);

  // What asking for pending() came to. nullopt: each of its items has an answer, or is refused for good.
  // Otherwise the failure of what is left, which pending() is now.
  std::optional<Error> take(Result<api::EmbedReply> reply);
  // `item` will have no answer.
  void refuse(std::uint32_t item, const Error& error);
  bool has_answers() const { return whole_ || (assembly_ && assembly_->answered() > 0); }

  // The answer. The second form: what has none fails with `failure`, and with it the request, unless it is
  // `partial` and has some answers.
  Result<api::EmbedReply> outcome();
  Result<api::EmbedReply> outcome(Error failure);

 private:
  embed::Assembly& assembly();

  const api::EmbedRequest& request_;
  std::optional<api::EmbedReply> whole_;  // answered at the first try, as nearly always
  std::optional<embed::Assembly> assembly_;
  std::vector<std::uint32_t> items_;   // of rest_
  std::unique_ptr<embed::Part> rest_;  // null: the whole request is pending
};

}  // namespace embedrouter::routing
