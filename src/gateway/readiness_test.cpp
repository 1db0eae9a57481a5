#include "gateway/readiness.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>

#include "testing/scripted_embedder.h"

namespace embedrouter::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ScriptedEmbedder;

constexpr milliseconds kInterval{20};  // the tests wait for it in real time

// Answers well, or, while wedged, not at all.
class WedgedEmbedder final : public embed::Embedder {
 public:
  explicit WedgedEmbedder(asio::io_context& io) : release_(io.get_executor()) {}
  std::string_view name() const override { return "wedged"; }
  Task<Result<api::EmbedReply>> embed(const api::EmbedRequest& request, embed::Call& call) override {
    ++asked;
    if (wedged) {
      boost::system::error_code released;
      release_.expires_at(Timer::time_point::max());
      co_await release_.async_wait(asio::redirect_error(kAwait, released));
    }
    auto reply = co_await good_.embed(request, call);
    co_return reply;
  }
  void release() {
    wedged = false;
    release_.cancel();
  }

  bool wedged = false;
  int asked = 0;

 private:
  Timer release_;
  ScriptedEmbedder good_;
};

struct Bench {
  void begin(std::unique_ptr<embed::Embedder> model, embed::VectorContract contract = {8, true, false}) {
    probe = std::make_unique<Probe>(readiness, 0, io.get_executor());
    probe->use(std::move(model), contract, [this] { return busy; });
    asio::co_spawn(io, probe->run(), asio::detached);
  }
  template <class Condition>
  bool within_patience(Condition condition) {
    for (int i = 0; i < 2000 && !condition(); ++i) io.run_one_for(milliseconds(10));
    return condition();
  }
  bool ready() const { return !readiness.fault(); }

  ManualClock clock;
  std::chrono::nanoseconds busy{0};
  Readiness readiness{clock, kInterval, 1};
  asio::io_context io{1};
  std::unique_ptr<Probe> probe;
};

TEST(Readiness, is_not_ready_before_the_first_success) {
  Bench bench;
  ASSERT_TRUE(bench.readiness.fault());
  EXPECT_EQ(bench.readiness.fault()->code(), ErrorCode::not_ready);
  bench.begin(std::make_unique<ScriptedEmbedder>());
  EXPECT_TRUE(bench.within_patience([&] { return bench.ready(); }));
}

TEST(Readiness, turns_within_two_intervals_when_the_model_wedges_and_back_when_it_goes_on) {
  Bench bench;
  auto owned = std::make_unique<WedgedEmbedder>(bench.io);
  WedgedEmbedder& model = *owned;
  bench.begin(std::move(owned));
  ASSERT_TRUE(bench.within_patience([&] { return bench.ready(); }));

  model.wedged = true;
  const int before = model.asked;
  ASSERT_TRUE(bench.within_patience([&] { return model.asked > before; }));
  EXPECT_TRUE(bench.ready()) << "two intervals have not passed";
  bench.clock.advance(2 * kInterval + milliseconds(1));
  ASSERT_TRUE(bench.readiness.fault());
  EXPECT_NE(bench.readiness.fault()->message().find("I/O thread 0"), std::string::npos);

  model.release();
  EXPECT_TRUE(bench.within_patience([&] { return bench.ready(); }));
}

TEST(Readiness, g4_falls_while_one_compute_thread_hangs_though_another_answers_and_recovers) {
  Bench bench;
  bench.begin(std::make_unique<ScriptedEmbedder>());
  ASSERT_TRUE(bench.within_patience([&] { return bench.ready(); }));
  bench.busy = kInterval;  // a long batch is no fault
  bench.clock.advance(2 * kInterval + milliseconds(1));
  EXPECT_TRUE(bench.within_patience([&] { return bench.ready(); }));

  bench.busy = seconds(3);
  bench.clock.advance(2 * kInterval + milliseconds(1));
  const auto told = [&] {
    const auto fault = bench.readiness.fault();
    return fault && fault->message().find("at one batch for 3.0 s") != std::string::npos;
  };
  EXPECT_TRUE(bench.within_patience(told));
  EXPECT_FALSE(bench.ready());
  bench.busy = seconds(0);
  EXPECT_TRUE(bench.within_patience([&] { return bench.ready(); }));
}

TEST(Readiness, a_model_that_fails_is_named_with_its_reason) {
  Bench bench;
  auto model = std::make_unique<ScriptedEmbedder>();
  for (int i = 0; i < 2; ++i) model->script.push_back(testing::fails_with(ErrorCode::overloaded));
  bench.begin(std::move(model));
  bench.within_patience([&] {
    const auto fault = bench.readiness.fault();
    return fault && fault->message().find("as the script says") != std::string::npos;
  });
  ASSERT_TRUE(bench.readiness.fault());
  EXPECT_NE(bench.readiness.fault()->message().find("as the script says"), std::string::npos);
  EXPECT_TRUE(bench.within_patience([&] { return bench.ready(); })) << "it tries again";
}

TEST(Readiness, a_vector_that_does_not_pass_the_gate_is_no_success) {
  Bench bench;
  bench.begin(std::make_unique<ScriptedEmbedder>(8), {16, true, false});
  bench.within_patience([&] {
    const auto fault = bench.readiness.fault();
    return fault && fault->message().find(": ") != std::string::npos;
  });
  EXPECT_FALSE(bench.ready());
}

TEST(Readiness, another_model_is_tested_at_once) {
  Bench bench;
  bench.begin(std::make_unique<ScriptedEmbedder>(8), {16, true, false});
  ASSERT_TRUE(bench.within_patience([&] {
    const auto fault = bench.readiness.fault();
    return fault && fault->message().find(": ") != std::string::npos;
  }));
  bench.readiness.set_interval(std::chrono::hours(1));
  bench.io.run_for(3 * kInterval);  // it now waits for an hour
  bench.probe->use(std::make_shared<ScriptedEmbedder>(8), {8, true, false}, [&] { return bench.busy; });
  EXPECT_TRUE(bench.within_patience([&] { return bench.ready(); })) << "without waiting for the interval";
}

TEST(Readiness, without_a_model_every_thread_must_answer) {
  ManualClock clock;
  Readiness readiness(clock, seconds(5), 2);
  asio::io_context io{1};
  Probe first(readiness, 0, io.get_executor());
  asio::co_spawn(io, first.run(), asio::detached);
  io.run_one();
  ASSERT_TRUE(readiness.fault());
  EXPECT_NE(readiness.fault()->message().find("I/O thread 1"), std::string::npos);
  readiness.works(1);
  EXPECT_FALSE(readiness.fault());
  clock.advance(seconds(10));
  EXPECT_FALSE(readiness.fault()) << "two intervals are not over";
  clock.advance(milliseconds(1));
  EXPECT_TRUE(readiness.fault());
}

}  // namespace
}  // namespace embedrouter::gateway
