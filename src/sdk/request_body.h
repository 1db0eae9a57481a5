#pragma once
// Requests as JSON and as query strings.

#include <embedrouter/client_error.h>
#include <embedrouter/embeddings.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/json_members.h"

namespace embedrouter::sdk {

// Fails with ErrorKind::usage for what JSON cannot hold: texts that are not UTF-8, numbers that are not
// finite, a Json that is none.
Result<std::string> encode_request(const EmbeddingsRequest& request);
// How many vectors the input asks for.
std::size_t item_count(const Input& input);

std::string number_text(double value);
bool is_json_text(std::string_view text);

// What the writers of requests share: a text that grows, and the first complaint about what it cannot hold.
class RequestWriter {
 public:
  // Fails with ErrorKind::usage: "name is not UTF-8".
  Result<std::string> take();

 protected:
  void complain(std::string what) {
    if (complaint_.empty()) complaint_ = std::move(what);
  }
  bool check(std::string_view name, std::string_view value);
  bool check(std::string_view name, double value);

  std::string out_;

 private:
  std::string complaint_;
};

// /keys/{hash}
class PathWriter : public RequestWriter {
 public:
  explicit PathWriter(std::string_view start) { out_ = start; }
  // `name`: of what the segment is, for complaints.
  PathWriter& segment(std::string_view name, std::string_view value);
  PathWriter& text(std::string_view fixed) {
    out_ += fixed;
    return *this;
  }
};

// a=1&b=2, of the parameters that have a value.
class QueryWriter : public RequestWriter {
 public:
  void add(std::string_view name, std::string_view value);
  void add(std::string_view name, std::int64_t value) { add(name, std::string_view(std::to_string(value))); }
  void add(std::string_view name, double value) {
    if (check(name, value)) add(name, std::string_view(number_text(value)));
  }
  void add(std::string_view name, bool value) { add(name, std::string_view(value ? "true" : "false")); }
  template <class T>
  void add(std::string_view name, const std::optional<T>& value) {
    if (value) add(name, *value);
  }
};

// A JSON object, of the members that have a value.
class ObjectWriter : public RequestWriter {
 public:
  ObjectWriter() { out_ = "{"; }

  void member(std::string_view name, const std::string& value) {
    api::members::key(out_, name);
    string(name, value);
  }
  void member(std::string_view name, bool value) { api::members::flag(out_, name, value); }
  void member(std::string_view name, std::int64_t value) { api::members::number(out_, name, value); }
  void member(std::string_view name, double value) {
    if (check(name, value)) api::members::literal(out_, name, number_text(value));
  }
  void member(std::string_view name, const Json& value);
  void member(std::string_view name, const std::vector<std::string>& values);
  template <class T>
  void member(std::string_view name, const std::optional<T>& value) {
    if (value) member(name, *value);
  }
  template <class T>
  void member(std::string_view name, const Nullable<T>& value) {
    if (value.is_null()) return api::members::literal(out_, name, "null");
    member(name, value.value());
  }
  // `write` adds the members of an object inside.
  void object(std::string_view name, const auto& write) {
    api::members::key(out_, name);
    out_ += '{';
    write();
    out_ += '}';
  }

  Result<std::string> take() {
    out_ += '}';
    return RequestWriter::take();
  }

 protected:
  void string(std::string_view name, std::string_view value) {
    if (check(name, value)) append_json_string(out_, value);
  }
  void string(std::string_view name, std::string_view value, std::size_t item) {
    if (is_utf8(value)) return append_json_string(out_, value);
    complain(std::string(name) + '[' + std::to_string(item) + "] is not UTF-8");
  }
  // `write` adds an element.
  void array(const auto& values, const auto& write) {
    out_ += '[';
    std::size_t i = 0;
    for (const auto& value : values) {
      if (i != 0) out_ += ',';
      write(value, i++);
    }
    out_ += ']';
  }
};

}  // namespace embedrouter::sdk
