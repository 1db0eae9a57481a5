#pragma once
// One attempt as libcurl sees it: an easy handle, what it needs, what it receives.

#include <curl/curl.h>
#include <embedrouter/transport.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>

namespace embedrouter::sdk {

class CurlAttempt;

// An easy handle, used by one attempt after the other, and what it was told last: it is told only what
// changes.
class CurlHandle {
 public:
  // With all that is the same for every attempt; null without memory.
  static std::unique_ptr<CurlHandle> make(const TransportOptions& options);
  ~CurlHandle();
  CurlHandle(const CurlHandle&) = delete;
  CurlHandle& operator=(const CurlHandle&) = delete;

  CURL* easy() const noexcept { return easy_; }
  CurlAttempt& attempt() const noexcept { return *attempt_; }
  // Why it failed, in libcurl's words; may be empty.
  std::string_view complaint() const noexcept { return &error_[0]; }
  // Makes it ready to be added to a multi handle. Both must outlive its stay there.
  void prepare(CurlAttempt& attempt, const HttpRequest& request);

 private:
  explicit CurlHandle(CURL* easy) : easy_(easy) {}
  void set(CURLoption option, auto value) { curl_easy_setopt(easy_, option, value); }
  void tell_url(const std::string& url);
  void tell_body(const HttpRequest& request);
  void tell_headers(const Headers& headers);
  void tell_times(const HttpRequest& request);

  CURL* easy_;
  CurlAttempt* attempt_ = nullptr;
  CURLU* url_ = nullptr;        // told_.url; null if it is none
  curl_slist* list_ = nullptr;  // of told_.headers
  HttpRequest told_;            // without its body
  bool told_body_ = false;      // that there is one
  bool told_times_ = false;
  char error_[CURL_ERROR_SIZE] = {};
};

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

  bool is_tls() const noexcept { return request_.url.starts_with("https"); }
  CURL* easy() const noexcept { return handle_->easy(); }
  std::unique_ptr<CurlHandle> release_handle() noexcept { return std::move(handle_); }

  // Makes `handle` ready to be added to a multi handle.
  void prepare(std::unique_ptr<CurlHandle> handle, std::size_t most_body);
  // What `code` and what was received come to.
  Result<HttpResponse> result(CURLcode code);

 private:
  friend CurlHandle;
  static std::size_t on_body(char* data, std::size_t, std::size_t size, void* self);
  static std::size_t on_header(char* data, std::size_t, std::size_t size, void* self);
  std::string why(CURLcode code) const;

  HttpRequest request_;
  std::unique_ptr<CurlHandle> handle_;
  HttpResponse response_;
  std::size_t most_body_ = 0;
  std::size_t header_bytes_ = 0;
  bool too_large_ = false;
};

}  // namespace embedrouter::sdk
