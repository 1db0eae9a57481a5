#pragma once
// One attempt as libcurl sees it: an easy handle, what it needs, what it receives.

#include <curl/curl.h>
#include <embedrouter/transport.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>

namespace embedrouter::sdk {

struct EasyCleanup {
  void operator()(CURL* easy) const noexcept { curl_easy_cleanup(easy); }
};
using EasyHandle = std::unique_ptr<CURL, EasyCleanup>;

// A handle with all that is the same for every attempt; null without memory.
EasyHandle make_easy(const TransportOptions& options);

// Something that ends once, and soon when a stop is requested.
class Pending {
 public:
  Pending(std::uint64_t id, std::stop_token stop, ResponseHandler done)
      : id_(id), token_(std::move(stop)), done_(std::move(done)) {}
  virtual ~Pending() = default;
  Pending(const Pending&) = delete;
  Pending& operator=(const Pending&) = delete;

  std::uint64_t id() const noexcept { return id_; }
  bool stop_requested() const noexcept { return token_.stop_requested(); }
  // `on_stop` runs when a stop is requested, at once if it has been, and never after finish().
  void watch(std::function<void()> on_stop) {
    if (token_.stop_possible()) stop_.emplace(token_, std::move(on_stop));
  }
  void finish(Result<HttpResponse> answer) {
    stop_.reset();
    done_(std::move(answer));
  }

 private:
  std::uint64_t id_;
  std::stop_token token_;
  ResponseHandler done_;
  std::optional<std::stop_callback<std::function<void()>>> stop_;
};

class CurlAttempt final : public Pending {
 public:
  CurlAttempt(std::uint64_t id, HttpRequest request, std::stop_token stop, ResponseHandler done)
      : Pending(id, std::move(stop), std::move(done)), request_(std::move(request)) {}
  ~CurlAttempt() override { curl_slist_free_all(headers_); }

  bool is_tls() const noexcept { return request_.url.starts_with("https"); }
  CURL* easy() const noexcept { return easy_.get(); }
  EasyHandle release_easy() noexcept { return std::move(easy_); }

  // Makes `easy`, which is of make_easy() and may have been used, ready to be added to a multi handle.
  void prepare(EasyHandle easy, std::size_t most_body);
  // What `code` and what was received come to.
  Result<HttpResponse> result(CURLcode code);

 private:
  friend EasyHandle make_easy(const TransportOptions& options);
  static std::size_t on_body(char* data, std::size_t, std::size_t size, void* self);
  static std::size_t on_header(char* data, std::size_t, std::size_t size, void* self);

  HttpRequest request_;
  EasyHandle easy_;
  curl_slist* headers_ = nullptr;
  HttpResponse response_;
  std::size_t most_body_ = 0;
  std::size_t header_bytes_ = 0;
  bool too_large_ = false;
  char error_[CURL_ERROR_SIZE] = {};
};

}  // namespace embedrouter::sdk
