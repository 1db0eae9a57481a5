#include "routing/spaces.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

namespace embedrouter::routing {
namespace {

// The canaries' vectors, all turned by the angle whose cosine is given.
Fingerprint at(double cosine, std::uint32_t width = 8) {
  Fingerprint made{width, std::vector<float>(std::size_t{width} * canary_texts().size())};
  for (std::size_t i = 0; i < canary_texts().size(); ++i) {
    made.values[i * width] = static_cast<float>(cosine);
    made.values[i * width + 1] = static_cast<float>(std::sqrt(1 - cosine * cosine));
  }
  return made;
}

SpaceMember enrolled(double noise_cosine = 1) {
  SpaceMember member;
  member.enroll(at(1), at(noise_cosine), nullptr, 0.9995);
  return member;
}

TEST(Spaces, canaries_are_few_short_and_different) {
  const auto texts = canary_texts();
  EXPECT_GE(texts.size(), 3U);
  EXPECT_LE(texts.size(), 8U);
  EXPECT_EQ(std::set<std::string_view>(texts.begin(), texts.end()).size(), texts.size());
  for (const std::string_view text : texts) EXPECT_LE(text.size(), 64U);
}

TEST(Spaces, likeness_is_that_of_the_least_alike_canary) {
  Fingerprint other = at(1);
  other.values[2 * 8 + 1] = 1;  // the third at 45 degrees
  const Likeness likeness = compare(at(1), other);
  EXPECT_EQ(likeness.canary, 2U);
  EXPECT_NEAR(likeness.cosine, std::sqrt(0.5), 1e-6);
  EXPECT_EQ(compare(at(1), at(1, 16)).cosine, 0) << "another width";
  EXPECT_EQ(compare(at(1), Fingerprint{}).cosine, 0);
}

TEST(Spaces, enrolment_by_what_was_measured) {
  const Fingerprint reference = at(1);
  const struct {
    double first, again;
    const Fingerprint* reference;
    Verdict verdict;
  } kRows[] = {
      {1, 1, nullptr, Verdict::agreeing},      // it becomes the reference
      {0.5, 0.5, nullptr, Verdict::agreeing},  // whatever its vectors are
      {1, 0.98, nullptr, Verdict::held_out},   // it disagrees with itself
      {1, 1, &reference, Verdict::agreeing},   //
      {0.9996, 0.9996, &reference, Verdict::agreeing},
      {0.9994, 0.9994, &reference, Verdict::held_out},
      {1, 0.9994, &reference, Verdict::held_out},  // one of two measurements will do
      {0.9994, 1, &reference, Verdict::held_out},
  };
  for (const auto& row : kRows) {
    SpaceMember member;
    member.enroll(at(row.first), at(row.again), row.reference, 0.9995);
    EXPECT_EQ(member.verdict(), row.verdict) << row.first << " " << row.again;
    EXPECT_EQ(member.history().has_value(), row.verdict == Verdict::agreeing);
  }
}

TEST(Spaces, drift_is_believed_when_seen_twice_in_a_row) {
  SpaceMember member = enrolled();
  for (int i = 0; i < 3; ++i) {
    member.observe(at(0.9998));
    EXPECT_EQ(member.verdict(), Verdict::agreeing);
    EXPECT_TRUE(member.in_doubt());
    member.observe(at(1));
    EXPECT_FALSE(member.in_doubt()) << "a good one between begins anew";
  }
  member.observe(at(0.9998));
  member.observe(at(0.9998));
  EXPECT_EQ(member.verdict(), Verdict::quarantined);
}

TEST(Spaces, a_quarantined_endpoint_returns_when_it_is_as_it_was) {
  SpaceMember member = enrolled();
  for (int i = 0; i < 5; ++i) member.observe(at(0.9));
  EXPECT_EQ(member.verdict(), Verdict::quarantined);
  member.observe(at(0.99995));
  EXPECT_EQ(member.verdict(), Verdict::agreeing);
  member.observe(at(0.9));
  EXPECT_EQ(member.verdict(), Verdict::agreeing) << "and has two measurements again";
}

TEST(Spaces, many_small_steps_are_a_drift) {
  SpaceMember member = enrolled();
  double angle = 0;
  int steps = 0;
  for (; member.verdict() == Verdict::agreeing && steps < 100; ++steps)
    member.observe(at(std::cos(angle += 0.003)));
  EXPECT_LT(steps, 10);
}

TEST(Spaces, a_noisy_endpoint_has_a_limit_of_its_own) {
  const struct {
    double itself, limit;
  } kRows[] = {{1, 0.9999}, {0.99999, 0.9999}, {0.9998, 0.9996}, {0.992, 0.99}};
  for (const auto& row : kRows) EXPECT_NEAR(enrolled(row.itself).limit(), row.limit, 1e-6) << row.itself;
  SpaceMember noisy = enrolled(0.9998);
  for (int i = 0; i < 5; ++i) noisy.observe(at(0.9997));
  EXPECT_EQ(noisy.verdict(), Verdict::agreeing);
  for (int i = 0; i < 2; ++i) noisy.observe(at(0.9995));
  EXPECT_EQ(noisy.verdict(), Verdict::quarantined);
}

TEST(Spaces, verdicts_have_names_both_ways) {
  for (const Verdict verdict : {Verdict::unknown, Verdict::agreeing, Verdict::held_out, Verdict::quarantined})
    EXPECT_EQ(verdict_named(name_of(verdict)), verdict);
  EXPECT_FALSE(verdict_named("fine"));
}

}  // namespace
}  // namespace embedrouter::routing
