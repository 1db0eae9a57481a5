#include "inference/products_simd.h"

namespace embedrouter::inference {

const Kernels kKernels128 = simd::make_kernels<4>("simd128");

}  // namespace embedrouter::inference
