#include "routing/prober.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <map>

#include "routing/space_guard.h"
#include "testing/run_task.h"
#include "testing/scripted_embedder.h"

namespace embedrouter::routing {
namespace {

using std::chrono::milliseconds;
using testing::ScriptedEmbedder;
using testing::TextRequest;

struct Memory final : SpaceHistory {
  std::vector<SpaceRecord> read() override { return before; }
  void keep(const SpaceRecord& record) override {
    kept.insert_or_assign(record.endpoint, record.member.verdict());
  }
  void forget(std::string_view, std::string_view endpoint) override { forgotten.emplace_back(endpoint); }
  std::vector<std::string> released() override { return std::exchange(to_release, {}); }

  std::vector<SpaceRecord> before;
  std::map<std::string, Verdict> kept;
  std::vector<std::string> forgotten, to_release;
};

// Endpoints m@a, m@b, … of the space "s". Each answers with vectors of its own weights.
struct Bench {
  explicit Bench(std::size_t count) : endpoints(count) {
    model.id = "m";
    model.dimensions = 8;
    for (std::size_t i = 0; i < count; ++i) {
      endpoints[i].id = std::string("m@") + static_cast<char>('a' + i);
      endpoints[i].model = &model;
      endpoints[i].space = "s";
    }
    weights.assign(count, "");
    down.assign(count, false);
    clock.advance(std::chrono::hours(1));
    begin();
  }
  void begin() {
    std::vector<Prober::Member> members;
    upstreams.clear();
    for (std::size_t i = 0; i < endpoints.size(); ++i) {
      auto scripted = std::make_unique<Upstream>(*this, i);
      upstreams.push_back(scripted.get());
      members.push_back({&endpoints[i], std::move(scripted), &states[i]});
    }
    prober = std::make_unique<Prober>(
        std::move(members), memory, clock, ProberOptions{},
        [this](Task<void> task) { asio::co_spawn(io, std::move(task), asio::detached); },
        [this](const SpaceEvent& event) { events.push_back(event); });
  }
  // Nothing is known but what is kept.
  void restart() {
    prober.reset();
    states.clear();
    begin();
  }
  struct Upstream final : embed::Embedder {
    Upstream(Bench& b, std::size_t i) : bench(b), index(i) {}
    std::string_view name() const override { return "upstream"; }
    Task<Result<api::EmbedReply>> embed(const api::EmbedRequest& request, embed::Call& call) override {
      ++calls;
      bench.all_canaries = bench.all_canaries && call.canary;
      if (bench.down[index]) co_return fail(ErrorCode::upstream_unreachable, "down");
      ScriptedEmbedder honest;
      std::vector<std::string> texts;
      for (const api::Item& item : request.items)
        texts.push_back(std::string(item.text) + bench.weights[index]);
      if (bench.weights[index] == "mixed") std::ranges::reverse(texts);
      TextRequest other(texts);
      co_return honest.good(other.request);
    }
    Bench& bench;
    std::size_t index;
    std::size_t calls = 0;
  };

  void want(std::size_t i) { states[i].space.want(clock.now()); }
  void want_all() {
    for (std::size_t i = 0; i < endpoints.size(); ++i) want(i);
  }
  void look() {
    prober->look();
    io.restart();
    io.run();
  }
  void next_interval() {
    clock.advance(ProberOptions{}.interval);
    want_all();
    look();
  }
  Verdict verdict(std::size_t i) { return states[i].space.verdict(); }

  ManualClock clock;
  asio::io_context io;
  catalog::Model model;
  std::vector<catalog::Endpoint> endpoints;
  std::map<std::size_t, EndpointState> states;
  std::vector<std::string> weights;
  std::vector<bool> down;
  bool all_canaries = true;
  Memory memory;
  std::vector<Upstream*> upstreams;
  std::vector<SpaceEvent> events;
  std::unique_ptr<Prober> prober;
};

TEST(Prober, sends_nothing_without_traffic) {
  Bench bench(2);
  for (int i = 0; i < 5; ++i) {
    bench.clock.advance(std::chrono::hours(1));
    bench.look();
  }
  EXPECT_EQ(bench.upstreams[0]->calls + bench.upstreams[1]->calls, 0U);
  bench.want(0);
  bench.look();
  const std::size_t once = bench.upstreams[0]->calls;
  EXPECT_EQ(once, 2U) << "two measurements at first";
  bench.clock.advance(std::chrono::hours(1));
  bench.look();
  EXPECT_EQ(bench.upstreams[0]->calls, once) << "nobody came since";
  bench.next_interval();
  EXPECT_EQ(bench.upstreams[0]->calls, once + 1);
  EXPECT_TRUE(bench.all_canaries);
}

TEST(Prober, the_operators_first_endpoint_is_the_reference_whichever_is_wanted_first) {
  Bench bench(3);
  bench.weights = {"", "other", ""};
  bench.want(1);
  bench.look();
  EXPECT_EQ(bench.verdict(0), Verdict::agreeing);
  EXPECT_EQ(bench.verdict(1), Verdict::held_out);
  bench.want(2);
  bench.look();
  EXPECT_EQ(bench.verdict(2), Verdict::agreeing);
  EXPECT_EQ(bench.memory.kept.at("m@b"), Verdict::held_out);
}

TEST(Prober, the_first_that_answers_is_the_reference_where_the_first_does_not) {
  Bench bench(2);
  bench.down[0] = true;
  bench.weights[0] = "other";
  bench.want_all();
  bench.look();
  EXPECT_EQ(bench.verdict(0), Verdict::unknown);
  EXPECT_EQ(bench.verdict(1), Verdict::agreeing);
  bench.down[0] = false;
  bench.next_interval();
  EXPECT_EQ(bench.verdict(0), Verdict::held_out) << "there is a history by now";
}

TEST(Prober, a_held_out_endpoint_comes_in_when_it_agrees) {
  Bench bench(2);
  bench.weights[1] = "other";
  bench.want_all();
  bench.look();
  EXPECT_EQ(bench.verdict(1), Verdict::held_out);
  bench.weights[1] = "";
  bench.next_interval();
  EXPECT_EQ(bench.verdict(1), Verdict::agreeing);
}

TEST(Prober, swapped_weights_are_quarantined_at_the_next_probe_and_return_with_the_old_ones) {
  Bench bench(1);
  bench.want_all();
  bench.look();
  bench.weights[0] = "other";
  bench.next_interval();
  EXPECT_EQ(bench.verdict(0), Verdict::quarantined);
  EXPECT_EQ(bench.events.back().against, "its history");
  EXPECT_LT(bench.events.back().likeness.cosine, 0.99);
  bench.next_interval();
  EXPECT_EQ(bench.verdict(0), Verdict::quarantined);
  bench.weights[0] = "";
  bench.next_interval();
  EXPECT_EQ(bench.verdict(0), Verdict::agreeing);
}

TEST(Prober, an_endpoint_that_mixes_up_its_answers_disagrees_with_itself) {
  Bench bench(1);
  bench.weights[0] = "mixed";
  bench.want_all();
  bench.look();
  EXPECT_EQ(bench.verdict(0), Verdict::held_out);
  EXPECT_EQ(bench.events.back().against, "itself");
}

TEST(Prober, an_endpoint_that_does_not_answer_keeps_its_verdict) {
  Bench bench(1);
  bench.want_all();
  bench.look();
  bench.down[0] = true;
  bench.next_interval();
  EXPECT_EQ(bench.verdict(0), Verdict::agreeing);
}

TEST(Prober, an_endpoint_that_never_answered_is_asked_ever_more_rarely) {
  Bench bench(1);
  bench.down[0] = true;
  for (int i = 0; i < 600; ++i) {
    bench.clock.advance(milliseconds(100));
    bench.want_all();
    bench.look();
  }
  EXPECT_EQ(bench.verdict(0), Verdict::unknown);
  EXPECT_LE(bench.upstreams[0]->calls, 8U);
  EXPECT_GE(bench.upstreams[0]->calls, 4U);
}

TEST(Prober, what_was_kept_counts_after_a_restart) {
  Bench bench(2);
  bench.want_all();
  bench.look();
  const SpaceMember kept = bench.states[0].space.member();
  for (std::size_t i = 0; i < 2; ++i) {
    bench.memory.before.push_back(
        {"s", bench.endpoints[i].id, "",
         SpaceMember(i == 0 ? Verdict::quarantined : Verdict::agreeing, kept.history(), 0)});
  }
  bench.restart();
  EXPECT_EQ(bench.verdict(0), Verdict::quarantined);
  EXPECT_EQ(bench.verdict(1), Verdict::agreeing);
}

TEST(Prober, a_renamed_endpoint_is_held_against_what_its_space_was) {
  for (const bool same : {true, false}) {
    Bench bench(1);
    bench.want_all();
    bench.look();
    bench.memory.before = {{"s", "m@before", "", bench.states[0].space.member()}};
    bench.restart();
    EXPECT_FALSE(bench.prober->is_alone(bench.endpoints[0]));
    bench.weights[0] = same ? "" : "other";
    bench.want_all();
    bench.look();
    EXPECT_EQ(bench.verdict(0), same ? Verdict::agreeing : Verdict::held_out);
  }
}

TEST(Prober, a_released_endpoint_alone_begins_its_space_anew) {
  Bench bench(2);
  bench.want_all();
  bench.look();
  bench.weights = {"new", "new"};
  bench.next_interval();
  EXPECT_EQ(bench.verdict(0), Verdict::quarantined);
  EXPECT_EQ(bench.verdict(1), Verdict::quarantined);
  bench.memory.to_release = {"m@b"};
  bench.look();
  EXPECT_EQ(bench.verdict(1), Verdict::agreeing) << "nobody answers whom it could contradict";
  bench.next_interval();
  EXPECT_EQ(bench.verdict(0), Verdict::agreeing) << "and the others follow by agreement";
}

TEST(Prober, a_released_endpoint_does_not_come_between_others) {
  Bench bench(2);
  bench.want_all();
  bench.look();
  bench.weights[0] = "new";
  bench.next_interval();
  EXPECT_EQ(bench.verdict(0), Verdict::quarantined);
  bench.memory.to_release = {"m@a"};
  bench.look();
  EXPECT_EQ(bench.verdict(0), Verdict::held_out);
  EXPECT_EQ(bench.verdict(1), Verdict::agreeing);
}

TEST(Prober, tells_those_who_wait_the_verdict_or_why_there_is_none) {
  Bench bench(2);
  std::vector<std::string> told;
  const auto wait = [&](std::size_t i) {
    bench.prober->when_known(bench.endpoints[i], [&](const Result<void>& known) {
      told.push_back(known ? "known" : std::string(traits(known.error().code()).name));
    });
    bench.io.restart();
    bench.io.run();
  };
  bench.down[0] = true;
  wait(0);
  wait(0);  // at once: it has just failed
  wait(1);
  EXPECT_EQ(told, (std::vector<std::string>{"upstream_unreachable", "upstream_unreachable", "known"}));
  EXPECT_EQ(bench.upstreams[0]->calls, 1U);
}

TEST(SpaceGuard, waits_for_the_verdict_only_where_there_is_somebody_to_be_mistaken_for) {
  for (const std::size_t members : {1U, 2U}) {
    Bench bench(members);
    bench.weights.back() = members == 2 ? "other" : "";
    auto upstream = std::make_unique<ScriptedEmbedder>();
    ScriptedEmbedder& asked = *upstream;
    SpaceGuard guard(std::move(upstream), bench.endpoints.back(), bench.states[members - 1], *bench.prober,
                     bench.io.get_executor(), bench.io.get_executor());
    embed::Call call("gen", std::chrono::steady_clock::time_point::max());
    const TextRequest texts({"x"});
    std::optional<Result<api::EmbedReply>> reply;
    const auto run = [&]() -> Task<void> {
      auto got = co_await guard.embed(texts.request, call);
      reply = std::move(got);
    };
    asio::co_spawn(bench.io, run, asio::detached);
    bench.io.restart();
    bench.io.run();
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->has_value(), members == 1);
    EXPECT_EQ(asked.asked.size(), members == 1 ? 1U : 0U);
    if (!*reply) {
      EXPECT_EQ(reply->error().code(), ErrorCode::no_equivalent_upstream);
      EXPECT_TRUE(traits(reply->error().code()).fall_back);
    }
  }
}

}  // namespace
}  // namespace embedrouter::routing
