// Sums and other folds across the threads of a warp and of a block. The order of operations is fixed: the
// same bits every time.
#pragma once

#include "shared.h"

namespace cgan::cuda {

struct Add {
    template <class T> __device__ __forceinline__ T operator()(T a, T b) const { return a + b; }
};

// Every lane receives the result.
template <class T, class F> __device__ __forceinline__ T warp_fold(T v, F f) {
    for (int lanes = 16; lanes > 0; lanes /= 2) v = f(v, __shfl_xor_sync(0xffffffffu, v, lanes));
    return v;
}

template <class T> __device__ __forceinline__ T warp_sum(T v) { return warp_fold(v, Add{}); }

// Every thread receives the result. blockDim.x is a multiple of 32; `scratch` may be used again after the
// call.
template <class T, class F> __device__ __forceinline__ T block_fold(T v, F f, SharedArray<T, 32>& scratch) {
    v = warp_fold(v, f);
    const int warps = int(blockDim.x) / 32;
    if (threadIdx.x % 32 == 0) scratch[threadIdx.x / 32] = v;
    __syncthreads();
    T total = scratch[0];
    for (int i = 1; i < warps; i++) total = f(total, scratch[i]);
    __syncthreads();
    return total;
}

} // namespace cgan::cuda
