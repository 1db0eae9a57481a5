#pragma once
// The model and the goldens that the tests of this layer read. A missing file fails the test that wanted it.

#include <gtest/gtest.h>
#include <simdjson.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <sstream>
#include <string>
#include <vector>

namespace embedrouter::inference {

inline constexpr std::size_t kGoldenWidth = 384;
inline constexpr std::size_t kGoldenLimit = 512;

inline std::filesystem::path model_folder() {
  const char* folder = std::getenv("EMBEDROUTER_MODEL_DIR");
  return folder != nullptr ? folder : EMBEDROUTER_SOURCE_DIR "/.models/all-minilm-l6-v2";
}

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.good()) << path << " is missing";
  return {std::istreambuf_iterator<char>(file), {}};
}

inline std::filesystem::path golden(const char* name) {
  return std::filesystem::path(EMBEDROUTER_SOURCE_DIR) / "tests/golden" / name;
}

// The parity corpus: 1,000 texts in many scripts, ordered by kind.
inline std::vector<std::string> golden_texts() {
  std::vector<std::string> texts;
  simdjson::dom::parser parser;
  std::istringstream lines(read_file(golden("texts.jsonl")));
  for (std::string line; std::getline(lines, line);)
    texts.emplace_back(std::string_view(parser.parse(line).get_string()));
  EXPECT_EQ(texts.size(), 1000U);
  return texts;
}

// Lines of "[101,7592,102]", cut as the reference cuts.
inline std::vector<std::vector<std::uint32_t>> golden_ids() {
  std::vector<std::vector<std::uint32_t>> all;
  std::istringstream lines(read_file(golden("tokens.jsonl")));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream numbers(line.substr(1));
    std::vector<std::uint32_t> ids;
    for (std::uint32_t id = 0; numbers >> id; numbers.get()) ids.push_back(id);
    if (ids.size() > kGoldenLimit) {
      ids[kGoldenLimit - 1] = ids.back();
      ids.resize(kGoldenLimit);
    }
    all.push_back(std::move(ids));
  }
  EXPECT_EQ(all.size(), 1000U);
  return all;
}

// Signed 24-bit little-endian numbers in units of 2^-23 (tests/golden/make_vectors.py).
inline std::vector<float> golden_vectors() {
  const std::string bytes = read_file(golden("vectors.bin"));
  std::vector<float> out;
  out.reserve(bytes.size() / 3);
  for (std::size_t i = 0; i + 3 <= bytes.size(); i += 3) {
    const auto byte = [&](std::size_t k) { return std::uint32_t{static_cast<unsigned char>(bytes[i + k])}; };
    const auto bits = static_cast<std::int32_t>(byte(0) << 8 | byte(1) << 16 | byte(2) << 24);
    out.push_back(static_cast<float>(bits >> 8) * 0x1p-23F);
  }
  EXPECT_EQ(out.size(), 1000 * kGoldenWidth);
  return out;
}

inline double cosine(std::span<const float> a, std::span<const float> b) {
  double dot = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    dot += double{a[i]} * b[i];
    aa += double{a[i]} * a[i];
    bb += double{b[i]} * b[i];
  }
  return dot / std::sqrt(aa * bb);
}

// NaN counts as infinitely different.
inline double max_difference(std::span<const float> a, std::span<const float> b) {
  double most = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double d = std::abs(double{a[i]} - b[i]);
    most = d <= most ? most : (std::isnan(d) ? HUGE_VAL : d);
  }
  return most;
}

}  // namespace embedrouter::inference
