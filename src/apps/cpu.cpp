#include "apps/cpu.h"

#include <cpuid.h>

#include <array>
#include <cstring>
#include <thread>
#include <utility>

namespace embedrouter::apps {
namespace {

std::string brand() {
  std::array<unsigned, 12> words{};
  for (unsigned i = 0; i < 3; ++i) {
    unsigned* part = words.data() + i * 4;
    if (__get_cpuid(0x80000002 + i, part, part + 1, part + 2, part + 3) == 0) return "unknown CPU";
  }
  std::array<char, sizeof(words) + 1> text{};
  std::memcpy(text.data(), words.data(), sizeof words);
  std::string name(text.data());
  const std::size_t first = name.find_first_not_of(' ');
  return first == std::string::npos ? "unknown CPU"
                                    : name.substr(first, name.find_last_not_of(' ') - first + 1);
}

bool has_amx_bf16() {
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  constexpr unsigned kAmxBf16 = 1U << 22;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (d & kAmxBf16) != 0;
}

}  // namespace

std::string describe_cpu() {
  __builtin_cpu_init();
  const std::array<std::pair<const char*, bool>, 6> features{
      {{"avx2", __builtin_cpu_supports("avx2") != 0},
       {"avx512f", __builtin_cpu_supports("avx512f") != 0},
       {"avx512bw", __builtin_cpu_supports("avx512bw") != 0},
       {"avx512vnni", __builtin_cpu_supports("avx512vnni") != 0},
       {"avx512bf16", __builtin_cpu_supports("avx512bf16") != 0},
       {"amx-bf16", has_amx_bf16()}}};
  std::string text = brand() + ", " + std::to_string(std::thread::hardware_concurrency()) + " CPUs:";
  for (const auto& [name, present] : features) {
    if (present) text += std::string(" ") + name;
  }
  return text;
}

}  // namespace embedrouter::apps
