// Our kernels around the vendors' calls: what those cannot express.
#pragma once

#include "../device.h"
#include "../math.h"

namespace cgan::cuda::vendor {

struct ConvFrame;

// dst [rows, c] = act(dst + bia [c] (nullable)), in place.
void add_bias(const Device& device, float* dst, std::int64_t rows, std::int64_t c, const float* bia,
              Activation act);

// x [n, h, w, c] of the frame from src: enlarged by repetition, zeros around it.
void draw_frame(const Device& device, const ConvFrame& frame, const View& src, float* x);

// The transpose: d_src = the sum of the gradient dx [n, h, w, c] over each pixel's repetitions.
void gather_frame(const Device& device, const ConvFrame& frame, const float* dx, const View& d_src);

// dst [n, oh / 2, ow / 2, k] = act(the greatest of each 2 x 2 window of result [n, oh, ow, k] + bia (nullable)),
// arg = its place, the first of equals.
void pool_result(const Device& device, const ConvFrame& frame, const float* result, const float* bia,
                 Activation act, float* dst, std::uint8_t* arg);

// arg = the first place of each window where src is what dst says.
void locate_maxima(const Device& device, const cgan_pool2d_params& p, const View& src, const View& dst,
                   std::uint8_t* arg);

void set_all(const Device& device, float* dst, std::int64_t count, float value);

// running = momentum * running + (1 - momentum) * batch, from batch [2, c]: the mean of `rows` values and their
// unbiased variance, which becomes the biased one.
void update_running(const Device& device, double momentum, std::int64_t rows, std::int64_t c,
                    const float* batch, float* running_mean, float* running_var);

} // namespace cgan::cuda::vendor
