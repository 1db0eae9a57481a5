#include "api/embed_request.h"

#include <gtest/gtest.h>

namespace embedrouter::api {
namespace {

Result<DecodedRequest> decode(std::string_view body, std::size_t inputs = 2048) {
  return decode_embed_request(Buffer(body), DecodeLimits{inputs});
}

// A request that is good but for these members.
std::string with(std::string_view members) {
  return R"({"model":"m","input":"x",)" + std::string(members) + "}";
}
std::string with_input(std::string_view input) {
  return R"({"model":"m","input":)" + std::string(input) + "}";
}

struct Refusal {
  std::string param, message;
  std::optional<std::uint32_t> item;
};
Refusal refusal(std::string_view body) {
  const auto decoded = decode(body);
  EXPECT_FALSE(decoded) << body;
  if (decoded) return {};
  EXPECT_EQ(decoded.error().code(), ErrorCode::invalid_request) << body;
  EXPECT_FALSE(decoded.error().message().empty());
  return {decoded.error().param(), decoded.error().message(), decoded.error().item()};
}

std::vector<std::string> texts_of(const DecodedRequest& decoded) {
  std::vector<std::string> texts;
  for (const Item& item : decoded.request().items) texts.emplace_back(item.text);
  return texts;
}
std::vector<std::vector<std::uint32_t>> tokens_of(const DecodedRequest& decoded) {
  std::vector<std::vector<std::uint32_t>> tokens;
  for (const Item& item : decoded.request().items)
    tokens.emplace_back(item.tokens.begin(), item.tokens.end());
  return tokens;
}

using Texts = std::vector<std::string>;
using Tokens = std::vector<std::vector<std::uint32_t>>;

TEST(EmbedRequest, takes_every_form_of_text) {
  for (
      const auto& [input, texts] : std::vector<std::pair<std::string_view, Texts>>{
          {R"("hi")", {"hi"}},
          {R"(" ")", {" "}},
          {R"(["a","b\nc","😀"])", {"a", "b\nc", "😀"}},
          {R"(["a\u0000b"])", {std::string("a\0b", 3)}},
          {R"(["\ud83d\ude00\/"])", {"😀/"}},
          {R"([{"content":[{"type":"text","text":"one"}]}, {"content":[{"text":"t\u0077o","type":"text","x":[1]}],"y":{}}])",
           {"one", "two"}}}) {
    const auto decoded = decode(with_input(input));
    ASSERT_TRUE(decoded) << decoded.error().message();
    EXPECT_EQ(texts_of(*decoded), texts);
    EXPECT_FALSE(decoded->request().items[0].is_tokens());
  }
}

TEST(EmbedRequest, takes_token_ids_also_as_floating_literals) {
  for (const auto& [input, tokens] :
       std::vector<std::pair<std::string_view, Tokens>>{{"[9906,1917]", {{9906, 1917}}},
                                                        {"[1.0,2.0,3.0]", {{1, 2, 3}}},
                                                        {"[[1,2],[3]]", {{1, 2}, {3}}},
                                                        {"[[1.0, 2e0],[3.0]]", {{1, 2}, {3}}},
                                                        {"[0,2147483647]", {{0, 2147483647}}}}) {
    const auto decoded = decode(with_input(input));
    ASSERT_TRUE(decoded) << decoded.error().message();
    EXPECT_EQ(tokens_of(*decoded), tokens) << input;
    EXPECT_TRUE(decoded->request().items[0].is_tokens());
  }
}

TEST(EmbedRequest, refuses_input_that_cannot_be_and_names_the_place) {
  struct Case {
    std::string_view input, param;
    std::optional<std::uint32_t> item = {};
  };
  for (
      const Case& c : std::initializer_list<Case>{
          {"null", "input"},
          {"1", "input"},
          {"true", "input"},
          {"{}", "input"},
          {"[]", "input"},
          {R"("")", "input", 0},
          {R"(["a","b",""])", "input[2]", 2},
          {"[[1],[]]", "input[1]", 1},
          {"[[]]", "input[0]", 0},
          {"[null]", "input[0]", 0},
          {"[true]", "input[0]", 0},
          {R"(["a",1])", "input[1]", 1},
          {R"(["a",["b"]])", "input[1]", 1},
          {R"([1,"a"])", "input[1]", 0},
          {R"([1,true])", "input[1]", 0},
          {R"([1,[2]])", "input[1]", 0},
          {R"([[1],2])", "input[1]", 1},
          {R"([["Hello"]])", "input[0][0]", 0},
          {R"([[1],[2,-1]])", "input[1][1]", 1},
          {"[1,1.5]", "input[1]", 0},
          {"[-1]", "input[0]", 0},
          {"[2147483648]", "input[0]", 0},
          {"[9007199254740993]", "input[0]", 0},
          {"[1e400]", "input[0]", 0},
          {"[[1,null]]", "input[0][1]", 0},
          {"[{}]", "input[0].content", 0},
          {R"([{"content":"x"}])", "input[0].content", 0},
          {R"([{"content":[]}])", "input[0].content", 0},
          {R"([{"content":["x"]}])", "input[0].content[0]", 0},
          {R"([{"content":[{}]}])", "input[0].content[0].type", 0},
          {R"([{"content":[{"type":1}]}])", "input[0].content[0].type", 0},
          {R"([{"content":[{"type":"poem","text":"x"}]}])", "input[0].content[0].type", 0},
          {R"([{"content":[{"type":"text"}]}])", "input[0].content[0].text", 0},
          {R"([{"content":[{"type":"text","text":""}]}])", "input[0].content[0].text", 0},
          {R"([{"content":[{"type":"text","text":null}]}])", "input[0].content[0].text", 0},
          {R"([{"content":[{"type":"text","text":"a","text":"b"}]}])", "input[0].content[0].text", 0},
          {R"([{"content":[{"type":"text","text":"a"}],"content":[]}])", "input[0].content", 0},
          {R"([{"content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}])", "input[0].content[1]",
           0},
          {R"([{"content":[{"type":"text","text":"a"}]},{"content":[{"type":"image_url","image_url":{"url":"u"}}]}])",
           "input[1].content[0]", 1},
          {R"([{"content":[{"type":"image_url"}]}])", "input[0].content[0].image_url", 0},
          {R"([{"content":[{"type":"input_audio","text":"x"}]}])", "input[0].content[0].input_audio", 0},
          {R"([{"content":[{"type":"text","text":"a"}]},"b"])", "input[1]", 1},
      }) {
    const Refusal got = refusal(with_input(c.input));
    EXPECT_EQ(got.param, c.param) << c.input << ": " << got.message;
    EXPECT_EQ(got.item, c.item) << c.input;
  }
}

TEST(EmbedRequest, reads_the_members_that_clients_send) {
  const auto decoded = decode(
      R"({"trace":{"trace_id":"t","deep":[{}]},"session_id":"s","provider":{"only":["a"]},"user":"u","input_type":"search_query",)"
      R"("dimensions":256.0,"encoding_format":"base64","truncate":true,"stream":false,"input":["x"],"mod\u0065l":"a/b\/c:nitro"})");
  ASSERT_TRUE(decoded) << decoded.error().message();
  const EmbedRequest& request = decoded->request();
  EXPECT_EQ(request.model, "a/b/c:nitro");
  EXPECT_EQ(request.encoding, EncodingFormat::base64);
  EXPECT_EQ(request.dimensions, 256U);
  EXPECT_EQ(request.input_type, "search_query");
  EXPECT_EQ(request.user, "u");
  EXPECT_EQ(request.session_id, "s");
  EXPECT_TRUE(request.has_trace);
  EXPECT_TRUE(request.truncate);
  ASSERT_NE(request.provider, nullptr);
  EXPECT_TRUE(decoded->ignored().empty());
}

TEST(EmbedRequest, null_is_absent_for_every_optional_member) {
  const auto decoded = decode(with(
      R"("encoding_format":null,"dimensions":null,"input_type":null,"user":null,"provider":null,"session_id":null,)"
      R"("trace":null,"stream":null,"truncate":null,"normalize":null,"models":null,"embedding_types":[ ])"));
  ASSERT_TRUE(decoded) << decoded.error().message();
  const EmbedRequest& request = decoded->request();
  EXPECT_EQ(request.encoding, EncodingFormat::float_numbers);
  EXPECT_FALSE(request.dimensions || request.input_type || request.user || request.session_id);
  EXPECT_FALSE(request.has_trace || request.truncate);
  EXPECT_EQ(request.provider, nullptr);
  EXPECT_TRUE(decoded->ignored().empty());
}

TEST(EmbedRequest, refuses_members_of_the_wrong_kind_by_name) {
  for (const auto& [members, param] : std::vector<std::pair<std::string, std::string_view>>{
           {R"("encoding_format":"md5")", "encoding_format"},
           {R"("encoding_format":"Float")", "encoding_format"},
           {R"("encoding_format":1)", "encoding_format"},
           {R"("dimensions":0)", "dimensions"},
           {R"("dimensions":-1)", "dimensions"},
           {R"("dimensions":1.5)", "dimensions"},
           {R"("dimensions":"512")", "dimensions"},
           {R"("dimensions":true)", "dimensions"},
           {R"("dimensions":99999999999)", "dimensions"},
           {R"("input_type":"")", "input_type"},
           {R"("input_type":[])", "input_type"},
           {R"("user":1)", "user"},
           {R"("user":")" + std::string(1 << 20, 'u') + '"', "user"},
           {R"("session_id":")" + std::string(257, 's') + '"', "session_id"},
           {R"("session_id":7)", "session_id"},
           {R"("trace":"t")", "trace"},
           {R"("trace":[])", "trace"},
           {R"("stream":true)", "stream"},
           {R"("stream":"no")", "stream"},
           {R"("truncate":"END")", "truncate"},
           {R"("truncate":1)", "truncate"},
           {R"("provider":"openai")", "provider"},
           {R"("provider":[])", "provider"},
           {R"("model":"n")", "model"},
           {R"("input":"y")", "input"},
           {R"("user":"a","us\u0065r":"b")", "user"},
           {R"("stream":null,"stream":null)", "stream"}}) {
    EXPECT_EQ(refusal(with(members)).param, param) << members.substr(0, 60);
  }
  EXPECT_TRUE(decode(with(R"("session_id":")" + std::string(128, 's') +
                          [] {
                            std::string wide;
                            for (int i = 0; i < 128; ++i) wide += "é";
                            return wide;
                          }() +
                          '"')))
      << "256 characters, more bytes";
}

TEST(EmbedRequest, names_the_model_or_input_that_is_missing) {
  EXPECT_EQ(refusal(R"({"input":"x"})").param, "model");
  EXPECT_EQ(refusal(R"({"model":"","input":"x"})").param, "model");
  EXPECT_EQ(refusal(R"({"model":null,"input":"x"})").param, "model");
  EXPECT_EQ(refusal(R"({"model":["m"],"input":"x"})").param, "model");
  EXPECT_EQ(refusal(R"({"model":"m"})").param, "input");
  EXPECT_EQ(refusal("{}").param, "model");
}

TEST(EmbedRequest, refuses_by_name_what_would_change_vectors_and_is_not_applied) {
  for (const char* name :
       {"normalize", "normalized", "output_dtype", "output_type", "embedding_types", "truncation",
        "truncate_prompt_tokens", "truncate_dim", "prompt_name", "prompt", "instruction", "task", "task_type",
        "late_chunking", "pooling", "models", "preset", "partial"}) {
    const Refusal got = refusal(with("\"" + std::string(name) + "\":[\"x\"]"));
    EXPECT_EQ(got.param, name);
    EXPECT_NE(got.message.find(name), std::string::npos);
  }
  EXPECT_EQ(refusal(with(R"("normalize":false)")).param, "normalize");
  EXPECT_EQ(refusal(with(R"("n\u006frmalize":true)")).param, "normalize");
}

TEST(EmbedRequest, lists_what_it_ignores_for_a_header) {
  const auto decoded = decode(with(
      R"("zeta":1,"alpha":{"model":2},"zeta":2,"b\nad":1,"com,ma":1,"é":1,"":1,"logit\u005fbias":null)"));
  ASSERT_TRUE(decoded) << decoded.error().message();
  EXPECT_EQ(decoded->ignored(), (std::vector<std::string_view>{"zeta", "alpha", "logit_bias"}));
  std::string many;
  for (int i = 0; i < 40; ++i)
    many += "\"" + std::string(100, static_cast<char>('a' + i % 26)) + std::to_string(i) + "\":1,";
  const auto bounded = decode(with(many + "\"x\":1"));
  ASSERT_TRUE(bounded);
  EXPECT_EQ(bounded->ignored().size(), 16U);
  for (const std::string_view name : bounded->ignored()) EXPECT_EQ(name.size(), 64U);
}

TEST(EmbedRequest, refuses_every_prefix_of_a_good_body) {
  constexpr std::string_view kGood =
      R"({"model":"m","input":[{"content":[{"type":"text","text":"a\n\ud83d\ude00"}]}],"provider":{"order":["x"],"sort":{"by":"price"},)"
      R"("max_price":{"prompt":"1"}},"trace":{"a":[1,true]},"dimensions":8,"other":[{}]})";
  EXPECT_TRUE(decode(kGood));
  for (std::size_t cut = 0; cut < kGood.size(); ++cut) refusal(kGood.substr(0, cut));
}

TEST(EmbedRequest, says_what_is_wrong_with_text_that_is_not_json) {
  for (const auto& [body, part] : std::vector<std::pair<std::string, std::string_view>>{
           {"", "empty"},
           {" \n", "empty"},
           {"hello", "not a JSON value"},
           {"[]", "a JSON object, not an array"},
           {"null", "a JSON object, not null"},
           {"\xEF\xBB\xBF{}", "byte order mark"},
           {with(R"("a":1) trailing)"), "expected"},
           {with(R"("a":1)") + "x", "behind the end"},
           {with(R"("a":NaN)"), "not a JSON value"},
           {with(R"("a":tru)"), "not a JSON value"},
           {with(R"("a":[1,,2])"), "not a JSON value"},
           {with(R"("a":01)"), "expected"},
           {with_input(R"("\udcca")"), "lone surrogate"},
           {with_input("\"\xff\""), "UTF-8"},
           {with_input("\"a\nb\""), "control character"},
           {with_input(R"(["a")"), "expected"},
           {with("\"a\":" + std::string(100'000, '[')), "nested"},
           {"{\"a\":" + std::string(1'000'000, '{'), "member name"}}) {
    const std::string message = refusal(body).message;
    EXPECT_NE(message.find(part), std::string::npos) << body.substr(0, 80) << ": " << message;
  }
}

TEST(EmbedRequest, stops_at_the_limit_of_items) {
  const auto many = [](std::string_view item, std::size_t count) {
    std::string input = "[";
    for (std::size_t i = 0; i < count; ++i) (input += i == 0 ? "" : ",") += item;
    return with_input(input + "]");
  };
  for (const std::string_view item : {R"("a")", "[1]", R"({"content":[{"type":"text","text":"a"}]})"}) {
    EXPECT_TRUE(decode(many(item, 8), 8)) << item;
    const auto refused = decode(many(item, 9), 8);
    ASSERT_FALSE(refused) << item;
    EXPECT_EQ(refused.error().param(), "input");
    EXPECT_NE(refused.error().message().find("more than 8 items"), std::string::npos);
  }
  EXPECT_TRUE(decode(many("1", 100'000), 8)) << "one item of many ids";
  // The rest is not even looked at.
  EXPECT_NE(decode(many(R"("a")", 1'000'000) + "garbage").error().message().find("more than 2048"),
            std::string::npos);
}

TEST(EmbedRequest, stays_valid_when_it_is_moved) {
  auto decoded = decode(with_input(R"(["a\tb","c"])"));
  ASSERT_TRUE(decoded);
  const DecodedRequest moved = *std::move(decoded);
  const EmbedRequest copy = moved.request();
  EXPECT_EQ(copy.items[0].text, "a\tb");
  EXPECT_EQ(copy.model, "m");
}

TEST(EmbedRequest, never_repeats_what_the_caller_wrote) {
  for (const std::string& body :
       {with(R"("encoding_format":"SECRET")"), with_input(R"(["SECRET",""])"),
        with_input(R"([{"content":[{"type":"SECRET"}]}])"), with(R"("provider":{"sort":"SECRET"})"),
        with(R"("provider":{"max_price":{"prompt":"SECRET"}})"), with(R"("a":"SECRET\x")")}) {
    EXPECT_EQ(refusal(body).message.find("SECRET"), std::string::npos) << body;
  }
}

}  // namespace
}  // namespace embedrouter::api
