#pragma once
#include <cstddef>
#include <deque>
#include <string>

namespace embedrouter::tokenizer {

// A buffer of this thread, empty, for as long as the object lives. Kept from text to text, but a huge text
// must not hold its memory for ever. Objects of one thread end in the reverse order of their making.
template <class Buffer = std::string>
class Scratch {
 public:
  Scratch() : buffer_(take()) { buffer_.clear(); }
  ~Scratch() {
    constexpr std::size_t kKeptBytes = 1 << 20;
    if (buffer_.capacity() * sizeof(buffer_[0]) > kKeptBytes) Buffer().swap(buffer_);
    --pool().used;
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  Buffer* operator->() noexcept { return &buffer_; }
  Buffer& operator*() noexcept { return buffer_; }

 private:
  struct Pool {
    std::deque<Buffer> buffers;
    std::size_t used = 0;
  };
  static Pool& pool() {
    thread_local Pool pool;
    return pool;
  }
  static Buffer& take() {
    Pool& all = pool();
    if (all.used == all.buffers.size()) all.buffers.emplace_back();
    return all.buffers[all.used++];
  }

  Buffer& buffer_;
};

}  // namespace embedrouter::tokenizer
