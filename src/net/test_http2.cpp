#include "net/test_http2.h"

#include <csignal>
#include <stdexcept>

namespace embedrouter::net::testing {
namespace {

constexpr std::uint8_t kEnd = 1;
constexpr std::uint8_t kAck = 1;
constexpr std::uint8_t kEndHeaders = 4;

std::string number(std::uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 0xFF);
  return bytes;
}

std::uint32_t number_at(std::string_view bytes, std::size_t at, std::size_t size) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

int choose(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* offered,
           unsigned offered_size, void* http2) {
  const std::string_view all(reinterpret_cast<const char*>(offered), offered_size);
  const std::string_view wanted = *static_cast<bool*>(http2) ? "h2" : "http/1.1";
  const std::size_t at = all.find(wanted);
  if (at == std::string_view::npos) return SSL_TLSEXT_ERR_NOACK;
  *out = offered + at;
  *out_size = static_cast<unsigned char>(wanted.size());
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace

std::string settings_frame(std::uint16_t id, std::uint32_t value) {
  return std::string{static_cast<char>(id >> 8), static_cast<char>(id & 0xFF)} + number(value);
}

Http2Context::Http2Context(const TestCertificate& certificate, bool http2, const std::string& authority)
    : context_(SSL_CTX_new(TLS_server_method()), &SSL_CTX_free), http2_(http2) {
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
  if (SSL_CTX_use_certificate_chain_file(context_.get(), certificate.cert_file().c_str()) != 1 ||
      SSL_CTX_use_PrivateKey_file(context_.get(), certificate.key_file().c_str(), SSL_FILETYPE_PEM) != 1) {
    throw std::runtime_error("no certificate");
  }
  SSL_CTX_set_alpn_select_cb(context_.get(), choose, &http2_);
  if (authority.empty()) return;
  SSL_CTX_load_verify_locations(context_.get(), authority.c_str(), nullptr);
  SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
}

Http2Peer::Http2Peer(RawSocket& socket, SSL_CTX* context) : ssl_(SSL_new(context)) {
  SSL_set_fd(ssl_, socket.fd());
  SSL_accept(ssl_);
}

Http2Peer::~Http2Peer() {
  SSL_free(ssl_);
}

bool Http2Peer::chose_http2() const {
  const unsigned char* chosen = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_, &chosen, &size);
  return size == 2;
}

void Http2Peer::greet(const std::string& settings) {
  std::string preface;
  read_exactly(24, preface);
  send(Frame::settings, 0, 0, settings);
}

void Http2Peer::write(std::string_view bytes) {
  if (!bytes.empty()) SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()));
}

void Http2Peer::send(std::uint8_t type, std::uint8_t flags, std::uint32_t stream, std::string_view payload) {
  std::string frame = number(static_cast<std::uint32_t>(payload.size())).substr(1);
  frame += static_cast<char>(type);
  frame += static_cast<char>(flags);
  frame += number(stream);
  frame += payload;
  write(frame);
}

bool Http2Peer::read_exactly(std::size_t size, std::string& out) {
  out.resize(size);
  for (std::size_t have = 0; have < size;) {
    const int n = SSL_read(ssl_, out.data() + have, static_cast<int>(size - have));
    if (n <= 0) return false;
    have += static_cast<std::size_t>(n);
  }
  return true;
}

Frame Http2Peer::read() {
  Frame frame;
  std::string head;
  if (!read_exactly(9, head)) return frame;
  if (!read_exactly(number_at(head, 0, 3), frame.payload)) return frame;
  frame.type = static_cast<std::uint8_t>(head[3]);
  frame.flags = static_cast<std::uint8_t>(head[4]);
  frame.stream = number_at(head, 5, 4);
  if (frame.type == Frame::settings && (frame.flags & kAck) == 0) send(Frame::settings, kAck, 0, "");
  return frame;
}

std::uint32_t Http2Peer::read_request() {
  body_.clear();
  for (;;) {
    const Frame frame = read();
    if (frame.ended()) return 0;
    if (frame.type == Frame::data) {
      body_ += frame.payload;
      send(Frame::window_update, 0, 0, number(1U << 20));
      if (!frame.ends_stream()) send(Frame::window_update, 0, frame.stream, number(1U << 20));
    }
    if (frame.ends_stream()) return frame.stream;
  }
}

void Http2Peer::answer(std::uint32_t stream, std::string_view body) {
  send(Frame::headers, kEndHeaders, stream, "\x88");  // :status 200, of HPACK's static table
  send(Frame::data, kEnd, stream, body);
}

void Http2Peer::goaway(std::uint32_t last_stream, std::uint32_t code) {
  send(Frame::goaway, 0, 0, number(last_stream) + number(code));
}

void Http2Peer::reset_stream(std::uint32_t stream, std::uint32_t code) {
  send(Frame::rst_stream, 0, stream, number(code));
}

void Http2Peer::drain() {
  while (!read().ended()) {
  }
}

}  // namespace embedrouter::net::testing
