#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace embedrouter {

// The bytes of an HTTP message body as pieces to be written one after the other, and what keeps them alive. A
// vector that passes through the router is a piece that points into the upstream's answer. Writers (api/)
// copy short pieces together, so that 2,048 small vectors do not become thousands of write vectors.
class Body {
 public:
  Body() = default;
  explicit Body(std::string text) { append(std::move(text)); }

  void append(std::string text) {
    if (text.empty()) return;
    auto owned = std::make_shared<const std::string>(std::move(text));
    size_ += owned->size();
    pieces_.emplace_back(*owned);
    owners_.push_back(std::move(owned));
  }
  // `view` must stay valid while `owner` (kept with keep_alive) lives.
  void append_view(std::string_view view) {
    if (view.empty()) return;
    size_ += view.size();
    pieces_.push_back(view);
  }
  void keep_alive(std::shared_ptr<const void> owner) { owners_.push_back(std::move(owner)); }

  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  const std::vector<std::string_view>& pieces() const noexcept { return pieces_; }
  std::string to_string() const {
    std::string all;
    all.reserve(size_);
    for (std::string_view piece : pieces_) all.append(piece);
    return all;
  }

 private:
  std::vector<std::string_view> pieces_;
  std::vector<std::shared_ptr<const void>> owners_;
  std::size_t size_ = 0;
};

}  // namespace embedrouter
