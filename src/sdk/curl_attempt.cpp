#include "sdk/curl_attempt.h"

#include <algorithm>
#include <charconv>
#include <string>

#include "base/ascii.h"

namespace embedrouter::sdk {
namespace {

constexpr std::size_t kMostHeaderBytes = 1 << 20;
// What a Content-Length alone makes us set aside.
constexpr std::size_t kMostReserved = 64 << 20;
constexpr long kReceiveBuffer = 64 << 10;
constexpr long kMostRedirects = 20;

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") + 1 - first);
}

// libcurl's groups as those of the official Python SDK's HTTP library: the retry rules speak of these.
ErrorKind kind_of(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_INTERFACE_FAILED:
      return ErrorKind::connect_failed;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
      return ErrorKind::untrusted;
    case CURLE_OPERATION_TIMEDOUT:
      return ErrorKind::timed_out;
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
      return ErrorKind::connection_lost;
    case CURLE_URL_MALFORMAT:
      return ErrorKind::usage;
    default:
      return ErrorKind::protocol;
  }
}

}  // namespace

std::size_t CurlAttempt::on_body(char* data, std::size_t, std::size_t size, void* self) {
  auto& attempt = *static_cast<CurlAttempt*>(self);
  std::string& body = attempt.response_.body;
  if (size > attempt.most_body_ - body.size()) {
    attempt.too_large_ = true;
    return 0;
  }
  body.append(data, size);
  return size;
}

std::size_t CurlAttempt::on_header(char* data, std::size_t, std::size_t size, void* self) {
  auto& attempt = *static_cast<CurlAttempt*>(self);
  attempt.header_bytes_ += size;
  if (attempt.header_bytes_ > kMostHeaderBytes) {
    attempt.too_large_ = true;
    return 0;
  }
  const std::string_view line(data, size);
  const std::size_t colon = line.find(':');
  if (line.starts_with("HTTP/")) {
    // Of an interim answer or a redirect: those before do not count.
    attempt.response_.headers = {};
    attempt.response_.body.clear();
  } else if (colon != std::string_view::npos) {
    const std::string_view name = line.substr(0, colon);
    const std::string_view value = trimmed(line.substr(colon + 1));
    attempt.response_.headers.add(std::string(name), std::string(value));
    std::size_t length = 0;
    if (same_ignoring_case(name, "content-length") &&
        std::from_chars(value.data(), value.data() + value.size(), length).ec == std::errc()) {
      attempt.response_.body.reserve(std::min({length, attempt.most_body_, kMostReserved}));
    }
  }
  return size;
}

EasyHandle make_easy(const TransportOptions& options) {
  EasyHandle easy(curl_easy_init());
  if (!easy) return easy;
  const auto set = [c = easy.get()](CURLoption option, auto value) { curl_easy_setopt(c, option, value); };
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  set(CURLOPT_FOLLOWLOCATION, 1L);
  set(CURLOPT_MAXREDIRS, kMostRedirects);
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_BUFFERSIZE, kReceiveBuffer);
  set(CURLOPT_WRITEFUNCTION, &CurlAttempt::on_body);
  set(CURLOPT_HEADERFUNCTION, &CurlAttempt::on_header);
  if (options.accept_compressed) set(CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
  if (!options.proxy.empty()) set(CURLOPT_PROXY, options.proxy.c_str());
  const TlsOptions& tls = options.tls;
  if (!tls.ca_file.empty()) set(CURLOPT_CAINFO, tls.ca_file.c_str());
  if (!tls.client_cert.empty()) set(CURLOPT_SSLCERT, tls.client_cert.c_str());
  if (!tls.client_key.empty()) set(CURLOPT_SSLKEY, tls.client_key.c_str());
  if (!tls.verify) {
    set(CURLOPT_SSL_VERIFYPEER, 0L);
    set(CURLOPT_SSL_VERIFYHOST, 0L);
  }
  return easy;
}

void CurlAttempt::prepare(EasyHandle easy, std::size_t most_body) {
  easy_ = std::move(easy);
  most_body_ = most_body;
  const auto set = [c = easy_.get()](CURLoption option, auto value) { curl_easy_setopt(c, option, value); };
  set(CURLOPT_PRIVATE, this);
  set(CURLOPT_URL, request_.url.c_str());
  set(CURLOPT_PIPEWAIT, is_tls() ? 1L : 0L);
  // Each attempt says all of it: the handle still has the method and body of the one before.
  set(CURLOPT_HTTPGET, 1L);
  set(CURLOPT_CUSTOMREQUEST, static_cast<const char*>(nullptr));
  if (request_.body) {
    set(CURLOPT_POST, 1L);
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body->size()));
    set(CURLOPT_POSTFIELDS, request_.body->data());
  }
  if (request_.method != (request_.body ? "POST" : "GET"))
    set(CURLOPT_CUSTOMREQUEST, request_.method.c_str());
  for (const auto& [name, value] : request_.headers) {
    // A header without a value is written with a semicolon.
    headers_ = curl_slist_append(headers_, (value.empty() ? name + ';' : name + ": " + value).c_str());
  }
  headers_ = curl_slist_append(headers_, "Expect:");
  set(CURLOPT_HTTPHEADER, headers_);
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(request_.timeout.count()));
  // 0 would be libcurl's own five minutes.
  const auto connect = request_.connect_timeout.count();
  set(CURLOPT_CONNECTTIMEOUT_MS, connect > 0 ? static_cast<long>(connect) : 0x7fffffffL);
  set(CURLOPT_ERRORBUFFER, &error_[0]);
  set(CURLOPT_WRITEDATA, this);
  set(CURLOPT_HEADERDATA, this);
}

Result<HttpResponse> CurlAttempt::result(CURLcode code) {
  if (code == CURLE_OK) {
    long status = 0;
    char* url = nullptr;
    curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(easy_.get(), CURLINFO_EFFECTIVE_URL, &url);
    response_.status = static_cast<int>(status);
    if (url != nullptr) response_.url = url;
    return std::move(response_);
  }
  if (too_large_) {
    return fail(ErrorKind::protocol, "the answer is larger than max_response_bytes (" +
                                         std::to_string(most_body_) + "), or its headers than 1 MiB");
  }
  const std::string_view what = error_[0] != '\0' ? std::string_view(&error_[0]) : curl_easy_strerror(code);
  return fail(kind_of(code), std::string(what));
}

}  // namespace embedrouter::sdk
