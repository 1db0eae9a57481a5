#include "inference/local_model.h"

#include <algorithm>
#include <condition_variable>
#include <list>
#include <map>
#include <mutex>
#include <new>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "inference/batch_queue.h"
#include "inference/encoder.h"
#include "inference/model_facts.h"
#include "tokenizer/tokenizer.h"

namespace embedrouter::inference {
namespace {

using tokenizer::Tokenizer;

constexpr std::size_t kInlineBytes = 8
                                     << 10;   // a job of at most this much text is read where it is submitted
constexpr std::size_t kPartBytes = 16 << 10;  // of text that a worker reads at a time
constexpr std::size_t kSmallestChunk = 64;    // fewer are not worth sharing among workers

void answer(Work& work, Result<Vectors> result) {
  if (work.answered.exchange(true, std::memory_order_acq_rel)) return;
  work.done(std::move(result));
}

void note_taken(Work& work, Clock::Steady now) {
  std::int64_t untaken = 0;
  const auto after = std::max<std::chrono::nanoseconds>(now - work.submitted, std::chrono::nanoseconds(1));
  work.taken_after_ns.compare_exchange_strong(untaken, after.count(), std::memory_order_relaxed);
}

Error caller_left() {
  return {ErrorCode::client_closed, "the caller left before its texts were embedded"};
}
Error stopping() {
  return {ErrorCode::shutting_down, "the router is shutting down"};
}
Error broken(std::string detail) {
  return Error(ErrorCode::internal, "the embedded model failed").with_detail(std::move(detail));
}
Error out_of_memory() {
  return {ErrorCode::overloaded, "not enough memory to embed the texts of this request; send fewer at once"};
}

// What its user holds of a job.
class JobTicket final : public Ticket {
 public:
  explicit JobTicket(std::weak_ptr<Work> work) : work_(std::move(work)) {}
  // At once, so that a compute thread that hangs keeps nobody waiting.
  void cancel() noexcept override {
    Ticket::cancel();
    if (const auto work = work_.lock()) answer(*work, fail(caller_left()));
  }

 private:
  const std::weak_ptr<Work> work_;
};

Error about_member(const char* member, std::string what) {
  return Error(ErrorCode::invalid_request, member + std::move(what)).with_param(member);
}

Error about_text(ErrorCode code, std::size_t index, std::string what) {
  const std::string param = "input[" + std::to_string(index) + "]";
  return Error(code, param + std::move(what)).with_param(param).with_item(static_cast<std::uint32_t>(index));
}

// Workers may read them when the job is answered already: a copy is theirs.
std::optional<Error> own_texts(Work& work) try {
  work.copy_texts();
  return std::nullopt;
} catch (const std::bad_alloc&) {
  return out_of_memory();
}

class Engine final : public LocalModel {
 public:
  Engine(ModelFacts facts, std::size_t queue_tokens, std::unique_ptr<const Tokenizer> tokenizer,
         std::unique_ptr<const Weights> weights)
      : facts_(std::move(facts)),
        tokenizer_(std::move(tokenizer)),
        weights_(std::move(weights)),
        queue_(queue_tokens) {}
  ~Engine() override;

  // Makes the workers' memory and starts them. May throw dnnl::error, bad_alloc, system_error.
  void start();

  const ModelFacts& facts() const override { return facts_; }
  std::shared_ptr<Ticket> submit(Job job, Done done) override;
  Load load_now() const override;
  std::size_t batch_capacity() const override { return kChunkTokens; }

 private:
  void measure_prompts();
  std::optional<Error> choose(Work& work) const;
  void cut_vectors(Work& work) const;
  std::optional<Error> push(const std::shared_ptr<Work>& work, bool read);
  void enqueue(const std::shared_ptr<Work>& work, std::size_t tokens, bool read);
  std::optional<Error> read_part(Work& work, Work::Part& part) const;
  void finish_reading(const std::shared_ptr<Work>& work);
  std::optional<Error> collect_texts(Work& work) const;

  struct Worker {
    explicit Worker(Encoder e) : encoder(std::move(e)) {}
    Encoder encoder;
    std::vector<BatchQueue::TextToEmbed> chunk;
    std::vector<Sequence> sequences;
    std::list<std::shared_ptr<Work>> gone;
    bool reads_next = true;                // with both to do, a worker takes turns
    std::optional<Clock::Steady> busy_at;  // since when it is at a piece of work; mutex_
  };
  void work(Worker& worker);
  void read(const BatchQueue::PartToRead& part);
  void embed(Worker& worker);
  std::optional<Error> compute(Worker& worker, std::span<const BatchQueue::TextToEmbed> texts) const;
  void finish_text(Work& work, const std::optional<Error>& failure) const;
  std::size_t chunk_budget() const;

  const ModelFacts facts_;
  const std::unique_ptr<const Tokenizer> tokenizer_;
  const std::unique_ptr<const Weights> weights_;
  std::map<std::string_view, std::uint32_t> prompt_tokens_;  // by prompt, where they are not pooled
  mutable std::mutex mutex_;                                 // of queue_ and stopping_
  std::condition_variable wake_;
  BatchQueue queue_;
  bool stopping_ = false;
  std::atomic<std::uint64_t> batches_{0}, batch_tokens_{0}, texts_{0};
  std::vector<Worker> workers_;
  std::vector<std::thread> threads_;
};

// As the reference counts: a closing special token is not the prompt's.
void Engine::measure_prompts() {
  if (weights_->config.pools_prompt) return;
  std::vector<std::uint32_t> nothing, ids;
  tokenizer_->encode("", nothing);
  for (const auto& [name, prompt] : weights_->config.prompts) {
    ids.clear();
    tokenizer_->encode(prompt, ids);
    const bool closed = !nothing.empty() && !ids.empty() && ids.back() == nothing.back();
    prompt_tokens_[prompt] = static_cast<std::uint32_t>(ids.size() - (closed ? 1 : 0));
  }
}

// The prompt of a job. Fails for what the model cannot do.
std::optional<Error> Engine::choose(Work& work) const {
  const Job& job = work.job;
  const auto prompt = weights_->config.prompt_for(job.input_type);
  if (!prompt)
    return about_member("input_type",
                        " is unknown to this model; leave it out or use \"query\" or \"document\"");
  if (job.dimensions > facts_.width)
    return about_member("dimensions", " may be at most " + std::to_string(facts_.width) + " for this model");
  work.prompt = *prompt;
  if (const auto measured = prompt_tokens_.find(*prompt);
      measured != prompt_tokens_.end() && !prompt->empty())
    work.unpooled = measured->second;
  return std::nullopt;
}

// Leaves the first numbers of each vector, where the job wants fewer (Matryoshka).
void Engine::cut_vectors(Work& work) const {
  const std::size_t width = facts_.width;
  const std::size_t wanted = work.job.dimensions == 0 ? width : work.job.dimensions;
  work.vectors.width = static_cast<std::uint32_t>(wanted);
  if (wanted == width) return;
  float* const values = work.values.get();
  for (std::size_t i = 0; i < work.texts.size(); ++i) {
    std::copy_n(values + i * width, wanted, values + i * wanted);  // never behind where it is read
    if (facts_.normalized) make_unit({values + i * wanted, wanted});
  }
}

void Engine::start() {
  measure_prompts();
  const auto chunk = static_cast<std::uint32_t>(std::max<std::size_t>(kChunkTokens, facts_.max_tokens));
  workers_.reserve(facts_.threads);
  for (unsigned i = 0; i < facts_.threads; ++i) {
    Worker& worker = workers_.emplace_back(Encoder(*weights_, chunk));
    worker.chunk.reserve(chunk);  // a text has a token at least
    worker.sequences.reserve(chunk);
  }
  for (Worker& worker : workers_) threads_.emplace_back([this, &worker] { work(worker); });
}

Engine::~Engine() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  for (const auto& work : queue_.drain()) answer(*work, fail(stopping()));
}

std::shared_ptr<Ticket> Engine::submit(Job job, Done done) {
  auto work = std::make_shared<Work>();
  work->ticket = std::make_shared<JobTicket>(work);
  work->job = std::move(job);
  work->done = std::move(done);
  if (work->job.texts.empty()) {
    answer(*work, Vectors{});
    return work->ticket;
  }
  if (auto error = choose(*work)) {
    answer(*work, fail(std::move(*error)));
    return work->ticket;
  }
  std::size_t bytes = 0, most_tokens = 0;
  for (const std::string_view text : work->job.texts) {
    bytes += text.size() + work->prompt.size();
    most_tokens += std::min<std::size_t>(text.size() + work->prompt.size() + 2, facts_.max_tokens);
  }
  // Parts of whole texts.
  const std::size_t part_bytes = bytes <= kInlineBytes ? bytes : kPartBytes;
  std::size_t in_part = 0;
  work->parts.emplace_back();
  for (std::size_t i = 0; i < work->job.texts.size(); ++i) {
    if (in_part >= part_bytes && bytes > kInlineBytes) {
      work->parts.emplace_back().begin = i;
      in_part = 0;
    }
    in_part += work->job.texts[i].size() + work->prompt.size();
    work->parts.back().end = i + 1;
  }
  work->unread_parts = work->parts.size();
  if (bytes > kInlineBytes) {
    if (auto error = own_texts(*work)) {
      answer(*work, fail(std::move(*error)));
    } else {
      enqueue(work, most_tokens, false);
    }
    return work->ticket;
  }
  auto error = read_part(*work, work->parts.front());
  if (!error) error = collect_texts(*work);
  if (error) {
    answer(*work, fail(std::move(*error)));
    return work->ticket;
  }
  std::size_t tokens = 0;
  for (const TokenText& text : work->texts) tokens += text.ids.size();
  enqueue(work, tokens, true);
  return work->ticket;
}

// The lock is held.
std::optional<Error> Engine::push(const std::shared_ptr<Work>& work, bool read) try {
  if (read) {
    queue_.push_texts(work);
  } else {
    queue_.push_parts(work);
  }
  return std::nullopt;
} catch (const std::bad_alloc&) {
  return out_of_memory();
}

void Engine::enqueue(const std::shared_ptr<Work>& work, std::size_t tokens, bool read) {
  std::optional<Error> refused;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) {
      refused = stopping();
    } else if (!queue_.reserve(*work, tokens)) {
      refused = Error(ErrorCode::overloaded, "the queue of the embedded model is full; try again in a second")
                    .with_retry_after(std::chrono::seconds(1));
    } else if ((refused = push(work, read))) {
      queue_.forget(*work);
    }
  }
  if (refused) {
    answer(*work, fail(std::move(*refused)));
  } else if (read && tokens <= kSmallestChunk) {
    wake_.notify_one();
  } else {
    wake_.notify_all();
  }
}

// Token ids of one part's texts. Fails at its first text that is too long, unless the job cuts.
std::optional<Error> Engine::read_part(Work& work, Work::Part& part) const try {
  std::string prompted;
  for (std::size_t i = part.begin; i < part.end; ++i) {
    const std::size_t before = part.ids.size();
    std::string_view text = work.job.texts[i];
    if (!work.prompt.empty()) text = prompted.assign(work.prompt).append(text);
    const std::size_t count = tokenizer_->encode(text, part.ids, facts_.max_tokens);
    if (part.ids.size() == before)
      return about_text(ErrorCode::invalid_request, i, " holds nothing to embed");
    if (count > facts_.max_tokens && !work.job.truncate) {
      return about_text(ErrorCode::context_length_exceeded, i,
                        " has " + std::to_string(count) + " tokens, this model takes at most " +
                            std::to_string(facts_.max_tokens) +
                            "; shorten or split it, or send \"truncate\": true to have it cut");
    }
    part.counts.push_back(count);
  }
  return std::nullopt;
} catch (const std::bad_alloc&) {
  return out_of_memory();
} catch (const std::exception& error) {
  return broken(error.what());
}

// The parts as one list of texts, and room for their vectors. The first text that failed decides.
std::optional<Error> Engine::collect_texts(Work& work) const try {
  work.texts.reserve(work.job.texts.size());
  work.vectors.tokens.resize(work.job.texts.size());
  for (Work::Part& part : work.parts) {
    if (part.error) return std::move(part.error);
    std::span<const std::uint32_t> ids = part.ids;
    for (std::size_t i = 0; i < part.counts.size(); ++i) {
      const std::size_t taken = std::min<std::size_t>(part.counts[i], facts_.max_tokens);
      const auto index = static_cast<std::uint32_t>(part.begin + i);
      work.texts.push_back({ids.first(taken), index});
      work.vectors.tokens[index] = static_cast<std::uint32_t>(taken);
      if (taken < part.counts[i]) work.vectors.truncated.push_back(index);
      ids = ids.subspan(taken);
    }
  }
  work.values = std::make_shared_for_overwrite<float[]>(work.texts.size() * facts_.width);
  work.unfinished_texts = work.texts.size();
  return std::nullopt;
} catch (const std::bad_alloc&) {
  return out_of_memory();
}

void Engine::finish_reading(const std::shared_ptr<Work>& work) {
  std::optional<Error> error;
  if (work->gone()) {
    error = caller_left();
  } else {
    error = collect_texts(*work);
  }
  {
    const std::lock_guard lock(mutex_);
    if (!error) error = push(work, true);
    if (error) queue_.forget(*work);
  }
  if (error) {
    answer(*work, fail(std::move(*error)));
  } else {
    wake_.notify_all();
  }
}

void Engine::work(Worker& worker) {
  const OneThreadTeam alone;
  for (;;) {
    std::optional<BatchQueue::PartToRead> part;
    {
      std::unique_lock lock(mutex_);
      worker.busy_at.reset();
      wake_.wait(lock, [this] { return stopping_ || queue_.has_part() || queue_.has_text(); });
      if (stopping_) return;
      worker.busy_at = SystemClock().now();
      if (queue_.has_part() && (worker.reads_next || !queue_.has_text())) {
        part = queue_.take_part();
      } else {
        queue_.drop_gone(worker.gone);
        queue_.take_chunk(chunk_budget(), worker.chunk);
      }
      worker.reads_next = !part;
    }
    if (part) {
      read(*part);
    } else {
      embed(worker);
    }
  }
}

// A short queue is shared among the workers rather than left to the first.
std::size_t Engine::chunk_budget() const {
  const std::size_t share = (queue_.ready_tokens() + facts_.threads - 1) / facts_.threads;
  return std::clamp(share, kSmallestChunk, kChunkTokens);
}

void Engine::read(const BatchQueue::PartToRead& part) {
  Work& work = *part.work;
  if (!work.gone()) work.parts[part.part].error = read_part(work, work.parts[part.part]);
  if (work.unread_parts.fetch_sub(1, std::memory_order_acq_rel) == 1) finish_reading(part.work);
}

void Engine::embed(Worker& worker) {
  for (const auto& work : worker.gone) answer(*work, fail(caller_left()));
  worker.gone.clear();
  std::size_t tokens = 0;
  const auto now = SystemClock().now();
  for (const auto& [work, text] : worker.chunk) {
    note_taken(*work, now);
    tokens += text.ids.size();
  }
  if (tokens != 0) {
    batches_.fetch_add(1, std::memory_order_relaxed);
    batch_tokens_.fetch_add(tokens, std::memory_order_relaxed);
    texts_.fetch_add(worker.chunk.size(), std::memory_order_relaxed);
  }
  const std::span<const BatchQueue::TextToEmbed> chunk(worker.chunk);
  const auto failure = compute(worker, chunk);
  for (std::size_t i = 0; i < chunk.size(); ++i) {
    // Each alone, so that one text does not take the others with it.
    const bool again = failure && chunk.size() > 1;
    finish_text(*chunk[i].work, again ? compute(worker, chunk.subspan(i, 1)) : failure);
  }
  worker.chunk.clear();
}

// The vectors of some texts. What went wrong, if anything did.
std::optional<Error> Engine::compute(Worker& worker, std::span<const BatchQueue::TextToEmbed> texts) const
    try {
  worker.sequences.clear();
  for (const auto& [work, text] : texts) {
    worker.sequences.push_back(
        {text.ids, work->values.get() + std::size_t{text.index} * facts_.width, work->unpooled});
  }
  if (worker.sequences.empty() || worker.encoder.run(worker.sequences)) return std::nullopt;
  return broken("oneDNN could not run a product");
} catch (const std::bad_alloc&) {
  return out_of_memory();
} catch (const std::exception& error) {
  return broken(error.what());
}

// One text of a job is done; the last one answers it.
void Engine::finish_text(Work& work, const std::optional<Error>& failure) const {
  if (failure) return answer(work, fail(*failure));
  if (work.unfinished_texts.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  if (work.left()) return answer(work, fail(caller_left()));
  cut_vectors(work);
  work.vectors.values = std::move(work.values);
  work.vectors.waited = std::chrono::nanoseconds(work.taken_after_ns.load(std::memory_order_relaxed));
  work.vectors.computed = SystemClock().now() - work.submitted - work.vectors.waited;
  answer(work, std::move(work.vectors));
}

LocalModel::Load Engine::load_now() const {
  Load load;
  {
    const std::lock_guard lock(mutex_);
    load.queued_tokens = queue_.queued_tokens();
    load.queued_texts = queue_.queued_texts();
    load.queued_jobs = queue_.queued_jobs();
    const Clock::Steady now = SystemClock().now();
    for (const Worker& worker : workers_) {
      if (worker.busy_at) load.busy = std::max(load.busy, now - *worker.busy_at);
    }
  }
  load.batches = batches_.load(std::memory_order_relaxed);
  load.batch_tokens = batch_tokens_.load(std::memory_order_relaxed);
  load.texts = texts_.load(std::memory_order_relaxed);
  return load;
}

}  // namespace

Result<std::unique_ptr<LocalModel>> LocalModel::load(const ModelOptions& options) try {
  const auto numbers = choose_numbers(options.precision);
  if (!numbers) return fail(numbers.error());
  const auto config = read_model_config(options.folder);
  if (!config) return fail(config.error());
  auto tokenizer = Tokenizer::load(options.folder / config->encoder_folder / "tokenizer.json");
  if (!tokenizer) return fail(std::move(tokenizer).error());
  if ((*tokenizer)->vocabulary_size() > config->vocabulary) {
    return fail(ErrorCode::internal, "tokenizer.json knows " +
                                         std::to_string((*tokenizer)->vocabulary_size()) +
                                         " tokens, config.json " + std::to_string(config->vocabulary) +
                                         ": they do not belong together");
  }
  auto weights = Weights::load(options.folder, *config, *numbers);
  if (!weights) return fail(std::move(weights).error());
  auto facts = describe(options, *config, *numbers, (*weights)->digest);
  if (!facts) return fail(std::move(facts).error());
  facts->kernels = (*weights)->qkv->implementation() + ", " + (*weights)->kernels->name;
  const OneThreadTeam alone;
  auto engine = std::make_unique<Engine>(std::move(*facts), options.queue_tokens, std::move(*tokenizer),
                                         std::move(*weights));
  engine->start();
  return engine;
} catch (const std::exception& error) {
  return fail(ErrorCode::internal, std::string("the embedded model cannot start: ") + error.what());
}

}  // namespace embedrouter::inference
