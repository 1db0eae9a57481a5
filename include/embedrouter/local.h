#pragma once
// The embedded engine behind the interface of the SDK, in this process: no server, no key, no network. The
// component `local` of the package (CMake: embedrouter::local; pkg-config: embedrouter-local).
//
//   auto client = embedrouter::local::open({.folder = "all-minilm-l6-v2"});
//   if (!client) return complain(client.error().message());
//   auto reply = client->embeddings().generate({.input = "a text", .model = "Taurus"}).get();

#include <embedrouter/client.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace embedrouter::local::inline v0 {

// Of the arithmetic.
enum class Precision : std::uint8_t { automatic, fp32, bf16, int8 };  // automatic: bf16 where the CPU has it

// Which model, and what it may take.
struct ModelOptions {
  // As the Hugging Face hub has it: config.json, tokenizer.json, model.safetensors, and what describes its
  // pooling and prompts. Encoders of the families BERT, DistilBERT, MPNet, RoBERTa and XLM-R.
  std::string folder;
  // What requests call it, beside "Taurus": "author/slug". Empty: sentence-transformers/all-minilm-l6-v2.
  std::string id{};
  std::vector<std::uint32_t>
      matryoshka{};  // widths that its vectors may be cut to by `dimensions`, ascending
  Precision precision = Precision::automatic;
  unsigned threads = 0;          // that compute; 0: what the cgroup's quota and the affinity mask leave
  std::uint32_t max_tokens = 0;  // per text, special ones included; 0: the model's own limit
  std::size_t queue_tokens = std::size_t{1} << 20;  // that may wait; beyond it a call is answered with 503
};

// Loads the model and starts its threads: takes seconds, and memory of about the size of the weights. Fails
// with ErrorKind::usage, whose message names the file or the option and what is wrong with it.
//
// The client has embeddings().generate, embed_all and list_models, which honour and refuse what the router's
// embedded model does, with the same errors; any other operation is a 404. `options` are as for any client,
// retries, hooks and timeouts included; their `transport` and `server_url` must be unset, and so must be the
// server_url of a call. Cancelling and running out of time take effect within the piece of work of some
// milliseconds that is computed then. Callbacks run on a thread that computes.
//
// Thread-safe; calls at the same time share the model's threads, text by text. The model is unloaded with the
// last copy of the client; calls under way end with ErrorKind::cancelled.
sdk::Result<sdk::Client> open(const ModelOptions& model, sdk::ClientOptions options = {});

}  // namespace embedrouter::local::inline v0
