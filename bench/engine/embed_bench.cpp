// Measures the embedded model in process against the dense matrix products alone, in one run:
//   embed_bench [--model FOLDER] [--precision auto|fp32|bf16] [--threads N] [--rounds N] [--texts N]
//               [--soak MINUTES | --worker yes | --write-corpus FILE]
// The corpus is made here: 2,000 English-like texts, 69 tokens in the mean. Rounds alternate with the
// yardstick, and the medians are printed, because machines are shared and their clocks wander. --soak looks
// at memory alone (FAULTS G2); --worker does what lines on standard input ask (modes.h).

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "corpus.h"
#include "inference/local_model.h"
#include "measure.h"
#include "modes.h"

namespace {

using namespace embedrouter;
using namespace embedrouter::bench;
using inference::LocalModel;
using inference::Precision;

constexpr std::uint32_t kQueryTokens = 12;

struct Name {
  const char* name;
  Precision precision;
};
constexpr std::array kPrecisions{
    Name{"auto", Precision::automatic},
    Name{"fp32", Precision::fp32},
    Name{"bf16", Precision::bf16},
    Name{"int8", Precision::int8},
};

struct Options {
  inference::ModelOptions model{.folder = ".models/all-minilm-l6-v2"};
  int rounds = 5;
  std::size_t texts = kTexts;
  double soak_minutes = 0;
  bool worker = false;
  std::string corpus_file;
};

bool set(Options& options, const std::string& flag, const std::string& value) {
  if (flag == "--model") {
    options.model.folder = value;
  } else if (flag == "--precision") {
    const auto* found = std::ranges::find(kPrecisions, value, &Name::name);
    if (found == kPrecisions.end()) return false;
    options.model.precision = found->precision;
  } else if (flag == "--threads") {
    options.model.threads = static_cast<unsigned>(std::strtoul(value.c_str(), nullptr, 10));
  } else if (flag == "--rounds") {
    options.rounds = std::max(1, std::atoi(value.c_str()));
  } else if (flag == "--texts") {
    options.texts = std::max(1UL, std::strtoul(value.c_str(), nullptr, 10));
  } else if (flag == "--soak") {
    options.soak_minutes = std::strtod(value.c_str(), nullptr);
    return options.soak_minutes > 0;
  } else if (flag == "--worker") {
    options.worker = value == "yes";
    return options.worker;
  } else if (flag == "--write-corpus") {
    options.corpus_file = value;
  } else {
    return false;
  }
  return true;
}

bool parse(int argc, char** argv, Options& options) {
  for (int i = 1; i + 1 < argc; i += 2) {
    if (!set(options, argv[i], argv[i + 1])) return false;
  }
  return argc % 2 == 1;
}

int write_corpus(const std::string& path, std::size_t texts) {
  std::ofstream file(path);
  for (const std::string& text : make_corpus(texts)) file << text << '\n';
  file.close();
  if (file) return 0;
  std::fprintf(stderr, "%s cannot be written\n", path.c_str());
  return 1;
}

int measure(LocalModel& model, const Options& options) {
  Random random(1);
  const std::string query = text_of(random, kQueryTokens - 2);
  const auto& facts = model.facts();
  const auto corpus = make_corpus(options.texts);
  const ChainShape shape = chain_of(facts);
  std::vector<double> wall, cpu, chain_wall, chain_cpu, share_wall, share_cpu, p50, p99, floors;
  query_times(model, query);
  for (int round = 0; round < options.rounds; ++round) {
    const Rate before = chain_rate(shape, facts.threads, 256, 1.0);
    const auto pass = embed_all(model, corpus);
    if (!pass) return std::fprintf(stderr, "%s\n", pass.error().message().c_str()), 1;
    const auto tokens = static_cast<double>(pass->tokens);
    wall.push_back(tokens / pass->seconds);
    cpu.push_back(tokens / pass->cpu_seconds * facts.threads);
    const Rate after = chain_rate(shape, facts.threads, 256, 1.0);
    chain_wall.push_back((before.wall + after.wall) / 2);
    chain_cpu.push_back((before.cpu + after.cpu) / 2);
    share_wall.push_back(wall.back() / chain_wall.back());
    share_cpu.push_back(cpu.back() / chain_cpu.back());
    floors.push_back(kQueryTokens / chain_rate(shape, 1, kQueryTokens, 0.3).wall);
    const auto times = query_times(model, query);
    p50.push_back(quantile(times, 0.5));
    p99.push_back(quantile(times, 0.99));
    if (round == 0) {
      std::printf("corpus %zu texts, %.1f tokens in the mean\n", corpus.size(),
                  tokens / static_cast<double>(corpus.size()));
    }
    std::printf("round %d: %.0f tokens/s, by cpu %.0f; chain %.0f, by cpu %.0f\n", round, wall.back(),
                cpu.back(), chain_wall.back(), chain_cpu.back());
  }
  std::printf("wall: tokens/s %.0f  gemm_chain_256 %.0f  share %.3f\n", median(wall), median(chain_wall),
              median(share_wall));
  std::printf("cpu:  tokens/s %.0f  gemm_chain_256 %.0f  share %.3f\n", median(cpu), median(chain_cpu),
              median(share_cpu));
  for (const std::uint32_t rows : {16U, 48U, 128U}) {
    const Rate rate = chain_rate(shape, facts.threads, rows, 1.0);
    std::printf("gemm_chain_%u: wall %.0f  cpu %.0f\n", rows, rate.wall, rate.cpu);
  }
  std::printf("query_%u_tokens p50 %.3f ms  p99 %.3f ms  gemm_floor %.3f ms  ratio %.2f\n", kQueryTokens,
              median(p50) * 1e3, median(p99) * 1e3, median(floors) * 1e3, median(p50) / median(floors));
  std::printf("rss %.0f MB  peak %.0f MB\n", static_cast<double>(resident_kib("VmRSS:")) / 1024,
              static_cast<double>(resident_kib("VmHWM:")) / 1024);
  return 0;
}

int run(const Options& options) {
  if (!options.corpus_file.empty()) return write_corpus(options.corpus_file, options.texts);
  const auto start = Clock::now();
  auto loaded = LocalModel::load(options.model);
  if (!loaded) {
    std::fprintf(stderr, "%s\n", loaded.error().message().c_str());
    return 1;
  }
  LocalModel& model = **loaded;
  const auto& facts = model.facts();
  if (options.worker) return serve_commands(model, options.texts);
  std::printf("model %s, %s, %u threads, start %.0f ms, limit %u tokens\n", facts.space.c_str(),
              facts.kernels.c_str(), facts.threads, since(start) * 1e3, facts.max_tokens);
  return options.soak_minutes > 0 ? soak(model, options.soak_minutes) : measure(model, options);
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!parse(argc, argv, options)) {
    std::fprintf(
        stderr,
        "embed_bench [--model FOLDER] [--precision auto|fp32|bf16] [--threads N] [--rounds N] [--texts N]\n"
        "            [--soak MINUTES | --worker yes | --write-corpus FILE]\n");
    return 2;
  }
  return run(options);
}
