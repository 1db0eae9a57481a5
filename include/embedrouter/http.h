#pragma once
// HTTP as the SDK sees it: what a transport sends, what it brings back.

#include <chrono>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace embedrouter::sdk::inline v0 {

// In the order they are sent or came. Names are compared without regard to case.
class Headers {
 public:
  // Name and value.
  using Entry = std::pair<std::string, std::string>;

  Headers() = default;
  Headers(std::initializer_list<Entry> entries) : entries_(entries) {}

  // The first value under `name`, or null. Valid until the headers change.
  const std::string* find(std::string_view name) const noexcept;
  // Replaces what is under `name`, or adds it.
  void set(std::string_view name, std::string value);
  // Beside what is under `name` already.
  void add(std::string name, std::string value) { entries_.emplace_back(std::move(name), std::move(value)); }

  auto begin() const noexcept { return entries_.begin(); }
  auto end() const noexcept { return entries_.end(); }
  std::size_t size() const noexcept { return entries_.size(); }
  bool empty() const noexcept { return entries_.empty(); }
  // Memory for so many.
  void reserve(std::size_t entries) { entries_.reserve(entries); }
  // The same entries in the same order, to the letter.
  bool operator==(const Headers&) const = default;

 private:
  std::vector<Entry> entries_;
};

// One attempt.
struct HttpRequest {
  std::string method{};
  std::string url{};  // absolute, with its query
  Headers headers{};
  std::shared_ptr<const std::string> body{};     // null: none
  std::chrono::milliseconds timeout{0};          // of the whole attempt; 0: none
  std::chrono::milliseconds connect_timeout{0};  // until the connection stands, TLS included; 0: none
};

// What a server answered, of any status.
struct HttpResponse {
  int status = 0;
  Headers headers{};
  std::string body{};    // decompressed
  std::string url{};     // that answered, behind redirects
  std::string secret{};  // the key it was asked with, which no error made of it shows; a Connection sets it
};

}  // namespace embedrouter::sdk::inline v0
