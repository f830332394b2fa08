// Stands in for the CUDA runtime's header when a host compiler builds the CUDA sources for the simulator: the
// language extensions, the built-in variables and functions of a kernel, and the part of the runtime API that
// this project uses. The names and meanings are those of the CUDA C++ Programming Guide and the CUDA Runtime
// API reference.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <source_location>
#include <tuple>
#include <type_traits>

#include "../src/scheduler.h"

#define CGAN_SIM 1

#define __global__
#define __device__
#define __host__
#define __shared__ static
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __align__(n) alignas(n)
#define __grid_constant__

// ---- built-in variables and vector types --------------------------------------------------------

struct dim3 {
    unsigned x = 1, y = 1, z = 1;
    constexpr dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};
using uint3 = cgan_sim::Dim;

using cgan_sim::blockDim;
using cgan_sim::blockIdx;
using cgan_sim::gridDim;
using cgan_sim::threadIdx;
inline constexpr int warpSize = 32;

struct float2 {
    float x, y;
    float2() = default;
    float2(float x, float y) : x(x), y(y) {}
    float2(const float2& o) { *this = o; }
    float2& operator=(const float2& o) {
        cgan_sim::check_aligned(&o, 8);
        cgan_sim::check_aligned(this, 8);
        std::memcpy(static_cast<void*>(this), &o, sizeof *this);
        return *this;
    }
};

// 16-byte alignment comes from the type, so that objects on the stack pass; the check sees addresses that
// were cast.
struct float4 {
    alignas(16) float x;
    float y, z, w;
    float4() = default;
    float4(float x, float y, float z, float w) : x(x), y(y), z(z), w(w) {}
    float4(const float4& o) { copy(this, &o); }
    float4& operator=(const float4& o) {
        copy(this, &o);
        return *this;
    }

  private:
    // The compiler may assume alignment of a float4; hiding the addresses from it keeps the check alive.
    static void copy(void* dst, const void* src) {
        asm volatile("" : "+r"(dst), "+r"(src));
        cgan_sim::check_aligned(src, 16);
        cgan_sim::check_aligned(dst, 16);
        std::memmove(dst, src, 16);
    }
};
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
inline float2 make_float2(float x, float y) { return {x, y}; }

struct uchar4 {
    unsigned char x, y, z, w;
};

// ---- synchronisation and warps ------------------------------------------------------------------

using CganSimPlace = std::source_location;

inline void __syncthreads(CganSimPlace w = CganSimPlace::current()) { cgan_sim::block_barrier(0, 0, w); }
inline int __syncthreads_and(int v, CganSimPlace w = CganSimPlace::current()) {
    return cgan_sim::block_barrier(v, 1, w);
}
inline int __syncthreads_or(int v, CganSimPlace w = CganSimPlace::current()) {
    return cgan_sim::block_barrier(v, 2, w);
}
inline int __syncthreads_count(int v, CganSimPlace w = CganSimPlace::current()) {
    return cgan_sim::block_barrier(v, 3, w);
}
inline void __syncwarp(unsigned mask = 0xffffffffu, CganSimPlace w = CganSimPlace::current()) {
    cgan_sim::warp_barrier(mask, w);
}

namespace cgan_sim {
template <class T> T shuffle(WarpOperation op, unsigned mask, T value, int argument, CganSimPlace where) {
    static_assert(sizeof(T) <= 8 && std::is_trivially_copyable_v<T>);
    std::uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof value);
    bits = warp_collect(op, mask, bits, argument, where);
    std::memcpy(&value, &bits, sizeof value);
    return value;
}
} // namespace cgan_sim

template <class T> T __shfl_sync(unsigned mask, T v, int lane, CganSimPlace w = CganSimPlace::current()) {
    return cgan_sim::shuffle(cgan_sim::kShuffle, mask, v, lane, w);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T v, int lanes, CganSimPlace w = CganSimPlace::current()) {
    return cgan_sim::shuffle(cgan_sim::kShuffleXor, mask, v, lanes, w);
}
template <class T>
T __shfl_up_sync(unsigned mask, T v, unsigned lanes, CganSimPlace w = CganSimPlace::current()) {
    return cgan_sim::shuffle(cgan_sim::kShuffleUp, mask, v, int(lanes), w);
}
template <class T>
T __shfl_down_sync(unsigned mask, T v, unsigned lanes, CganSimPlace w = CganSimPlace::current()) {
    return cgan_sim::shuffle(cgan_sim::kShuffleDown, mask, v, int(lanes), w);
}
inline unsigned __ballot_sync(unsigned mask, int v, CganSimPlace w = CganSimPlace::current()) {
    return unsigned(cgan_sim::warp_collect(cgan_sim::kBallot, mask, v != 0, 0, w));
}
inline int __any_sync(unsigned mask, int v, CganSimPlace w = CganSimPlace::current()) {
    return __ballot_sync(mask, v, w) != 0;
}
inline int __all_sync(unsigned mask, int v, CganSimPlace w = CganSimPlace::current()) {
    return __ballot_sync(mask, v, w) == mask;
}
inline unsigned __activemask() { return 1u << (cgan_sim::self().rank & 31); }

// ---- atomics and fences: one fiber runs at a time, so plain accesses are atomic -----------------

template <class T> T atomicAdd(T* p, std::type_identity_t<T> v) {
    T old = *p;
    *p = old + v;
    return old;
}
template <class T> T atomicMax(T* p, std::type_identity_t<T> v) {
    T old = *p;
    *p = std::max(old, v);
    return old;
}
template <class T> T atomicMin(T* p, std::type_identity_t<T> v) {
    T old = *p;
    *p = std::min(old, v);
    return old;
}
template <class T> T atomicOr(T* p, std::type_identity_t<T> v) {
    T old = *p;
    *p = old | v;
    return old;
}
template <class T> T atomicExch(T* p, std::type_identity_t<T> v) {
    T old = *p;
    *p = v;
    return old;
}
template <class T> T atomicCAS(T* p, std::type_identity_t<T> expected, std::type_identity_t<T> v) {
    T old = *p;
    if (old == expected) *p = v;
    return old;
}
inline void __threadfence() {}
inline void __threadfence_block() {}

// ---- arithmetic ---------------------------------------------------------------------------------

using std::isfinite;
using std::isinf;
using std::isnan;
inline int min(int a, int b) { return a < b ? a : b; }
inline int max(int a, int b) { return a > b ? a : b; }
inline unsigned min(unsigned a, unsigned b) { return a < b ? a : b; }
inline unsigned max(unsigned a, unsigned b) { return a > b ? a : b; }
inline long long min(long long a, long long b) { return a < b ? a : b; }
inline long long max(long long a, long long b) { return a > b ? a : b; }
inline float rsqrtf(float x) { return 1.0f / std::sqrt(x); }
inline double rsqrt(double x) { return 1.0 / std::sqrt(x); }
inline unsigned __umulhi(unsigned a, unsigned b) { return unsigned((std::uint64_t(a) * b) >> 32); }
inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline int __clz(int x) { return x ? __builtin_clz(unsigned(x)) : 32; }
template <class T> T __ldg(const T* p) { return *p; }
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fadd_rn(float a, float b) { return a + b; }
inline float __int_as_float(int x) {
    float f;
    std::memcpy(&f, &x, 4);
    return f;
}
inline int __float_as_int(float x) {
    int i;
    std::memcpy(&i, &x, 4);
    return i;
}
inline float __uint_as_float(unsigned x) {
    float f;
    std::memcpy(&f, &x, 4);
    return f;
}
inline unsigned __float_as_uint(float x) {
    unsigned i;
    std::memcpy(&i, &x, 4);
    return i;
}

// ---- runtime API --------------------------------------------------------------------------------

enum cudaError_t {
    cudaSuccess = 0,
    cudaErrorInvalidValue = 1,
    cudaErrorMemoryAllocation = 2,
    cudaErrorInvalidConfiguration = 9,
    cudaErrorInsufficientDriver = 35,
    cudaErrorNoDevice = 100,
    cudaErrorInvalidDevice = 101,
    cudaErrorInvalidResourceHandle = 400,
    cudaErrorNotReady = 600,
    cudaErrorIllegalAddress = 700,
    cudaErrorMisalignedAddress = 716,
    cudaErrorLaunchFailure = 719,
    cudaErrorStreamCaptureUnsupported = 900,
    cudaErrorStreamCaptureInvalidated = 901
};

namespace cgan_sim {
struct Stream;
struct Event;
struct Graph;
} // namespace cgan_sim
using cudaStream_t = cgan_sim::Stream*;
using cudaEvent_t = cgan_sim::Event*;
using cudaGraph_t = cgan_sim::Graph*;
using cudaGraphExec_t = cgan_sim::Graph*;

enum cudaMemcpyKind {
    cudaMemcpyHostToHost = 0,
    cudaMemcpyHostToDevice = 1,
    cudaMemcpyDeviceToHost = 2,
    cudaMemcpyDeviceToDevice = 3,
    cudaMemcpyDefault = 4
};
enum cudaStreamCaptureMode {
    cudaStreamCaptureModeGlobal,
    cudaStreamCaptureModeThreadLocal,
    cudaStreamCaptureModeRelaxed
};
enum cudaStreamCaptureStatus {
    cudaStreamCaptureStatusNone = 0,
    cudaStreamCaptureStatusActive = 1,
    cudaStreamCaptureStatusInvalidated = 2
};
inline constexpr unsigned cudaStreamNonBlocking = 1, cudaEventDisableTiming = 2, cudaHostAllocDefault = 0;
inline constexpr unsigned cudaEventDefault = 0;

enum cudaFuncAttribute { cudaFuncAttributeMaxDynamicSharedMemorySize = 8 };

enum cudaMemPoolAttr { cudaMemPoolAttrReleaseThreshold = 4 };
struct CUmemPoolHandle_st;
using cudaMemPool_t = CUmemPoolHandle_st*;
enum cudaMemAllocationType { cudaMemAllocationTypeInvalid = 0, cudaMemAllocationTypePinned = 1 };
enum cudaMemAllocationHandleType { cudaMemHandleTypeNone = 0 };
enum cudaMemLocationType { cudaMemLocationTypeInvalid = 0, cudaMemLocationTypeDevice = 1 };
struct cudaMemLocation {
    cudaMemLocationType type;
    int id;
};
struct cudaMemPoolProps {
    cudaMemAllocationType allocType;
    cudaMemAllocationHandleType handleTypes;
    cudaMemLocation location;
};

struct cudaDeviceProp {
    char name[256];
    std::size_t totalGlobalMem, sharedMemPerBlock, sharedMemPerBlockOptin;
    int major, minor, multiProcessorCount, maxThreadsPerBlock, l2CacheSize;
};

struct cudaFuncAttributes {
    int ptxVersion, binaryVersion;
};

struct cudaLaunchAttribute {
    int id;
};
struct cudaLaunchConfig_t {
    dim3 gridDim, blockDim;
    std::size_t dynamicSmemBytes;
    cudaStream_t stream;
    cudaLaunchAttribute* attrs;
    unsigned numAttrs;
};

const char* cudaGetErrorString(cudaError_t error);
const char* cudaGetErrorName(cudaError_t error);
cudaError_t cudaGetLastError();
cudaError_t cudaPeekAtLastError();
cudaError_t cudaDriverGetVersion(int* version);
cudaError_t cudaGetDeviceCount(int* count);
cudaError_t cudaGetDevice(int* device);
cudaError_t cudaSetDevice(int device);
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device);
cudaError_t cudaDeviceSynchronize();
cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total);

cudaError_t cudaMalloc(void** p, std::size_t bytes);
cudaError_t cudaFree(void* p);
cudaError_t cudaMallocAsync(void** p, std::size_t bytes, cudaStream_t stream);
cudaError_t cudaFreeAsync(void* p, cudaStream_t stream);
cudaError_t cudaDeviceGetDefaultMemPool(cudaMemPool_t* pool, int device);
cudaError_t cudaMemPoolCreate(cudaMemPool_t* pool, const cudaMemPoolProps* properties);
cudaError_t cudaMemPoolDestroy(cudaMemPool_t pool);
cudaError_t cudaMallocFromPoolAsync(void** p, std::size_t bytes, cudaMemPool_t pool, cudaStream_t stream);
cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t pool, cudaMemPoolAttr attribute, void* value);
cudaError_t cudaMemPoolTrimTo(cudaMemPool_t pool, std::size_t bytes);
cudaError_t cudaMallocHost(void** p, std::size_t bytes);
cudaError_t cudaFreeHost(void* p);
cudaError_t cudaMemcpyAsync(void* dst, const void* src, std::size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream);
cudaError_t cudaMemsetAsync(void* dst, int value, std::size_t bytes, cudaStream_t stream);

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags);
cudaError_t cudaStreamDestroy(cudaStream_t stream);
cudaError_t cudaStreamSynchronize(cudaStream_t stream);
cudaError_t cudaStreamQuery(cudaStream_t stream);
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned flags = 0);
cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode);
cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status);
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph);

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags);
cudaError_t cudaEventDestroy(cudaEvent_t event);
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream);
cudaError_t cudaEventSynchronize(cudaEvent_t event);
cudaError_t cudaEventQuery(cudaEvent_t event);
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start, cudaEvent_t stop);

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long flags = 0);
cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream);
cudaError_t cudaGraphDestroy(cudaGraph_t graph);
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec);

namespace cgan_sim {
cudaError_t raise_dynamic_limit(const void* kernel, int bytes);
cudaError_t enqueue_kernel(const cudaLaunchConfig_t& config, const void* kernel, std::function<void()> body);
} // namespace cgan_sim

template <class K> cudaError_t cudaFuncSetAttribute(K* kernel, cudaFuncAttribute, int value) {
    return cgan_sim::raise_dynamic_limit(reinterpret_cast<const void*>(kernel), value);
}

template <class K> cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, K*) {
    *attributes = {80, 80};
    return cudaSuccess;
}

// Copies the arguments now, as a launch does; the kernel runs when something waits for it.
template <class... P, class... A>
cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t* config, void (*kernel)(P...), A&&... args) {
    std::tuple<std::decay_t<P>...> params(static_cast<P>(args)...);
    static_assert((sizeof(std::decay_t<P>) + ... + 0) <= 4096, "kernel parameters exceed 4096 bytes");
    return cgan_sim::enqueue_kernel(*config, reinterpret_cast<const void*>(kernel),
                                    [kernel, params]() mutable { std::apply(kernel, params); });
}
