#include "embed/places.h"

#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <thread>

#include "testing/run_task.h"

namespace embedrouter::embed {
namespace {

using std::chrono::hours;
using std::chrono::steady_clock;

Task<void> wait_and_note(Places& places, steady_clock::time_point deadline, std::string& story, char name) {
  const auto place = co_await places.wait(deadline);
  story += place ? name : '-';
}

TEST(Places, are_given_up_to_the_limit_and_come_back) {
  Places places;
  places.set_limit(2);
  auto first = places.take();
  {
    const auto second = places.take();
    EXPECT_TRUE(first && second);
    EXPECT_FALSE(places.take());
  }
  EXPECT_TRUE(places.take());
}

TEST(Places, who_waits_is_served_in_order_and_before_who_comes_later) {
  asio::io_context io{1};
  Places places;
  places.set_limit(1);
  auto held = places.take();
  std::string story;
  for (const char name : {'a', 'b'})
    asio::co_spawn(io, wait_and_note(places, steady_clock::now() + hours(1), story, name), asio::detached);
  io.poll();
  EXPECT_EQ(story, "");
  held.reset();
  EXPECT_FALSE(places.take()) << "it belongs to the first who waits";
  io.run();
  EXPECT_EQ(story, "ab");
  EXPECT_TRUE(places.take());
}

TEST(Places, a_wait_ends_at_its_deadline) {
  Places places;
  places.set_limit(1);
  auto held = places.take();
  std::string story;
  asio::io_context io{1};
  asio::co_spawn(io, wait_and_note(places, steady_clock::now(), story, 'a'), asio::detached);
  io.run();
  EXPECT_EQ(story, "-");
  held.reset();
  EXPECT_TRUE(places.take()) << "nobody in the queue any more";
}

TEST(Places, a_cancelled_wait_leaves_the_queue_and_passes_its_place_on) {
  asio::io_context io{1};
  Places places;
  places.set_limit(1);
  auto held = places.take();
  std::string story;
  asio::cancellation_signal cancel;
  asio::co_spawn(io, wait_and_note(places, steady_clock::now() + hours(1), story, 'a'),
                 asio::bind_cancellation_slot(cancel.slot(), [](const std::exception_ptr&) {}));
  asio::co_spawn(io, wait_and_note(places, steady_clock::now() + hours(1), story, 'b'), asio::detached);
  io.poll();
  cancel.emit(asio::cancellation_type::terminal);
  held.reset();  // granted to the first, which is on its way out
  io.run();
  EXPECT_EQ(story.back(), 'b');
  EXPECT_TRUE(places.take());
}

TEST(Places, are_fewer_after_a_429_and_what_was_never_sent_or_is_another_failure_changes_nothing) {
  Places places;
  const auto now = steady_clock::now();
  std::vector<Place> held;
  for (int i = 0; i < 4; ++i) held.push_back(*places.take());
  const Error rate(ErrorCode::upstream_rate_limited, "slower");
  const Error unsent = Error(rate).as_unsent();
  const Error down(ErrorCode::upstream_error, "down");
  for (const Error* failure : {&unsent, &down}) places.report(failure, now, now);
  EXPECT_FALSE(places.lowered());
  places.report(&rate, now, now);
  EXPECT_TRUE(places.lowered());
  EXPECT_EQ(places.limit(), 3U);
  EXPECT_FALSE(places.take());
  held.pop_back();
  EXPECT_FALSE(places.take()) << "its place is gone";
  held.pop_back();
  EXPECT_TRUE(places.take());
}

TEST(Places, one_that_comes_back_is_for_who_waits) {
  asio::io_context io{1};
  Places places;
  const auto now = steady_clock::now();
  std::vector<Place> held;
  for (int i = 0; i < 2; ++i) held.push_back(*places.take());
  const Error rate(ErrorCode::upstream_rate_limited, "slower");
  places.report(&rate, now, now);
  held.pop_back();
  std::string story;
  asio::co_spawn(io, wait_and_note(places, now + hours(1), story, 'a'), asio::detached);
  io.poll();
  EXPECT_TRUE(places.waited_for());
  for (std::uint32_t i = 0; i < AdaptiveLimit::kAnswersPerPlace; ++i) places.report(nullptr, now, now);
  EXPECT_EQ(places.limit(), 2U);
  io.poll();
  EXPECT_EQ(story, "a");
}

TEST(Places, hold_over_many_threads) {
  Places places;
  places.set_limit(3);
  std::atomic<int> at_once{0}, most{0}, done{0};
  const auto visit = [&](asio::io_context& io) -> Task<void> {
    for (int i = 0; i < 200; ++i) {
      const auto deadline = steady_clock::now() + hours(1);
      const auto place = co_await places.wait(deadline);
      const int now = ++at_once;
      for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
      }
      co_await asio::post(io.get_executor(), kAwait);
      --at_once;
      ++done;
    }
  };
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      asio::io_context io{1};
      for (int i = 0; i < 4; ++i) asio::co_spawn(io, visit(io), asio::detached);
      io.run();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(done, 4 * 4 * 200);
  EXPECT_LE(most, 3);
  EXPECT_TRUE(places.take());
}

}  // namespace
}  // namespace embedrouter::embed
