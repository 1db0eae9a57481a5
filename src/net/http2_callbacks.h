#pragma once
#include "net/http2_connection.h"

namespace embedrouter::net {

// What nghttp2 calls, handed on to the connection. Nothing may throw through the library.
struct Http2Connection::Callbacks {
  static nghttp2_session_callbacks* make();
  static nghttp2_data_provider body_of(Http2Stream& stream);
};

}  // namespace embedrouter::net
