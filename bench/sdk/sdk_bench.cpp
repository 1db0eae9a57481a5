// One server and two clients for bench/sdk/run.
//   sdk_bench serve                       answers POST /v1/embeddings for the models "1" and "256"; prints
//                                         its URL
//   sdk_bench sdk|curl URL ITEMS CALLS    measures one client
//   sdk_bench base64                      measures decoding alone
#include <curl/curl.h>
#include <embedrouter/client.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "api/vector_text.h"
#include "testing/loopback_server.h"

namespace {

namespace sdk = embedrouter::sdk;
using Steady = std::chrono::steady_clock;

constexpr std::size_t kWidth = 1536;
constexpr int kWarmUp = 20;

std::vector<float> vector_of(std::size_t item) {
  std::vector<float> values(kWidth);
  for (std::size_t i = 0; i < kWidth; ++i)
    values[i] = std::sin(static_cast<float>(item * kWidth + i)) * 0.036F;
  return values;
}

std::string answer_of(std::size_t items) {
  std::string body = R"({"object":"list","model":"m","data":[)";
  for (std::size_t i = 0; i < items; ++i) {
    body += i == 0 ? "" : ",";
    body += R"({"object":"embedding","index":)" + std::to_string(i) + R"(,"embedding":")";
    embedrouter::api::append_base64(body, vector_of(i));
    body += "\"}";
  }
  body += R"(],"usage":{"prompt_tokens":8,"total_tokens":8}})";
  return embedrouter::testing::LoopbackServer::json(body);
}

std::vector<std::string> texts(std::size_t items) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < items; ++i) out.push_back("a text of some length, number " + std::to_string(i));
  return out;
}

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Prints what clients in other languages print, too.
int measure(int calls, const std::function<bool()>& call) {
  for (int i = 0; i < kWarmUp; ++i) {
    if (!call()) return std::fputs("a call failed\n", stderr), 1;
  }
  std::vector<double> took;
  const double cpu = cpu_seconds();
  const auto begin = Steady::now();
  for (int i = 0; i < calls; ++i) {
    const auto before = Steady::now();
    if (!call()) return std::fputs("a call failed\n", stderr), 1;
    took.push_back(std::chrono::duration<double, std::micro>(Steady::now() - before).count());
  }
  const double seconds = std::chrono::duration<double>(Steady::now() - begin).count();
  std::ranges::sort(took);
  const auto at = [&took](double share) {
    return took[static_cast<std::size_t>(share * static_cast<double>(took.size() - 1))];
  };
  std::printf(R"({"calls_per_s":%.1f,"cpu_us":%.1f,"p50_us":%.1f,"p99_us":%.1f})"
              "\n",
              calls / seconds, (cpu_seconds() - cpu) / calls * 1e6, at(0.5), at(0.99));
  return 0;
}

sdk::EmbeddingsRequest request_for(std::size_t items) {
  return {.input = texts(items), .model = std::to_string(items), .encoding_format = "base64"};
}

int measure_sdk(const std::string& url, std::size_t items, int calls) {
  const sdk::Client client({.api_key = "key", .server_url = url});
  const sdk::EmbeddingsRequest request = request_for(items);
  return measure(calls, [&] {
    const auto reply = client.embeddings().generate(request).get();
    if (!reply) return false;
    const auto matrix = reply->matrix();
    return matrix && matrix->rows() == items && matrix->width() == kWidth;
  });
}

// Keeps what would be sent.
struct Recorder final : sdk::Transport {
  sdk::HttpRequest request;
  void send(sdk::HttpRequest sent, std::stop_token, sdk::ResponseHandler done) override {
    request = std::move(sent);
    done(sdk::fail(sdk::ErrorKind::cancelled, "recorded"));
  }
};

std::size_t append(char* data, std::size_t, std::size_t size, void* body) {
  static_cast<std::string*>(body)->append(data, size);
  return size;
}

// The least that sends and brings the same bytes.
int measure_curl(const std::string& url, std::size_t items, int calls) {
  const auto recorder = std::make_shared<Recorder>();
  const sdk::Client client(
      {.api_key = "key", .server_url = url, .retries = sdk::RetryConfig::none(), .transport = recorder});
  static_cast<void>(client.embeddings().generate(request_for(items)).get());
  const sdk::HttpRequest& request = recorder->request;
  std::string received;
  CURL* const easy = curl_easy_init();
  curl_slist* headers = nullptr;
  for (const auto& [name, value] : request.headers)
    headers = curl_slist_append(headers, (name + ": " + value).c_str());
  headers = curl_slist_append(headers, "Expect:");
  curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, static_cast<long>(request.body->size()));
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body->c_str());
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &append);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &received);
  const int status = measure(calls, [&] {
    received.clear();
    return curl_easy_perform(easy) == CURLE_OK && received.size() > items * kWidth * 4;
  });
  curl_slist_free_all(headers);
  curl_easy_cleanup(easy);
  return status;
}

int measure_base64() {
  std::string text;
  embedrouter::api::append_base64(text, vector_of(0));
  std::vector<float> out(kWidth);
  constexpr int kRounds = 200'000;
  const auto begin = Steady::now();
  for (int i = 0; i < kRounds; ++i) {
    if (!embedrouter::api::decode_base64(text, out)) return 1;
    asm volatile("" ::"r"(out.data()) : "memory");
  }
  const double seconds = std::chrono::duration<double>(Steady::now() - begin).count();
  std::printf(R"({"text_gb_per_s":%.2f,"float_gb_per_s":%.2f})"
              "\n",
              static_cast<double>(text.size()) * kRounds / seconds / 1e9,
              static_cast<double>(kWidth * sizeof(float)) * kRounds / seconds / 1e9);
  return 0;
}

int serve() {
  const std::map<std::string, std::string> answers{{"\"model\":\"1\"", answer_of(1)},
                                                   {"\"model\":\"256\"", answer_of(256)}};
  const embedrouter::testing::LoopbackServer server([&answers](const std::string& request) {
    for (const auto& [model, answer] : answers) {
      if (request.find(model) != std::string::npos) return answer;
    }
    return std::string();
  });
  std::printf("%s\n", server.url().c_str());
  std::fflush(stdout);
  return std::getchar() == EOF ? 0 : 1;  // until its input ends
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "serve") return serve();
  if (what == "base64") return measure_base64();
  if (argc != 5) return std::fputs("usage: see the head of sdk_bench.cpp\n", stderr), 2;
  const std::string url = argv[2] + std::string("/v1");
  const std::size_t items = std::strtoul(argv[3], nullptr, 10);
  const int calls = std::atoi(argv[4]);
  if (what == "sdk") return measure_sdk(url, items, calls);
  return measure_curl(url, items, calls);
}
