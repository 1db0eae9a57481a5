#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <string_view>
#include <utility>

namespace embedrouter {

// A growable byte array that is never zeroed and always has kPadding readable bytes behind size(), so that
// vectorised parsers may read past the end. Moves, does not copy.
class Buffer {
 public:
  static constexpr std::size_t kPadding = 64;

  Buffer() = default;
  explicit Buffer(std::size_t capacity) { reserve(capacity); }
  explicit Buffer(std::string_view bytes) { append(bytes); }

  char* data() noexcept { return data_.get(); }
  const char* data() const noexcept { return data_.get(); }
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  std::size_t capacity() const noexcept { return capacity_; }
  std::string_view view() const noexcept { return {data_.get(), size_}; }

  // Large arrays grow in place or are remapped by the allocator, so that the old and the new one do not both
  // take memory.
  void reserve(std::size_t capacity) {
    if (capacity <= capacity_) return;
    void* bigger = std::realloc(data_.get(), capacity + kPadding);
    if (bigger == nullptr) throw std::bad_alloc();
    static_cast<void>(data_.release());
    data_.reset(static_cast<char*>(bigger));
    std::memset(data_.get() + capacity, 0, kPadding);
    capacity_ = capacity;
  }
  // Room for `n` more bytes behind size(); call grow_by(written) afterwards.
  std::span<char> prepare(std::size_t n) {
    if (size_ + n > capacity_) reserve(std::max(size_ + n, capacity_ * 2));
    return {data_.get() + size_, capacity_ - size_};
  }
  void grow_by(std::size_t written) noexcept { size_ += written; }
  void append(std::string_view bytes) {
    if (bytes.empty()) return;
    prepare(bytes.size());
    std::memcpy(data_.get() + size_, bytes.data(), bytes.size());
    size_ += bytes.size();
  }
  void resize_down(std::size_t size) noexcept { size_ = size; }
  void clear() noexcept { size_ = 0; }

 private:
  struct Free {
    void operator()(char* bytes) const noexcept { std::free(bytes); }
  };
  std::unique_ptr<char, Free> data_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace embedrouter
