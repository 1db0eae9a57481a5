#include "inference/products_simd.h"

namespace embedrouter::inference {

const Kernels kKernels256 = simd::make_kernels<8>("simd256");

}  // namespace embedrouter::inference
