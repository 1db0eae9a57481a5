#include "hub/hub.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "api/json_cursor.h"
#include "base/percent.h"
#include "catalog/values.h"
#include "hub/manifest.h"

namespace embedrouter::hub {
namespace {

constexpr std::size_t kMostFiles = 100'000;
constexpr std::uint64_t kLargestFile = std::uint64_t{1} << 40;  // of weights
constexpr std::uint64_t kLargestText = std::uint64_t{1} << 28;  // of all that is read into memory whole
constexpr std::chrono::seconds kLongestWait{300};

std::string encoded_path(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    out += '/' + percent_encoded(path.substr(0, slash));
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return out;
}

std::optional<std::uint64_t> number(std::optional<std::string_view> text) {
  std::uint64_t value = 0;
  if (!text || text->empty()) return std::nullopt;
  const auto read = std::from_chars(text->data(), text->data() + text->size(), value);
  if (read.ec != std::errc() || read.ptr != text->data() + text->size()) return std::nullopt;
  return value;
}

std::string text_at(api::JsonCursor& json) {
  api::JsonString string;
  std::string storage;
  if (json.kind() != api::JsonKind::string) {
    json.skip();
    return {};
  }
  if (!json.read_string(string)) return {};
  return std::string(api::text_of(string, storage));
}

// [{"rfilename": "config.json"}, …]
void read_siblings(api::JsonCursor& json, std::vector<std::string>& files) {
  if (json.kind() != api::JsonKind::array) {
    json.skip();
    return;
  }
  json.enter('[');
  for (bool first = true; json.next_element(first);) {
    if (json.kind() != api::JsonKind::object || files.size() >= kMostFiles) {
      json.skip();
      continue;
    }
    json.enter('{');
    api::JsonString key;
    for (bool first_member = true; json.next_member(first_member, key);) {
      if (key.raw == "rfilename") {
        files.push_back(text_at(json));
      } else {
        json.skip();
      }
    }
  }
}

}  // namespace

bool is_commit(std::string_view revision) {
  return revision.size() == 40 && revision.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Result<Revision> read_revision(std::string_view json, std::string id) {
  Revision revision;
  revision.id = std::move(id);
  api::JsonCursor cursor(json);
  const auto strange = [&] {
    return fail(ErrorCode::upstream_invalid_answer,
                "the hub's answer about " + revision.id + " is not what a Hugging Face hub says");
  };
  if (!cursor.enter('{')) return strange();
  api::JsonString key;
  for (bool first = true; cursor.next_member(first, key);) {
    if (key.raw == "sha") {
      revision.commit = text_at(cursor);
    } else if (key.raw == "siblings") {
      read_siblings(cursor, revision.files);
    } else {
      cursor.skip();
    }
  }
  if (!cursor.finish() || !is_commit(revision.commit)) return strange();
  return revision;
}

Result<std::unique_ptr<Hub>> Hub::make(asio::io_context& io, HubOptions options) {
  auto url = net::Url::parse(options.endpoint);
  if (!url) return fail(ErrorCode::invalid_request, "HF_ENDPOINT: " + url.error().message());
  const bool here = catalog::is_loopback({url->host, url->port});
  if (!options.token.empty() && !url->tls && !here) {
    return fail(ErrorCode::invalid_request,
                "a token does not go to " + options.endpoint +
                    ", where it could be read on the way; use https in HF_ENDPOINT, or unset HF_TOKEN");
  }
  const bool printable = std::ranges::all_of(options.token, [](char c) { return c > ' ' && c < 0x7F; });
  if (!printable)
    return fail(ErrorCode::invalid_request, "HF_TOKEN holds blanks or other signs no token has");
  return std::unique_ptr<Hub>(new Hub(io, *std::move(url), std::move(options)));
}

Hub::Hub(asio::io_context& io, net::Url origin, HubOptions options)
    : endpoint_((origin.tls ? "https://" : "http://") + origin.authority() + origin.path),
      base_path_(origin.path),
      has_token_(!options.token.empty()),
      traveller_(io, std::move(origin), std::move(options.token), std::move(options.reach)) {}

std::string Hub::target_of(const Revision& revision, const std::string& path) const {
  return base_path_ + encoded_path(revision.id) + "/resolve/" + revision.commit + encoded_path(path);
}

Error Hub::unheard(Error error) const {
  const std::string detail = error.detail().empty() ? "" : " (" + error.detail() + ")";
  std::string message = "asking the hub at " + endpoint_ + ": " + error.message() + detail;
  if (error.code() == ErrorCode::upstream_unreachable) {
    message +=
        "; look at the network, at HTTPS_PROXY where there is a proxy, or name a mirror in HF_ENDPOINT";
  }
  return error.code() == ErrorCode::internal ? error : std::move(error).with_message(std::move(message));
}

// `what`: "BAAI/bge-m3 at \"main\"", "config.json of BAAI/bge-m3".
Error Hub::in_words(const net::ClientResponse& answer, const std::string& id, const std::string& what) const {
  const std::string_view said = answer.headers.find("x-error-code").value_or("");
  const std::string status = " (" + std::to_string(answer.status) + ")";
  const std::string page = endpoint_ + "/" + id;
  if (said == "GatedRepo") {
    return {ErrorCode::permission_denied,
            id + " is gated: ask for access at " + page +
                (has_token_ ? ", with the account that HF_TOKEN is of"
                            : ", then set HF_TOKEN to a token of that account")};
  }
  if (answer.status == 401 || answer.status == 403) {
    const ErrorCode code = answer.status == 401 ? ErrorCode::unauthorized : ErrorCode::permission_denied;
    if (has_token_) {
      return {code, "the hub refuses " + what + status +
                        ": either HF_TOKEN may not read it, or there is no model " + id + "; see " + page};
    }
    return {code, "the hub does not hand out " + what + status +
                      " to everybody: it is private, or there is no model " + id +
                      ". If it is yours, set HF_TOKEN"};
  }
  if (answer.status == 404 && said == "RevisionNotFound")
    return {ErrorCode::model_not_found,
            id + " has no such branch, tag or commit; see " + page + "/commits/main"};
  if (answer.status == 404)
    return {ErrorCode::model_not_found, "the hub at " + endpoint_ + " has no " + what + status};
  if (answer.status == 429) {
    Error error(
        ErrorCode::rate_limited,
        "the hub has had too many requests from here" + status +
            (has_token_ ? "; try again later" : "; try again later, or set HF_TOKEN, which is allowed more"));
    const auto wait = number(answer.headers.find("retry-after"));
    if (!wait) return error;
    const std::uint64_t most = kLongestWait.count();
    return std::move(error).with_retry_after(std::chrono::seconds(std::min(*wait, most)));
  }
  return {answer.status >= 500 ? ErrorCode::upstream_error : ErrorCode::upstream_invalid_answer,
          "the hub cannot answer for " + what + status};
}

Task<Result<Revision>> Hub::find(std::string id, std::string revision) {
  Traveller::Question question;
  question.method = "GET";
  question.target = base_path_ + "/api/models" + encoded_path(id) + "/revision/" + percent_encoded(revision);
  question.headers.push_back({"Accept", "application/json"});
  auto answer = co_await traveller_.ask(question);
  if (!answer) co_return fail(unheard(std::move(answer).error()));
  if (answer->status != 200) co_return fail(in_words(*answer, id, id + " at \"" + revision + "\""));
  co_return read_revision(answer->body->view(), std::move(id));
}

Task<Result<RemoteFile>> Hub::look(const Revision& revision, std::string path) {
  Traveller::Question question;
  question.method = "HEAD";
  question.target = target_of(revision, path);
  // A large file lies elsewhere; what it is stands in the redirect.
  question.abroad = Traveller::Abroad::stay;
  auto answer = co_await traveller_.ask(question);
  if (!answer) co_return fail(unheard(std::move(answer).error()));
  const net::Headers& headers = answer->headers;
  const bool elsewhere = headers.find("location").has_value();
  if (answer->status != 200 && !elsewhere)
    co_return fail(in_words(*answer, revision.id, path + " of " + revision.id));
  const auto etag = headers.find("x-linked-etag");
  const auto digest = digest_of_etag(etag.value_or(headers.find("etag").value_or("")));
  const auto linked = headers.find("x-linked-size");
  const auto size = number(linked ? linked : headers.find(elsewhere ? "" : "content-length"));
  if (!digest || !size) {
    co_return fail(
        ErrorCode::upstream_invalid_answer,
        "the hub at " + endpoint_ + " does not tell the size and digest of " + path +
            ", so what it sends could not be checked; fetch the model by other means and add its folder");
  }
  if (*size > (path.ends_with(".safetensors") ? kLargestFile : kLargestText)) {
    co_return fail(ErrorCode::invalid_request, path + " of " + revision.id + " has " + in_mebibytes(*size) +
                                                   ", which no such file of a model has; it is not fetched");
  }
  const auto commit = headers.find("x-repo-commit");
  if (commit && *commit != revision.commit) {
    co_return fail(ErrorCode::upstream_invalid_answer,
                   "the hub answers for another commit than " + revision.commit + " of " + revision.id);
  }
  co_return RemoteFile{std::move(path), *size, *digest};
}

Task<Result<void>> Hub::fetch(const Revision& revision, const RemoteFile& file, PartialFile& into) {
  Traveller::Question question;
  question.method = "GET";
  question.target = target_of(revision, file.path);
  if (std::string range = into.range(); !range.empty())
    question.headers.push_back({"Range", std::move(range)});
  question.sink = &into;
  auto answer = co_await traveller_.ask(question);
  if (!answer) co_return fail(unheard(std::move(answer).error()));
  if (answer->status == 416) {  // there is no such rest
    if (auto anew = into.start_anew(); !anew) co_return anew;
  }
  if (answer->status != 200 && answer->status != 206)
    co_return fail(in_words(*answer, revision.id, file.path + " of " + revision.id));
  if (!into.complete())
    co_return fail(ErrorCode::upstream_invalid_answer, "the hub's copy of " + file.path + " ended too early");
  co_return Result<void>();
}

}  // namespace embedrouter::hub
