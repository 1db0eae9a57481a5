// `input` of POST /embeddings: five forms, one list of items.
#include <limits>

#include "api/request_reader.h"

namespace embedrouter::api {
namespace {

constexpr std::string_view kForms =
    "a string, or an array of strings, of token ids, of arrays of token ids, or of content objects";
constexpr std::int64_t kLargestToken = std::numeric_limits<std::int32_t>::max();

std::string path(std::size_t item) {
  return "input[" + std::to_string(item) + "]";
}

tl::unexpected<Error> invalid_item(std::size_t item, std::string param, std::string_view message) {
  std::string whole = param + " ";
  Error error(ErrorCode::invalid_request, whole += message);
  return fail(std::move(error).with_param(std::move(param)).with_item(static_cast<std::uint32_t>(item)));
}

class InputReader {
 public:
  InputReader(RequestReader& reader, const DecodeLimits& limits, std::vector<Item>& items,
              std::vector<std::uint32_t>& tokens)
      : reader_(reader), json_(reader.json()), limits_(limits), items_(items), tokens_(tokens) {}

  Result<void> read() {
    const JsonKind kind = json_.kind();
    if (kind == JsonKind::string) return read_text(0, "input");
    if (kind != JsonKind::array) return reader_.wrong_kind("input", kForms);
    json_.enter('[');
    bool first = true;
    if (!json_.next_element(first)) {
      return json_.ok() ? invalid("input", "input is an empty array: send at least one text")
                        : reader_.malformed();
    }
    const JsonKind form = json_.kind();
    auto done = form == JsonKind::number ? read_tokens(0, true) : read_items(form);
    if (done) point_at_tokens();
    return done;
  }

 private:
  // The elements of `input`, the first of which is ahead and of kind `form`.
  Result<void> read_items(JsonKind form) {
    bool first = false;
    std::size_t index = 0;
    do {
      if (index == limits_.inputs) {
        return invalid("input", "input holds more than " + std::to_string(limits_.inputs) +
                                    " items: send them in several requests");
      }
      const JsonKind kind = json_.kind();
      if (kind == JsonKind::nothing) return reader_.wrong_kind("input", kForms);
      if (kind != form) {
        return invalid_item(index, path(index),
                            "is " + std::string(name_of(kind)) + " but input[0] is " +
                                std::string(name_of(form)) + ": one request holds one form of input");
      }
      auto done = read_item(index++, form);
      if (!done) return done;
    } while (json_.next_element(first));
    if (!json_.ok()) return reader_.malformed();
    return {};
  }

  Result<void> read_item(std::size_t index, JsonKind form) {
    if (form == JsonKind::string) return read_text(index, {});
    if (form == JsonKind::object) return read_content(index);
    if (form != JsonKind::array) {
      return invalid_item(index, path(index),
                          "must be a string, a token id, an array of token ids or a content object, not " +
                              std::string(name_of(form)));
    }
    json_.enter('[');
    bool first = true;
    if (json_.next_element(first)) return read_tokens(index, false);
    if (!json_.ok()) return reader_.malformed();
    return invalid_item(index, path(index), "is an empty array: it needs at least one token id");
  }

  // `name` if the text is not an element of `input`.
  Result<void> read_text(std::size_t index, std::string_view name) {
    JsonString string;
    if (!json_.read_string(string)) return reader_.malformed();
    if (string.raw.empty()) {
      return invalid_item(index, name.empty() ? path(index) : std::string(name),
                          "is empty: a text needs at least one character");
    }
    items_.push_back({reader_.in_place(string), {}});
    return {};
  }

  // The first id is ahead, behind its bracket. `flat`: `input` itself is the array.
  Result<void> read_tokens(std::size_t index, bool flat) {
    const std::size_t begin = tokens_.size();
    bool first = false;
    do {
      const JsonKind kind = json_.kind();
      if (kind == JsonKind::nothing) return reader_.wrong_kind("input", kForms);
      Decimal decimal;
      if (kind == JsonKind::number && !json_.read_number(decimal)) return reader_.malformed();
      const auto id = kind == JsonKind::number ? to_integer(decimal) : std::nullopt;
      if (!id || *id < 0 || *id > kLargestToken) {
        const std::string at = "[" + std::to_string(tokens_.size() - begin) + "]";
        return invalid_item(index, flat ? "input" + at : path(index) + at,
                            "must be a token id, an integer from 0 to 2147483647" +
                                (kind == JsonKind::number ? "" : ", not " + std::string(name_of(kind))));
      }
      tokens_.push_back(static_cast<std::uint32_t>(*id));
    } while (json_.next_element(first));
    if (!json_.ok()) return reader_.malformed();
    token_ends_.push_back(tokens_.size());
    return {};
  }

  // Only now, when the list of ids no longer moves.
  void point_at_tokens() {
    std::size_t begin = 0;
    for (const std::size_t end : token_ends_) {
      items_.push_back({{}, std::span<const std::uint32_t>(tokens_).subspan(begin, end - begin)});
      begin = end;
    }
  }

  // {"content":[part, …]}
  Result<void> read_content(std::size_t index) {
    json_.enter('{');
    bool first = true;
    bool seen = false;
    JsonString key;
    while (json_.next_member(first, key)) {
      if (reader_.in_place(key) != "content") {
        json_.skip();
        continue;
      }
      if (std::exchange(seen, true)) return invalid_item(index, path(index) + ".content", "appears twice");
      auto done = read_parts(index);
      if (!done) return done;
    }
    if (!json_.ok()) return reader_.malformed();
    if (!seen)
      return invalid_item(index, path(index) + ".content",
                          "is missing: a content object holds an array of parts");
    return {};
  }

  Result<void> read_parts(std::size_t index) {
    const std::string content = path(index) + ".content";
    if (json_.kind() == JsonKind::nothing) return reader_.wrong_kind(content, "an array of parts");
    if (json_.kind() != JsonKind::array) return invalid_item(index, content, "must be an array of parts");
    json_.enter('[');
    bool first = true;
    std::size_t part = 0;
    for (; json_.next_element(first); ++part) {
      const std::string at = content + "[" + std::to_string(part) + "]";
      if (part == 1) {
        return invalid_item(index, at,
                            "is one part too many: the models here make one vector of one text; send each "
                            "text as an item of its own");
      }
      auto done = read_part(index, at);
      if (!done) return done;
    }
    if (!json_.ok()) return reader_.malformed();
    if (part == 0) return invalid_item(index, content, "is empty: it needs one text part");
    return {};
  }

  Result<void> read_part(std::size_t index, const std::string& at) {
    if (json_.kind() == JsonKind::nothing) return reader_.wrong_kind(at, "an object");
    if (json_.kind() != JsonKind::object) return invalid_item(index, at, "must be an object with a type");
    json_.enter('{');
    std::optional<std::string_view> type, text;
    std::vector<std::string_view> others;  // names of members, to find the payload of a media part
    bool first = true;
    JsonString key;
    while (json_.next_member(first, key)) {
      const std::string_view name = reader_.in_place(key);
      auto* const known = name == "type" ? &type : name == "text" ? &text : nullptr;
      if (known == nullptr) {
        if (others.size() < kMembersLookedAt) others.push_back(name);
        json_.skip();
        continue;
      }
      if (known->has_value()) return invalid_item(index, at + "." + std::string(name), "appears twice");
      if (json_.kind() == JsonKind::nothing) return reader_.wrong_kind(at, "an object");
      if (json_.kind() != JsonKind::string)
        return invalid_item(index, at + "." + std::string(name), "must be a string");
      JsonString value;
      if (!json_.read_string(value)) return reader_.malformed();
      *known = reader_.in_place(value);
    }
    if (!json_.ok()) return reader_.malformed();
    return take_part(index, at, type, text, others);
  }

  Result<void> take_part(std::size_t index, const std::string& at, std::optional<std::string_view> type,
                         std::optional<std::string_view> text, const std::vector<std::string_view>& others) {
    if (!type) return invalid_item(index, at + ".type", "is missing: it must be \"text\"");
    if (*type == "text") {
      if (!text || text->empty())
        return invalid_item(index, at + ".text", "must be a text of at least one character");
      items_.push_back({*text, {}});
      return {};
    }
    for (const std::string_view media : {"image_url", "input_audio", "input_video", "input_file"}) {
      if (*type != media) continue;
      if (std::ranges::find(others, media) == others.end()) {
        return invalid_item(index, at + "." + std::string(media),
                            "is missing: it holds what the part consists of");
      }
      return invalid_item(index, at, "is of type " + std::string(media) + ": the models here take text only");
    }
    return invalid_item(
        index, at + ".type",
        "must be \"text\", or a kind of media: image_url, input_audio, input_video, input_file");
  }

  static constexpr std::size_t kMembersLookedAt = 16;

  RequestReader& reader_;
  JsonCursor& json_;
  const DecodeLimits& limits_;
  std::vector<Item>& items_;
  std::vector<std::uint32_t>& tokens_;
  std::vector<std::size_t> token_ends_;
};

}  // namespace

Result<void> read_input(RequestReader& reader, const DecodeLimits& limits, std::vector<Item>& items,
                        std::vector<std::uint32_t>& tokens) {
  return InputReader(reader, limits, items, tokens).read();
}

}  // namespace embedrouter::api
