#include "api/embed_reply.h"
#include "api/json_cursor.h"

namespace embedrouter::api {
namespace {

constexpr std::size_t kLongestInnerCode = 64;

tl::unexpected<Error> not_an_answer(std::string what) {
  return fail(ErrorCode::upstream_invalid_answer, "the provider's answer is not usable: " + std::move(what));
}

// Reads one answer; the first thing wrong with it is kept in `problem_`.
class Reader {
 public:
  explicit Reader(std::string_view body) : json_(body) {}

  Result<WireReply> read() {
    if (json_.kind() != JsonKind::object) return not_an_answer("it is not a JSON object");
    each_member([&](std::string_view name) { return top_member(name); });
    if (!inner_error_.empty()) {
      return fail(Error(ErrorCode::upstream_invalid_answer, "the provider answered 200 with an error inside")
                      .with_provider({}, std::move(inner_error_)));
    }
    if (!problem_.empty()) return not_an_answer(std::move(problem_));
    if (!json_.ok() || !json_.finish()) return not_an_answer(json_.fault());
    if (!has_data_) return not_an_answer("it has no data");
    return std::move(reply_);
  }

 private:
  // Calls take(name) for each member of the object ahead until it says false.
  bool each_member(const auto& take) {
    bool first = true;
    JsonString key;
    if (!json_.enter('{')) return false;
    while (json_.next_member(first, key)) {
      if (!take(key.escaped ? std::string_view() : key.raw)) return false;
    }
    return json_.ok();
  }

  bool problem(std::string what) {
    if (problem_.empty()) problem_ = std::move(what);
    return false;
  }
  bool once(bool& seen, const char* name) { return std::exchange(seen, true) ? problem(std::string(name) + " is there twice") : true; }

  bool top_member(std::string_view name) {
    if (name == "data") return once(has_data_, "data") && read_data();
    if (name == "usage") return once(has_usage_, "usage") && read_usage();
    if (name == "model" && json_.kind() == JsonKind::string) {
      JsonString model;
      const bool read = json_.read_string(model);
      reply_.model = model.raw;
      return read;
    }
    if (name == "error" && json_.kind() != JsonKind::null) return read_error();
    return json_.skip();
  }

  // {"error":{"code":429,…}} in a 200.
  bool read_error() {
    inner_error_ = "error";
    if (json_.kind() != JsonKind::object) return json_.skip();
    return each_member([&](std::string_view name) {
      std::string_view raw;
      const JsonKind kind = json_.kind();
      if (!json_.skip(&raw)) return false;
      if (name == "code" && kind == JsonKind::number) inner_error_ = raw.substr(0, kLongestInnerCode);
      if (name == "code" && kind == JsonKind::string) inner_error_ = raw.substr(1, std::min(raw.size() - 2, kLongestInnerCode));
      return true;
    });
  }

  bool read_data() {
    if (json_.kind() != JsonKind::array) return problem("data is not a list");
    bool first = true;
    if (!json_.enter('[')) return false;
    while (json_.next_element(first)) {
      if (!read_entry()) return false;
    }
    return json_.ok();
  }

  bool read_entry() {
    const std::string at = "data[" + std::to_string(reply_.data.size()) + "]";
    if (json_.kind() != JsonKind::object) return problem(at + " is not an object");
    Embedding embedding;
    bool has_vector = false;
    bool has_index = false;
    const bool read = each_member([&](std::string_view name) {
      if (name == "embedding") return once(has_vector, "embedding") && read_vector(embedding.vector, at);
      if (name == "index") return once(has_index, "index") && read_index(embedding.index, at);
      return json_.skip();
    });
    if (!read) return false;
    if (!has_vector) return problem(at + " has no embedding");
    reply_.data.push_back(embedding);
    return true;
  }

  bool read_vector(VectorView& out, const std::string& at) {
    if (json_.kind() == JsonKind::array) {
      NumberText text;
      const bool read = json_.skip_flat_array(text.json);
      out = text;
      return read;
    }
    if (json_.kind() != JsonKind::string) return problem(at + ".embedding is neither a list of numbers nor base64");
    JsonString text;
    if (!json_.read_string(text)) return false;
    if (!text.escaped) {
      out = Base64Text{text.raw};
      return true;
    }
    // Some servers write "/" as "\/".
    auto plain = std::make_shared<std::string>();
    out = Base64Text{text_of(text, *plain)};
    reply_.owners.push_back(std::move(plain));
    return true;
  }

  bool read_index(std::optional<std::int64_t>& out, const std::string& at) {
    const JsonKind kind = json_.kind();
    if (kind == JsonKind::null) return json_.read_null();
    std::string_view raw;
    if (!json_.skip(&raw)) return false;
    const std::optional<std::uint64_t> index = kind == JsonKind::number ? whole_number(raw) : std::nullopt;
    if (!index) return problem(at + ".index is not a whole number from 0");
    out = static_cast<std::int64_t>(*index);
    return true;
  }

  bool read_usage() {
    if (json_.kind() != JsonKind::object) return json_.skip();
    return each_member([&](std::string_view name) {
      std::string_view raw;
      const bool number = json_.kind() == JsonKind::number;
      if (!json_.skip(&raw)) return false;
      if (name == "prompt_tokens" && number) reply_.prompt_tokens = whole_number(raw);
      if (name == "total_tokens" && number) reply_.total_tokens = whole_number(raw);
      return true;
    });
  }

  // "3" and "3.0"; nothing negative, fractional, in exponents, or above 2^53.
  static std::optional<std::uint64_t> whole_number(std::string_view text) {
    if (text.ends_with(".0")) text.remove_suffix(2);
    std::uint64_t value = 0;
    for (const char c : text) {
      if (c < '0' || c > '9' || value > (std::uint64_t{1} << 53) / 10) return std::nullopt;
      value = value * 10 + static_cast<unsigned>(c - '0');
    }
    return text.empty() ? std::nullopt : std::optional(value);
  }

  JsonCursor json_;
  WireReply reply_;
  std::string problem_, inner_error_;
  bool has_data_ = false, has_usage_ = false;
};

}  // namespace

Result<WireReply> decode_embed_reply(const Buffer& body) { return Reader(body.view()).read(); }

}  // namespace embedrouter::api
