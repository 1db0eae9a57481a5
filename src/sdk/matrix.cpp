#include <embedrouter/matrix.h>

#include <algorithm>
#include <cmath>

namespace embedrouter::sdk::inline v0 {
namespace {

constexpr std::size_t kLanes = 8;

// Sums in lanes, so that the compiler may use wide registers without being told to reorder.
double dot(std::span<const float> a, std::span<const float> b) noexcept {
  double lanes[kLanes] = {};
  const std::size_t size = std::min(a.size(), b.size());
  std::size_t i = 0;
  for (; i + kLanes <= size; i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane)
      lanes[lane] += static_cast<double>(a[i + lane]) * static_cast<double>(b[i + lane]);
  }
  double sum = 0;
  for (; i < size; ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  for (const double lane : lanes) sum += lane;
  return sum;
}

double cosine_of(double product, double squared_a, double squared_b) noexcept {
  if (squared_a <= 0 || squared_b <= 0) return 0;
  return std::clamp(product / std::sqrt(squared_a) / std::sqrt(squared_b), -1.0, 1.0);
}

}  // namespace

double cosine(std::span<const float> a, std::span<const float> b) noexcept {
  return cosine_of(dot(a, b), dot(a, a), dot(b, b));
}

std::vector<Match> top_k(const Matrix& matrix, std::span<const float> query, std::size_t k) {
  if (matrix.width() != query.size() || k == 0) return {};
  std::vector<Match> matches;
  matches.reserve(matrix.rows());
  const double squared = dot(query, query);
  for (std::size_t i = 0; i < matrix.rows(); ++i) {
    const auto row = matrix.row(i);
    const double value = cosine_of(dot(row, query), dot(row, row), squared);
    // A row that is NaN (a failed item) is like nothing.
    if (!std::isnan(value)) matches.push_back({i, value});
  }
  const auto better = [](const Match& a, const Match& b) {
    return a.cosine != b.cosine ? a.cosine > b.cosine : a.row < b.row;
  };
  const std::size_t count = std::min(k, matches.size());
  std::partial_sort(matches.begin(), matches.begin() + static_cast<std::ptrdiff_t>(count), matches.end(),
                    better);
  matches.resize(count);
  return matches;
}

}  // namespace embedrouter::sdk::inline v0
