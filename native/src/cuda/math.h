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

// Of a nullable bias. Without one: what changes no sum, zeros of either sign included; so the code after the sum is there
// once, not once for each case.
__device__ __forceinline__ float bias_at(const float* bia, int i, int count) {
    return bia && i < count ? bia[i] : -0.0f;
}

// Whether v takes the place of the greatest of a window so far: the first of equals stays, NaN wins.
__device__ __forceinline__ bool is_greater(float v, float top) { return top == top && (v > top || v != v); }

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

    // Where results are stored by code that stands there for each of them: all 64 of a thread take a few hundred
    // instructions with piecewise() alone, 4,000 with what is not piecewise linear, which belongs in a loop.
    __device__ __forceinline__ bool is_piecewise() const {
        return kind == CGAN_ACT_NONE || kind == CGAN_ACT_RELU || kind == CGAN_ACT_LEAKY_RELU;
    }
    // The piecewise linear ones; x for the others. The switch above has them too: with a call of this one instead, a TF32 tile
    // of sm_90 spills.
    __device__ __forceinline__ float piecewise(float x) const {
        if (kind == CGAN_ACT_RELU) return x <= 0 ? 0 : x; // NaN stays NaN
        return kind == CGAN_ACT_LEAKY_RELU && !(x > 0) ? alpha * x : x;
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
