#include "inference/products_simd.h"

namespace embedrouter::inference {

const Kernels kKernels512 = simd::make_kernels<16>("simd512");

}  // namespace embedrouter::inference
