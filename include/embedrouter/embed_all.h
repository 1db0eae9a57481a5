#pragma once
// Any number of texts in one go: split into requests, sent side by side, put together in order.
//
//   auto all = client.embeddings().embed_all(texts, {.model = "Taurus"});
//   if (!all) …                       // not one text was embedded; all.error() is the first reason
//   for (const auto& failure : all->failures) …

#include <embedrouter/client_error.h>
#include <embedrouter/embeddings.h>
#include <embedrouter/matrix.h>

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace embedrouter::sdk::inline v0 {

// What all the requests have, and how the texts are split. 0 counts as 1 in each of the three sizes.
struct EmbedAllOptions {
  std::string model;
  std::optional<std::int64_t> dimensions{};
  std::optional<std::string> input_type{};
  std::optional<std::string> user{};
  Nullable<ProviderPreferences> provider{};
  std::optional<std::string> session_id{};  // at most 256 characters
  std::optional<TraceConfig> trace{};
  std::size_t batch_items = 256;        // texts in a request
  std::size_t batch_bytes = 1'000'000;  // of text in a request; a longer text goes alone
  std::size_t requests_at_once = 4;
  // Told how many texts are done, failed ones included, after each request. On one thread at a time;
  // must not throw.
  std::function<void(std::size_t done, std::size_t all)> progress{};
};

// What came of all texts.
struct EmbedAllResult {
  // `item`: which text.
  struct Failure {
    std::size_t item = 0;
    Error error;
  };
  // Row i is the vector of text i. Rows of failed items are NaN.
  Matrix vectors;
  // Ascending. A request that is refused as a whole (400, 413, 422) is split to find the texts that are to
  // blame; the others are embedded. Where the first is refused, the text "a" is sent alone before: if that is
  // refused too, it is about the request (its model, its dimensions), and nothing else is sent.
  std::vector<Failure> failures;
  std::string model;  // that answered
  std::int64_t prompt_tokens = 0;
  double cost = 0;  // USD, as far as the server tells
};

}  // namespace embedrouter::sdk::inline v0
