// Shapes of convolutions and products: those of the models, and others that tests and benchmarks go through.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "cgan.h"

namespace cgan::bench {

// One layer. A transposed convolution is given by the sizes of the convolution whose gradient it is: its source is
// the [n, oh, ow, k], its result the [n, h, w, c]. A dense layer has h = w = r = s = 1: c inputs, k outputs.
struct Shape {
    const char* name;
    std::int64_t n, h, w, c, k, r, s;
    std::int32_t stride = 1, pad = 0; // pad before; after it, what the size of the result asks for
    std::int32_t pad_after = -1;      // -1: as before
    std::int32_t upsample = 1;
    bool transposed = false;
    bool pooled = false; // a maximum of 2x2 follows, fused to the convolution

    bool dense() const { return r == 1 && s == 1 && h == 1 && w == 1; }
    std::int32_t after() const { return pad_after < 0 ? pad : pad_after; }
    std::int64_t oh() const { return (h * upsample + pad + after() - r) / stride + 1; }
    std::int64_t ow() const { return (w * upsample + pad + after() - s) / stride + 1; }
    // Floating-point operations of one pass, as the definition counts them.
    double flops() const { return 2.0 * n * oh() * ow() * k * c * r * s; }
    cgan_conv2d_params params() const;
    std::string text() const; // "n64 14x14 128->64 5x5 /1 +2 up2"
};

// Every convolution and dense layer of the four models at their default settings, batch 64, on 28x28x1 images; dcgan
// on 64x64x3 ones, too.
std::span<const Shape> model_shapes();

// Every other corner: kernels of 1 to 11, strides of 1 to 4, odd and prime sides, 1 to 512 channels, batches of 1 to
// 128, transposed and enlarged ones, thin and square products.
std::span<const Shape> corner_shapes();

} // namespace cgan::bench
