#include "net/http2_callbacks.h"

#include <exception>

#include "net/http2_stream.h"

namespace embedrouter::net {
namespace {

std::string_view view(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

}  // namespace

namespace http2 {

// Runs `body` with the connection and the stream, if that is still waited for.
template <class Body>
int with_stream(void* user, Http2Stream* (*find)(void*, std::int32_t), std::int32_t id, Body body) {
  Http2Stream* stream = find(user, id);
  if (!stream) return 0;
  try {
    return body(*stream);
  } catch (const std::exception&) {  // no memory
    return NGHTTP2_ERR_CALLBACK_FAILURE;
  }
}

}  // namespace http2

nghttp2_session_callbacks* Http2Connection::Callbacks::make() {
  static constexpr auto find = [](void* user, std::int32_t id) {
    return static_cast<Http2Connection*>(user)->find(id);
  };
  nghttp2_session_callbacks* callbacks = nullptr;
  if (nghttp2_session_callbacks_new(&callbacks) != 0) throw std::bad_alloc();

  nghttp2_session_callbacks_set_on_begin_headers_callback(
      callbacks, [](nghttp2_session*, const nghttp2_frame* frame, void* user) {
        return http2::with_stream(user, find, frame->hd.stream_id, [](Http2Stream& stream) {
          stream.heard = true;
          return 0;
        });
      });
  nghttp2_session_callbacks_set_on_header_callback(
      callbacks,
      [](nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name, std::size_t name_size,
         const std::uint8_t* value, std::size_t value_size, std::uint8_t, void* user) {
        return http2::with_stream(user, find, frame->hd.stream_id, [&](Http2Stream& stream) {
          static_cast<Http2Connection*>(user)->on_header(stream, view(name, name_size),
                                                         view(value, value_size));
          return stream.fault ? NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE : 0;
        });
      });
  nghttp2_session_callbacks_set_on_frame_recv_callback(
      callbacks, [](nghttp2_session*, const nghttp2_frame* frame, void* user) {
        auto* self = static_cast<Http2Connection*>(user);
        if (frame->hd.type == NGHTTP2_GOAWAY) {
          self->goaway_code_ = frame->goaway.error_code;
          self->retired_ = true;
        }
        if (frame->hd.type == NGHTTP2_SETTINGS && (frame->hd.flags & NGHTTP2_FLAG_ACK) == 0) {
          self->settled_ = true;
          self->refused_at_ = kNoLimit;
          if (self->pool_) self->pool_->changed();
        }
        return http2::with_stream(user, find, frame->hd.stream_id, [&](Http2Stream& stream) {
          const bool last = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
          if (frame->hd.type == NGHTTP2_HEADERS) self->on_headers_end(stream, last);
          if (frame->hd.type == NGHTTP2_DATA && last) stream.complete = true;
          if (stream.complete) stream.changed.notify();
          return 0;
        });
      });
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
      callbacks, [](nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* bytes,
                    std::size_t size, void* user) {
        auto* self = static_cast<Http2Connection*>(user);
        if (!self->find(id)) nghttp2_session_consume(self->session_.get(), id, size);
        return http2::with_stream(user, find, id, [&](Http2Stream& stream) {
          return self->on_data(stream, view(bytes, size)) ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
        });
      });
  nghttp2_session_callbacks_set_on_stream_close_callback(
      callbacks, [](nghttp2_session*, std::int32_t id, std::uint32_t code, void* user) {
        return http2::with_stream(user, find, id, [&](Http2Stream& stream) {
          stream.closed = true;
          stream.close_code = code;
          stream.changed.notify();
          return 0;
        });
      });
  // A request that could not go out: the connection ends, or its streams are used up.
  nghttp2_session_callbacks_set_on_frame_not_send_callback(
      callbacks, [](nghttp2_session*, const nghttp2_frame* frame, int, void* user) {
        if (frame->hd.type != NGHTTP2_HEADERS) return 0;
        static_cast<Http2Connection*>(user)->retired_ = true;
        return http2::with_stream(user, find, frame->hd.stream_id, [](Http2Stream& stream) {
          stream.closed = true;
          stream.close_code = NGHTTP2_REFUSED_STREAM;
          stream.changed.notify();
          return 0;
        });
      });
  return callbacks;
}

nghttp2_data_provider Http2Connection::Callbacks::body_of(Http2Stream&) {
  nghttp2_data_provider provider{};
  provider.read_callback = [](nghttp2_session*, std::int32_t id, std::uint8_t* room, std::size_t size,
                              std::uint32_t* flags, nghttp2_data_source*, void* user) -> ssize_t {
    auto* self = static_cast<Http2Connection*>(user);
    Http2Stream* stream = self->find(id);
    if (!stream) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;  // nobody waits for it: it is reset
    bool last = false;
    const std::size_t written = self->give_body(*stream, {reinterpret_cast<char*>(room), size}, last);
    if (last) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(written);
  };
  return provider;
}

}  // namespace embedrouter::net
