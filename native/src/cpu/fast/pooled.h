// Results of convolutions in their pooled, activated form.
#pragma once

#include "cpu/fast/conv_plan.h"
#include "cpu/fast/machine.h"

namespace cgan::fast {

// A convolution's result, or its gradient, after 2x2 max pooling and activation.
struct Pooled {
    float* dst;         // [n, oh / 2, ow / 2, k]
    const float* d_dst; // the same; only for gradients
    std::uint8_t* arg;  // the same
    Activation act;     // only for gradients
};

// gradient [count], before activation, of the pooled elements from `at` on; 0 where arg is no place of a window.
void pooled_gradient(const Kernels& kernels, const Pooled& pooled, std::int64_t at, std::int64_t count,
                     float* gradient);

// dst, arg = act(maxpool(full + bia)) of a whole convolution's result.
void pool_batch(Machine& machine, const ConvShape& shape, const float* full, const Epilogue& epilogue,
                float* dst, std::uint8_t* arg);

// The gradient [oh, ow, k] of image n's unpooled, unactivated result; odd last rows and columns get 0.
void unpool_image(const Kernels& kernels, const ConvShape& shape, const Pooled& pooled, std::int64_t n,
                  float* image);

// The same for all images; or in scratch memory of the caller's frame.
void unpool_batch(Machine& machine, const ConvShape& shape, const Pooled& pooled, float* full);
const float* unpool_batch(Machine& machine, const ConvShape& shape, const Pooled& pooled);

} // namespace cgan::fast
