#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/body.h"
#include "base/buffer.h"
#include "net/content_coding.h"

namespace embedrouter::net {

struct Header {
  std::string_view name, value;  // value without surrounding blanks
};

// Header fields as views into the head of a message. Lookup ignores case.
class Headers {
 public:
  std::optional<std::string_view> find(std::string_view name) const;  // the first of that name
  const std::vector<Header>& all() const noexcept { return fields_; }
  void add(std::string_view name, std::string_view value) { fields_.push_back({name, value}); }
  void set(std::string_view name, std::string_view value);  // the first of that name, or a new one
  void clear() noexcept { fields_.clear(); }

 private:
  std::vector<Header> fields_;
};

// The start of a request: valid as long as its Exchange.
struct RequestHead {
  std::string_view method;  // "POST"
  std::string_view path;    // decoded no further than the wire: "/api/v1/embeddings"
  std::string_view query;   // without '?', may be empty
  Headers headers;
  std::optional<std::uint64_t> content_length;  // nullopt: chunked or none
  bool chunked = false;
  std::optional<ContentCoding> coding = ContentCoding::identity;  // of the body; nullopt: not spoken here
};

struct OwnedHeader {
  std::string name, value;
};

struct Response {
  int status = 200;
  std::vector<OwnedHeader> headers;  // Content-Length, Date and Connection are net's own
  std::string_view content_type = "application/json";
  Body body;
};

}  // namespace embedrouter::net
