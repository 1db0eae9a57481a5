#include "inference/kernels.h"

#include <dnnl.hpp>

namespace embedrouter::inference {

std::size_t attention_scratch(std::size_t tokens, std::size_t head_width) noexcept {
  constexpr std::size_t kMostLanes = 16, kQueries = 6;
  const std::size_t stride = (tokens + kMostLanes - 1) / kMostLanes * kMostLanes;
  return head_width * stride + head_width * tokens + kQueries * (stride + head_width);
}

std::span<const Kernels* const> available_kernels() noexcept {
#if defined(__x86_64__)
  static constexpr const Kernels* kAll[] = {&kKernels128, &kKernels256, &kKernels512};
  const auto isa = static_cast<unsigned>(dnnl_get_effective_cpu_isa());
  const auto has = [isa](dnnl_cpu_isa_t level) {
    return (isa & static_cast<unsigned>(level)) == static_cast<unsigned>(level);
  };
  if (has(dnnl_cpu_isa_avx512_core)) return {kAll, 3};
  if (has(dnnl_cpu_isa_avx2)) return {kAll, 2};
  return {kAll, 1};
#else
  static constexpr const Kernels* kAll[] = {&kKernels128};
  return kAll;
#endif
}

}  // namespace embedrouter::inference
