// How the operands of cgan's operators look to oneDNN, which names dimensions in the order n, c, h, w.
#pragma once

#include "cpu/fast/operators.h"
#include "cpu/vendor/onednn.h"

namespace cgan::vendor {

using fast::all_f32;

// An NHWC tensor of these sizes.
inline onednn::Layout image(std::int64_t n, std::int64_t h, std::int64_t w, std::int64_t c) {
    return {{n, c, h, w}, {h * w * c, 1, w * c, c}};
}
inline onednn::Layout image(const View& v) { return image(v.dims[0], v.dims[1], v.dims[2], v.dims[3]); }

inline onednn::Layout vector(std::int64_t n) { return {{n}, {1}}; }

// What a computation is, as the first number of its key.
enum Kind : std::int64_t {
    kMatmul,
    kDense,
    kConvolution,
    kConvolutionData,
    kConvolutionFilter,
    kTransposedConvolution,
    kEnlarge,
    kReduce2x,
    kPool,
    kPoolBackward,
    kNormalise
};

// A slope as a number of a key.
inline std::int64_t key_of(double value) {
    std::int64_t bits;
    static_assert(sizeof bits == sizeof value);
    __builtin_memcpy(&bits, &value, sizeof bits);
    return bits;
}

} // namespace cgan::vendor
