#include "inference/batch_queue.h"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

namespace embedrouter::inference {
namespace {

const std::vector<std::uint32_t> kIds(1000, 7);

std::shared_ptr<Work> job(std::initializer_list<std::size_t> lengths) {
  auto work = std::make_shared<Work>();
  work->ticket = std::make_shared<Ticket>();
  for (const std::size_t length : lengths) {
    work->job.texts.emplace_back("a text");
    work->texts.push_back({std::span(kIds).first(length), static_cast<std::uint32_t>(work->texts.size())});
  }
  return work;
}

void add(BatchQueue& queue, const std::shared_ptr<Work>& work) {
  std::size_t tokens = 0;
  for (const TokenText& text : work->texts) tokens += text.ids.size();
  ASSERT_TRUE(queue.reserve(*work, tokens));
  queue.push_texts(work);
}

using Lengths = std::vector<std::size_t>;
Lengths take(BatchQueue& queue, std::size_t budget) {
  std::vector<BatchQueue::TextToEmbed> chunk;
  queue.take_chunk(budget, chunk);
  Lengths lengths;
  for (const auto& entry : chunk) lengths.push_back(entry.text.ids.size());
  return lengths;
}

TEST(batch_queue, takes_the_longest_texts_of_a_job_first_and_fills_up_with_the_shortest) {
  BatchQueue queue(1000);
  add(queue, job({10, 90, 40, 60, 5}));
  EXPECT_EQ(take(queue, 100), (Lengths{90, 5}));
  EXPECT_EQ(take(queue, 100), (Lengths{60, 40}));
  EXPECT_EQ(take(queue, 100), (Lengths{10}));
  EXPECT_FALSE(queue.has_text());
  EXPECT_EQ(queue.queued_tokens(), 0U);
  EXPECT_EQ(queue.ready_tokens(), 0U);
  EXPECT_EQ(queue.queued_jobs(), 0U);
}

TEST(batch_queue, jobs_take_turns_so_a_query_does_not_wait_for_a_bulk_job) {
  BatchQueue queue(10'000);
  add(queue, job({50, 50, 50, 50, 50, 50, 50, 50}));
  add(queue, job({7}));
  EXPECT_EQ(take(queue, 100), (Lengths{50, 7}));
}

TEST(batch_queue, a_text_longer_than_the_budget_goes_alone) {
  BatchQueue queue(1000);
  add(queue, job({300, 10}));
  EXPECT_EQ(take(queue, 100), (Lengths{300}));
  EXPECT_EQ(take(queue, 100), (Lengths{10}));
}

TEST(batch_queue, passes_over_a_job_whose_texts_do_not_fit_and_comes_back_to_it) {
  BatchQueue queue(1000);
  add(queue, job({60}));
  add(queue, job({80, 80}));
  add(queue, job({40}));
  EXPECT_EQ(take(queue, 100), (Lengths{60, 40}));
  EXPECT_EQ(take(queue, 100), (Lengths{80}));
  EXPECT_EQ(take(queue, 100), (Lengths{80}));
}

TEST(batch_queue, refuses_what_would_pass_its_bound_and_takes_it_again_when_there_is_room) {
  BatchQueue queue(100);
  add(queue, job({60, 40}));
  const auto late = job({1});
  EXPECT_FALSE(queue.reserve(*late, 1));
  EXPECT_EQ(queue.queued_jobs(), 1U);
  EXPECT_EQ(take(queue, 60), (Lengths{60}));
  EXPECT_TRUE(queue.reserve(*late, 1));
  EXPECT_FALSE(queue.reserve(*job({60}), 60));
}

TEST(batch_queue, a_job_reserved_for_at_most_takes_what_it_has) {
  BatchQueue queue(100);
  const auto work = job({20});
  ASSERT_TRUE(queue.reserve(*work, 90));
  EXPECT_EQ(queue.queued_tokens(), 90U);
  EXPECT_EQ(queue.ready_tokens(), 0U);
  queue.push_texts(work);
  EXPECT_EQ(queue.queued_tokens(), 20U);
  EXPECT_EQ(queue.ready_tokens(), 20U);
}

TEST(batch_queue, drops_cancelled_jobs_and_gives_their_room_back) {
  BatchQueue queue(100);
  const auto stays = job({10, 10}), leaves = job({30, 30});
  add(queue, leaves);
  add(queue, stays);
  EXPECT_EQ(take(queue, 30), (Lengths{30}));
  leaves->ticket->cancel();
  std::list<std::shared_ptr<Work>> gone;
  queue.drop_gone(gone);
  EXPECT_EQ(gone, std::list{leaves});
  EXPECT_EQ(queue.queued_tokens(), 20U);
  EXPECT_EQ(queue.ready_tokens(), 20U);
  EXPECT_EQ(queue.queued_jobs(), 1U);
  EXPECT_EQ(take(queue, 100), (Lengths{10, 10}));
}

TEST(batch_queue, hands_out_parts_in_order_and_forgets_a_job_that_failed_meanwhile) {
  BatchQueue queue(100);
  const auto work = job({});
  work->parts.resize(2);
  ASSERT_TRUE(queue.reserve(*work, 50));
  queue.push_parts(work);
  EXPECT_EQ(queue.take_part().part, 0U);
  EXPECT_EQ(queue.take_part().part, 1U);
  EXPECT_FALSE(queue.has_part());
  EXPECT_EQ(queue.queued_tokens(), 50U);
  queue.forget(*work);
  EXPECT_EQ(queue.queued_tokens(), 0U);
  EXPECT_EQ(queue.queued_jobs(), 0U);
}

TEST(batch_queue, drained_gives_every_job_and_is_empty) {
  BatchQueue queue(1000);
  const auto reading = job({}), ready = job({10});
  reading->parts.resize(1);
  ASSERT_TRUE(queue.reserve(*reading, 5));
  queue.push_parts(reading);
  add(queue, ready);
  EXPECT_EQ(queue.drain(), (std::vector{reading, ready}));
  EXPECT_FALSE(queue.has_part() || queue.has_text());
  EXPECT_EQ(queue.queued_tokens() + queue.ready_tokens() + queue.queued_jobs(), 0U);
}

}  // namespace
}  // namespace embedrouter::inference
