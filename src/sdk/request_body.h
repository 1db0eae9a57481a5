#pragma once
// Requests as JSON and as query strings.

#include <embedrouter/client_error.h>
#include <embedrouter/embeddings.h>

#include <string>
#include <string_view>

#include "api/json_members.h"

namespace embedrouter::sdk {

// Fails with ErrorKind::usage for what JSON cannot hold: texts that are not UTF-8, numbers that are not
// finite, a Json that is none.
Result<std::string> encode_request(const EmbeddingsRequest& request);
// How many vectors the input asks for.
std::size_t item_count(const Input& input);

std::string number_text(double value);
bool is_json_text(std::string_view text);
// Percent-encoded for a segment of a path or a value of a query.
std::string percent_encode(std::string_view text);

// a=1&b=2, of the parameters that have a value.
class QueryWriter {
 public:
  void add(std::string_view name, std::string_view value);
  void add(std::string_view name, const std::optional<std::string>& value) {
    if (value) add(name, std::string_view(*value));
  }
  void add(std::string_view name, const std::optional<std::int64_t>& value) {
    if (value) add(name, std::string_view(std::to_string(*value)));
  }
  void add(std::string_view name, const std::optional<double>& value) {
    if (value) add(name, std::string_view(number_text(*value)));
  }
  void add(std::string_view name, const std::optional<bool>& value) {
    if (value) add(name, std::string_view(*value ? "true" : "false"));
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

// Members of a JSON object that may be absent or null.
class ObjectWriter {
 public:
  explicit ObjectWriter(std::string& out) : out_(out) { out_ += '{'; }
  void close() { out_ += '}'; }

  void member(std::string_view name, const std::string& value) { api::members::text(out_, name, value); }
  void member(std::string_view name, bool value) { api::members::flag(out_, name, value); }
  void member(std::string_view name, double value) { api::members::literal(out_, name, number_text(value)); }
  void member(std::string_view name, std::int64_t value) { api::members::number(out_, name, value); }
  void member(std::string_view name, const std::vector<std::string>& value) {
    api::members::texts(out_, name, value);
  }
  template <class T>
  void member(std::string_view name, const std::optional<T>& value) {
    if (value) member(name, *value);
  }
  template <class T>
  void member(std::string_view name, const Nullable<T>& value) {
    if (value.is_null()) return api::members::literal(out_, name, "null");
    member(name, value.value());
  }

 private:
  std::string& out_;
};

}  // namespace embedrouter::sdk
