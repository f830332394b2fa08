// Stands in for CUDA's asynchronous copies from global to shared memory. The destination holds poison until
// __pipeline_wait_prior has waited for the copy's batch: a kernel that forgets to wait computes with NaN.
#pragma once

#include "cuda_runtime.h"

inline void __pipeline_memcpy_async(void* dst, const void* src, std::size_t bytes,
                                    std::size_t zero_fill = 0) {
    cgan_sim::async_copy(dst, src, bytes, zero_fill);
}
inline void __pipeline_commit() { cgan_sim::async_commit(); }
inline void __pipeline_wait_prior(std::size_t newest_allowed) { cgan_sim::async_wait(newest_allowed); }
