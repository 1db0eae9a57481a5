#include "sdk/curl_attempt.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>

#include "base/ascii.h"

namespace embedrouter::sdk {
namespace {

constexpr std::size_t kMostHeaderBytes = 1 << 20;
// What a Content-Length alone makes us set aside.
constexpr std::size_t kMostReserved = 64 << 20;
constexpr std::size_t kUsualHeaders = 8;
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
  auto& attempt = static_cast<CurlHandle*>(self)->attempt();
  std::string& body = attempt.response_.body;
  if (size > attempt.most_body_ - body.size()) {
    attempt.too_large_ = true;
    return 0;
  }
  body.append(data, size);
  return size;
}

std::size_t CurlAttempt::on_header(char* data, std::size_t, std::size_t size, void* self) {
  auto& attempt = static_cast<CurlHandle*>(self)->attempt();
  attempt.header_bytes_ += size;
  if (attempt.header_bytes_ > kMostHeaderBytes) {
    attempt.too_large_ = true;
    return 0;
  }
  const std::string_view line(data, size);
  const std::size_t colon = line.find(':');
  if (line.starts_with("HTTP/") && line.find(' ') < colon) {
    // Of an interim answer or a redirect: those before do not count.
    attempt.response_.headers = {};
    attempt.response_.headers.reserve(kUsualHeaders);
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

std::unique_ptr<CurlHandle> CurlHandle::make(const TransportOptions& options) {
  CURL* const easy = curl_easy_init();
  if (easy == nullptr) return nullptr;
  std::unique_ptr<CurlHandle> handle(new CurlHandle(easy));
  const auto set = [&](CURLoption option, auto value) { handle->set(option, value); };
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  set(CURLOPT_FOLLOWLOCATION, 1L);
  set(CURLOPT_MAXREDIRS, kMostRedirects);
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
  set(CURLOPT_NOSIGNAL, 1L);
  // What ends does not wait for the thread that looks its name up.
  set(CURLOPT_QUICK_EXIT, 1L);
  set(CURLOPT_BUFFERSIZE, kReceiveBuffer);
  set(CURLOPT_PRIVATE, handle.get());
  set(CURLOPT_ERRORBUFFER, &handle->error_[0]);
  set(CURLOPT_WRITEFUNCTION, &CurlAttempt::on_body);
  set(CURLOPT_WRITEDATA, handle.get());
  set(CURLOPT_HEADERFUNCTION, &CurlAttempt::on_header);
  set(CURLOPT_HEADERDATA, handle.get());
  if (options.accept_compressed) set(CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
  if (options.proxy) set(CURLOPT_PROXY, options.proxy->c_str());
  const TlsOptions& tls = options.tls;
  if (!tls.ca_file.empty()) set(CURLOPT_CAINFO, tls.ca_file.c_str());
  if (!tls.client_cert.empty()) set(CURLOPT_SSLCERT, tls.client_cert.c_str());
  if (!tls.client_key.empty()) set(CURLOPT_SSLKEY, tls.client_key.c_str());
  if (!tls.verify) {
    set(CURLOPT_SSL_VERIFYPEER, 0L);
    set(CURLOPT_SSL_VERIFYHOST, 0L);
  }
  return handle;
}

CurlHandle::~CurlHandle() {
  curl_easy_cleanup(easy_);
  curl_slist_free_all(list_);
  curl_url_cleanup(url_);
}

void CurlHandle::prepare(CurlAttempt& attempt, const HttpRequest& request) {
  attempt_ = &attempt;
  error_[0] = '\0';
  if (request.url != told_.url) {
    told_.url = request.url;
    tell_url(request.url);
    set(CURLOPT_PIPEWAIT, attempt.is_tls() ? 1L : 0L);
  }
  tell_body(request);
  if (list_ == nullptr || request.headers != told_.headers) tell_headers(request.headers);
  tell_times(request);
}

// Parsed here, it is not parsed again in every attempt: a seventh of what libcurl does for a small one.
void CurlHandle::tell_url(const std::string& url) {
  CURLU* parsed = curl_url();
  if (parsed != nullptr && curl_url_set(parsed, CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) {
    curl_url_cleanup(parsed);
    parsed = nullptr;
  }
  set(CURLOPT_CURLU, parsed);
  // Of one that is none it says what is wrong.
  if (parsed == nullptr) set(CURLOPT_URL, url.c_str());
  curl_url_cleanup(std::exchange(url_, parsed));
}

void CurlHandle::tell_body(const HttpRequest& request) {
  const bool has_body = request.body != nullptr;
  if (request.method != told_.method || has_body != told_body_) {
    told_.method = request.method;
    told_body_ = has_body;
    set(has_body ? CURLOPT_POST : CURLOPT_HTTPGET, 1L);
    const bool usual = request.method == (has_body ? "POST" : "GET");
    set(CURLOPT_CUSTOMREQUEST, usual ? static_cast<const char*>(nullptr) : request.method.c_str());
  }
  if (!has_body) return;
  set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body->size()));
  set(CURLOPT_POSTFIELDS, request.body->data());
}

void CurlHandle::tell_headers(const Headers& headers) {
  curl_slist* list = nullptr;
  for (const auto& [name, value] : headers) {
    // A header without a value is written with a semicolon.
    list = curl_slist_append(list, (value.empty() ? name + ';' : name + ": " + value).c_str());
  }
  list = curl_slist_append(list, "Expect:");
  set(CURLOPT_HTTPHEADER, list);
  curl_slist_free_all(std::exchange(list_, list));
  told_.headers = headers;
}

void CurlHandle::tell_times(const HttpRequest& request) {
  if (told_times_ && request.timeout == told_.timeout && request.connect_timeout == told_.connect_timeout)
    return;
  told_times_ = true;
  told_.timeout = request.timeout;
  told_.connect_timeout = request.connect_timeout;
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
  // 0 would be libcurl's own five minutes.
  const auto connect = request.connect_timeout.count();
  set(CURLOPT_CONNECTTIMEOUT_MS, connect > 0 ? static_cast<long>(connect) : 0x7fffffffL);
}

void CurlAttempt::prepare(std::unique_ptr<CurlHandle> handle, std::size_t most_body) {
  handle_ = std::move(handle);
  most_body_ = most_body;
  handle_->prepare(*this, request_);
}

Result<HttpResponse> CurlAttempt::result(CURLcode code) {
  if (code == CURLE_OK) {
    long status = 0;
    char* url = nullptr;
    curl_easy_getinfo(easy(), CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(easy(), CURLINFO_EFFECTIVE_URL, &url);
    response_.status = static_cast<int>(status);
    if (url != nullptr) response_.url = url;
    return std::move(response_);
  }
  if (too_large_) {
    return fail(ErrorKind::protocol, "the answer is larger than max_response_bytes (" +
                                         std::to_string(most_body_) + "), or its headers than 1 MiB");
  }
  long proxy = 0;
  curl_easy_getinfo(easy(), CURLINFO_HTTP_CONNECTCODE, &proxy);
  // A proxy that will not have us is no connection that was lost.
  return fail(proxy / 100 == 4 || proxy / 100 == 5 ? ErrorKind::protocol : kind_of(code), why(code));
}

std::string CurlAttempt::why(CURLcode code) const {
  const std::string_view said = handle_->complaint();
  std::string what(said.empty() ? curl_easy_strerror(code) : said);
  if (kind_of(code) != ErrorKind::connection_lost) return what;
  // libcurl keeps its first complaint, which need not be about the end, and does not read what a server that
  // refuses our certificate says: with TLS 1.3 that comes behind the handshake.
  if (!said.empty()) what = std::string(curl_easy_strerror(code)) + " (" + what + ')';
  long opened = 0;
  curl_easy_getinfo(easy(), CURLINFO_NUM_CONNECTS, &opened);
  if (is_tls() && opened > 0 && header_bytes_ == 0)
    what += "; a server that wants another client certificate ends a new connection like this";
  return what;
}

}  // namespace embedrouter::sdk
