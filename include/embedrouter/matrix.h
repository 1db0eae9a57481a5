#pragma once
// Vectors, one a row, in one piece; and what one does with them.

#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace embedrouter::sdk::inline v0 {

// rows × width float32, row-major and contiguous: row i is at data() + i × width(). Immutable; copies are
// cheap and share the values, which live as long as one of them.
class Matrix {
 public:
  Matrix() = default;
  // `values` must hold rows × width floats.
  Matrix(std::shared_ptr<const float[]> values, std::size_t rows, std::size_t width)
      : values_(std::move(values)), rows_(rows), width_(width) {}

  // The shape: size() is rows() × width().
  std::size_t rows() const noexcept { return rows_; }
  std::size_t width() const noexcept { return width_; }
  std::size_t size() const noexcept { return rows_ * width_; }
  bool empty() const noexcept { return size() == 0; }
  // Null for a matrix that was made from nothing.
  const float* data() const noexcept { return values_.get(); }
  // `i` must be below rows(): it is not checked. Valid as long as the values.
  std::span<const float> row(std::size_t i) const noexcept { return {values_.get() + i * width_, width_}; }
  // As row().
  std::span<const float> operator[](std::size_t i) const noexcept { return row(i); }

 private:
  std::shared_ptr<const float[]> values_;
  std::size_t rows_ = 0;
  std::size_t width_ = 0;
};

// Of two vectors of one width, in [-1, 1]; 0 if one of them is all zeros. Accumulates in float64.
double cosine(std::span<const float> a, std::span<const float> b) noexcept;

// A row and how alike it is, in [-1, 1].
struct Match {
  std::size_t row = 0;
  double cosine = 0;
};
// The rows most like `query`, best first, at most `k`; among equals the lower row first. `query` must be as
// wide as the matrix: else nothing matches.
std::vector<Match> top_k(const Matrix& matrix, std::span<const float> query, std::size_t k);

}  // namespace embedrouter::sdk::inline v0
