// The embedded model in process, as users of the SDK have it.
#include <embedrouter/local.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <future>
#include <string>
#include <thread>
#include <vector>

namespace embedrouter::local {
namespace {

using namespace std::chrono_literals;
using sdk::CallOptions;
using sdk::Client;
using sdk::EmbeddingsRequest;
using sdk::EmbeddingsResponse;
using sdk::ErrorKind;
using sdk::Result;

constexpr const char* kId = "sentence-transformers/all-minilm-l6-v2";
constexpr auto kPatience = 150s;  // until a test gives up; far more than a starved machine needs

std::string folder() {
  const char* told = std::getenv("EMBEDROUTER_MODEL_DIR");
  return told != nullptr ? told : EMBEDROUTER_SOURCE_DIR "/.models/all-minilm-l6-v2";
}

Client open_or_end(const ModelOptions& model, sdk::ClientOptions options = {}) {
  options.retries = sdk::RetryConfig::none();
  auto client = open(model, std::move(options));
  if (!client) {
    ADD_FAILURE() << client.error().message();
    std::abort();
  }
  return *client;
}

// Loaded once.
const Client& shared() {
  static const Client client = open_or_end({.folder = folder(), .matryoshka = {64, 128}, .threads = 2});
  return client;
}

Result<EmbeddingsResponse> ask(EmbeddingsRequest request, CallOptions options = {}) {
  if (request.model.empty()) request.model = "Taurus";
  return shared().embeddings().generate(request, std::move(options)).get();
}

// One that takes a while: a few thousand tokens to a thread.
std::vector<std::string> many_texts(std::size_t count = 1000) {
  std::string words;
  for (int i = 0; i < 40; ++i) words += "a rather long text about nothing in particular ";
  return std::vector<std::string>(count, words.substr(0, 800));
}

double length(std::span<const float> row) {
  double squares = 0;
  for (const float x : row) squares += double{x} * x;
  return std::sqrt(squares);
}

TEST(Local, embeds_in_process_with_the_answer_of_the_router) {
  const auto reply = ask(
      {.input = std::vector<std::string>{"the cat sat", "a feline rested", "interest rates"}, .model = {}});
  ASSERT_TRUE(reply) << reply.error().message();
  EXPECT_EQ(reply->model, kId);
  EXPECT_EQ(reply->object, "list");
  EXPECT_EQ(*reply->provider, "Local");
  EXPECT_TRUE(reply->id->starts_with("gen-emb-"));
  EXPECT_EQ(reply->usage->prompt_tokens, 5 + 6 + 4);
  EXPECT_EQ(reply->usage->total_tokens, 15);
  EXPECT_EQ(reply->usage->cost, 0.0);
  EXPECT_EQ(*reply->headers.find("x-generation-id"), *reply->id);
  EXPECT_EQ(*reply->headers.find("x-embedrouter-provider"), "Local");
  EXPECT_TRUE(reply->headers.find("x-embedrouter-space")->starts_with(kId));
  const auto vectors = reply->matrix();
  ASSERT_TRUE(vectors) << vectors.error().message();
  EXPECT_EQ(vectors->rows(), 3U);
  EXPECT_EQ(vectors->width(), 384U);
  EXPECT_NEAR(length(vectors->row(0)), 1, 1e-3);
  EXPECT_GT(sdk::cosine(vectors->row(0), vectors->row(1)), 0.5);
  EXPECT_LT(sdk::cosine(vectors->row(0), vectors->row(2)), 0.3);
}

TEST(Local, both_encodings_hold_the_same_numbers) {
  const auto numbers = ask({.input = "a text", .model = {}, .encoding_format = "float"});
  const auto base64 = ask({.input = "a text", .model = {}, .encoding_format = "base64"});
  ASSERT_TRUE(numbers && base64);
  EXPECT_FALSE(numbers->data()[0].base64);
  EXPECT_TRUE(base64->data()[0].base64);
  const auto a = numbers->matrix()->row(0), b = base64->matrix()->row(0);
  EXPECT_TRUE(std::equal(a.begin(), a.end(), b.begin(), b.end()));
}

TEST(Local, the_model_has_its_names_and_no_others) {
  for (const char* name : {"Taurus", "taurus", kId, "Sentence-Transformers/all-MiniLM-L6-v2", "Taurus:floor"})
    EXPECT_TRUE(ask({.input = "a", .model = name})) << name;
  for (const char* name : {"openai/text-embedding-3-small", "Taurus:free", "~Taurus"}) {
    const auto reply = ask({.input = "a", .model = name});
    ASSERT_FALSE(reply) << name;
    EXPECT_EQ(reply.error().kind(), ErrorKind::not_found) << name;
    EXPECT_EQ(reply.error().answer()->code, 404);
    EXPECT_NE(reply.error().answer()->metadata->find("model_not_found"), std::string::npos);
  }
  const Client named = open_or_end({.folder = folder(), .id = "me/mine", .threads = 1});
  EXPECT_EQ(named.embeddings().generate({.input = "a", .model = "me/mine"}).get()->model, "me/mine");
  EXPECT_FALSE(named.embeddings().generate({.input = "a", .model = kId}).get());
}

TEST(Local, dimensions_are_those_that_were_named) {
  const auto whole = ask({.input = "a text", .model = {}, .dimensions = 384})->matrix();
  const auto cut = ask({.input = "a text", .model = {}, .dimensions = 64})->matrix();
  ASSERT_TRUE(whole && cut);
  ASSERT_EQ(cut->width(), 64U);
  EXPECT_NEAR(length(cut->row(0)), 1, 1e-3);
  EXPECT_GT(sdk::cosine(cut->row(0), whole->row(0).first(64)), 0.9999);
  for (const std::int64_t width : {65, 385, 0, -1}) {
    const auto refused = ask({.input = "a text", .model = {}, .dimensions = width});
    ASSERT_FALSE(refused) << width;
    EXPECT_EQ(refused.error().kind(), ErrorKind::bad_request);
    EXPECT_NE(refused.error().answer()->metadata->find("dimensions"), std::string::npos);
  }
}

TEST(Local, parameters_are_honoured_or_refused) {
  struct Case {
    EmbeddingsRequest request;
    ErrorKind kind;
    const char* told;  // in the answer
  };
  const auto only = [](const char* name) {
    return sdk::ProviderPreferences{.only = std::vector<std::string>{name}};
  };
  const std::vector<Case> refused{
      {{.input = "a", .model = {}, .encoding_format = "int8"}, ErrorKind::bad_request, "encoding_format"},
      {{.input = "a", .model = {}, .input_type = "nonsense"}, ErrorKind::bad_request, "input_type"},
      {{.input = sdk::TokenIds{101, 102}, .model = {}}, ErrorKind::bad_request, "token_input_unsupported"},
      {{.input = std::vector<sdk::TokenIds>{{101}}, .model = {}},
       ErrorKind::bad_request,
       "token_input_unsupported"},
      {{.input = "", .model = {}}, ErrorKind::bad_request, "input"},
      {{.input = std::vector<std::string>{}, .model = {}}, ErrorKind::bad_request, "input"},
      {{.input = std::vector<std::string>{"a", many_texts(1)[0] + many_texts(1)[0]}, .model = {}},
       ErrorKind::bad_request,
       "input[1]"},
      {{.input = std::vector<sdk::ContentItem>{{{{sdk::ContentPart::Type::image_url, "data:,"}}}},
        .model = {}},
       ErrorKind::bad_request,
       "image_url"},
      {{.input = "a", .model = {}, .session_id = std::string(257, 'x')},
       ErrorKind::bad_request,
       "session_id"},
      {{.input = "a", .model = {}, .provider = only("openai")}, ErrorKind::not_found, "provider.only"},
      {{.input = "a",
        .model = {},
        .provider = sdk::ProviderPreferences{.ignore = std::vector<std::string>{"local"}}},
       ErrorKind::not_found,
       "provider.ignore"},
      {{.input = "a",
        .model = {},
        .provider = sdk::ProviderPreferences{.quantizations = std::vector<std::string>{"int4"}}},
       ErrorKind::not_found,
       "provider.quantizations"}};
  for (const Case& wrong : refused) {
    const auto reply = ask(wrong.request);
    ASSERT_FALSE(reply) << wrong.told;
    EXPECT_EQ(reply.error().kind(), wrong.kind) << reply.error().message();
    EXPECT_NE(reply.error().answer()->body.find(wrong.told), std::string::npos)
        << reply.error().answer()->body;
  }
  const std::vector<EmbeddingsRequest> honoured{
      {.input = "a", .model = {}, .input_type = "search_query"},
      {.input = "a",
       .model = {},
       .user = "me",
       .session_id = "s",
       .trace = sdk::TraceConfig{.trace_id = "t"}},
      {.input = "a", .model = {}, .provider = only("Local")},
      {.input = "a",
       .model = {},
       .provider = sdk::ProviderPreferences{.data_collection = "deny",
                                            .zdr = true,
                                            .max_price = sdk::ProviderPreferences::MaxPrice{.prompt = "0"}}},
      {.input = std::vector<sdk::ContentItem>{{{{sdk::ContentPart::Type::text, "a"}}}}, .model = {}}};
  const auto plain = ask({.input = "a", .model = {}})->matrix();
  for (const EmbeddingsRequest& request : honoured) {
    const auto reply = ask(request);
    ASSERT_TRUE(reply) << reply.error().message();
    EXPECT_GT(sdk::cosine(reply->matrix()->row(0), plain->row(0)), 0.9999);
  }
}

TEST(Local, headers_and_extensions_are_those_of_the_router) {
  const std::string space = *ask({.input = "a", .model = {}})->headers.find("x-embedrouter-space");
  EXPECT_TRUE(ask({.input = "a", .model = {}}, {.headers = {{"X-Embedrouter-Space", space}}}));
  const auto other = ask({.input = "a", .model = {}}, {.headers = {{"X-Embedrouter-Space", "another"}}});
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().status(), 412);
  // A hook sees and changes the request, as with any client.
  sdk::ClientOptions options;
  std::string member;
  options.hooks.before_request = [&member](const sdk::HookContext&,
                                           sdk::HttpRequest& request) -> Result<void> {
    request.body = std::make_shared<const std::string>(R"({"model":"Taurus","input":["a",")" +
                                                       many_texts(1)[0] + "\"]," + member + "}");
    return {};
  };
  const Client client = open_or_end({.folder = folder(), .threads = 1, .max_tokens = 16}, options);
  member = R"("truncate":true,"unknown":1)";
  const auto cut =
      client.embeddings().generate({.input = std::vector<std::string>{"a", "b"}, .model = "m"}).get();
  ASSERT_TRUE(cut) << cut.error().message();
  ASSERT_TRUE(cut->headers.find("x-embedrouter-truncated"));
  EXPECT_EQ(*cut->headers.find("x-embedrouter-truncated"), "1");
  EXPECT_EQ(*cut->headers.find("x-embedrouter-ignored"), "unknown");
  member = R"("partial":true)";
  const auto partial = client.embeddings().generate({.input = "a", .model = "m"}).get();
  EXPECT_EQ(partial.error().kind(), ErrorKind::bad_request);
}

TEST(Local, lists_its_model_and_has_no_other_operation) {
  const auto page = shared().embeddings().list_models().get();
  ASSERT_TRUE(page) << page.error().message();
  ASSERT_EQ(page->models.size(), 1U);
  EXPECT_EQ(page->models[0].id, kId);
  EXPECT_EQ(shared().embeddings().list_models({.offset = 1}).get()->models.size(), 0U);
  EXPECT_EQ(shared().embeddings().list_models({.limit = 0}).get().error().kind(), ErrorKind::bad_request);
  const auto credits = shared().credits().get_credits().get();
  ASSERT_FALSE(credits);
  EXPECT_EQ(credits.error().status(), 404);
}

TEST(Local, embed_all_keeps_the_order_and_names_what_is_too_long) {
  std::vector<std::string> kept;
  for (int i = 0; i < 600; ++i) kept.push_back("text number " + std::to_string(i));
  kept[77] = many_texts(1)[0] + many_texts(1)[0];
  kept[411] = "";
  const std::vector<std::string_view> texts(kept.begin(), kept.end());
  std::size_t last = 0;
  const auto all = shared().embeddings().embed_all(
      texts, {.model = "Taurus", .progress = [&last](std::size_t done, std::size_t) { last = done; }});
  ASSERT_TRUE(all) << all.error().message();
  EXPECT_EQ(last, texts.size());
  ASSERT_EQ(all->failures.size(), 2U);
  EXPECT_EQ(all->failures[0].item, 77U);
  EXPECT_EQ(all->failures[1].item, 411U);
  for (const std::size_t i : {0, 255, 256, 410, 599}) {
    const auto alone = ask({.input = texts[i], .model = {}})->matrix();
    EXPECT_GT(sdk::cosine(all->vectors.row(i), alone->row(0)), 0.9999) << i;
  }
}

TEST(Local, many_threads_share_one_client) {
  const auto expected = ask({.input = "a text", .model = {}})->matrix();
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 16; ++t) {
    threads.emplace_back([&, client = shared()] {
      for (int i = 0; i < 10; ++i) {
        const auto reply = client.embeddings().generate({.input = "a text", .model = "Taurus"}).get();
        if (reply && sdk::cosine(reply->matrix()->row(0), expected->row(0)) > 0.9999) ++good;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 160);
}

TEST(Local, a_stop_ends_a_call_before_and_while_it_is_computed) {
  std::stop_source stop;
  auto running = shared()
                     .embeddings()
                     .generate({.input = many_texts(), .model = "Taurus"}, {.stop = stop.get_token()})
                     .future();
  EXPECT_TRUE(ask({.input = "a", .model = {}})) << "texts of several calls take turns";
  ASSERT_EQ(running.wait_for(0s), std::future_status::timeout) << "it should take longer than one text";
  stop.request_stop();
  ASSERT_EQ(running.wait_for(kPatience), std::future_status::ready);
  const auto answer = running.get();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind(), ErrorKind::cancelled);
  EXPECT_EQ(ask({.input = "a", .model = {}}, {.stop = stop.get_token()}).error().kind(),
            ErrorKind::cancelled);
}

TEST(Local, a_timeout_ends_a_call) {
  const auto late = ask({.input = many_texts(), .model = {}}, {.timeout = 1ms});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().kind(), ErrorKind::timed_out);
  EXPECT_TRUE(ask({.input = "a", .model = {}}, {.timeout = 0ms})) << "none";
}

TEST(Local, a_full_queue_is_a_503_that_says_when_to_come_back) {
  const Client client = open_or_end({.folder = folder(), .threads = 1, .queue_tokens = 64});
  const auto refused = client.embeddings().generate({.input = many_texts(8), .model = "Taurus"}).get();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), ErrorKind::service_unavailable);
  EXPECT_EQ(*refused.error().answer()->headers.find("retry-after"), "1");
  EXPECT_TRUE(client.embeddings().generate({.input = "a", .model = "Taurus"}).get());
}

TEST(Local, calls_under_way_end_with_the_last_client) {
  std::vector<std::future<Result<EmbeddingsResponse>>> calls;
  {
    const Client client = open_or_end({.folder = folder(), .threads = 1});
    for (int i = 0; i < 4; ++i)
      calls.push_back(client.embeddings().generate({.input = many_texts(), .model = "Taurus"}).future());
  }
  for (auto& call : calls) {
    ASSERT_EQ(call.wait_for(kPatience), std::future_status::ready);
    const auto answer = call.get();
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().kind(), ErrorKind::cancelled);
  }
}

TEST(Local, the_last_client_may_go_in_a_callback) {
  std::promise<bool> done;
  auto client = std::make_unique<Client>(open_or_end({.folder = folder(), .threads = 1}));
  std::promise<void> kept;
  auto call = client->embeddings().generate({.input = many_texts(4), .model = "Taurus"});
  std::move(call).then([&, waiting = kept.get_future().share()](const Result<EmbeddingsResponse>& answer) {
    waiting.wait();
    client.reset();
    done.set_value(answer.has_value());
  });
  kept.set_value();
  auto ended = done.get_future();
  ASSERT_EQ(ended.wait_for(kPatience), std::future_status::ready);
  EXPECT_TRUE(ended.get());
}

TEST(Local, what_cannot_be_loaded_is_an_error_that_names_it) {
  struct Case {
    ModelOptions model;
    const char* told;
  };
  const std::vector<Case> cases{{{.folder = ""}, "folder"},
                                {{.folder = "/nonexistent"}, "/nonexistent"},
                                {{.folder = folder(), .id = "no slash"}, "no slash"},
                                {{.folder = folder(), .matryoshka = {128, 64}}, "matryoshka"},
                                {{.folder = folder(), .matryoshka = {384}}, "matryoshka"},
                                {{.folder = folder(), .max_tokens = 1}, "token limit"}};
  for (const Case& wrong : cases) {
    const auto client = open(wrong.model);
    ASSERT_FALSE(client) << wrong.told;
    EXPECT_EQ(client.error().kind(), ErrorKind::usage);
    EXPECT_NE(client.error().message().find(wrong.told), std::string::npos) << client.error().message();
  }
  EXPECT_EQ(open({.folder = folder()}, {.server_url = "https://host"}).error().kind(), ErrorKind::usage);
  const auto elsewhere = ask({.input = "a", .model = {}}, {.server_url = "https://host/api/v1"});
  EXPECT_EQ(elsewhere.error().kind(), ErrorKind::usage);
}

}  // namespace
}  // namespace embedrouter::local
