// Measures the embedded model in process against the dense matrix products alone, in one run:
//   embed_bench [--model FOLDER] [--precision auto|fp32|bf16] [--threads N] [--rounds N]
// The corpus is made here: 2,000 English-like texts, 69 tokens in the mean. Rounds alternate with the
// yardstick, and the medians are printed, because machines are shared and their clocks wander.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <future>
#include <string>
#include <vector>

#include "base/random.h"
#include "gemm_chain.h"
#include "inference/local_model.h"

namespace {

using namespace embedrouter;
using Clock = std::chrono::steady_clock;
using inference::LocalModel;

constexpr std::size_t kTexts = 2000, kBatch = 32, kQueries = 400;
constexpr std::uint32_t kQueryTokens = 12;

double since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double process_cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

using Series = std::vector<double>;

double quantile(std::vector<double> values, double q) {
  std::ranges::sort(values);
  return values[static_cast<std::size_t>(q * static_cast<double>(values.size() - 1) + 0.5)];
}

double median(const Series& values) {
  return quantile(values, 0.5);
}

std::string text_of(Random& random, std::size_t words) {
  static constexpr const char* kWords[] = {
      "the",     "of",    "river",   "house",  "and",    "music",   "in",       "market", "a",      "to",
      "teacher", "water", "is",      "window", "that",   "science", "for",      "people", "on",     "city",
      "history", "with",  "morning", "road",   "garden", "was",     "kitchen",  "paper",  "system", "light",
      "by",      "young", "small",   "bridge", "it",     "winter",  "language", "from",   "night",  "are"};
  std::string text;
  for (std::size_t i = 0; i < words; ++i) {
    if (i != 0) text += ' ';
    text += kWords[random.below(std::size(kWords))];
  }
  return text;
}

// Lengths as of sentences and paragraphs: log-normal, cut at 250 words.
std::vector<std::string> make_corpus() {
  Random random(20'26);
  std::vector<std::string> texts;
  while (texts.size() < kTexts) {
    double normal = -6;
    for (int i = 0; i < 12; ++i) normal += random.uniform();
    texts.push_back(
        text_of(random, static_cast<std::size_t>(std::clamp(std::exp(3.85 + 0.85 * normal), 3.0, 250.0))));
  }
  return texts;
}

// Embeds the corpus in batches of kBatch, all submitted at once; returns the tokens, or 0 if a batch failed.
std::uint64_t embed_all(LocalModel& model, const std::vector<std::string>& texts) {
  std::vector<std::future<std::uint64_t>> batches;
  for (std::size_t i = 0; i < texts.size(); i += kBatch) {
    auto promise = std::make_shared<std::promise<std::uint64_t>>();
    batches.push_back(promise->get_future());
    inference::Job job;
    job.texts.assign(texts.begin() + static_cast<std::ptrdiff_t>(i),
                     texts.begin() + static_cast<std::ptrdiff_t>(std::min(i + kBatch, texts.size())));
    model.submit(std::move(job), [promise](const Result<inference::Vectors>& vectors) {
      std::uint64_t tokens = 0;
      if (vectors) {
        for (const std::uint32_t t : vectors->tokens) tokens += t;
      }
      promise->set_value(tokens);
    });
  }
  std::uint64_t total = 0;
  bool whole = true;
  for (auto& batch : batches) {
    const std::uint64_t tokens = batch.get();
    whole = whole && tokens != 0;
    total += tokens;
  }
  return whole ? total : 0;
}

std::vector<double> query_times(LocalModel& model, const std::string& query) {
  std::vector<double> times;
  for (std::size_t i = 0; i < kQueries; ++i) {
    const auto start = Clock::now();
    // Shared: the model's thread is still inside set_value() when the wait ends.
    auto answered = std::make_shared<std::promise<void>>();
    model.submit({{query}, false}, [answered](const Result<inference::Vectors>&) { answered->set_value(); });
    answered->get_future().wait();
    times.push_back(since(start));
  }
  return times;
}

long resident_kib(const char* member) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(member)) return std::strtol(line.c_str() + std::strlen(member) + 1, nullptr, 10);
  }
  return 0;
}

struct Options {
  inference::ModelOptions model{.folder = ".models/all-minilm-l6-v2"};
  int rounds = 5;
};

bool parse(int argc, char** argv, Options& options) {
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string flag = argv[i], value = argv[i + 1];
    if (flag == "--model") {
      options.model.folder = value;
    } else if (flag == "--precision" &&
               (value == "auto" || value == "fp32" || value == "bf16" || value == "int8")) {
      options.model.precision = value == "fp32"   ? inference::Precision::fp32
                                : value == "bf16" ? inference::Precision::bf16
                                : value == "int8" ? inference::Precision::int8
                                                  : inference::Precision::automatic;
    } else if (flag == "--threads") {
      options.model.threads = static_cast<unsigned>(std::strtoul(value.c_str(), nullptr, 10));
    } else if (flag == "--rounds") {
      options.rounds = std::max(1, std::atoi(value.c_str()));
    } else {
      return false;
    }
  }
  return argc % 2 == 1;
}

int run(const Options& options) {
  const auto start = Clock::now();
  auto loaded = LocalModel::load(options.model);
  if (!loaded) {
    std::fprintf(stderr, "%s\n", loaded.error().message().c_str());
    return 1;
  }
  LocalModel& model = **loaded;
  const double load_seconds = since(start);
  Random random(1);
  const std::string query = text_of(random, kQueryTokens - 2);
  const std::size_t warm = query_times(model, query).size();
  const auto& facts = model.facts();
  std::printf("model %s, %s, %u threads, start %.0f ms, limit %u tokens, warmed by %zu queries\n",
              facts.space.c_str(), facts.kernels.c_str(), facts.threads, load_seconds * 1e3, facts.max_tokens,
              warm);

  const auto corpus = make_corpus();
  const bench::ChainShape shape{.bf16 = facts.precision == "bf16"};
  Series wall, cpu, chain_wall, chain_cpu, share_wall, share_cpu, p50, p99, floors;
  for (int round = 0; round < options.rounds; ++round) {
    const bench::Rate before = chain_rate(shape, facts.threads, 256, 1.0);
    const auto begin = Clock::now();
    const double cpu_begin = process_cpu_seconds();
    const auto tokens = static_cast<double>(embed_all(model, corpus));
    wall.push_back(tokens / since(begin));
    cpu.push_back(tokens / (process_cpu_seconds() - cpu_begin) * facts.threads);
    if (tokens == 0) return std::fprintf(stderr, "a batch failed\n"), 1;
    const bench::Rate after = chain_rate(shape, facts.threads, 256, 1.0);
    chain_wall.push_back((before.wall + after.wall) / 2);
    chain_cpu.push_back((before.cpu + after.cpu) / 2);
    share_wall.push_back(wall.back() / chain_wall.back());
    share_cpu.push_back(cpu.back() / chain_cpu.back());
    floors.push_back(kQueryTokens / chain_rate(shape, 1, kQueryTokens, 0.3).wall);
    const auto times = query_times(model, query);
    p50.push_back(quantile(times, 0.5));
    p99.push_back(quantile(times, 0.99));
    if (round == 0)
      std::printf("corpus %zu texts, %.1f tokens in the mean\n", corpus.size(), tokens / kTexts);
    std::printf("round %d: %.0f tokens/s, by cpu %.0f; chain %.0f, by cpu %.0f\n", round, wall.back(),
                cpu.back(), chain_wall.back(), chain_cpu.back());
  }
  std::printf("wall: tokens/s %.0f  gemm_chain_256 %.0f  share %.3f\n", median(wall), median(chain_wall),
              median(share_wall));
  std::printf("cpu:  tokens/s %.0f  gemm_chain_256 %.0f  share %.3f\n", median(cpu), median(chain_cpu),
              median(share_cpu));
  for (const std::uint32_t rows : {16U, 48U, 128U}) {
    const bench::Rate rate = chain_rate(shape, facts.threads, rows, 1.0);
    std::printf("gemm_chain_%u: wall %.0f  cpu %.0f\n", rows, rate.wall, rate.cpu);
  }
  std::printf("query_%u_tokens p50 %.3f ms  p99 %.3f ms  gemm_floor %.3f ms  ratio %.2f\n", kQueryTokens,
              median(p50) * 1e3, median(p99) * 1e3, median(floors) * 1e3, median(p50) / median(floors));
  std::printf("rss %.0f MB  peak %.0f MB\n", static_cast<double>(resident_kib("VmRSS:")) / 1024,
              static_cast<double>(resident_kib("VmHWM:")) / 1024);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!parse(argc, argv, options)) {
    std::fprintf(stderr,
                 "embed_bench [--model FOLDER] [--precision auto|fp32|bf16] [--threads N] [--rounds N]\n");
    return 2;
  }
  return run(options);
}
