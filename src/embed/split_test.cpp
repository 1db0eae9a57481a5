#include "embed/split.h"

#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>

#include "testing/run_task.h"
#include "testing/scripted_embedder.h"

namespace embedrouter::embed {
namespace {

using testing::fails_with;
using testing::run_task;
using testing::ScriptedEmbedder;
using testing::TextRequest;
using testing::vector_of;

// An endpoint and a request of a caller.
struct Endpoint {
  void split_before(std::unique_ptr<Embedder> inner, BatchLimits limits, std::uint32_t places_in_all) {
    places.set_limit(places_in_all);
    split = std::make_unique<Split>(std::move(inner), "Fake", limits, places, learned, clock);
  }
  ManualClock clock;
  Places places;
  LearnedLimits learned;
  std::unique_ptr<Split> split;
  Call call{"gen-emb-1", std::chrono::steady_clock::time_point::max()};
};

struct Bench : Endpoint {
  explicit Bench(BatchLimits limits = {}, std::uint32_t places_in_all = 4) {
    auto scripted = std::make_unique<ScriptedEmbedder>();
    inner = scripted.get();
    split_before(std::move(scripted), limits, places_in_all);
  }
  Result<api::EmbedReply> embed(const TextRequest& texts) {
    return run_task(split->embed(texts.request, call));
  }
  std::size_t calls() const { return inner->asked.size(); }

  ScriptedEmbedder* inner = nullptr;
};

void expect_right(const api::EmbedReply& reply, const TextRequest& texts) {
  ASSERT_EQ(reply.data.size(), texts.request.items.size());
  for (std::size_t i = 0; i < reply.data.size(); ++i) {
    if (std::ranges::find(reply.failed, i, &api::FailedItem::item) != reply.failed.end()) continue;
    EXPECT_EQ(reply.data[i].index, static_cast<std::int64_t>(i));
    const auto values = std::get<std::span<const float>>(reply.data[i].vector);
    EXPECT_TRUE(std::ranges::equal(values, vector_of(texts.request.items[i].text, 8))) << i;
  }
}

// Refuses what `bad` says, without naming an item; for as many calls as there may be.
void refuse(ScriptedEmbedder& inner, std::function<bool(const api::EmbedRequest&)> bad, int status = 400) {
  for (int i = 0; i < 100; ++i) {
    inner.script.push_back([&inner, bad, status](const api::EmbedRequest& r) -> Result<api::EmbedReply> {
      if (!bad(r)) return inner.good(r);
      return fail(Error(ErrorCode::upstream_rejected, "the provider answered").with_upstream_status(status));
    });
  }
}

bool poisoned(const api::EmbedRequest& request) {
  return std::ranges::any_of(request.items, [](const api::Item& item) { return item.text == "poison"; });
}

std::vector<std::string> numbered(std::size_t n) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < n; ++i) texts.push_back("t" + std::to_string(i));
  return texts;
}

TEST(Split, sends_parts_within_the_limits_and_joins_them_in_order) {
  Bench bench({.items = 2, .tokens = 8});
  const TextRequest texts({"aaaa", "bbbb", "cccc", "dddddddddddd", "e", "f", "g"});
  const auto reply = bench.embed(texts);
  ASSERT_TRUE(reply);
  const std::vector<std::vector<std::string>> parts{
      {"aaaa", "bbbb"}, {"cccc"}, {"dddddddddddd"}, {"e", "f"}, {"g"}};
  EXPECT_EQ(bench.inner->asked, parts);
  expect_right(*reply, texts);
  EXPECT_EQ(reply->usage.prompt_tokens, 7U);
}

TEST(Split, counts_bytes_as_they_are_written) {
  Bench bench({.bytes = kEnvelope + 20});
  const TextRequest texts(
      {"12345678", "123456", "\n\"\x01", "123456"});  // 11, 9, then 15, 9 with what is around
  ASSERT_TRUE(bench.embed(texts));
  ASSERT_EQ(bench.calls(), 3U);
  EXPECT_EQ(bench.inner->asked[0].size(), 2U);
}

TEST(Split, a_failed_part_leaves_its_items_and_keeps_the_others) {
  Bench bench({.items = 2});
  bench.inner->script = {[&](const api::EmbedRequest& r) { return bench.inner->good(r); },
                         fails_with(ErrorCode::upstream_error)};
  const TextRequest texts(numbered(8));
  const auto reply = bench.embed(texts);
  ASSERT_TRUE(reply);
  EXPECT_EQ(bench.calls(), 4U);
  ASSERT_EQ(reply->failed.size(), 2U);
  EXPECT_EQ(reply->failed[0].item, 2U);
  EXPECT_EQ(reply->failed[1].error.code(), ErrorCode::upstream_error);
  expect_right(*reply, texts);
}

TEST(Split, stops_sending_to_an_endpoint_that_is_down) {
  Bench bench({.items = 1}, 1);
  for (int i = 0; i < 50; ++i) bench.inner->script.push_back(fails_with(ErrorCode::upstream_unreachable));
  const auto reply = bench.embed(TextRequest(numbered(50)));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code(), ErrorCode::upstream_unreachable);
  EXPECT_EQ(bench.calls(), 2U);
}

TEST(Split, names_the_item_by_its_place_in_the_whole_request) {
  Bench bench({.items = 2}, 1);
  bench.inner->script = {[&](const api::EmbedRequest& r) { return bench.inner->good(r); },
                         [](const api::EmbedRequest&) -> Result<api::EmbedReply> {
                           return fail(Error(ErrorCode::context_length_exceeded,
                                             "input[1] has 900 tokens; at most 512 are taken")
                                           .with_item(1)
                                           .with_param("input[1]"));
                         }};
  const auto reply = bench.embed(TextRequest({"a", "b", "c", "d"}));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().item(), 3U);
  EXPECT_EQ(reply.error().param(), "input[3]");
  EXPECT_EQ(reply.error().message(), "input[3] has 900 tokens; at most 512 are taken");
}

TEST(Split, C7_finds_the_text_the_provider_refuses_and_names_it) {
  for (const std::size_t at : {0U, 1U, 5U, 8U, 15U}) {
    Bench bench({.items = 16});
    refuse(*bench.inner, poisoned);
    auto words = numbered(20);
    words[at] = "poison";
    const auto reply = bench.embed(TextRequest(words));
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().http_status(), 400);
    EXPECT_EQ(reply.error().param(), "input[" + std::to_string(at) + "]");
    EXPECT_EQ(reply.error().item(), at);
    EXPECT_LE(bench.calls(), 2U + 5U);
  }
}

TEST(Split, C7_answers_the_others_where_a_part_is_wanted) {
  for (const std::size_t at : {0U, 7U, 8U, 15U, 19U}) {
    Bench bench({.items = 16});
    refuse(*bench.inner, poisoned);
    auto words = numbered(20);
    words[at] = "poison";
    TextRequest texts(words);
    texts.request.partial = true;
    const auto reply = bench.embed(texts);
    ASSERT_TRUE(reply);
    ASSERT_EQ(reply->failed.size(), 1U) << at;
    EXPECT_EQ(reply->failed[0].item, at);
    EXPECT_EQ(reply->failed[0].error.param(), "input[" + std::to_string(at) + "]");
    expect_right(*reply, texts);
    EXPECT_EQ(reply->usage.prompt_tokens, 19U);
    EXPECT_LE(bench.calls(), 2U + 5U);
  }
}

TEST(Split, a_refusal_of_everything_names_no_item) {
  Bench bench({.items = 3});
  refuse(*bench.inner, [](const api::EmbedRequest&) { return true; });
  const auto reply = bench.embed(TextRequest(numbered(6)));
  ASSERT_FALSE(reply);
  EXPECT_FALSE(reply.error().item());
  EXPECT_EQ(reply.error().message(), "the provider answered");
}

TEST(Split, C7_learns_that_fewer_items_are_taken_than_declared_until_it_forgets) {
  Bench bench({.items = 96});
  refuse(*bench.inner, [](const api::EmbedRequest& r) { return r.items.size() > 10; });
  const TextRequest texts(numbered(96));
  auto reply = bench.embed(texts);
  ASSERT_TRUE(reply) << reply.error().message();
  EXPECT_TRUE(reply->failed.empty());
  expect_right(*reply, texts);
  const std::size_t learning = bench.calls();
  ASSERT_TRUE(bench.embed(texts));
  for (std::size_t i = learning; i < bench.calls(); ++i) EXPECT_LE(bench.inner->asked[i].size(), 10U);
  bench.clock.advance(LearnedLimits::kHold);
  const std::size_t before = bench.calls();
  ASSERT_TRUE(bench.embed(texts));
  EXPECT_EQ(bench.inner->asked[before].size(), 96U);
}

TEST(Split, C7_learns_that_fewer_bytes_are_taken_from_a_413) {
  Bench bench;
  const auto bytes = [](const api::EmbedRequest& r) {
    std::size_t sum = 0;
    for (const api::Item& item : r.items) sum += item.text.size();
    return sum > 100;
  };
  refuse(*bench.inner, bytes, 413);
  const TextRequest texts(std::vector<std::string>(16, std::string(20, 'x')));
  ASSERT_TRUE(bench.embed(texts));
  const std::size_t learning = bench.calls();
  ASSERT_TRUE(bench.embed(texts));
  for (std::size_t i = learning; i < bench.calls(); ++i) EXPECT_LE(bench.inner->asked[i].size(), 5U);
}

// Holds every call until told to let go. Beyond so many at a time it answers 429, at once.
class Holding final : public Embedder {
 public:
  explicit Holding(asio::io_context& io) : release(io, Timer::time_point::max()) {}
  std::string_view name() const override { return "holding"; }
  Task<Result<api::EmbedReply>> embed(const api::EmbedRequest& request, Call&) override {
    struct Count {
      explicit Count(int& of) : n(of) { ++n; }
      ~Count() { --n; }
      int& n;
    };
    if (under_way >= takes) {
      ++refused;
      co_return fail(Error(ErrorCode::upstream_rate_limited, "slower").with_upstream_status(429));
    }
    const Count count(under_way);
    most = std::max(most, under_way);
    boost::system::error_code error;
    co_await release.async_wait(asio::redirect_error(kAwait, error));
    auto reply = maker.good(request);
    co_return reply;
  }
  Timer release;
  ScriptedEmbedder maker;
  int takes = std::numeric_limits<int>::max();
  int under_way = 0, most = 0, refused = 0;
};

struct HoldingBench : Endpoint {
  explicit HoldingBench(std::uint32_t limit) {
    auto holding = std::make_unique<Holding>(io);
    inner = holding.get();
    split_before(std::move(holding), {.items = 1}, limit);
  }
  ~HoldingBench() { split.reset(); }  // its timer before io
  HoldingBench(const HoldingBench&) = delete;
  HoldingBench& operator=(const HoldingBench&) = delete;
  void begin(const TextRequest& texts) {
    asio::co_spawn(
        io, split->embed(texts.request, call),
        [&](const std::exception_ptr&, Result<api::EmbedReply> r) { reply.emplace(std::move(r)); });
    io.poll();
  }
  // So many times what is under way is answered.
  void answer(int times) {
    for (int i = 0; i < times && !reply; ++i) {
      clock.advance(std::chrono::milliseconds(1));
      inner->release.cancel();
      io.poll();
    }
  }
  asio::io_context io{1};
  Holding* inner = nullptr;
  std::optional<Result<api::EmbedReply>> reply;  // of what was begun
};

TEST(Split, parts_go_side_by_side_and_leave_a_quarter_of_the_places_to_others) {
  HoldingBench bench(8);
  const TextRequest texts(numbered(30));
  bench.begin(texts);
  bench.answer(30);
  ASSERT_TRUE(bench.reply && *bench.reply);
  expect_right(**bench.reply, texts);
  EXPECT_EQ(bench.inner->most, 6);
}

TEST(Split, refuses_at_once_without_a_place_but_waits_its_turn_once_under_way) {
  HoldingBench bench(1);
  auto held = bench.places.take();
  const TextRequest texts({"a"});
  const auto refused = run_task(bench.split->embed(texts.request, bench.call));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::overloaded);

  bench.call.attempts.emplace_back();
  bench.begin(texts);
  EXPECT_FALSE(bench.reply);
  held.reset();
  bench.io.poll();
  bench.answer(1);
  EXPECT_TRUE(bench.reply && *bench.reply);
}

TEST(Split, C5_parts_that_are_too_many_at_a_time_are_sent_later_by_those_that_go_on) {
  for (const int takes : {1, 2, 4, 7}) {
    HoldingBench bench(64);
    bench.inner->takes = takes;
    const TextRequest texts(numbered(200));
    bench.begin(texts);
    bench.answer(200);
    ASSERT_TRUE(bench.reply && *bench.reply) << takes;
    EXPECT_TRUE((*bench.reply)->failed.empty());
    expect_right(**bench.reply, texts);
    EXPECT_LE(bench.places.limit(), static_cast<std::uint32_t>(takes) + 1);
    EXPECT_EQ(bench.inner->most, takes);
    EXPECT_LE(bench.inner->refused, 64);
  }
}

TEST(Split, C5_a_part_that_is_refused_with_no_other_under_way_has_failed) {
  HoldingBench bench(64);
  bench.inner->takes = 0;
  const TextRequest texts(numbered(50));
  bench.begin(texts);
  ASSERT_TRUE(bench.reply);
  ASSERT_FALSE(*bench.reply);
  EXPECT_EQ(bench.reply->error().code(), ErrorCode::upstream_rate_limited);
  EXPECT_LE(bench.inner->refused, 2);
}

TEST(Split, C5_gives_up_places_to_those_who_wait_where_there_are_fewer_than_declared) {
  HoldingBench bench(8);
  bench.inner->takes = 2;
  const TextRequest texts(numbered(40));
  bench.begin(texts);
  for (int i = 0; i < 10 && bench.places.limit() > 2; ++i) bench.answer(1);
  ASSERT_EQ(bench.inner->under_way, 2);
  bool served = false;
  asio::co_spawn(
      bench.io, bench.places.wait(Places::Time::max()),
      [&](const std::exception_ptr&, const std::optional<Place>& place) { served = place.has_value(); });
  bench.io.poll();
  bench.answer(1);
  EXPECT_TRUE(served);
  bench.answer(40);
  EXPECT_TRUE(bench.reply && *bench.reply);
}

TEST(Split, C5_where_there_are_fewer_places_than_declared_the_last_endpoint_is_waited_for) {
  HoldingBench bench(2);
  {
    auto first = bench.places.take(), second = bench.places.take();
    const Error rate(ErrorCode::upstream_rate_limited, "slower");
    bench.places.report(&rate, bench.clock.now(), bench.clock.now());
  }
  ASSERT_EQ(bench.places.limit(), 1U);
  auto held = bench.places.take();
  const TextRequest texts({"a"});
  const auto refused = run_task(bench.split->embed(texts.request, bench.call));
  ASSERT_FALSE(refused) << "another endpoint is to be asked";
  EXPECT_EQ(refused.error().code(), ErrorCode::overloaded);

  bench.call.last_endpoint = true;
  bench.begin(texts);
  EXPECT_FALSE(bench.reply);
  held.reset();
  bench.io.poll();
  bench.answer(1);
  EXPECT_TRUE(bench.reply && *bench.reply);
}

TEST(Split, B13_a_caller_that_leaves_cancels_every_part_and_no_more_begin) {
  HoldingBench bench(8);
  const TextRequest texts(numbered(30));
  asio::cancellation_signal cancel;
  bool thrown = false;
  asio::co_spawn(bench.io, bench.split->embed(texts.request, bench.call),
                 asio::bind_cancellation_slot(
                     cancel.slot(), [&](const std::exception_ptr& error, const Result<api::EmbedReply>&) {
                       thrown = error != nullptr;
                     }));
  bench.io.poll();
  ASSERT_EQ(bench.inner->under_way, 6);
  cancel.emit(asio::cancellation_type::terminal);
  bench.io.poll();
  EXPECT_TRUE(thrown);
  EXPECT_EQ(bench.inner->under_way, 0);
  EXPECT_EQ(bench.inner->most, 6);
  std::vector<Place> all;
  while (auto place = bench.places.take()) all.push_back(*std::move(place));
  EXPECT_EQ(all.size(), 8U);
}

}  // namespace
}  // namespace embedrouter::embed
