#pragma once
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

#include "base/buffer.h"
#include "net/stream.h"
#include "net/waiter.h"

namespace embedrouter::net {

// What a connection has received and nobody has taken yet. One read is kept pending behind it, so that the
// other side's leaving is noticed at any time and the next message costs no extra system call. Owner:
// on_unawaited_read(), called when a read ended that no coroutine waited for. One thread.
template <class Stream, class Owner>
class Inbox {
 public:
  Inbox(Stream& stream, std::size_t room)
      : stream_(stream), waiter_(stream.get_executor()), initial_(room), buffer_(room) {}

  std::string_view unread() const noexcept { return buffer_.view().substr(begin_); }
  std::span<char> unread_bytes() noexcept { return {buffer_.data() + begin_, buffer_.size() - begin_}; }
  void consume(std::size_t n) noexcept { begin_ += n; }
  // Where `unread` is in the buffer, for drop_unread().
  std::size_t taken() const noexcept { return begin_; }
  bool reading() const noexcept { return reading_; }
  // Nothing more will come: end of stream, or an error.
  bool ended() const noexcept { return ended_; }
  const error_code& error() const noexcept { return error_; }
  std::size_t room() const noexcept { return buffer_.capacity() - buffer_.size(); }
  std::size_t capacity() const noexcept { return buffer_.capacity(); }

  // Begins a read, unless one is pending, the stream has ended, or there is no room.
  void start(std::shared_ptr<Owner> owner) {
    if (reading_ || ended_ || room() == 0) return;
    reading_ = true;
    char* tail = buffer_.data() + buffer_.size();
    stream_.async_read_some(asio::buffer(tail, room()),
                            [this, owner = std::move(owner), promise = Waiter::Promise(waiter_)](
                                const error_code& error, std::size_t n) mutable {
                              promise.kept();
                              reading_ = false;
                              buffer_.grow_by(n);
                              if (error) end(error);
                              if (waiter_.waiting()) {
                                waiter_.wake();
                              } else {
                                owner->on_unawaited_read();
                              }
                            });
  }
  // For the pending read to end. False if the coroutine was cancelled instead.
  Task<bool> wait() { return waiter_.wait(); }

  void end(const error_code& error) {
    ended_ = true;
    error_ = error;
  }

  // These move bytes: no read may be pending, and views into the taken part end here.

  // Room for the next message: what was taken goes, and a buffer that had to grow shrinks back.
  void rewind() {
    const std::string_view rest = unread();
    if (buffer_.capacity() > initial_ && rest.size() < initial_) {
      Buffer smaller(initial_);
      smaller.append(rest);
      buffer_ = std::move(smaller);
    } else {
      if (begin_ > 0) std::memmove(buffer_.data(), rest.data(), rest.size());
      buffer_.resize_down(rest.size());
    }
    begin_ = 0;
  }
  // Takes everything unread away, keeping the first `kept` bytes of the buffer.
  void drop_unread(std::size_t kept) noexcept {
    buffer_.resize_down(kept);
    begin_ = kept;
  }
  void grow(std::size_t capacity) { buffer_.reserve(capacity); }

 private:
  Stream& stream_;
  Waiter waiter_;
  std::size_t initial_;
  Buffer buffer_;
  std::size_t begin_ = 0;  // of the unread bytes
  bool reading_ = false;
  bool ended_ = false;
  error_code error_;
};

}  // namespace embedrouter::net
