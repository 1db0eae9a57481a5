#include "inference/model_pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <future>
#include <map>
#include <set>

namespace embedrouter::inference {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr seconds kPatience{20};

// A model that answers when the test says so, with its number in the first value.
class Scripted final : public LocalModel {
 public:
  // `ended` is told when it goes.
  Scripted(ModelFacts facts, std::function<void(Scripted*)> ended)
      : facts_(std::move(facts)), ended_(std::move(ended)) {}
  ~Scripted() override {
    ended_(this);
    for (Done& done : waiting_) done(fail(ErrorCode::shutting_down, "ended"));
  }
  const ModelFacts& facts() const override { return facts_; }
  std::shared_ptr<Ticket> submit(Job, Done done) override {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(done));
    tickets_.push_back(std::make_shared<Handle>(*this));
    return tickets_.back();
  }
  Load load_now() const override {
    const std::lock_guard lock(mutex_);
    Load load;
    load.busy = busy_;
    return load;
  }
  std::size_t batch_capacity() const override { return 1; }

  std::size_t holds() const {
    const std::lock_guard lock(mutex_);
    return waiting_.size();
  }
  bool first_is_cancelled() const {
    const std::lock_guard lock(mutex_);
    return !tickets_.empty() && tickets_.front()->cancelled();
  }
  void answer_all(const Result<Vectors>& answer = Vectors{}) {
    std::vector<Done> ready;
    {
      const std::lock_guard lock(mutex_);
      ready.swap(waiting_);
    }
    for (Done& done : ready) done(answer);
  }
  // As a model whose compute thread hangs: jobs that are cancelled are answered at once.
  void hang(bool hangs) {
    const std::lock_guard lock(mutex_);
    busy_ = hangs ? seconds(1) : seconds(0);
  }
  bool hangs() const {
    const std::lock_guard lock(mutex_);
    return busy_ != seconds(0);
  }

 private:
  class Handle final : public Ticket {
   public:
    explicit Handle(Scripted& model) : model_(model) {}
    void cancel() noexcept override {
      Ticket::cancel();
      if (model_.hangs()) model_.answer_all(fail(ErrorCode::client_closed, "cancelled"));
    }

   private:
    Scripted& model_;
  };

  ModelFacts facts_;
  std::function<void(Scripted*)> ended_;
  mutable std::mutex mutex_;
  std::vector<Done> waiting_;
  std::vector<std::shared_ptr<Ticket>> tickets_;
  std::chrono::nanoseconds busy_{0};
};

class ModelPoolTest : public ::testing::Test {
 protected:
  void start(std::uint64_t memory, milliseconds idle = hours(1)) {
    pool_ = std::make_unique<ModelPool>(clock_, PoolOptions{memory, idle}, [this](const PoolEvent& event) {
      static constexpr std::array kNames{"loaded", "failed", "idle", "displaced"};
      const std::lock_guard lock(mutex_);
      events_.push_back(std::string(event.model) + " " + kNames[static_cast<std::size_t>(event.kind)]);
    });
  }
  ~ModelPoolTest() override {
    models_.clear();
    pool_.reset();
    EXPECT_THAT(alive_, IsEmpty());
  }

  LocalModel& add(const std::string& name, std::uint64_t bytes = 1) {
    ModelFacts facts;
    facts.width = 4;
    facts.max_tokens = 100;
    facts.space = name + "#fp32";
    ModelPool::Member member{name, facts, bytes, 1'000, {}};
    member.load = [this, name, facts]() -> Result<std::unique_ptr<LocalModel>> {
      gate_.wait();
      const std::lock_guard lock(mutex_);
      ++loads_[name];
      if (broken_.contains(name)) return fail(ErrorCode::internal, "it is broken");
      if (huge_.contains(name)) throw std::bad_alloc();
      ModelFacts loaded = facts;
      if (changed_.contains(name)) loaded.space += "-other";
      auto model = std::make_unique<Scripted>(loaded, [this](Scripted* gone) {
        const std::lock_guard ending(mutex_);
        alive_.erase(gone);
      });
      scripted_[name] = model.get();
      alive_.insert(model.get());
      return model;
    };
    models_[name] = pool_->add(std::move(member));
    return *models_[name];
  }

  // A job, and what became of it.
  struct Sent {
    std::shared_ptr<Ticket> ticket;
    std::future<Result<Vectors>> answer;
    bool answered() const { return answer.wait_for(seconds(0)) == std::future_status::ready; }
    Result<Vectors> get() {
      if (answer.wait_for(kPatience) != std::future_status::ready)
        return fail(ErrorCode::internal, "it was never answered");
      return answer.get();
    }
  };
  static Sent send(LocalModel& model, std::string_view text = "text") {
    auto promise = std::make_shared<std::promise<Result<Vectors>>>();
    Sent sent;
    sent.answer = promise->get_future();
    sent.ticket = model.submit({{text}, false},
                               [promise](Result<Vectors> done) { promise->set_value(std::move(done)); });
    return sent;
  }

  template <class Condition>
  static void until(Condition condition) {
    const auto end = std::chrono::steady_clock::now() + kPatience;
    bool met = condition();
    while (!met && std::chrono::steady_clock::now() < end) {
      std::this_thread::sleep_for(milliseconds(1));
      met = condition();
    }
    EXPECT_TRUE(met);
  }
  // Once it is in memory with so many jobs.
  Scripted& holding(const std::string& name, std::size_t jobs) {
    until([&] {
      const std::lock_guard lock(mutex_);
      const auto found = scripted_.find(name);
      return found != scripted_.end() && alive_.contains(found->second) && found->second->holds() == jobs;
    });
    const std::lock_guard lock(mutex_);
    return *scripted_[name];
  }
  std::vector<std::string> events() {
    const std::lock_guard lock(mutex_);
    return events_;
  }
  int loads(const std::string& name) {
    const std::lock_guard lock(mutex_);
    return loads_[name];
  }
  void until_event(const std::string& event) {
    until([&] { return std::ranges::count(events(), event) != 0; });
  }

  SystemClock clock_;
  std::mutex mutex_;
  std::promise<void> open_;
  std::shared_future<void> gate_ = [this] {
    open_.set_value();
    return open_.get_future().share();
  }();
  std::vector<std::string> events_;
  std::map<std::string, int> loads_;
  std::set<std::string> broken_, changed_, huge_;
  std::set<Scripted*> alive_;
  std::map<std::string, Scripted*> scripted_;
  std::unique_ptr<ModelPool> pool_;
  std::map<std::string, std::unique_ptr<LocalModel>> models_;
};

TEST_F(ModelPoolTest, loads_a_model_when_it_is_first_asked_for) {
  start(10);
  LocalModel& a = add("a", 3);
  EXPECT_EQ(a.facts().space, "a#fp32");
  EXPECT_EQ(pool_->usage().loaded, 0U);
  Sent first = send(a);
  holding("a", 1).answer_all();
  EXPECT_TRUE(first.get());
  Sent second = send(a);
  holding("a", 1).answer_all();
  EXPECT_TRUE(second.get());
  EXPECT_EQ(loads("a"), 1);
  EXPECT_EQ(pool_->usage().bytes, 3U);
  EXPECT_THAT(events(), ElementsAre("a loaded"));
}

TEST_F(ModelPoolTest, jobs_wait_for_the_load_and_a_cancelled_one_leaves_at_once) {
  std::promise<void> gate;
  gate_ = gate.get_future().share();
  start(10);
  LocalModel& a = add("a");
  Sent stays = send(a), leaves = send(a);
  EXPECT_EQ(a.load_now().queued_jobs, 2U);
  leaves.ticket->cancel();
  EXPECT_EQ(leaves.get().error().code(), ErrorCode::client_closed);
  EXPECT_FALSE(stays.answered());
  gate.set_value();
  Scripted& model = holding("a", 1);
  stays.ticket->cancel();  // reaches the model
  EXPECT_TRUE(model.first_is_cancelled());
  model.answer_all();
  EXPECT_TRUE(stays.get());
}

TEST_F(ModelPoolTest, what_waits_is_bounded) {
  std::promise<void> gate;
  gate_ = gate.get_future().share();
  start(10);
  LocalModel& a = add("a");
  const std::string text(500, 'x');  // counts as 100 tokens, the most there are
  std::vector<Sent> sent;
  for (int i = 0; i < 10; ++i) sent.push_back(send(a, text));
  EXPECT_EQ(send(a, text).get().error().code(), ErrorCode::overloaded);
  gate.set_value();
  holding("a", 10).answer_all();
  for (Sent& each : sent) EXPECT_TRUE(each.get());
}

TEST_F(ModelPoolTest, an_idle_model_is_put_away_and_comes_back) {
  start(10, milliseconds(1));
  LocalModel& a = add("a");
  for (int round = 1; round <= 2; ++round) {
    Sent sent = send(a);
    Scripted& model = holding("a", 1);
    std::this_thread::sleep_for(milliseconds(5));
    EXPECT_EQ(pool_->usage().loaded, 1U) << "never while a text is in it";
    model.answer_all();
    EXPECT_TRUE(sent.get());
    until([&] { return pool_->usage().bytes == 0; });
    EXPECT_EQ(loads("a"), round);
  }
  EXPECT_THAT(events(), ElementsAre("a loaded", "a idle", "a loaded", "a idle"));
}

TEST_F(ModelPoolTest, g4_a_model_that_hangs_keeps_neither_its_callers_nor_the_other_models) {
  start(2, milliseconds(1));
  Sent first = send(add("a"));
  holding("a", 1).hang(true);
  Sent second = send(*models_["a"]);
  Scripted& a = holding("a", 2);
  for (const Sent* each : {&first, &second}) each->ticket->cancel();
  EXPECT_EQ(first.get().error().code(), ErrorCode::client_closed);
  EXPECT_EQ(second.get().error().code(), ErrorCode::client_closed);
  Sent other = send(add("b"));
  holding("b", 1).answer_all();
  EXPECT_TRUE(other.get());
  until_event("b idle");
  EXPECT_EQ(pool_->usage().loaded, 1U) << "it does not wait for the one that hangs, and leaves it";
  a.hang(false);
  until_event("a idle");
}

TEST_F(ModelPoolTest, the_one_used_longest_ago_makes_room) {
  start(2);
  for (const char* name : {"a", "b"}) {
    Sent sent = send(add(name));
    holding(name, 1).answer_all();
    EXPECT_TRUE(sent.get());
  }
  Sent again = send(*models_["a"]);
  holding("a", 1).answer_all();
  EXPECT_TRUE(again.get());
  Sent third = send(add("c"));
  holding("c", 1).answer_all();
  EXPECT_TRUE(third.get());
  EXPECT_THAT(events(), ElementsAre("a loaded", "b loaded", "b displaced", "c loaded"));
  EXPECT_EQ(pool_->usage().bytes, 2U);
}

TEST_F(ModelPoolTest, a_model_in_use_makes_room_when_its_work_is_done_and_then_gets_its_turn) {
  start(1);
  Sent at_work = send(add("a"));
  Scripted& a = holding("a", 1);
  Sent wanted = send(add("b"));
  // Once it knows that it must leave, "a" takes no more.
  std::vector<Sent> later;
  until([&] {
    later.push_back(send(*models_["a"]));
    return models_["a"]->load_now().queued_jobs > 0;
  });
  EXPECT_FALSE(wanted.answered());
  EXPECT_EQ(loads("b"), 0);
  a.answer_all();
  EXPECT_TRUE(at_work.get());
  holding("b", 1).answer_all();
  EXPECT_TRUE(wanted.get());
  holding("a", 1).answer_all();
  for (Sent& each : later) EXPECT_TRUE(each.get());
  EXPECT_THAT(events(), ElementsAre("a loaded", "a displaced", "b loaded", "b displaced", "a loaded"));
}

TEST_F(ModelPoolTest, a_lower_bound_is_kept_too) {
  start(2);
  for (const char* name : {"a", "b"}) {
    Sent sent = send(add(name));
    holding(name, 1).answer_all();
    EXPECT_TRUE(sent.get());
  }
  pool_->set_options({1, hours(1)});
  until_event("a displaced");
  until([&] { return pool_->usage().bytes == 1; });
}

TEST_F(ModelPoolTest, a_model_that_cannot_be_loaded_fails_its_jobs_and_harms_no_other) {
  start(2);
  broken_ = {"a"};
  changed_ = {"c"};
  huge_ = {"d"};
  Sent broken = send(add("a"));
  const auto answer = broken.get();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code(), ErrorCode::upstream_error);
  EXPECT_EQ(answer.error().message().find("it is broken"), std::string::npos) << "that is for the log";
  EXPECT_FALSE(send(*models_["a"]).get());
  EXPECT_EQ(loads("a"), 1) << "it is not tried again at once";
  EXPECT_EQ(pool_->usage().bytes, 0U);
  Sent other = send(add("b"));
  holding("b", 1).answer_all();
  EXPECT_TRUE(other.get());
  EXPECT_FALSE(send(add("c")).get()) << "another model than was announced";
  EXPECT_FALSE(send(add("d")).get()) << "more than there is memory";
  EXPECT_THAT(events(), ElementsAre("a failed", "b loaded", "c failed", "d failed"));
}

TEST_F(ModelPoolTest, a_model_that_ends_fails_what_waits_for_it) {
  std::promise<void> gate;
  gate_ = gate.get_future().share();
  start(2);
  Sent loading = send(add("a")), waiting = send(add("b"));
  until([&] { return pool_->usage().bytes == 1; });
  models_.erase("b");
  EXPECT_EQ(waiting.get().error().code(), ErrorCode::shutting_down);
  std::thread ending([&] { models_.erase("a"); });
  EXPECT_EQ(loading.get().error().code(), ErrorCode::shutting_down);
  gate.set_value();
  ending.join();
  EXPECT_EQ(pool_->usage().bytes, 0U);
  EXPECT_THAT(alive_, IsEmpty());
}

TEST_F(ModelPoolTest, many_threads_use_more_models_than_fit) {
  start(2, milliseconds(1));
  const std::vector<std::string> names{"a", "b", "c", "d"};
  for (const std::string& name : names) add(name);
  std::atomic<bool> over{false};
  std::thread answering([&] {
    while (!over) {
      std::vector<Scripted*> now;
      {
        const std::lock_guard lock(mutex_);
        now.assign(alive_.begin(), alive_.end());
        for (Scripted* model : now) model->answer_all();
      }
      std::this_thread::yield();
    }
  });
  std::atomic<int> good{0};
  std::vector<std::thread> callers;
  for (int t = 0; t < 4; ++t) {
    callers.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        Sent sent = send(*models_[names[static_cast<std::size_t>(i + t) % names.size()]]);
        if (i % 10 == 9) sent.ticket->cancel();
        const auto answer = sent.get();
        if (answer || answer.error().code() == ErrorCode::client_closed) ++good;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  over = true;
  answering.join();
  EXPECT_EQ(good, 200);
  EXPECT_LE(pool_->usage().bytes, 2U);
}

}  // namespace
}  // namespace embedrouter::inference
