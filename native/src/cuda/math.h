// Activations and their derivatives in float32, as every kernel applies them. A GPU's tanhf, expf and their
// kin are within 2 ulp (CUDA C++ Programming Guide, mathematical functions).
#pragma once

#include <cuda_runtime.h>

#include "../../include/cgan.h"

namespace cgan::cuda {

__device__ __forceinline__ float sigmoid(float x) {
    const float e = expf(-fabsf(x)); // in (0, 1]: never overflows
    return x >= 0 ? 1 / (1 + e) : e / (1 + e);
}

__device__ __forceinline__ float softplus(float x) { return (x > 0 ? x : 0 * x) + log1pf(expf(-fabsf(x))); }

// max and min in which NaN of either operand wins
template <class T> __device__ __forceinline__ T nan_max(T a, T b) { return a != a || a > b ? a : b; }
template <class T> __device__ __forceinline__ T nan_min(T a, T b) { return a != a || a < b ? a : b; }

struct Activation {
    int kind = CGAN_ACT_NONE; // cgan_activation
    float alpha = 0;

    __device__ __forceinline__ float operator()(float x) const {
        switch (kind) {
        case CGAN_ACT_TANH:
            return tanhf(x);
        case CGAN_ACT_SIGMOID:
            return sigmoid(x);
        case CGAN_ACT_SOFTPLUS:
            return softplus(x);
        case CGAN_ACT_RELU:
            return x <= 0 ? 0 : x; // NaN stays NaN
        case CGAN_ACT_LEAKY_RELU:
            return x > 0 ? x : alpha * x;
        default:
            return x;
        }
    }

    // The gradient d of the result y, times the derivative at its argument.
    __device__ __forceinline__ float gradient(float y, float d) const {
        switch (kind) {
        case CGAN_ACT_TANH:
            return d * (1 - y * y);
        case CGAN_ACT_SIGMOID:
            return d * (y * (1 - y));
        case CGAN_ACT_SOFTPLUS:
            return d * -expm1f(-y);
        case CGAN_ACT_RELU:
            return y > 0 ? d : 0;
        case CGAN_ACT_LEAKY_RELU:
            return y > 0 ? d : alpha * d;
        default:
            return d;
        }
    }
};

} // namespace cgan::cuda
