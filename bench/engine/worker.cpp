#include <cstdio>
#include <fstream>
#include <iostream>
#include <string>

#include "corpus.h"
#include "measure.h"
#include "modes.h"

namespace embedrouter::bench {
namespace {

constexpr std::uint32_t kQueryTokens = 12;

bool write_floats(const std::string& path, const std::vector<float>& values) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(values.data()),
             static_cast<std::streamsize>(values.size() * sizeof(float)));
  return file.good();
}

bool run_corpus(inference::LocalModel& model, const std::vector<std::string>& corpus,
                const std::string& file) {
  const auto pass = embed_all(model, corpus);
  if (!pass) return std::fprintf(stderr, "%s\n", pass.error().message().c_str()), false;
  if (!file.empty() && !write_floats(file, pass->vectors))
    return std::fprintf(stderr, "%s cannot be written\n", file.c_str()), false;
  std::printf(R"({"seconds": %.6f, "cpu": %.6f, "tokens": %llu})"
              "\n",
              pass->seconds, pass->cpu_seconds, static_cast<unsigned long long>(pass->tokens));
  return true;
}

}  // namespace

int serve_commands(inference::LocalModel& model, std::size_t texts) {
  Random random(1);
  const std::string query = text_of(random, kQueryTokens - 2);
  const ChainShape shape = chain_of(model.facts());
  query_times(model, query, 1);
  std::printf(R"({"precision": "%s", "kernels": "%s"})"
              "\n",
              model.facts().precision.c_str(), model.facts().kernels.c_str());
  std::fflush(stdout);  // the first vector is there
  const auto corpus = make_corpus(texts);
  for (std::string command; std::getline(std::cin, command);) {
    if (command == "corpus" || command.starts_with("vectors ")) {
      if (!run_corpus(model, corpus, command == "corpus" ? "" : command.substr(8))) return 1;
    } else if (command == "queries") {
      const auto times = query_times(model, query);
      std::printf(R"({"p50": %.9f, "p99": %.9f})"
                  "\n",
                  quantile(times, 0.5), quantile(times, 0.99));
    } else if (command == "chain") {
      const Rate rate = chain_rate(shape, model.facts().threads, 256, 1.0);
      const double floor = kQueryTokens / chain_rate(shape, 1, kQueryTokens, 0.3).wall;
      std::printf(R"({"wall": %.1f, "cpu": %.1f, "floor": %.9f})"
                  "\n",
                  rate.wall, rate.cpu, floor);
    } else if (command == "memory") {
      std::printf(R"({"rss": %ld, "peak": %ld})"
                  "\n",
                  resident_kib("VmRSS:") * 1024, resident_kib("VmHWM:") * 1024);
    } else {
      return std::fprintf(stderr, "unknown command: %s\n", command.c_str()), 2;
    }
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace embedrouter::bench
