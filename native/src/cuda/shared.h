// Shared memory as kernels use it: a __shared__ array that costs nothing on a device, and that the simulator
// poisons for each block and guards at both ends.
#pragma once

#include <cuda_runtime.h>

namespace cgan::cuda {

template <class T, int N> struct SharedArray {
    alignas(32) T values[N];
#if defined(CGAN_SIM)
    cgan_sim::SharedCheck check;
    void guard(int i, int count) { check.access(values, sizeof values, i, count, N); }
#else
    __device__ void guard(int, int) {}
#endif

    __device__ __forceinline__ T& operator[](int i) {
        guard(i, 1);
        return values[i];
    }

    // The address of elements i .. i + count - 1.
    __device__ __forceinline__ T* span(int i, int count) {
        guard(i, count);
        return values + i;
    }

    // The element that begins `bytes` bytes from the first: where the offset is a sum, one addition is all of the address.
    __device__ __forceinline__ T& at_byte(int bytes) {
        guard(bytes / int(sizeof(T)), 1);
        return *reinterpret_cast<T*>(reinterpret_cast<char*>(values) + bytes);
    }
};

__device__ __forceinline__ float4 load4(const float* p) { return *reinterpret_cast<const float4*>(p); }
__device__ __forceinline__ void store4(float* p, float4 v) { *reinterpret_cast<float4*>(p) = v; }

} // namespace cgan::cuda
