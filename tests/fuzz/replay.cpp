// Runs a fuzz target over the files of a folder, every prefix of the short ones, and mutations with a fixed
// seed, so that a build without libFuzzer holds it too.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

constexpr int kMutationsPerFile = 300;
constexpr std::size_t kShort = 600;

void run(const std::string& bytes) {
  // A copy of exactly its size, so that a sanitizer sees a read behind it.
  const std::vector<std::uint8_t> exact(bytes.begin(), bytes.end());
  LLVMFuzzerTestOneInput(exact.data(), exact.size());
}

std::string mutated(std::string bytes, std::mt19937& random) {
  const auto below = [&](std::size_t n) {
    return std::uniform_int_distribution<std::size_t>(0, n - 1)(random);
  };
  const std::size_t edits = 1 + below(4);
  for (std::size_t i = 0; i < edits && !bytes.empty(); ++i) {
    const std::size_t at = below(bytes.size());
    switch (below(5)) {
      case 0:
        bytes[at] = static_cast<char>(below(256));
        break;
      case 1:
        bytes.erase(at, 1 + below(8));
        break;
      case 2:
        bytes.insert(at, 1 + below(8), static_cast<char>(below(256)));
        break;
      case 3:
        bytes.insert(at, bytes.substr(below(bytes.size()), 1 + below(32)));
        break;
      default:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8)));
        break;
    }
  }
  return bytes;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return std::fputs("usage: replay FOLDER\n", stderr), 2;
  std::mt19937 random(20261123);
  std::size_t files = 0;
  std::size_t runs = 1;
  run("");
  for (const auto& entry : std::filesystem::directory_iterator(argv[1])) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(file)), {});
    run(bytes);
    for (std::size_t cut = 0; bytes.size() <= kShort && cut < bytes.size(); ++cut, ++runs)
      run(bytes.substr(0, cut));
    for (int i = 0; i < kMutationsPerFile; ++i, ++runs) run(mutated(bytes, random));
    ++files;
  }
  std::printf("%zu files, %zu runs\n", files, runs);
  if (files == 0) return std::fputs("the folder holds no corpus\n", stderr), 1;
  return 0;
}
