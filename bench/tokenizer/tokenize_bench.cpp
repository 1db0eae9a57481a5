// Token ids of a file of texts, and how long they took on one thread:
//   tokenize_bench TOKENIZER_JSON TEXTS IDS [ROUNDS]
// TEXTS and IDS are binary, little-endian: a count of 32 bits, then so many bytes of a text, or ids of 32
// bits. Prints the median seconds of a round. bench/tokenizer/run compares both with the reference.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tokenizer/tokenizer.h"

namespace {

using embedrouter::tokenizer::Tokenizer;

std::vector<std::string> read_texts(const char* path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  std::vector<std::string> texts;
  for (std::size_t at = 0; at + 4 <= bytes.size();) {
    std::uint32_t size = 0;
    std::memcpy(&size, bytes.data() + at, 4);
    texts.push_back(bytes.substr(at + 4, size));
    at += 4 + size;
  }
  return texts;
}

void write_ids(const char* path, const Tokenizer& tokenizer, const std::vector<std::string>& texts) {
  std::ofstream file(path, std::ios::binary);
  std::vector<std::uint32_t> ids;
  for (const std::string& text : texts) {
    ids.assign(1, 0);
    tokenizer.encode(text, ids);
    ids[0] = static_cast<std::uint32_t>(ids.size() - 1);
    file.write(reinterpret_cast<const char*>(ids.data()), static_cast<std::streamsize>(4 * ids.size()));
  }
}

double round_of(const Tokenizer& tokenizer, const std::vector<std::string>& texts) {
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::uint32_t> ids;
  for (const std::string& text : texts) {
    ids.clear();
    tokenizer.encode(text, ids);
  }
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 4) {
    std::fprintf(stderr, "usage: tokenize_bench TOKENIZER_JSON TEXTS IDS [ROUNDS]\n");
    return 2;
  }
  const auto start = std::chrono::steady_clock::now();
  const auto tokenizer = Tokenizer::load(arguments[1]);
  if (!tokenizer) {
    std::fprintf(stderr, "%s\n", tokenizer.error().message().c_str());
    return 1;
  }
  const double load = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const std::vector<std::string> texts = read_texts(arguments[2]);
  write_ids(arguments[3], **tokenizer, texts);
  std::vector<double> rounds;
  for (int i = count > 4 ? std::atoi(arguments[4]) : 0; i > 0; --i)
    rounds.push_back(round_of(**tokenizer, texts));
  std::ranges::sort(rounds);
  std::printf("load %.3f round %.4f\n", load, rounds.empty() ? 0 : rounds[rounds.size() / 2]);
  return 0;
}
