#pragma once
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "embed/embedder.h"
#include "testing/requests.h"

namespace embedrouter::testing {

// Answers as told, one step a call, and when the script is over with good vectors. Records what it was asked.
class ScriptedEmbedder final : public embed::Embedder {
 public:
  using Step = std::function<Result<api::EmbedReply>(const api::EmbedRequest&)>;

  explicit ScriptedEmbedder(std::size_t width = 8, std::string name = "scripted")
      : width_(width), name_(std::move(name)) {}

  std::string_view name() const override { return name_; }
  Task<Result<api::EmbedReply>> embed(const api::EmbedRequest& request, embed::Call&) override {
    asked.emplace_back();
    for (const api::Item& item : request.items) asked.back().emplace_back(item.text);
    if (script.empty()) co_return good(request);
    const Step step = std::move(script.front());
    script.pop_front();
    co_return step(request);
  }

  api::EmbedReply good(const api::EmbedRequest& request) const {
    api::EmbedReply reply;
    for (const api::Item& item : request.items) {
      reply.data.push_back(
          as_floats(reply, vector_of(item.text, width_), static_cast<std::int64_t>(reply.data.size())));
    }
    reply.usage.prompt_tokens = request.items.size();
    reply.usage.total_tokens = request.items.size();
    reply.width = static_cast<std::uint32_t>(width_);
    return reply;
  }

  std::deque<Step> script;
  std::vector<std::vector<std::string>> asked;  // the texts of each call

 private:
  std::size_t width_;
  std::string name_;
};

inline ScriptedEmbedder::Step fails_with(Error error) {
  return
      [error = std::move(error)](const api::EmbedRequest&) -> Result<api::EmbedReply> { return fail(error); };
}

inline ScriptedEmbedder::Step fails_with(ErrorCode code) {
  return [code](const api::EmbedRequest&) -> Result<api::EmbedReply> {
    return fail(code, "as the script says");
  };
}

}  // namespace embedrouter::testing
