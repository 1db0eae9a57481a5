#include "routing/spaces.h"

#include <algorithm>
#include <cmath>

#include "base/sha256.h"

namespace embedrouter::routing {
namespace {

constexpr std::array<std::string_view, 4> kTexts{
    "The harbour is quiet before sunrise.",
    "Wie viel kostet ein Kilo reife Äpfel?",
    "def area(radius): return 3.14159 * radius ** 2",
    "Invoice 4711: twelve boxes of copper wire, paid.",
};

constexpr std::array<std::string_view, 4> kVerdicts{"unknown", "agreeing", "held_out", "quarantined"};

double cosine(std::span<const float> a, std::span<const float> b) {
  double dot = 0;
  double aa = 0;
  double bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    dot += double{a[i]} * double{b[i]};
    aa += double{a[i]} * double{a[i]};
    bb += double{b[i]} * double{b[i]};
  }
  const double lengths = std::sqrt(aa * bb);
  return lengths > 0 ? dot / lengths : 0;
}

}  // namespace

std::span<const std::string_view> canary_texts() {
  return kTexts;
}

std::string canary_version() {
  std::string all;
  for (const std::string_view text : kTexts) (all += text) += '\0';
  constexpr std::size_t kEnough = 16;
  return to_hex(sha256(all)).substr(0, kEnough);
}

Likeness compare(const Fingerprint& a, const Fingerprint& b) {
  if (a.width == 0 || a.width != b.width || a.values.size() != b.values.size()) return {0, 0};
  Likeness least{2, 0};
  for (std::uint32_t i = 0; i < a.values.size() / a.width; ++i) {
    const std::size_t at = std::size_t{i} * a.width;
    const double alike =
        cosine(std::span(a.values).subspan(at, a.width), std::span(b.values).subspan(at, a.width));
    if (alike < least.cosine) least = {alike, i};
  }
  return least;
}

std::string_view name_of(Verdict verdict) noexcept {
  return kVerdicts[static_cast<std::size_t>(verdict)];
}

std::optional<Verdict> verdict_named(std::string_view name) noexcept {
  const auto* const found = std::ranges::find(kVerdicts, name);
  if (found == kVerdicts.end()) return std::nullopt;
  return static_cast<Verdict>(found - kVerdicts.begin());
}

// An endpoint whose answers differ by more than the limit from call to call has not drifted by doing so.
double SpaceMember::limit() const noexcept {
  return std::max(kNoisiest, std::min(kDriftLimit, 1 - kNoiseMargin * noise_));
}

void SpaceMember::enroll(const Fingerprint& first, const Fingerprint& again, const Fingerprint* reference,
                         double threshold) {
  forget();
  verdict_ = Verdict::held_out;
  const Likeness itself = compare(first, again);
  last_ = itself;
  if (itself.cosine < kNoisiest) return;
  if (reference != nullptr) {
    for (const Fingerprint* measured : {&first, &again}) {
      const Likeness alike = compare(*measured, *reference);
      if (alike.cosine < last_.cosine || measured == &first) last_ = alike;
    }
    if (last_.cosine < threshold) return;
  }
  verdict_ = Verdict::agreeing;
  noise_ = std::max(0.0, 1 - itself.cosine);
  history_ = first;
}

void SpaceMember::observe(const Fingerprint& measured) {
  last_ = compare(measured, *history_);
  if (last_.cosine >= limit()) {
    verdict_ = Verdict::agreeing;
    drifts_ = 0;
  } else if (++drifts_ >= kDriftsInARow) {
    verdict_ = Verdict::quarantined;
  }
}

}  // namespace embedrouter::routing
