// Our kernels around the vendors' calls: what those cannot express.
#pragma once

#include "../device.h"
#include "../math.h"

namespace cgan::cuda::vendor {

// dst [rows, c] = act(dst + bia [c] (nullable)), in place.
void add_bias(const Device& device, float* dst, std::int64_t rows, std::int64_t c, const float* bia,
              Activation act);

} // namespace cgan::cuda::vendor
