#pragma once
#include <embedrouter/result.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace embedrouter::inference {

enum class Precision : std::uint8_t { automatic, fp32, bf16, int8 };

struct ModelOptions {
  std::filesystem::path folder = {};  // a Hugging Face folder: config.json, tokenizer.json, model.safetensors
  Precision precision = Precision::automatic;
  unsigned threads = 0;  // compute threads; 0: what the cgroup quota and the affinity mask leave
  std::uint32_t max_tokens =
      0;  // per text, special tokens included; 0: the model's own (sentence_bert_config.json, else 256)
  std::size_t queue_tokens =
      1 << 20;  // bound of the queue; a job that would pass it is refused with `overloaded`
  std::string name = "sentence-transformers/all-minilm-l6-v2";  // what the space is called after
  bool operator==(const ModelOptions&) const = default;
};

// What a job asks for. The texts must stay valid until `done` is called.
struct Job {
  std::vector<std::string_view> texts;
  bool truncate =
      false;  // cut over-long texts; else the job fails with context_length_exceeded naming the first
  std::optional<std::string> input_type = {};  // what the texts are: chooses the model's prompt
  std::uint32_t dimensions = 0;                // the first so many numbers, of unit length again; 0: all
  std::optional<std::chrono::steady_clock::time_point> deadline =
      {};  // behind it, the job counts as cancelled
};

struct Vectors {
  std::shared_ptr<const float[]> values;  // row-major, one row of `width` per text
  std::uint32_t width = 0;
  std::vector<std::uint32_t> tokens;     // per text, as embedded (after a cut)
  std::vector<std::uint32_t> truncated;  // indices of texts that were cut, ascending
  std::chrono::nanoseconds waited{0};    // from submit() until the first text was taken
  std::chrono::nanoseconds computed{0};  // from then until the last was done
};

// The handle of a submitted job. Dropping it does not cancel.
class Ticket {
 public:
  Ticket() = default;
  Ticket(const Ticket&) = delete;
  Ticket& operator=(const Ticket&) = delete;
  virtual ~Ticket() = default;
  virtual void cancel() noexcept { cancelled_.store(true, std::memory_order_relaxed); }
  bool cancelled() const noexcept { return cancelled_.load(std::memory_order_relaxed); }

 private:
  std::atomic<bool> cancelled_{false};
};

struct ModelFacts {
  std::uint32_t width = 0;               // of the vectors
  bool normalized = true;                // they have unit length
  bool symmetric = true;                 // no prompts: every kind of text is embedded alike
  std::vector<std::string> input_types;  // that it knows
  std::uint32_t max_tokens = 0;
  std::uint32_t layers = 0;
  unsigned threads = 0;
  std::string precision;  // as resolved: "fp32", "bf16", "int8"
  std::string kernels;    // what the library runs the large products with, e.g. "brg:avx512_core_bf16"
  std::string space;      // model and precision class, with a short digest of the weights
};

// What loading a model would come to.
struct Inspection {
  ModelFacts facts;  // without `kernels`
  // That the loaded model takes, its word table in the mapped file and the memory of its workers included;
  // the tokenizer comes on top.
  std::uint64_t bytes = 0;
};

// A text encoder in this process, with its compute threads and its queue. Thread-safe.
class LocalModel {
 public:
  static Result<std::unique_ptr<LocalModel>> load(const ModelOptions& options);
  // From the files that describe it and the header of its weights, in milliseconds; what only loading shows
  // is not checked.
  static Result<Inspection> inspect(const ModelOptions& options);
  virtual ~LocalModel() =
      default;  // waits for the compute threads; jobs in the queue fail with shutting_down

  virtual const ModelFacts& facts() const = 0;

  // Never blocks. `done` is called exactly once, on a thread of the model, on the one that cancels or, for an
  // immediate refusal, on this one; it must be quick and must not throw. An input_type that the model does
  // not know and more dimensions than it has are an invalid_request naming the member. A job that meets a
  // fault of the engine fails with internal or, where memory lacks, overloaded; others are not touched by it.
  // A cancelled job is answered with client_closed at once and leaves the queue.
  using Done = std::function<void(Result<Vectors>)>;
  virtual std::shared_ptr<Ticket> submit(Job job, Done done) = 0;

  // Tokens that wait, and totals since the start.
  struct Load {
    std::size_t queued_tokens = 0, queued_texts = 0, queued_jobs = 0;
    std::uint64_t batches = 0, batch_tokens = 0, texts = 0;
    // For how long the compute thread that has been longest at its present piece of work has been at it;
    // zero: all rest. A piece is a batch, or a part of the texts to be read.
    std::chrono::nanoseconds busy{0};
  };
  virtual Load load_now() const = 0;
  // Tokens that a full batch holds.
  virtual std::size_t batch_capacity() const = 0;
};

}  // namespace embedrouter::inference
