#pragma once
#include <string>

namespace embedrouter::apps {

// The CPU's name and the vector features that the kernels use: "AMD EPYC, 2 CPUs: avx2 avx512f avx512bf16".
std::string describe_cpu();

}  // namespace embedrouter::apps
