// glue.cu: bias and activation after a vendor's call
// shapes  : dst [rows, c] F32, bia [c];  launch: 1-D grid-stride, 256 threads, lanes along c;  bound by memory
// repeat  : run-to-run deterministic
#include "glue.h"

#include "../divider.h"
#include "../product.h"

namespace cgan::cuda::vendor {

// ---- kernels ------------------------------------------------------------------------------------

// bia nullable
__global__ void __launch_bounds__(kBlock)
    bias_kernel(unsigned n, Divider c, Activation act, const float* __restrict__ bia,
                float* __restrict__ dst) {
    for (std::uint64_t i = std::uint64_t(blockIdx.x) * blockDim.x + threadIdx.x; i < n;
         i += std::uint64_t(gridDim.x) * blockDim.x) {
        unsigned channel;
        c.divmod(unsigned(i), channel);
        dst[i] = act(bia ? dst[i] + bia[channel] : dst[i]);
    }
}

// ---- launchers ----------------------------------------------------------------------------------

void add_bias(const Device& device, float* dst, std::int64_t rows, std::int64_t c, const float* bia,
              Activation act) {
    const std::int64_t n = rows * c;
    launch(device, grid_1d(device, n), kBlock, bias_kernel, unsigned(n), Divider(int(c)), act, bia, dst);
}

} // namespace cgan::cuda::vendor
