// decode_embed_reply: one forward pass that looks at no digit of a vector.
#include <bitset>

#include "api/embed_reply.h"
#include "api/error_body.h"
#include "api/json_cursor.h"

namespace embedrouter::api {
namespace {

tl::unexpected<Error> wrong(std::string message) {
  return fail(ErrorCode::upstream_invalid_answer, std::move(message));
}

class ReplyReader {
 public:
  explicit ReplyReader(std::string_view body) : json_(body) {}

  Result<WireReply> read() {
    if (json_.kind() != JsonKind::object) return wrong("the answer is not a JSON object");
    json_.enter('{');
    bool first = true;
    JsonString key;
    while (json_.next_member(first, key)) {
      auto done = read_member(text_of(key, key_));
      if (!done) return fail(std::move(done).error());
    }
    if (!json_.ok() || !json_.finish()) return malformed();
    // An error outweighs whatever else is there.
    if (error_) return fail(*std::move(error_));
    if (!seen_.test(kData)) return wrong("the answer has no data");
    return std::move(reply_);
  }

 private:
  enum Member : std::uint8_t {
    kData,
    kModel,
    kUsage,
    kError,
    kEmbedding,
    kIndex,
    kPromptTokens,
    kTotalTokens,
    kMembers
  };
  using Seen = std::bitset<kMembers>;

  tl::unexpected<Error> malformed() const { return wrong("the answer is not valid JSON: " + json_.fault()); }

  // A second member of the same name could mean either.
  static Result<void> once(Seen& seen, Member member, std::string_view name) {
    if (seen.test(member)) return wrong("the answer has two members " + std::string(name) + " in one object");
    seen.set(member);
    return {};
  }

  Result<void> skip() {
    if (!json_.skip()) return malformed();
    return {};
  }

  Result<void> read_member(std::string_view name) {
    const Member member = name == "data"    ? kData
                          : name == "model" ? kModel
                          : name == "usage" ? kUsage
                          : name == "error" ? kError
                                            : kMembers;
    if (member == kMembers) return skip();
    if (auto first = once(seen_, member, name); !first) return first;
    switch (member) {
      case kData:
        return read_data();
      case kUsage:
        return read_usage();
      case kError:
        return read_error();
      default:
        return read_model();
    }
  }

  Result<void> read_model() {
    JsonString model;
    if (json_.kind() != JsonKind::string) return skip();
    if (!json_.read_string(model)) return malformed();
    if (!model.escaped) reply_.model = model.raw;  // names of models need no escapes
    return {};
  }

  Result<void> read_data() {
    if (json_.kind() != JsonKind::array) return wrong("data of the answer is not an array");
    json_.enter('[');
    bool first = true;
    while (json_.next_element(first)) {
      if (reply_.data.size() == kMostVectors)
        return wrong("the answer holds more vectors than any request asks for");
      auto embedding = read_embedding();
      if (!embedding) return fail(std::move(embedding).error());
      reply_.data.push_back(*embedding);
    }
    if (!json_.ok()) return malformed();
    return {};
  }

  std::string here() const { return "data[" + std::to_string(reply_.data.size()) + "]"; }

  Result<Embedding> read_embedding() {
    if (json_.kind() != JsonKind::object) return wrong(here() + " of the answer is not an object");
    json_.enter('{');
    Embedding out;
    Seen seen;
    bool first = true;
    JsonString key;
    while (json_.next_member(first, key)) {
      const std::string_view name = text_of(key, key_);
      const Member member = name == "embedding" ? kEmbedding : name == "index" ? kIndex : kMembers;
      if (member != kMembers) {
        if (auto only = once(seen, member, name); !only) return fail(std::move(only).error());
      }
      auto done = member == kEmbedding ? read_vector(out.vector)
                  : member == kIndex   ? read_index(out.index)
                                       : skip();
      if (!done) return fail(std::move(done).error());
    }
    if (!json_.ok()) return malformed();
    if (!seen.test(kEmbedding)) return wrong(here() + " of the answer has no embedding");
    return out;
  }

  Result<void> read_vector(VectorView& out) {
    const JsonKind kind = json_.kind();
    if (kind == JsonKind::array) {
      NumberText numbers;
      if (!json_.skip_flat_array(numbers.json)) return malformed();
      out = numbers;
      return {};
    }
    if (kind != JsonKind::string)
      return wrong(here() + ".embedding is " + std::string(name_of(kind)) + ", not an array or a string");
    JsonString text;
    if (!json_.read_string(text)) return malformed();
    if (!text.escaped) {
      out = Base64Text{text.raw};
      return {};
    }
    // Some servers write "/" or "=" as an escape.
    auto plain = std::make_shared<std::string>();
    out = Base64Text{text_of(text, *plain)};
    reply_.owners.push_back(std::move(plain));
    return {};
  }

  Result<void> read_index(std::optional<std::int64_t>& out) {
    if (json_.kind() == JsonKind::null) return skip();
    Decimal decimal;
    if (json_.kind() != JsonKind::number) return wrong(here() + ".index is not a number");
    if (!json_.read_number(decimal)) return malformed();
    const auto index = whole_number(decimal);
    if (!index) return wrong(here() + ".index is not a whole number from 0");
    out = static_cast<std::int64_t>(*index);
    return {};
  }

  // "3" and "3.0"; nothing negative and no exponent.
  static std::optional<std::uint64_t> whole_number(const Decimal& decimal) {
    if (decimal.negative || decimal.text.find_first_of("eE") != std::string_view::npos) return std::nullopt;
    const auto value = to_integer(decimal);
    return value ? std::optional(static_cast<std::uint64_t>(*value)) : std::nullopt;
  }

  // Usage that makes no sense is as good as none.
  Result<void> read_usage() {
    if (json_.kind() != JsonKind::object) return skip();
    json_.enter('{');
    Seen seen;
    bool first = true;
    JsonString key;
    while (json_.next_member(first, key)) {
      const std::string_view name = text_of(key, key_);
      const Member member = name == "prompt_tokens"  ? kPromptTokens
                            : name == "total_tokens" ? kTotalTokens
                                                     : kMembers;
      if (member != kMembers) {
        if (auto only = once(seen, member, name); !only) return only;
      }
      if (member == kMembers || json_.kind() != JsonKind::number) {
        if (!json_.skip()) return malformed();
        continue;
      }
      Decimal decimal;
      if (!json_.read_number(decimal)) return malformed();
      (member == kPromptTokens ? reply_.prompt_tokens : reply_.total_tokens) = whole_number(decimal);
    }
    if (!json_.ok()) return malformed();
    return {};
  }

  // Text, number or object with code and type.
  Result<void> read_error() {
    const JsonKind kind = json_.kind();
    std::string_view value;
    if (!json_.skip(&value)) return malformed();
    if (kind == JsonKind::null) return {};
    const UpstreamComplaint said =
        read_complaint("{\"error\":" + std::string(value.substr(0, kMostOfAnError)) + "}");
    std::string code = said.code.empty() ? said.type : said.code;
    if (code.empty()) code = "error";
    error_ =
        Error(ErrorCode::upstream_invalid_answer, "the provider answered with an error in place of vectors")
            .with_detail(loggable(said))
            .with_provider({}, std::move(code));
    return {};
  }

  static constexpr std::size_t kMostVectors = 1 << 16;
  static constexpr std::size_t kMostOfAnError = 1 << 16;

  JsonCursor json_;
  std::string key_;  // of a name with escapes
  Seen seen_;
  WireReply reply_;
  std::optional<Error> error_;
};

}  // namespace

Result<WireReply> decode_embed_reply(const Buffer& body) {
  return ReplyReader(body.view()).read();
}

}  // namespace embedrouter::api
