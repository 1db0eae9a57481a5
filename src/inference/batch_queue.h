#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "inference/local_model.h"

namespace embedrouter::inference {

// One text of a job as token ids, which belong to the job.
struct TokenText {
  std::span<const std::uint32_t> ids;
  std::uint32_t index;  // of the text in the job
};

// A job on its way through the model. What is not atomic belongs to one thread at a time: the submitting one,
// the workers for a part each, then whoever holds the queue's lock.
struct Work {
  Job job;
  std::string copy;            // of the texts, where workers read them
  std::string_view prompt;     // put before each text; the model's
  std::uint32_t unpooled = 0;  // tokens of it that do not count in the pooling
  LocalModel::Done done;
  std::shared_ptr<Ticket> ticket;  // what its user holds
  std::atomic<bool> answered{false};

  // Reading the texts, in parts that several threads may read at the same time.
  struct Part {
    std::size_t begin = 0, end = 0;   // of job.texts
    std::vector<std::uint32_t> ids;   // of its texts, one behind the other
    std::vector<std::size_t> counts;  // of each text, uncut
    std::optional<Error> error;
  };
  std::vector<Part> parts;
  std::atomic<std::size_t> unread_parts{0};

  // Embedding. Longest first; what is between `first` and `last` waits in the queue.
  std::vector<TokenText> texts;
  std::size_t first = 0, last = 0;
  std::size_t queued_tokens = 0;  // that this job takes of the queue's bound
  std::size_t queued_texts = 0;
  Clock::Steady submitted = SystemClock().now();
  // Since `submitted`, when a worker took its first text; 0: none has.
  std::atomic<std::int64_t> taken_after_ns{0};
  std::atomic<std::size_t> unfinished_texts{0};
  std::shared_ptr<float[]> values;
  Vectors vectors;

  // The texts of the job are in `copy` from now on. May throw bad_alloc.
  void copy_texts();
  // Nobody waits for it any more.
  bool left() const noexcept {
    return ticket->cancelled() || (job.deadline && SystemClock().now() > *job.deadline);
  }
  bool gone() const noexcept { return left() || answered.load(std::memory_order_acquire); }
};

// What waits: parts of jobs to be read, and texts to be embedded. The caller locks.
//
// Jobs take turns text by text, so that a query behind a bulk job waits for the chunk that runs, not for the
// job. Within a job the longest texts go first and the shortest fill what is left of a chunk.
//
// push_*() and drain() may throw bad_alloc, and then nothing has changed; nothing else allocates, so that
// lack of memory loses no job on its way.
class BatchQueue {
 public:
  explicit BatchQueue(std::size_t bound) : bound_(bound) {}

  // Takes `tokens` of the bound for a job; false if they do not fit.
  bool reserve(Work& work, std::size_t tokens);
  // A job's parts, to be read. The job has been reserved for.
  void push_parts(const std::shared_ptr<Work>& work);
  // A job whose texts are token ids now, reserved for at no less than they are.
  void push_texts(const std::shared_ptr<Work>& work);

  struct PartToRead {
    std::shared_ptr<Work> work;
    std::size_t part = 0;
  };
  bool has_part() const noexcept { return !parts_.empty(); }
  PartToRead take_part();

  struct TextToEmbed {
    std::shared_ptr<Work> work;
    TokenText text;
  };
  bool has_text() const noexcept { return !jobs_.empty(); }
  // Appends texts of together at most `budget` tokens to `chunk`, which has room for as many texts; one text
  // at least, which alone may be longer.
  void take_chunk(std::size_t budget, std::vector<TextToEmbed>& chunk);
  // Moves the jobs that nobody waits for any more to `gone`.
  void drop_gone(std::list<std::shared_ptr<Work>>& gone);
  // Empties the queue; a job may be listed more than once.
  std::vector<std::shared_ptr<Work>> drain();

  // A job that failed between reserve() and push_texts(): gives back what it takes.
  void forget(Work& work);

  std::size_t queued_tokens() const noexcept { return queued_tokens_; }
  std::size_t ready_tokens() const noexcept { return ready_tokens_; }  // of texts to be embedded
  std::size_t queued_texts() const noexcept { return queued_texts_; }
  std::size_t queued_jobs() const noexcept { return queued_jobs_; }

 private:
  std::size_t bound_;
  std::size_t queued_tokens_ = 0, ready_tokens_ = 0, queued_texts_ = 0, queued_jobs_ = 0;
  std::list<PartToRead> parts_;
  std::list<std::shared_ptr<Work>> jobs_;  // in the order of their turns
};

}  // namespace embedrouter::inference
