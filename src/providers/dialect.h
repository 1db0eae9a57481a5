#pragma once
// A provider's wire format as pure functions: no sockets, no state.

#include <embedrouter/result.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/embed_reply.h"
#include "api/embed_request.h"
#include "base/body.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "catalog/catalog.h"
#include "net/message.h"

namespace embedrouter::providers {

struct UpstreamRequest {
  std::string path;  // behind the provider's base_url: "/embeddings"
  Body body;         // JSON
};

// What came back: the status, the headers, and the whole body, to be kept alive by whoever points into it.
struct UpstreamReply {
  int status = 0;
  net::Headers headers;
  Clock::Wall arrived;  // what a date in the headers is held against
  std::shared_ptr<const Buffer> body;

  std::string_view header(std::string_view name) const { return headers.find(name).value_or(""); }
};

struct Dialect {
  // Its name, and which parameters it has a place for: what an endpoint may declare.
  catalog::DialectFacts facts;
  // Ours to theirs. The request has been found within what the endpoint honours.
  Result<UpstreamRequest> (*encode)(const api::EmbedRequest& request, const catalog::Endpoint& endpoint);
  // Their 200 to ours, not yet past the gate.
  Result<api::EmbedReply> (*decode)(const UpstreamReply& reply, const api::EmbedRequest& request);
  // Their failure in our words.
  Error (*explain)(const UpstreamReply& reply);
};

// Every dialect there is; the list is the documentation. A new one is a file in dialects/ and a row in
// dialects.cpp.
std::span<const Dialect* const> dialects();
const Dialect* find_dialect(std::string_view name);

// For dialects: an Error from a status and what the provider said of it (api::read_complaint), by the table
// of docs/failure_policy.md: exhausted balances, context lengths and content policies are told from their
// neighbours.
Error explain_status(const UpstreamReply& reply);
// The same where the dialect knows better than the status what is the matter.
Error explain_as(ErrorCode code, const UpstreamReply& reply);

}  // namespace embedrouter::providers
