#pragma once
// Vectors, one a row, in one piece; and what one does with them.

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace embedrouter::sdk::inline v0 {

// rows × width float32, row-major and contiguous: row i is at data() + i × width(). Moves; clone() copies.
class Matrix {
 public:
  Matrix() = default;
  // The values are not initialised.
  Matrix(std::size_t rows, std::size_t width)
      : values_(new float[rows * width]), rows_(rows), width_(width) {}
  Matrix(Matrix&& other) noexcept
      : values_(std::move(other.values_)),
        rows_(std::exchange(other.rows_, 0)),
        width_(std::exchange(other.width_, 0)) {}
  Matrix& operator=(Matrix&& other) noexcept {
    values_ = std::move(other.values_);
    rows_ = std::exchange(other.rows_, 0);
    width_ = std::exchange(other.width_, 0);
    return *this;
  }
  ~Matrix() = default;

  Matrix clone() const {
    Matrix copy(rows_, width_);
    if (size() != 0) std::memcpy(copy.data(), data(), size() * sizeof(float));
    return copy;
  }

  std::size_t rows() const noexcept { return rows_; }
  std::size_t width() const noexcept { return width_; }
  std::size_t size() const noexcept { return rows_ * width_; }
  bool empty() const noexcept { return size() == 0; }
  float* data() noexcept { return values_.get(); }
  const float* data() const noexcept { return values_.get(); }
  std::span<float> row(std::size_t i) noexcept { return {values_.get() + i * width_, width_}; }
  std::span<const float> row(std::size_t i) const noexcept { return {values_.get() + i * width_, width_}; }
  std::span<const float> operator[](std::size_t i) const noexcept { return row(i); }

 private:
  std::unique_ptr<float[]> values_;
  std::size_t rows_ = 0;
  std::size_t width_ = 0;
};

// Of two vectors of one width, in [-1, 1]; 0 if one of them is all zeros. Accumulates in float64.
double cosine(std::span<const float> a, std::span<const float> b) noexcept;

struct Match {
  std::size_t row = 0;
  double cosine = 0;
};
// The rows most like `query`, best first, at most `k`; among equals the lower row first. `query` must be as
// wide as the matrix: else nothing matches.
std::vector<Match> top_k(const Matrix& matrix, std::span<const float> query, std::size_t k);

}  // namespace embedrouter::sdk::inline v0
