#include "inference/model_pool.h"

#include <malloc.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace embedrouter::inference {
namespace {

// After a load that failed, requests are answered with the failure for so long before the files are looked at
// again.
constexpr std::chrono::seconds kHoldOff{5};
// A model that works for nobody any more is looked at again after so long.
constexpr std::chrono::milliseconds kNextLook{50};

Error stopping() {
  return {ErrorCode::shutting_down, "the router is shutting down"};
}
Error caller_left() {
  return {ErrorCode::client_closed, "the caller left before its texts were embedded"};
}

// What a queue counts a job as before its texts are read.
std::size_t most_tokens(const Job& job, std::uint32_t per_text) {
  std::size_t sum = 0;
  for (const std::string_view text : job.texts) sum += std::min<std::size_t>(text.size() + 2, per_text);
  return sum;
}

// A file that cannot be held in memory fails its own model alone.
Result<std::unique_ptr<LocalModel>> try_load(const ModelPool::Load& load) try {
  return load();
} catch (const std::exception& error) {
  return fail(ErrorCode::internal, error.what());
}

}  // namespace

struct ModelPool::WaitingJob {
  Job job;
  LocalModel::Done done;
  std::shared_ptr<WaitingTicket> ticket;
  std::size_t tokens = 0;
};

struct ModelPool::Entry {
  explicit Entry(Member what) : member(std::move(what)) {}

  // cold: not in memory. wanted: in the pool's list. leaving: ready, but gets no new work.
  enum class State : std::uint8_t { cold, wanted, loading, ready, leaving };

  const Member member;
  State state = State::cold;
  bool ended = false;    // its Pooled is going
  bool in_hand = false;  // the pool's thread uses the model, or makes it, or ends it
  std::unique_ptr<LocalModel> model;
  std::size_t running = 0;  // jobs in the model that are not answered, and calls to it
  Clock::Steady used{};     // when the last of them ended
  std::deque<WaitingJob> waiting;
  std::size_t waiting_tokens = 0;
  std::optional<Error> failure;
  Clock::Steady failed_until{};
  LocalModel::Load totals;  // of the times it was in memory before

  // A cancelled job is answered before the model is done with it.
  bool in_use() const { return running != 0 || model->load_now().busy != std::chrono::nanoseconds(0); }
};

// Of a job that waited for its model: cancelling takes it out of the wait, or reaches the model.
class ModelPool::WaitingTicket final : public Ticket {
 public:
  WaitingTicket(ModelPool& pool, EntryPtr entry) : pool_(pool), entry_(std::move(entry)) {}

  void cancel() noexcept override {
    Ticket::cancel();
    std::shared_ptr<Ticket> inner;
    LocalModel::Done done;
    {
      const std::lock_guard lock(pool_.mutex_);
      inner = inner_;
      auto& waiting = entry_->waiting;
      const auto mine =
          std::ranges::find(waiting, this, [](const WaitingJob& job) { return job.ticket.get(); });
      if (mine != waiting.end()) {
        done = std::move(mine->done);
        entry_->waiting_tokens -= mine->tokens;
        waiting.erase(mine);
      }
    }
    if (inner) inner->cancel();
    if (done) done(fail(caller_left()));
  }

  // The job is in the model now.
  void pass_on(const std::shared_ptr<Ticket>& inner) {
    {
      const std::lock_guard lock(pool_.mutex_);
      inner_ = inner;
    }
    if (cancelled()) inner->cancel();
  }

 private:
  ModelPool& pool_;
  const EntryPtr entry_;
  std::shared_ptr<Ticket> inner_;
};

// What the users of a model of the pool hold.
class ModelPool::Pooled final : public LocalModel {
 public:
  Pooled(ModelPool& pool, EntryPtr entry) : pool_(pool), entry_(std::move(entry)) {}
  Pooled(const Pooled&) = delete;
  Pooled& operator=(const Pooled&) = delete;
  ~Pooled() override { pool_.end(entry_); }

  const ModelFacts& facts() const override { return entry_->member.facts; }
  std::shared_ptr<Ticket> submit(Job job, Done done) override {
    return pool_.submit(entry_, std::move(job), std::move(done));
  }
  Load load_now() const override {
    const std::lock_guard lock(pool_.mutex_);
    Load load = entry_->totals;
    if (entry_->model) {
      const Load now = entry_->model->load_now();
      load.queued_tokens = now.queued_tokens;
      load.queued_texts = now.queued_texts;
      load.queued_jobs = now.queued_jobs;
      load.batches += now.batches;
      load.batch_tokens += now.batch_tokens;
      load.texts += now.texts;
      load.busy = now.busy;
    }
    load.queued_tokens += entry_->waiting_tokens;
    load.queued_jobs += entry_->waiting.size();
    for (const WaitingJob& job : entry_->waiting) load.queued_texts += job.job.texts.size();
    return load;
  }
  std::size_t batch_capacity() const override {
    const std::lock_guard lock(pool_.mutex_);
    return entry_->model ? entry_->model->batch_capacity() : 0;
  }

 private:
  ModelPool& pool_;
  const EntryPtr entry_;
};

// --- from any thread

ModelPool::ModelPool(const Clock& clock, PoolOptions options, Watch watch)
    : clock_(clock), watch_(std::move(watch)), options_(options), thread_([this] { run(); }) {}

ModelPool::~ModelPool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

std::unique_ptr<LocalModel> ModelPool::add(Member member) {
  auto entry = std::make_shared<Entry>(std::move(member));
  const std::lock_guard lock(mutex_);
  entries_.push_back(entry);
  return std::make_unique<Pooled>(*this, std::move(entry));
}

void ModelPool::set_options(const PoolOptions& options) {
  {
    const std::lock_guard lock(mutex_);
    options_ = options;
  }
  changed_.notify_all();
}

ModelPool::Usage ModelPool::usage() const {
  const std::lock_guard lock(mutex_);
  const auto loaded =
      std::ranges::count_if(entries_, [](const EntryPtr& entry) { return entry->model != nullptr; });
  return {used_, options_.memory, static_cast<std::size_t>(loaded)};
}

std::shared_ptr<Ticket> ModelPool::submit(const EntryPtr& entry, Job job, LocalModel::Done done) {
  std::shared_ptr<WaitingTicket> ticket;
  std::optional<Error> refused;
  {
    const std::lock_guard lock(mutex_);
    if (entry->ended) {
      refused = stopping();
    } else if (entry->state == Entry::State::ready) {
      entry->running += 2;  // the job, and this call
    } else if (entry->failure && clock_.now() < entry->failed_until) {
      refused = entry->failure;
    } else {
      const std::size_t tokens = most_tokens(job, entry->member.facts.max_tokens);
      const bool full = entry->waiting_tokens + tokens > entry->member.queue_tokens;
      if (full) {
        refused = Error(ErrorCode::overloaded,
                        "too much waits for the embedded model to load; try again in a second")
                      .with_retry_after(std::chrono::seconds(1));
      } else {
        ticket = std::make_shared<WaitingTicket>(*this, entry);
        entry->waiting_tokens += tokens;
        entry->waiting.push_back({std::move(job), std::move(done), ticket, tokens});
        enqueue(entry);
      }
    }
  }
  if (ticket) return ticket;
  if (refused) {
    done(fail(std::move(*refused)));
    return std::make_shared<Ticket>();
  }
  auto inner =
      entry->model->submit(std::move(job), [this, entry, done = std::move(done)](Result<Vectors> vectors) {
        done(std::move(vectors));
        finished(*entry);
      });
  finished(*entry);
  return inner;
}

// The lock is held. Asks for a model that is not in memory.
void ModelPool::enqueue(const EntryPtr& entry) {
  if (entry->state != Entry::State::cold) return;
  entry->state = Entry::State::wanted;
  wanted_.push_back(entry);
  changed_.notify_all();
}

void ModelPool::finished(Entry& entry) {
  const std::lock_guard lock(mutex_);
  entry.used = clock_.now();
  if (--entry.running == 0) changed_.notify_all();
}

void ModelPool::end(const EntryPtr& entry) {
  std::unique_lock lock(mutex_);
  entry->ended = true;
  const std::deque<WaitingJob> waiting = std::exchange(entry->waiting, {});
  entry->waiting_tokens = 0;
  std::erase(wanted_, entry);
  lock.unlock();
  for (const WaitingJob& job : waiting) job.done(fail(stopping()));
  lock.lock();
  changed_.wait(lock, [&] { return !entry->in_hand; });
  std::unique_ptr<LocalModel> model = std::move(entry->model);
  std::erase(entries_, entry);
  if (!model) return;
  lock.unlock();
  model.reset();  // answers what is in it
  lock.lock();
  used_ -= entry->member.bytes;
  changed_.notify_all();
}

// --- on the pool's thread

void ModelPool::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    PoolEvent::Kind why{};
    if (const EntryPtr idle = idle_one(clock_.now(), why)) {
      put_away(lock, idle, why);
    } else if (!wanted_.empty() && fits_next()) {
      load_next(lock);
    } else if (const EntryPtr displaced = displace()) {
      put_away(lock, displaced, PoolEvent::Kind::displaced);
    } else if (const auto expiry = next_expiry(); expiry != Clock::Steady::max()) {
      changed_.wait_until(lock, expiry);
    } else {
      changed_.wait(lock);
    }
  }
}

// One that may go now.
ModelPool::EntryPtr ModelPool::idle_one(Clock::Steady now, PoolEvent::Kind& why) {
  for (const EntryPtr& entry : entries_) {
    if (!entry->model || entry->in_use()) continue;
    if (entry->state == Entry::State::leaving) {
      why = PoolEvent::Kind::displaced;
      return entry;
    }
    if (entry->state == Entry::State::ready && entry->used + options_.idle_timeout <= now) {
      why = PoolEvent::Kind::idle;
      return entry;
    }
  }
  return nullptr;
}

bool ModelPool::fits_next() const {
  return used_ == 0 || used_ + wanted_.front()->member.bytes <= options_.memory;
}

// Room for the next that is wanted, or for a bound that was lowered: one that may go at once is returned; one
// that is in use gets no new work.
ModelPool::EntryPtr ModelPool::displace() {
  const std::uint64_t wanted = wanted_.empty() ? 0 : wanted_.front()->member.bytes;
  std::uint64_t leaving = 0;
  struct Ready {
    bool in_use;
    Clock::Steady used;
    EntryPtr entry;
  };
  std::vector<Ready> ready;
  for (const EntryPtr& entry : entries_) {
    if (entry->state == Entry::State::leaving) leaving += entry->member.bytes;
    if (entry->state == Entry::State::ready) ready.push_back({entry->in_use(), entry->used, entry});
  }
  // Those in use behind those that are not, and each by when it was used last.
  std::ranges::sort(ready, {}, [](const Ready& each) { return std::pair(each.in_use, each.used); });
  for (const auto& [in_use, used, entry] : ready) {
    if (used_ - leaving + wanted <= options_.memory) break;
    if (!in_use) return entry;
    entry->state = Entry::State::leaving;
    leaving += entry->member.bytes;
  }
  return nullptr;
}

Clock::Steady ModelPool::next_expiry() const {
  Clock::Steady first = Clock::Steady::max();
  for (const EntryPtr& entry : entries_) {
    if (!entry->model || entry->running != 0) continue;
    if (entry->in_use() || entry->state == Entry::State::leaving) {
      first = std::min(first, clock_.now() + kNextLook);  // nobody tells when it is done
    } else if (entry->state == Entry::State::ready) {
      first = std::min(first, entry->used + options_.idle_timeout);
    }
  }
  return first;
}

void ModelPool::put_away(std::unique_lock<std::mutex>& lock, const EntryPtr& entry, PoolEvent::Kind why) {
  entry->state = Entry::State::cold;
  entry->in_hand = true;
  const LocalModel::Load last = entry->model->load_now();
  entry->totals.batches += last.batches;
  entry->totals.batch_tokens += last.batch_tokens;
  entry->totals.texts += last.texts;
  std::unique_ptr<LocalModel> model = std::move(entry->model);
  lock.unlock();
  model.reset();
  malloc_trim(0);  // its weights go back to the system
  watch_({why, entry->member.name, entry->member.bytes, {}, nullptr});
  lock.lock();
  used_ -= entry->member.bytes;
  entry->in_hand = false;
  changed_.notify_all();
  if (!entry->waiting.empty()) enqueue(entry);
}

void ModelPool::load_next(std::unique_lock<std::mutex>& lock) {
  const EntryPtr entry = wanted_.front();
  const Member& member = entry->member;
  wanted_.pop_front();
  if (entry->waiting.empty()) {  // all have left
    entry->state = Entry::State::cold;
    return;
  }
  entry->state = Entry::State::loading;
  entry->in_hand = true;
  used_ += member.bytes;
  lock.unlock();

  const Clock::Steady begun = clock_.now();
  Result<std::unique_ptr<LocalModel>> model = try_load(member.load);
  if (model &&
      ((*model)->facts().space != member.facts.space || (*model)->facts().width != member.facts.width)) {
    model =
        fail(ErrorCode::internal, "its files are not those it was announced with; reload the configuration");
  }
  std::optional<Error> failure;
  if (!model) {
    failure = Error(ErrorCode::upstream_error,
                    "the embedded model " + member.name + " cannot be loaded; the router's log says why");
  }
  watch_({model ? PoolEvent::Kind::loaded : PoolEvent::Kind::failed, member.name, member.bytes,
          clock_.now() - begun, model ? nullptr : &model.error()});

  lock.lock();
  std::deque<WaitingJob> waiting = std::exchange(entry->waiting, {});
  entry->waiting_tokens = 0;
  entry->failure = failure;
  entry->used = clock_.now();
  if (model) {
    entry->model = *std::move(model);
    entry->state = Entry::State::ready;
    entry->running += 2 * waiting.size();
  } else {
    used_ -= member.bytes;
    entry->state = Entry::State::cold;
    entry->failed_until = clock_.now() + kHoldOff;
  }
  lock.unlock();
  for (WaitingJob& job : waiting) {
    if (failure) {
      job.done(fail(*failure));
    } else {
      hand_over(entry, std::move(job));
    }
  }
  lock.lock();
  entry->in_hand = false;
  changed_.notify_all();
}

// `entry` is counted as running, for the job and for this call.
void ModelPool::hand_over(const EntryPtr& entry, WaitingJob job) {
  auto inner = entry->model->submit(std::move(job.job),
                                    [this, entry, done = std::move(job.done)](Result<Vectors> vectors) {
                                      done(std::move(vectors));
                                      finished(*entry);
                                    });
  job.ticket->pass_on(inner);
  finished(*entry);
}

}  // namespace embedrouter::inference
