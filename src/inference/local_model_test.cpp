#include "inference/local_model.h"

#include <gtest/gtest.h>
#include <dnnl.hpp>

#include <algorithm>
#include <barrier>
#include <chrono>
#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>

#include "inference/test_allocations.h"
#include "inference/test_model.h"

namespace embedrouter::inference {
namespace {

using namespace std::chrono_literals;
constexpr auto kPatience = 150s;  // until a test gives up; far more than a starved machine needs

bool has_bf16() {
  constexpr auto kBf16 = static_cast<unsigned>(dnnl_cpu_isa_avx512_core_bf16);
  return (static_cast<unsigned>(dnnl_get_effective_cpu_isa()) & kBf16) == kBf16;
}

std::unique_ptr<LocalModel> load(ModelOptions options) {
  if (options.folder.empty()) options.folder = model_folder();
  auto model = LocalModel::load(options);
  if (!model) throw std::runtime_error(model.error().message());
  return std::move(*model);
}

std::future<Result<Vectors>> submit(LocalModel& model, std::vector<std::string_view> texts,
                                    bool truncate = false, std::shared_ptr<Ticket>* ticket = nullptr) {
  auto promise = std::make_shared<std::promise<Result<Vectors>>>();
  auto future = promise->get_future();
  auto handle = model.submit({std::move(texts), truncate},
                             [promise](Result<Vectors> v) { promise->set_value(std::move(v)); });
  if (ticket != nullptr) *ticket = std::move(handle);
  return future;
}

Result<Vectors> wait(std::future<Result<Vectors>> future) {
  if (future.wait_for(kPatience) != std::future_status::ready)
    return fail(ErrorCode::internal, "no answer came");
  return future.get();
}

template <class Condition>
bool soon(const LocalModel& model, Condition condition) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!condition(model.load_now()) && std::chrono::steady_clock::now() < end)
    std::this_thread::sleep_for(1ms);
  return condition(model.load_now());
}

std::span<const float> row(const Vectors& vectors, std::size_t i) {
  return {vectors.values.get() + i * kGoldenWidth, kGoldenWidth};
}

// Each line of texts.jsonl is a JSON string; these tests need only its shape, not its meaning.
std::vector<std::string> corpus() {
  std::vector<std::string> texts;
  std::istringstream lines(read_file(golden("texts.jsonl")));
  for (std::string line; std::getline(lines, line);) texts.push_back(line);
  EXPECT_EQ(texts.size(), 1000U);
  return texts;
}

std::string words(std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += "word ";
  return text;
}

unsigned threads_of_this_process() {
  const std::string status = read_file("/proc/self/status");
  return static_cast<unsigned>(std::stoul(status.substr(status.find("Threads:") + 8)));
}

// Holds the model's only worker inside a `done` until let go.
class Held {
 public:
  explicit Held(LocalModel& model) {
    model.submit({{"hold"}, false}, [gate = gate_](const Result<Vectors>&) {
      gate->held.set_value();
      gate->let_go.get_future().wait();
    });
    EXPECT_EQ(gate_->held.get_future().wait_for(kPatience), std::future_status::ready);
  }
  ~Held() { release(); }
  void release() {
    if (!std::exchange(released_, true)) gate_->let_go.set_value();
  }

 private:
  struct Gate {
    std::promise<void> held, let_go;
  };
  std::shared_ptr<Gate> gate_ = std::make_shared<Gate>();
  bool released_ = false;
};

TEST(local_model, states_what_it_is) {
  const auto model = load({.precision = Precision::fp32, .threads = 2});
  const ModelFacts& facts = model->facts();
  EXPECT_EQ(facts.width, 384U);
  EXPECT_EQ(facts.layers, 6U);
  EXPECT_EQ(facts.max_tokens, 256U);
  EXPECT_EQ(facts.threads, 2U);
  EXPECT_EQ(facts.precision, "fp32");
  EXPECT_FALSE(facts.kernels.empty());
  ASSERT_TRUE(facts.space.starts_with("sentence-transformers/all-minilm-l6-v2#fp32-")) << facts.space;
  EXPECT_EQ(facts.space.substr(facts.space.rfind('-') + 1).size(), 8U);
}

TEST(local_model, inspected_says_what_the_loaded_one_does) {
  const ModelOptions options{
      .folder = model_folder(), .precision = Precision::fp32, .threads = 1, .name = "a/b"};
  const auto inspected = LocalModel::inspect(options);
  ASSERT_TRUE(inspected) << inspected.error().message();
  const auto model = load(options);
  EXPECT_EQ(inspected->facts.space, model->facts().space);
  EXPECT_EQ(inspected->facts.width, model->facts().width);
  EXPECT_EQ(inspected->facts.max_tokens, model->facts().max_tokens);
  EXPECT_EQ(inspected->facts.precision, model->facts().precision);
  // Some 22.6 million numbers, and 256 rows of 384 for the one worker.
  EXPECT_NEAR(static_cast<double>(inspected->bytes), 90.5e6 + 2.2e6, 0.5e6);
  const auto longer = LocalModel::inspect(
      {.folder = model_folder(), .precision = Precision::fp32, .threads = 2, .max_tokens = 512});
  ASSERT_TRUE(longer);
  EXPECT_EQ(longer->bytes - inspected->bytes, 3U * 256 * 384 * 22);
  EXPECT_FALSE(LocalModel::inspect({.folder = "/nowhere"}));
}

TEST(local_model, automatic_precision_is_bf16_where_the_cpu_has_it_and_bf16_elsewhere_is_refused) {
  EXPECT_EQ(load({.threads = 1})->facts().precision, has_bf16() ? "bf16" : "fp32");
  const auto asked = LocalModel::load({.folder = model_folder(), .precision = Precision::bf16, .threads = 1});
  ASSERT_EQ(asked.has_value(), has_bf16());
  if (!asked) {
    EXPECT_NE(asked.error().message().find("AVX512-bf16"), std::string::npos);
  }
}

TEST(local_model, runs_one_thread_per_worker_and_no_more) {
  const unsigned before = threads_of_this_process();
  {
    const auto model = load({.threads = 2});
    std::vector<std::string> texts;
    std::vector<std::string_view> views;
    for (std::size_t i = 1; i <= 64; ++i) texts.push_back(words(i));
    views.assign(texts.begin(), texts.end());
    ASSERT_TRUE(wait(submit(*model, views)));
    EXPECT_EQ(threads_of_this_process(), before + 2);
  }
  EXPECT_EQ(threads_of_this_process(), before);
}

TEST(local_model, a_text_alone_in_a_batch_and_under_32_submitters_has_the_same_vector) {
  const auto texts = corpus();
  for (const Precision precision : {Precision::fp32, Precision::automatic}) {
    const auto model = load({.precision = precision, .threads = 2, .max_tokens = 512});
    const auto same = [&](std::span<const float> a, std::span<const float> b) {
      return model->facts().precision == "fp32" ? max_difference(a, b) <= 1e-5 : cosine(a, b) >= 0.9999;
    };
    std::vector<std::string_view> some;
    for (std::size_t i = 0; i < 64; ++i) some.push_back(texts[i * 15]);
    const auto together = wait(submit(*model, some, true));
    ASSERT_TRUE(together) << together.error().message();
    std::vector<Vectors> alone;
    for (std::size_t i = 0; i < some.size(); ++i) {
      auto one = wait(submit(*model, {some[i]}, true));
      ASSERT_TRUE(one) << one.error().message();
      EXPECT_TRUE(same(row(*one, 0), row(*together, i))) << "text " << i;
      EXPECT_EQ(one->tokens[0], together->tokens[i]);
      alone.push_back(std::move(*one));
    }
    std::barrier start(32);
    std::vector<std::future<bool>> clients;
    for (std::size_t c = 0; c < 32; ++c) {
      clients.push_back(std::async(std::launch::async, [&, c] {
        start.arrive_and_wait();
        bool all = true;
        for (std::size_t k = 0; k < 4; ++k) {
          const std::size_t i = (c * 7 + k * 17) % some.size(), j = (i + 1) % some.size();
          const auto got = wait(submit(*model, {some[i], some[j]}, true));
          all = all && got && same(row(*got, 0), row(alone[i], 0)) && same(row(*got, 1), row(alone[j], 0));
        }
        return all;
      }));
    }
    for (auto& client : clients) EXPECT_TRUE(client.get());
  }
}

TEST(local_model, texts_end_to_end_agree_with_the_reference) {
  const auto model = load({.precision = Precision::fp32, .threads = 2});
  const auto expected = golden_vectors();
  const std::string fox = "The quick brown fox jumps over the lazy dog, and the dog does not mind at all.";
  const auto got = wait(submit(*model, {fox}));
  ASSERT_TRUE(got) << got.error().message();
  ASSERT_TRUE(corpus().front().find(fox) == 1);
  EXPECT_LE(max_difference(row(*got, 0), std::span(expected).first(kGoldenWidth)), 1e-5);
  EXPECT_EQ(got->tokens, std::vector<std::uint32_t>{static_cast<std::uint32_t>(golden_ids().front().size())});
}

TEST(local_model, a_large_job_read_by_the_workers_gives_what_a_small_one_gives) {
  const auto texts = corpus();
  const auto model = load({.precision = Precision::fp32, .threads = 2, .max_tokens = 512});
  const std::vector<std::string_view> all(texts.begin(), texts.begin() + 300);
  const auto large = wait(submit(*model, all, true));
  ASSERT_TRUE(large) << large.error().message();
  ASSERT_EQ(large->tokens.size(), all.size());
  for (std::size_t i = 0; i < all.size(); i += 29) {
    const auto one = wait(submit(*model, {all[i]}, true));
    ASSERT_TRUE(one);
    EXPECT_LE(max_difference(row(*one, 0), row(*large, i)), 1e-5) << i;
  }
}

TEST(local_model, an_overlong_text_is_refused_before_any_compute_naming_item_tokens_and_limit) {
  const auto model = load({.threads = 1});
  // The fourth is read inline, the same behind 100 KB of text by the workers.
  for (const std::size_t filler : {1, 20'000}) {
    const std::string before = words(filler > 1 ? 200 : 1), far = words(300), farther = words(400);
    std::vector<std::string_view> texts(filler > 1 ? 100 : 3, before);
    const std::size_t index = texts.size();
    texts.insert(texts.end(), {far, farther, before});
    const auto batches = model->load_now().batches;
    const auto got = wait(submit(*model, texts));
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code(), ErrorCode::context_length_exceeded);
    EXPECT_EQ(got.error().item(), index);
    EXPECT_EQ(got.error().param(), "input[" + std::to_string(index) + "]");
    EXPECT_NE(got.error().message().find("302 tokens"), std::string::npos) << got.error().message();
    EXPECT_NE(got.error().message().find("at most 256"), std::string::npos) << got.error().message();
    EXPECT_EQ(model->load_now().batches, batches);
    EXPECT_EQ(model->load_now().queued_tokens, 0U);
    EXPECT_EQ(model->load_now().queued_jobs, 0U);
  }
}

TEST(local_model, a_text_at_the_limit_passes_and_one_token_more_does_not) {
  for (const std::uint32_t limit : {16U, 256U, 512U, 9999U}) {
    const auto model = load({.precision = Precision::fp32, .threads = 1, .max_tokens = limit});
    const std::uint32_t most = std::min(limit, 512U);
    EXPECT_EQ(model->facts().max_tokens, most);
    const std::string at = words(most - 2), over = words(most - 1);
    const auto fits = wait(submit(*model, {at}));
    ASSERT_TRUE(fits) << fits.error().message();
    EXPECT_EQ(fits->tokens, std::vector{most});
    EXPECT_FALSE(wait(submit(*model, {over})));
  }
}

TEST(local_model, a_job_that_truncates_is_cut_marked_and_equal_to_the_text_that_fits) {
  const auto model = load({.precision = Precision::fp32, .threads = 1});
  const std::string at = words(254), over = words(700), one = "short";
  const auto got = wait(submit(*model, {one, over, at, over}, true));
  ASSERT_TRUE(got) << got.error().message();
  EXPECT_EQ(got->truncated, (std::vector<std::uint32_t>{1, 3}));
  EXPECT_EQ(got->tokens, (std::vector<std::uint32_t>{3, 256, 256, 256}));
  EXPECT_LE(max_difference(row(*got, 1), row(*got, 2)), 1e-5);
}

TEST(local_model, no_texts_is_an_empty_answer_and_blanks_are_text) {
  const auto model = load({.threads = 1});
  const auto none = wait(submit(*model, {}));
  ASSERT_TRUE(none);
  EXPECT_TRUE(none->tokens.empty());
  const auto blanks = wait(submit(*model, {" ", ""}));
  ASSERT_TRUE(blanks) << blanks.error().message();
  EXPECT_EQ(blanks->tokens, (std::vector<std::uint32_t>{2, 2}));
}

TEST(local_model, a_full_queue_refuses_at_once_and_recovers) {
  const auto model = load({.threads = 1, .queue_tokens = 300});
  Held held(*model);
  const std::string text = words(200);
  auto waiting = submit(*model, {text});
  auto refused = submit(*model, {text});
  ASSERT_EQ(refused.wait_for(0s), std::future_status::ready);
  const auto answer = refused.get();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code(), ErrorCode::overloaded);
  EXPECT_EQ(answer.error().retry_after(), 1000ms);
  EXPECT_EQ(model->load_now().queued_jobs, 1U);
  EXPECT_EQ(model->load_now().queued_tokens, 202U);
  held.release();
  EXPECT_TRUE(wait(std::move(waiting)));
  EXPECT_TRUE(wait(submit(*model, {text})));
  EXPECT_EQ(model->load_now().queued_tokens, 0U);
}

TEST(local_model, a_cancelled_job_costs_no_compute_whether_it_was_read_or_not) {
  const auto model = load({.threads = 1});
  const std::string text = words(200);
  const std::vector<std::string_view> many(100, text);  // enough to be read by a worker
  std::shared_ptr<Ticket> small_ticket, large_ticket;
  Held held(*model);
  const auto texts = model->load_now().texts;
  auto small = submit(*model, {text}, false, &small_ticket);
  auto large = submit(*model, many, false, &large_ticket);
  small_ticket->cancel();
  large_ticket->cancel();
  EXPECT_EQ(small.wait_for(0s), std::future_status::ready);
  EXPECT_EQ(large.wait_for(0s), std::future_status::ready);
  held.release();
  for (auto* future : {&small, &large}) {
    const auto answer = wait(std::move(*future));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code(), ErrorCode::client_closed);
  }
  EXPECT_TRUE(soon(*model, [](const LocalModel::Load& load) { return load.queued_tokens == 0; }));
  EXPECT_EQ(model->load_now().texts, texts);
}

TEST(local_model, g4_a_worker_that_hangs_shows_and_holds_nobody_who_leaves) {
  const auto model = load({.threads = 2});
  EXPECT_EQ(model->load_now().busy, 0ns);
  Held held(*model);
  ASSERT_TRUE(wait(submit(*model, {"the other worker goes on"})));
  const auto busy = model->load_now().busy;
  EXPECT_GT(busy, 0ns);
  std::this_thread::sleep_for(1ms);
  EXPECT_GE(model->load_now().busy, busy + 1ms) << "the time of one piece of work";
  {
    Held both(*model);
    std::shared_ptr<Ticket> ticket;
    auto leaves = submit(*model, {"nobody takes it"}, false, &ticket);
    EXPECT_EQ(leaves.wait_for(0s), std::future_status::timeout);
    ticket->cancel();
    ASSERT_EQ(leaves.wait_for(0s), std::future_status::ready);
    EXPECT_EQ(leaves.get().error().code(), ErrorCode::client_closed);
    both.release();
  }
  held.release();
  ASSERT_TRUE(wait(submit(*model, {"after all"})));
  EXPECT_TRUE(soon(*model, [](const LocalModel::Load& load) { return load.busy == 0ns; }));
}

// Of the allocations that the workers make for a job, one fails: each of the first, then one here and there.
TEST(local_model, g4_a_worker_without_memory_fails_that_job_and_goes_on) {
  const std::string text = "word" + std::string(9'000, ' ');  // read by a worker
  const std::vector<std::string_view> many(4, text);          // in two parts
  const auto model = load({.threads = 1});
  const auto right = wait(submit(*model, {text}));
  ASSERT_TRUE(right);
  std::size_t failures = 0;
  for (std::size_t nth = 0;; nth += 1 + nth / 8) {
    SCOPED_TRACE(nth);
    FailingAllocation failing(nth);
    const auto answer = wait(submit(*model, many));
    const bool failed = failing.end();
    if (!answer) {
      EXPECT_EQ(answer.error().code(), ErrorCode::overloaded) << answer.error().message();
    }
    const auto after = wait(submit(*model, {text}));
    ASSERT_TRUE(after) << nth << ": " << after.error().message();
    EXPECT_EQ(row(*after, 0)[0], row(*right, 0)[0]);
    EXPECT_EQ(model->load_now().queued_tokens, 0U);
    failures += answer ? 0 : 1;
    if (!failed) break;  // there are no more
    ASSERT_LT(nth, 10'000'000U);
  }
  EXPECT_GT(failures, 3U);
}

TEST(local_model, going_down_answers_every_queued_job_once) {
  const std::string text = words(200);
  const std::vector<std::string_view> many(100, text);
  std::vector<std::future<Result<Vectors>>> futures;
  {
    auto model = load({.threads = 1});
    Held held(*model);
    for (int i = 0; i < 5; ++i) {
      futures.push_back(submit(*model, {text}));
      futures.push_back(submit(*model, many));
    }
    std::thread down([&model] { model.reset(); });
    held.release();
    down.join();
  }
  for (auto& future : futures) {
    ASSERT_EQ(future.wait_for(0s), std::future_status::ready);
    const auto answer = future.get();
    if (!answer) {
      EXPECT_EQ(answer.error().code(), ErrorCode::shutting_down);
    }
  }
}

TEST(local_model, a_query_behind_a_bulk_job_is_answered_long_before_it) {
  const std::string text = words(100);
  const std::vector<std::string_view> bulk(60, text);
  std::mutex mutex;
  std::vector<char> order;
  std::vector<std::promise<void>> ended(2);
  const auto note = [&](char who, std::size_t which) {
    return [&, who, which](const Result<Vectors>& answer) {
      EXPECT_TRUE(answer);
      const std::lock_guard lock(mutex);
      order.push_back(who);
      ended[which].set_value();
    };
  };
  // Behind what its callbacks touch, so that its threads end first.
  const auto model = load({.threads = 1});
  {
    Held held(*model);
    model->submit({bulk, false}, note('b', 0));
    model->submit({{"a short query"}, false}, note('q', 1));
    held.release();
  }
  for (auto& promise : ended) ASSERT_EQ(promise.get_future().wait_for(kPatience), std::future_status::ready);
  EXPECT_EQ(order, (std::vector{'q', 'b'}));
}

TEST(local_model, a_folder_that_is_not_one_is_refused_with_the_missing_file) {
  const auto model = LocalModel::load({.folder = "/nonexistent"});
  ASSERT_FALSE(model);
  EXPECT_NE(model.error().message().find("/nonexistent/config.json"), std::string::npos)
      << model.error().message();
}

}  // namespace
}  // namespace embedrouter::inference
