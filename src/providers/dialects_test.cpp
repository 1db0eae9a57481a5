// Every dialect of the table against its golden files, tests/golden/dialects/<name>/*.txt: what we are asked,
// what is sent, what is answered, what the caller is told. A new dialect is tested by its files alone.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "embed/gate.h"
#include "providers/dialect.h"

namespace embedrouter::providers {
namespace {

const std::filesystem::path kGolden =
    std::filesystem::path(EMBEDROUTER_SOURCE_DIR) / "tests" / "golden" / "dialects";

// What every dialect must show. Beside these, one file per parameter it has a place for.
constexpr std::array kRequired{"one_text", "several_texts", "base64_asked",
                               "too_long", "rate_limited",  "options"};

// Sections begin with a line "== name"; the line break before the next one is not theirs.
using Sections = std::map<std::string, std::string>;
Sections read_sections(const std::filesystem::path& file) {
  std::ifstream in(file);
  Sections sections;
  std::string* section = nullptr;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("== ")) {
      section = &sections[line.substr(3)];
    } else if (section != nullptr) {
      if (!section->empty()) *section += '\n';
      *section += line;
    }
  }
  return sections;
}

std::vector<std::filesystem::path> files_of(std::string_view dialect) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(kGolden / dialect)) files.push_back(entry);
  std::ranges::sort(files);
  return files;
}

std::shared_ptr<const catalog::Catalog> catalog_of(const Dialect& dialect, const std::string& endpoint) {
  const std::string config = "[embedded]\nenabled = false\n[[provider]]\nslug = \"their\"\ndialect = \"" +
                             std::string(dialect.facts.name) +
                             "\"\nbase_url = \"http://their.host\"\n[[model]]\nid = \"test/model\"\n"
                             "dimensions = 4\nmatryoshka = [2]\ncontext_length = 8192\n"
                             "[[model.endpoint]]\nprovider = \"their\"\nupstream_model = \"their-model\"\n" +
                             endpoint;
  catalog::ConfigEnvironment around{.home = "/home/u"};
  for (const Dialect* each : dialects()) around.dialects.push_back(each->facts);
  const catalog::ConfigOutcome outcome = catalog::parse_config(config, around);
  for (const catalog::ConfigFault& fault : outcome.faults) ADD_FAILURE() << fault.line << fault.message;
  return catalog::Catalog::build(outcome.config, nullptr).value();
}

// "status\nName: value\n\nbody"
UpstreamReply read_reply(const std::string& text) {
  UpstreamReply reply;
  const std::size_t end = text.find("\n\n");
  std::string_view head = std::string_view(text).substr(0, end);
  reply.status = std::atoi(text.c_str());
  for (std::size_t line = 0; (line = head.find('\n')) != std::string_view::npos;) {
    head.remove_prefix(line + 1);
    const std::string_view field = head.substr(0, head.find('\n'));
    reply.headers.add(field.substr(0, field.find(": ")), field.substr(field.find(": ") + 2));
  }
  reply.body = std::make_shared<const Buffer>(std::string_view(text).substr(end + 2));
  return reply;
}

// What a caller is told: the tokens and the data of the 200, or the code, message and hint of the failure.
std::string told(const Result<api::EmbedReply>& reply, const api::EmbedRequest& request) {
  if (!reply) {
    const Error& error = reply.error();
    const auto wait = error.retry_after();
    return std::string(traits(error.code()).name) + "\n" + error.message() +
           (wait ? "\nagain after " + std::to_string(wait->count()) + " ms" : "");
  }
  const std::string body = api::encode_embed_response(*reply, request.encoding, {}).to_string();
  const bool estimated = reply->usage.source != api::UsageSource::provider;
  return std::to_string(reply->usage.total_tokens) + (estimated ? " tokens, estimated\n{" : " tokens\n{") +
         body.substr(body.find("\"data\":"));
}

Result<api::EmbedReply> taken(const Dialect& dialect, const UpstreamReply& reply,
                              const api::EmbedRequest& request) {
  if (reply.status != 200) return fail(dialect.explain(reply));
  auto decoded = dialect.decode(reply, request);
  if (!decoded) return decoded;
  embed::Gate gate({.dimensions = 4, .normalized = true});
  if (auto passed = gate.inspect(request, *decoded); !passed) return fail(std::move(passed).error());
  return decoded;
}

// Everything of one golden file, ready to be asked.
struct Case {
  explicit Case(const Dialect& dialect, const std::filesystem::path& file)
      : sections(read_sections(file)), catalog(catalog_of(dialect, sections["endpoint"])) {
    auto decoded = api::decode_embed_request(Buffer(sections["asked"]), {});
    EXPECT_TRUE(decoded) << file << ": " << decoded.error().message();
    asked.emplace(*std::move(decoded));
  }
  const catalog::Endpoint& endpoint() const { return catalog->find("test/model")->endpoints.front(); }

  Sections sections;
  std::shared_ptr<const catalog::Catalog> catalog;
  std::optional<api::DecodedRequest> asked;
};

TEST(Dialects, are_those_that_have_golden_files) {
  std::set<std::string> names;
  for (const Dialect* dialect : dialects()) names.emplace(dialect->facts.name);
  std::set<std::string> folders;
  for (const auto& entry : std::filesystem::directory_iterator(kGolden))
    folders.insert(entry.path().filename());
  EXPECT_EQ(names, folders);
}

TEST(Dialects, show_everything_they_have_a_place_for) {
  for (const Dialect* dialect : dialects()) {
    std::vector<std::string> files(kRequired.begin(), kRequired.end());
    if (dialect->facts.token_ids) files.emplace_back("token_ids");
    if (dialect->facts.dimensions) files.emplace_back("dimensions");
    if (dialect->facts.input_types) files.emplace_back("input_type");
    for (const std::string& name : files) {
      EXPECT_TRUE(std::filesystem::exists(kGolden / dialect->facts.name / (name + ".txt")))
          << dialect->facts.name << " has no " << name << ".txt";
    }
  }
}

TEST(Dialects, send_and_tell_what_their_golden_files_say) {
  for (const Dialect* dialect : dialects()) {
    for (const auto& file : files_of(dialect->facts.name)) {
      Case golden(*dialect, file);
      const api::EmbedRequest& request = golden.asked->request();
      const auto upstream = dialect->encode(request, golden.endpoint());
      ASSERT_TRUE(upstream) << file << ": " << upstream.error().message();
      EXPECT_EQ("POST " + upstream->path + "\n" + upstream->body.to_string(), golden.sections["sent"])
          << file;
      const UpstreamReply reply = read_reply(golden.sections["answered"]);
      EXPECT_EQ(told(taken(*dialect, reply, request), request), golden.sections["told"]) << file;
    }
  }
}

// A cut answer is never taken for a whole one, wherever the cut.
TEST(Dialects, take_no_part_of_an_answer_for_the_whole) {
  for (const Dialect* dialect : dialects()) {
    Case golden(*dialect, kGolden / dialect->facts.name / "several_texts.txt");
    const UpstreamReply whole = read_reply(golden.sections["answered"]);
    ASSERT_TRUE(taken(*dialect, whole, golden.asked->request()));
    const std::string_view body = whole.body->view();
    for (std::size_t size = 0; size < body.size(); ++size) {
      UpstreamReply cut = whole;
      cut.body = std::make_shared<const Buffer>(body.substr(0, size));
      EXPECT_FALSE(taken(*dialect, cut, golden.asked->request()))
          << dialect->facts.name << ": " << body.substr(0, size);
    }
  }
}

// Whatever stands in place of an answer is an error of the upstream's and not the caller's.
TEST(Dialects, blame_the_upstream_for_a_200_that_is_none) {
  constexpr std::array<std::string_view, 16> kBodies{"",
                                                     "null",
                                                     "\"text\"",
                                                     "17",
                                                     "{}",
                                                     "[]",
                                                     "[[]]",
                                                     "[[0.5,0.5,0.5,0.5],null]",
                                                     "[[[0.5,0.5,0.5,0.5]]]",
                                                     "[[\"a\"]]",
                                                     R"({"data":[]})",
                                                     R"({"embeddings":[]})",
                                                     R"({"embeddings":{"float":[[0.5,0.5,0.5,0.5]]}})",
                                                     R"({"error":"it went wrong"})",
                                                     R"({"error":{"message":"it went wrong","code":500}})",
                                                     "<!doctype html><html></html>"};
  for (const Dialect* dialect : dialects()) {
    Case golden(*dialect, kGolden / dialect->facts.name / "one_text.txt");
    for (const std::string_view body : kBodies) {
      UpstreamReply reply;
      reply.status = 200;
      reply.body = std::make_shared<const Buffer>(body);
      const auto result = taken(*dialect, reply, golden.asked->request());
      ASSERT_FALSE(result) << dialect->facts.name << ": " << body;
      EXPECT_GE(result.error().http_status(), 500) << dialect->facts.name << ": " << body;
    }
  }
}

// Any byte of an answer changed: an answer or an error, and no vector longer or shorter than it says.
TEST(Dialects, read_any_bytes) {
  for (const Dialect* dialect : dialects()) {
    Case golden(*dialect, kGolden / dialect->facts.name / "several_texts.txt");
    const UpstreamReply whole = read_reply(golden.sections["answered"]);
    const std::string body(whole.body->view());
    for (std::size_t at = 0; at < body.size(); ++at) {
      for (const char byte : {'"', '[', ']', '{', '}', ',', '0', '-', '\0', '\\', '\xff'}) {
        std::string changed = body;
        changed[at] = byte;
        UpstreamReply reply = whole;
        reply.body = std::make_shared<const Buffer>(changed);
        const auto result = taken(*dialect, reply, golden.asked->request());
        if (result) EXPECT_EQ(result->width, 4U) << changed;
      }
    }
  }
}

TEST(Dialects, have_an_error_for_every_status) {
  for (const Dialect* dialect : dialects()) {
    for (const int status : {204, 206, 301, 307, 400, 401, 402, 403, 404, 408, 413, 418,
                             422, 424, 429, 499, 500, 501, 502, 503, 504, 520, 524, 529}) {
      UpstreamReply reply;
      reply.status = status;
      reply.body = std::make_shared<const Buffer>(std::string_view("no JSON"));
      const Error error = dialect->explain(reply);
      EXPECT_GE(error.http_status(), 400) << dialect->facts.name << ' ' << status;
      EXPECT_EQ(error.upstream_status(), status) << dialect->facts.name;
      EXPECT_EQ(error.message().find("no JSON"), std::string::npos);
      if (status >= 500) EXPECT_GE(error.http_status(), 500) << dialect->facts.name << ' ' << status;
    }
  }
}

}  // namespace
}  // namespace embedrouter::providers
