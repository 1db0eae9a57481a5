#include "api/embed_request.h"

#include <bitset>
#include <iterator>
#include <limits>

#include "api/request_reader.h"

namespace embedrouter::api {

struct DecodedRequest::Storage {
  Buffer body;
  std::vector<Item> items;
  std::vector<std::uint32_t> tokens;
  ProviderPreferences provider;
  std::vector<std::string_view> ignored;
  EmbedRequest request;
};

namespace {

using Storage = DecodedRequest::Storage;

constexpr std::size_t kMostIgnored = 16;
constexpr std::size_t kLongestIgnored = 64;
constexpr std::size_t kLongestName = 512;     // bytes of `model` and `input_type`
constexpr std::size_t kLongestUser = 4096;    // bytes
constexpr std::size_t kLongestSession = 256;  // characters

tl::unexpected<Error> too_long(std::string_view param, std::size_t most, std::string_view unit) {
  std::string message(param);
  ((message += " is longer than ") += std::to_string(most)) += ' ';
  return invalid(param, message += unit);
}

// A string of at least one and at most `most` bytes.
Result<std::string_view> read_name(RequestReader& reader, std::string_view param, std::size_t most) {
  auto text = reader.text(param);
  if (!text) return text;
  if (text->empty()) return invalid(param, std::string(param) + " is empty");
  if (text->size() > most) return too_long(param, most, "bytes");
  return text;
}

Result<void> read_encoding(RequestReader& reader, Storage& storage) {
  const auto text = reader.text("encoding_format");
  if (!text) return fail(text.error());
  if (*text != "float" && *text != "base64") {
    return invalid("encoding_format", "encoding_format must be \"float\" or \"base64\"");
  }
  storage.request.encoding = *text == "base64" ? EncodingFormat::base64 : EncodingFormat::float_numbers;
  return {};
}

Result<void> read_session(RequestReader& reader, Storage& storage) {
  const auto text = reader.text("session_id");
  if (!text) return fail(text.error());
  const auto starts_character = [](char c) { return (c & 0xC0) != 0x80; };
  if (static_cast<std::size_t>(std::ranges::count_if(*text, starts_character)) > kLongestSession) {
    return too_long("session_id", kLongestSession, "characters");
  }
  storage.request.session_id = *text;
  return {};
}

Result<void> read_stream(RequestReader& reader, Storage&) {
  const auto stream = reader.flag("stream");
  if (!stream) return fail(stream.error());
  if (*stream) return invalid("stream", "stream must be false or absent: embeddings are not streamed");
  return {};
}

Result<void> read_trace(RequestReader& reader, Storage& storage) {
  if (reader.json().kind() != JsonKind::object) return reader.wrong_kind("trace", "an object");
  storage.request.has_trace = true;
  reader.json().skip();
  return {};
}

// Takes what `read` read into `member`.
template <class T, class Member>
Result<void> keep(Result<T> read, Member& member) {
  if (!read) return fail(std::move(read).error());
  member = static_cast<T>(*std::move(read));
  return {};
}

struct Known {
  std::string_view name;
  Result<void> (*read)(RequestReader&, Storage&);
};

constexpr Known kKnown[] = {
    {"model",
     [](RequestReader& r, Storage& s) { return keep(read_name(r, "model", kLongestName), s.request.model); }},
    {"encoding_format", read_encoding},
    {"dimensions",
     [](RequestReader& r, Storage& s) -> Result<void> {
       const auto value = r.integer("dimensions", 1, std::numeric_limits<std::int32_t>::max());
       if (!value) return fail(value.error());
       s.request.dimensions = static_cast<std::uint32_t>(*value);
       return {};
     }},
    {"input_type",
     [](RequestReader& r, Storage& s) {
       return keep(read_name(r, "input_type", kLongestName), s.request.input_type);
     }},
    {"user",
     [](RequestReader& r, Storage& s) -> Result<void> {
       auto user = r.text("user");
       if (user && user->size() > kLongestUser) return too_long("user", kLongestUser, "bytes");
       return keep(std::move(user), s.request.user);
     }},
    {"provider",
     [](RequestReader& r, Storage& s) {
       s.request.provider = &s.provider;
       return read_provider(r, s.provider);
     }},
    {"session_id", read_session},
    {"trace", read_trace},
    {"stream", read_stream},
    {"truncate", [](RequestReader& r, Storage& s) { return keep(r.flag("truncate"), s.request.truncate); }},
    {"partial", [](RequestReader& r, Storage& s) { return keep(r.flag("partial"), s.request.partial); }},
};

// What would change the vectors and is not applied by anything here, with what to do about it. Honoured or
// refused.
struct Refused {
  std::string_view name, instead;
};
constexpr std::string_view kNormalization =
    "the model's entry in the model list says whether its vectors are normalized";
constexpr std::string_view kFloatsOnly = "vectors are float32; encoding_format chooses their text form";
constexpr std::string_view kCut = "use \"truncate\": true to have long texts cut";
constexpr std::string_view kWidth = "use dimensions";
constexpr std::string_view kKind =
    "use input_type where the model honours it, or put the words into the text";
constexpr std::string_view kOneModel = "name one model: vectors of different models cannot be compared";
constexpr std::string_view kNoChoice = "the model decides this";
constexpr Refused kRefused[] = {
    {"normalize", kNormalization},
    {"normalized", kNormalization},
    {"normalize_embeddings", kNormalization},
    {"embedding_types", kFloatsOnly},
    {"embedding_type", kFloatsOnly},
    {"output_dtype", kFloatsOnly},
    {"output_type", kFloatsOnly},
    {"precision", kFloatsOnly},
    {"auto_truncate", kCut},
    {"truncate_prompt_tokens", kCut},
    {"truncation", kCut},
    {"truncation_direction", kCut},
    {"output_dimension", kWidth},
    {"output_dimensionality", kWidth},
    {"truncate_dim", kWidth},
    {"instruction", kKind},
    {"prompt", kKind},
    {"prompt_name", kKind},
    {"task", kKind},
    {"task_type", kKind},
    {"text_type", kKind},
    {"add_special_tokens", kNoChoice},
    {"late_chunking", kNoChoice},
    {"pooling", kNoChoice},
    {"models", kOneModel},
    {"preset", "presets do not exist here; name the model"},
    {"partial", "a request succeeds or fails as a whole"},
};

// As upstreams name what the members above become.
constexpr std::string_view kWrittenUpstream[] = {"inputs", "texts", "options"};

// null and [] ask for nothing.
bool asks_for_nothing(std::string_view json) {
  return json == "null" || (json.front() == '[' && json.find_first_not_of(" \t\r\n", 1) == json.size() - 1);
}

bool fits_a_header_list(std::string_view name) {
  return !name.empty() &&
         std::ranges::all_of(name, [](char c) { return c > ' ' && c < 0x7f && c != ',' && c != '"'; });
}

class RequestDecoder {
 public:
  RequestDecoder(Storage& storage, const DecodeLimits& limits)
      : storage_(storage), limits_(limits), reader_(storage.body) {}

  Result<void> decode() {
    JsonCursor& json = reader_.json();
    const std::string_view body = storage_.body.view();
    if (body.starts_with("\xEF\xBB\xBF")) {
      return fail(ErrorCode::invalid_request, "the body starts with a byte order mark: send plain UTF-8");
    }
    const JsonKind kind = json.kind();
    if (kind == JsonKind::nothing && body.find_first_not_of(" \t\r\n") == std::string_view::npos) {
      return fail(ErrorCode::invalid_request, "the body is empty: send a JSON object with model and input");
    }
    if (kind != JsonKind::object) {
      if (json.skip())
        return fail(ErrorCode::invalid_request,
                    "the body must be a JSON object, not " + std::string(name_of(kind)));
      return reader_.malformed();
    }
    json.enter('{');
    bool first = true;
    JsonString key;
    while (json.next_member(first, key)) {
      auto done = read_member(reader_.in_place(key));
      if (!done) return done;
    }
    if (!json.ok() || !json.finish()) return reader_.malformed();
    if (!storage_.request.model.data())
      return invalid("model", "model is missing: name the model, for example \"Taurus\"");
    if (storage_.items.empty()) return invalid("input", "input is missing: send the text to embed");
    storage_.request.items = storage_.items;
    return {};
  }

 private:
  Result<void> read_member(std::string_view name) {
    JsonCursor& json = reader_.json();
    if (name == "input") {
      if (auto once = first_time(std::size(kKnown), name); !once) return once;
      return read_input(reader_, limits_, storage_.items, storage_.tokens);
    }
    for (const Known& known : kKnown) {
      if (name != known.name) continue;
      if (auto once = first_time(static_cast<std::size_t>(&known - kKnown), name); !once) return once;
      if (name != "model" && reader_.skip_null()) return {};
      auto done = known.read(reader_, storage_);
      if (done && !json.ok()) return reader_.malformed();
      return done;
    }
    std::string_view value;
    if (!json.skip(&value)) return reader_.malformed();
    for (const Refused& refused : kRefused) {
      if (name != refused.name) continue;
      if (asks_for_nothing(value)) return {};
      std::string message(name);
      return invalid(name, (message += " cannot be applied here: ") += refused.instead);
    }
    note_ignored(name);
    return {};
  }

  Result<void> first_time(std::size_t known, std::string_view name) {
    if (seen_.test(known)) return invalid(name, std::string(name) + " appears twice in the body");
    seen_.set(known);
    return {};
  }

  void note_ignored(std::string_view name) {
    name = name.substr(0, kLongestIgnored);
    auto& ignored = storage_.ignored;
    if (ignored.size() == kMostIgnored || !fits_a_header_list(name) ||
        std::ranges::find(ignored, name) != ignored.end())
      return;
    ignored.push_back(name);
  }

  Storage& storage_;
  const DecodeLimits& limits_;
  RequestReader reader_;
  std::bitset<std::size(kKnown) + 1> seen_;
};

}  // namespace

DecodedRequest::DecodedRequest(std::unique_ptr<Storage> storage) : storage_(std::move(storage)) {}
DecodedRequest::DecodedRequest(DecodedRequest&&) noexcept = default;
DecodedRequest& DecodedRequest::operator=(DecodedRequest&&) noexcept = default;
DecodedRequest::~DecodedRequest() = default;

bool is_decided_here(std::string_view name) {
  return name == "input" || std::ranges::find(kKnown, name, &Known::name) != std::end(kKnown) ||
         std::ranges::find(kRefused, name, &Refused::name) != std::end(kRefused) ||
         std::ranges::find(kWrittenUpstream, name) != std::end(kWrittenUpstream);
}

const EmbedRequest& DecodedRequest::request() const noexcept {
  return storage_->request;
}
const std::vector<std::string_view>& DecodedRequest::ignored() const noexcept {
  return storage_->ignored;
}

Result<DecodedRequest> decode_embed_request(Buffer body, const DecodeLimits& limits) {
  auto storage = std::make_unique<Storage>();
  storage->body = std::move(body);
  auto decoded = RequestDecoder(*storage, limits).decode();
  if (!decoded) return fail(std::move(decoded).error());
  return DecodedRequest(std::move(storage));
}

}  // namespace embedrouter::api
