#pragma once
#include <atomic>
#include <cstddef>
#include <optional>
#include <utility>

namespace embedrouter::gateway {

// Bytes of request bodies held at once, over all threads; the door of the router. Thread-safe.
class InFlight {
 public:
  explicit InFlight(std::size_t most) : most_(most) {}

  // Gives its bytes back when it goes.
  class Permit {
   public:
    Permit(InFlight& door, std::size_t bytes) : door_(&door), bytes_(bytes) {}
    Permit(Permit&& other) noexcept : door_(std::exchange(other.door_, nullptr)), bytes_(other.bytes_) {}
    Permit& operator=(Permit&&) = delete;
    ~Permit() {
      if (door_ != nullptr) door_->held_.fetch_sub(bytes_, std::memory_order_relaxed);
    }

   private:
    InFlight* door_;
    std::size_t bytes_;
  };

  // From now on. What is held beyond a smaller bound is let go in its own time.
  void set_most(std::size_t most) noexcept { most_.store(most, std::memory_order_relaxed); }
  // nullopt if that many more would be too many.
  std::optional<Permit> enter(std::size_t bytes) {
    const std::size_t before = held_.fetch_add(bytes, std::memory_order_relaxed);
    if (before + bytes <= most_.load(std::memory_order_relaxed))
      return std::optional<Permit>(std::in_place, *this, bytes);
    held_.fetch_sub(bytes, std::memory_order_relaxed);
    return std::nullopt;
  }
  std::size_t held() const noexcept { return held_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::size_t> most_;
  std::atomic<std::size_t> held_{0};
};

}  // namespace embedrouter::gateway
