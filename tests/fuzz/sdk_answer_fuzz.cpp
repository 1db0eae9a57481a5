// Any bytes with any status as the answer to any call of the SDK: a value or an error, and what is called a
// matrix is one.
#include <embedrouter/client.h>
#include <embedrouter/testing/mock_connection.h>

#include <cmath>
#include <cstdlib>

namespace {

namespace sdk = embedrouter::sdk;

template <class T>
void check(const sdk::Result<T>& result) {
  // A failure that an answer caused says so.
  if (!result && result.error().answer() == nullptr) std::abort();
}

void check_embeddings(const sdk::Client& client) {
  const std::string_view two[] = {"a", "b"};
  const auto reply = client.embeddings().generate({.input = std::span(two), .model = "m"}).get();
  check(reply);
  if (!reply) return;
  for (const sdk::EmbeddingView& view : reply->data()) static_cast<void>(view.values());
  const auto matrix = reply->matrix();
  if (!matrix) return;
  if (matrix->rows() != 2) std::abort();
  for (std::size_t i = 0; i < matrix->size(); ++i) {
    if (!std::isfinite(matrix->data()[i])) std::abort();
  }
}

// One request for both, then one for each.
void check_embed_all(const sdk::Client& client) {
  const std::string_view two[] = {"a", "b"};
  for (const std::size_t batch_items : {2U, 1U}) {
    const auto all = client.embeddings().embed_all(two, {.model = "m", .batch_items = batch_items});
    check(all);
    if (all && (all->vectors.rows() != 2 || all->failures.size() > 1)) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  static constexpr int kStatuses[] = {200, 200, 200, 201, 400, 401, 429, 503};
  const int status = kStatuses[data[0] % std::size(kStatuses)];
  const std::string body(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto mock = std::make_shared<sdk::testing::MockConnection>();
  for (int i = 0; i < 24; ++i) mock->answer(status, body);
  const sdk::Client client(mock);
  check_embeddings(client);
  check_embed_all(client);
  check(client.embeddings().list_models().get());
  check(client.endpoints().list("a", "b").get());
  check(client.providers().list().get());
  check(client.api_keys().get_current_key_metadata().get());
  check(client.api_keys().create({.name = "n"}).get());
  check(client.generations().get_generation("g").get());
  check(client.byok().list().get());
  check(client.api_keys().remove("h").get());
  return 0;
}
