#include "inference/dense.h"

#include "inference/onednn_dense.h"
#include "inference/simd_dense.h"

// libgomp has no header that clang finds.
extern "C" void omp_set_num_threads(int count);
extern "C" int omp_get_max_threads();

namespace embedrouter::inference {

OneThreadTeam::OneThreadTeam() : former_(omp_get_max_threads()) {
  omp_set_num_threads(1);
}
OneThreadTeam::~OneThreadTeam() {
  omp_set_num_threads(former_);
}

std::unique_ptr<const Dense> make_dense(const dnnl::engine& engine, const Kernels& kernels,
                                        const DenseShape& shape) {
  if (shape.numbers == Numbers::int8) return std::make_unique<Int8Dense>(kernels, shape);
  // Below AVX-512 the library has products of plain weights only, which it packs anew in every call.
  if (shape.numbers == Numbers::bf16 || kernels.lanes == kKernels512.lanes)
    return std::make_unique<OneDnnDense>(engine, shape);
  return std::make_unique<SimdDense>(kernels, shape);
}

}  // namespace embedrouter::inference
