// The simulator has to catch what the hardware does not forgive: each test plants one bug in a small kernel,
// and its twin without the bug has to pass.
#include <cuda_pipeline_primitives.h>
#include <cuda_runtime.h>
#include <gtest/gtest.h>
#include <mma.h>

#include <cmath>
#include <vector>

#include "../../src/cuda/shared.h"
#include "../src/control.h"

using cgan::cuda::SharedArray;

namespace planted {

constexpr int kThreads = 64;

__global__ void reverse(float* data, bool with_barrier) {
    __shared__ SharedArray<float, kThreads> tile;
    const int t = threadIdx.x;
    tile[t] = data[t];
    if (with_barrier) __syncthreads();
    data[t] = tile[kThreads - 1 - t];
}

__global__ void write_shared(float* data, int offset) {
    __shared__ SharedArray<float, kThreads> tile;
    tile[int(threadIdx.x) + offset] = 1.0f;
    __syncthreads();
    data[threadIdx.x] = tile[threadIdx.x];
}

__global__ void copy_async(const float* src, float* dst, bool wait) {
    __shared__ SharedArray<float, 4 * kThreads> tile;
    const int i = 4 * threadIdx.x;
    __pipeline_memcpy_async(tile.span(i, 4), src + i, 16);
    __pipeline_commit();
    if (wait) __pipeline_wait_prior(0);
    __syncthreads();
    for (int j = 0; j < 4; j++) dst[i + j] = tile[i + j];
}

__global__ void load_vector(const float* src, float* dst, int offset) {
    const float4 v = cgan::cuda::load4(src + 4 * threadIdx.x + offset);
    dst[threadIdx.x] = v.x + v.y + v.z + v.w;
}

__global__ void last_block_wins(float* dst) {
    if (threadIdx.x == 0) dst[0] = float(blockIdx.x);
}

__global__ void diverge(float* dst) {
    if (threadIdx.x < kThreads / 2)
        __syncthreads();
    else
        __syncthreads();
    dst[threadIdx.x] = 1;
}

__global__ void meet_different_barriers(float* dst) {
    if (threadIdx.x < 32)
        __syncthreads();
    else if (threadIdx.x != 40)
        __syncwarp();
    dst[threadIdx.x] = 1;
}

__global__ void write_global(float* dst, int offset) { dst[int(threadIdx.x) + offset] = 1; }

__global__ void sum_warp(const float* src, float* dst) {
    float v = src[threadIdx.x];
    for (int lanes = 16; lanes > 0; lanes /= 2) v += __shfl_xor_sync(0xffffffffu, v, lanes);
    const unsigned odd = __ballot_sync(0xffffffffu, threadIdx.x & 1);
    dst[threadIdx.x] = odd == 0xaaaaaaaau ? v : -1.0f;
}

__global__ void shuffle_half(float* dst) {
    if ((threadIdx.x & 31) < 16) dst[threadIdx.x] = __shfl_sync(0xffffffffu, 1.0f, 0);
}

__global__ void fill_shared(float* dst) {
    __shared__ SharedArray<float, 13 * 1024> tile; // 52 KiB
    tile[threadIdx.x] = 1;
    dst[threadIdx.x] = tile[threadIdx.x];
}

__global__ void add_one(float* data) { data[threadIdx.x] += 1; }

__global__ void multiply_tf32(const float* a, const float* b, float* c, bool round) {
    namespace wmma = nvcuda::wmma;
    __shared__ SharedArray<float, 128> ta, tb;
    __shared__ SharedArray<float, 256> tc;
    for (int i = threadIdx.x; i < 128; i += 32) ta[i] = a[i], tb[i] = b[i];
    __syncthreads();
    wmma::fragment<wmma::matrix_a, 16, 16, 8, wmma::precision::tf32, wmma::row_major> fa;
    wmma::fragment<wmma::matrix_b, 16, 16, 8, wmma::precision::tf32, wmma::row_major> fb;
    wmma::fragment<wmma::accumulator, 16, 16, 8, float> fc;
    wmma::load_matrix_sync(fa, ta.span(0, 128), 8);
    wmma::load_matrix_sync(fb, tb.span(0, 128), 16);
    if (round)
        for (int i = 0; i < fa.num_elements; i++) fa.x[i] = wmma::__float_to_tf32(fa.x[i]);
    wmma::fill_fragment(fc, 0.0f);
    wmma::mma_sync(fc, fa, fb, fc);
    wmma::store_matrix_sync(tc.span(0, 256), fc, 16, wmma::mem_row_major);
    __syncthreads();
    for (int i = threadIdx.x; i < 256; i += 32) c[i] = tc[i];
}

} // namespace planted

namespace {

class Simulator : public testing::Test {
  protected:
    void SetUp() override {
        cgan_sim::reset_errors();
        cgan_sim::options() = {};
        ASSERT_EQ(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), cudaSuccess);
    }

    void TearDown() override {
        for (float* p : blocks) cudaFreeAsync(p, stream);
        cudaStreamDestroy(stream);
        cgan_sim::reset_errors();
        cgan_sim::options() = {};
        EXPECT_EQ(cgan_sim::live_allocations(), 0);
    }

    float* device(const std::vector<float>& values) {
        float* p = nullptr;
        EXPECT_EQ(cudaMallocAsync(reinterpret_cast<void**>(&p), values.size() * 4, stream), cudaSuccess);
        EXPECT_EQ(cudaMemcpyAsync(p, values.data(), values.size() * 4, cudaMemcpyHostToDevice, stream),
                  cudaSuccess);
        blocks.push_back(p);
        return p;
    }

    std::vector<float> host(const float* p, std::size_t n) {
        std::vector<float> values(n);
        EXPECT_EQ(cudaMemcpyAsync(values.data(), p, n * 4, cudaMemcpyDeviceToHost, stream), cudaSuccess);
        return values;
    }

    template <class... P, class... A>
    cudaError_t run(unsigned grid, unsigned threads, void (*kernel)(P...), A... args) {
        cudaLaunchConfig_t config = {grid, threads, 0, stream, nullptr, 0};
        const cudaError_t queued = cudaLaunchKernelEx(&config, kernel, args...);
        return queued != cudaSuccess ? queued : cudaStreamSynchronize(stream);
    }

    void expect_report(const std::string& kernel, const std::string& words) {
        const std::string report = cgan_sim::last_report();
        EXPECT_NE(report.find(kernel), std::string::npos) << report;
        EXPECT_NE(report.find(words), std::string::npos) << report;
    }

    static std::vector<float> ramp(std::size_t n) {
        std::vector<float> v(n);
        for (std::size_t i = 0; i < n; i++) v[i] = float(i);
        return v;
    }

    cudaStream_t stream = nullptr;
    std::vector<float*> blocks;
};

TEST_F(Simulator, MissingBarrierShowsAsPoison) {
    float* d = device(ramp(64));
    ASSERT_EQ(run(1, 64, planted::reverse, d, true), cudaSuccess);
    std::vector<float> right = host(d, 64);
    for (int i = 0; i < 64; i++) EXPECT_EQ(right[i], float(63 - i));

    float* e = device(ramp(64));
    ASSERT_EQ(run(1, 64, planted::reverse, e, false), cudaSuccess);
    int poisoned = 0;
    for (float v : host(e, 64)) poisoned += std::isnan(v);
    EXPECT_GT(poisoned, 0);
}

TEST_F(Simulator, MissingBarrierIsARace) {
    cgan_sim::options().check_races = true;
    float* d = device(ramp(64));
    ASSERT_EQ(run(1, 64, planted::reverse, d, true), cudaSuccess);
    ASSERT_EQ(run(1, 64, planted::reverse, d, false), cudaErrorLaunchFailure);
    expect_report("planted::reverse", "depends on the order");
}

TEST_F(Simulator, SharedArrayIsGuarded) {
    float* d = device(ramp(64));
    ASSERT_EQ(run(1, 64, planted::write_shared, d, 0), cudaSuccess);
    ASSERT_EQ(run(1, 64, planted::write_shared, d, 1), cudaErrorIllegalAddress);
    expect_report("planted::write_shared, block (0,0,0), thread (63,0,0)",
                  "elements 64 to 64 of a shared array of 64");
}

TEST_F(Simulator, CopyArrivesOnlyAfterWait) {
    float* src = device(ramp(256));
    float* dst = device(std::vector<float>(256));
    ASSERT_EQ(run(1, 64, planted::copy_async, src, dst, true), cudaSuccess);
    EXPECT_EQ(host(dst, 256), ramp(256));
    ASSERT_EQ(run(1, 64, planted::copy_async, src, dst, false), cudaSuccess);
    for (float v : host(dst, 256)) EXPECT_TRUE(std::isnan(v));
}

TEST_F(Simulator, MisalignedVectorLoadTraps) {
    float* src = device(ramp(260));
    float* dst = device(std::vector<float>(64));
    ASSERT_EQ(run(1, 64, planted::load_vector, src, dst, 0), cudaSuccess);
    EXPECT_EQ(host(dst, 64)[1], 4.0f + 5 + 6 + 7);
    ASSERT_EQ(run(1, 64, planted::load_vector, src, dst, 2), cudaErrorMisalignedAddress);
    expect_report("planted::load_vector", "16 bytes is not aligned");
}

TEST_F(Simulator, RaceBetweenBlocksIsFound) {
    float* d = device({0.0f});
    cgan_sim::options().check_races = true;
    ASSERT_EQ(run(1, 64, planted::last_block_wins, d), cudaSuccess);
    ASSERT_EQ(run(16, 64, planted::last_block_wins, d), cudaErrorLaunchFailure);
    expect_report("planted::last_block_wins", "depends on the order");
}

TEST_F(Simulator, BlockOrderFollowsTheSeed) {
    float* d = device({0.0f});
    std::vector<float> last;
    for (std::uint64_t seed = 1; seed <= 8; seed++) {
        cgan_sim::options().seed = seed;
        ASSERT_EQ(run(16, 64, planted::last_block_wins, d), cudaSuccess);
        last.push_back(host(d, 1)[0]);
    }
    EXPECT_NE(std::count(last.begin(), last.end(), last[0]), 8);
}

TEST_F(Simulator, DivergentBarrierIsReported) {
    float* d = device(ramp(64));
    ASSERT_EQ(run(1, 64, planted::diverge, d), cudaErrorLaunchFailure);
    expect_report("planted::diverge", "divergent __syncthreads");
}

TEST_F(Simulator, DeadlockIsReported) {
    float* d = device(ramp(64));
    ASSERT_EQ(run(1, 64, planted::meet_different_barriers, d), cudaErrorLaunchFailure);
    expect_report("planted::meet_different_barriers", "");
}

TEST_F(Simulator, WriteOutsideABlockOfMemoryIsFound) {
    float* d = device(ramp(64));
    ASSERT_EQ(run(1, 64, planted::write_global, d, 0), cudaSuccess);
    ASSERT_EQ(run(1, 64, planted::write_global, d, -1), cudaErrorIllegalAddress);
    expect_report("planted::write_global", "before a block of 256 bytes");
    EXPECT_EQ(cudaStreamSynchronize(stream), cudaErrorIllegalAddress) << "the failure stays";
}

TEST_F(Simulator, WarpOperationsExchangeValues) {
    float* src = device(ramp(64));
    float* dst = device(std::vector<float>(64));
    ASSERT_EQ(run(1, 64, planted::sum_warp, src, dst), cudaSuccess);
    const std::vector<float> v = host(dst, 64);
    for (int i = 0; i < 64; i++) EXPECT_EQ(v[i], i < 32 ? 496.0f : 1520.0f);
    ASSERT_EQ(run(1, 64, planted::shuffle_half, dst), cudaErrorLaunchFailure);
}

TEST_F(Simulator, SharedMemoryHasTheLimitOfTheDevice) {
    float* d = device(ramp(64));
    ASSERT_EQ(run(1, 64, planted::fill_shared, d), cudaErrorLaunchFailure);
    expect_report("planted::fill_shared", "exceeds the limit");
}

TEST_F(Simulator, StreamsAreLazyAndEventsOrderThem) {
    cudaStream_t other = nullptr;
    cudaEvent_t event = nullptr;
    ASSERT_EQ(cudaStreamCreateWithFlags(&other, cudaStreamNonBlocking), cudaSuccess);
    ASSERT_EQ(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), cudaSuccess);
    float* d = device(std::vector<float>(64));
    cudaLaunchConfig_t config = {1, 64, 0, stream, nullptr, 0};
    const std::int64_t before = cgan_sim::kernels_run();
    ASSERT_EQ(cudaLaunchKernelEx(&config, planted::add_one, d), cudaSuccess);
    EXPECT_EQ(cgan_sim::kernels_run(), before);
    EXPECT_EQ(cudaStreamQuery(stream), cudaErrorNotReady);
    ASSERT_EQ(cudaEventRecord(event, stream), cudaSuccess);
    ASSERT_EQ(cudaStreamSynchronize(other), cudaSuccess);
    EXPECT_EQ(cgan_sim::kernels_run(), before) << "nothing orders the streams yet";
    ASSERT_EQ(cudaStreamWaitEvent(other, event), cudaSuccess);
    ASSERT_EQ(cudaStreamSynchronize(other), cudaSuccess);
    EXPECT_EQ(cgan_sim::kernels_run(), before + 1);
    EXPECT_EQ(cudaEventDestroy(event), cudaSuccess);
    EXPECT_EQ(cudaStreamDestroy(other), cudaSuccess);
}

TEST_F(Simulator, PinnedMemoryIsReadWhenTheCopyRuns) {
    float* pinned = nullptr;
    ASSERT_EQ(cudaMallocHost(reinterpret_cast<void**>(&pinned), 4), cudaSuccess);
    float* d = device({0.0f});
    pinned[0] = 1;
    ASSERT_EQ(cudaMemcpyAsync(d, pinned, 4, cudaMemcpyHostToDevice, stream), cudaSuccess);
    pinned[0] = 2; // too early: a device would read this or the first value
    EXPECT_EQ(host(d, 1)[0], 2.0f);
    EXPECT_EQ(cudaFreeHost(pinned), cudaSuccess);
}

TEST_F(Simulator, GraphsReplay) {
    float* d = device(std::vector<float>(64));
    cudaGraph_t graph = nullptr;
    cudaGraphExec_t exec = nullptr;
    cudaLaunchConfig_t config = {1, 64, 0, stream, nullptr, 0};
    ASSERT_EQ(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), cudaSuccess);
    ASSERT_EQ(cudaLaunchKernelEx(&config, planted::add_one, d), cudaSuccess);
    ASSERT_EQ(cudaStreamEndCapture(stream, &graph), cudaSuccess);
    ASSERT_EQ(cudaGraphInstantiate(&exec, graph), cudaSuccess);
    for (int i = 0; i < 3; i++) ASSERT_EQ(cudaGraphLaunch(exec, stream), cudaSuccess);
    EXPECT_EQ(host(d, 64)[5], 3.0f);
    EXPECT_EQ(cudaGraphExecDestroy(exec), cudaSuccess);
    EXPECT_EQ(cudaGraphDestroy(graph), cudaSuccess);

    ASSERT_EQ(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), cudaSuccess);
    EXPECT_EQ(cudaStreamSynchronize(stream), cudaErrorStreamCaptureUnsupported);
    EXPECT_EQ(cudaStreamEndCapture(stream, &graph), cudaErrorStreamCaptureInvalidated);
}

TEST_F(Simulator, FailuresAndBudgetsAreInjected) {
    float* d = device(ramp(64));
    cgan_sim::reset_errors();
    cgan_sim::options().fail_call = 2;
    EXPECT_EQ(run(1, 64, planted::add_one, d), cudaErrorLaunchFailure);
    cgan_sim::reset_errors();
    cgan_sim::options() = {};
    cgan_sim::options().memory = 1024;
    void* p = nullptr;
    EXPECT_EQ(cudaMallocAsync(&p, 4096, stream), cudaErrorMemoryAllocation);
    EXPECT_EQ(p, nullptr);
}

// Each pool keeps to its own threshold; a destroyed one lives on until its last block is free.
TEST_F(Simulator, PoolsAreApart) {
    cudaMemPoolProps properties = {};
    properties.allocType = cudaMemAllocationTypePinned;
    properties.location = {cudaMemLocationTypeDevice, 0};
    cudaMemPool_t own = nullptr, common = nullptr;
    ASSERT_EQ(cudaMemPoolCreate(&own, &properties), cudaSuccess);
    ASSERT_EQ(cudaDeviceGetDefaultMemPool(&common, 0), cudaSuccess);
    EXPECT_NE(own, common);
    std::uint64_t keep = ~std::uint64_t{0};
    ASSERT_EQ(cudaMemPoolSetAttribute(own, cudaMemPoolAttrReleaseThreshold, &keep), cudaSuccess);
    ASSERT_EQ(cudaStreamSynchronize(stream), cudaSuccess); // gives back what earlier tests left in the common one
    void *kept = nullptr, *given_back = nullptr;
    ASSERT_EQ(cudaMallocFromPoolAsync(&kept, 4096, own, stream), cudaSuccess);
    ASSERT_EQ(cudaMallocAsync(&given_back, 1024, stream), cudaSuccess);
    cudaFreeAsync(kept, stream);
    cudaFreeAsync(given_back, stream);
    const std::int64_t before = cgan_sim::returned_bytes(), alive = cgan_sim::live_allocations();
    ASSERT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
    EXPECT_EQ(cgan_sim::returned_bytes(), before + 1024);

    ASSERT_EQ(cudaMallocFromPoolAsync(&kept, 4096, own, stream), cudaSuccess);
    EXPECT_EQ(cudaMemPoolDestroy(own), cudaSuccess);
    EXPECT_EQ(cudaMemPoolDestroy(own), cudaErrorInvalidValue);
    EXPECT_EQ(cudaMallocFromPoolAsync(&given_back, 4, own, stream), cudaErrorInvalidValue);
    EXPECT_EQ(cudaMemPoolDestroy(common), cudaErrorInvalidValue);
    EXPECT_EQ(cgan_sim::live_allocations(), alive + 1);
    cudaFreeAsync(kept, stream);
    EXPECT_EQ(cgan_sim::live_allocations(), alive - 1);
    EXPECT_EQ(cgan_sim::returned_bytes(), before + 1024 + 4096);
}

TEST_F(Simulator, WhatAPoolHoldsServesNoOther) {
    cgan_sim::options().memory = 4096;
    cudaMemPoolProps properties = {};
    properties.allocType = cudaMemAllocationTypePinned;
    properties.location = {cudaMemLocationTypeDevice, 0};
    cudaMemPool_t own = nullptr;
    ASSERT_EQ(cudaMemPoolCreate(&own, &properties), cudaSuccess);
    void *first = nullptr, *other = nullptr;
    ASSERT_EQ(cudaMallocFromPoolAsync(&first, 4096, own, stream), cudaSuccess);
    cudaFreeAsync(first, stream);
    EXPECT_EQ(cudaMallocAsync(&other, 4096, stream), cudaErrorMemoryAllocation);
    ASSERT_EQ(cudaMallocFromPoolAsync(&first, 4096, own, stream), cudaSuccess);
    cudaFreeAsync(first, stream);
    ASSERT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
    EXPECT_EQ(cudaMallocAsync(&other, 4096, stream), cudaSuccess);
    cudaFreeAsync(other, stream);
    EXPECT_EQ(cudaMemPoolDestroy(own), cudaSuccess);
}

TEST_F(Simulator, MatrixFragmentsMultiplyInTf32) {
    std::vector<float> a(128), b(128), want(256);
    for (int i = 0; i < 128; i++) a[i] = float(i % 7 - 3), b[i] = float(i % 5 - 2);
    for (int m = 0; m < 16; m++)
        for (int n = 0; n < 16; n++)
            for (int k = 0; k < 8; k++) want[m * 16 + n] += a[m * 8 + k] * b[k * 16 + n];
    float* c = device(std::vector<float>(256));
    ASSERT_EQ(run(1, 32, planted::multiply_tf32, device(a), device(b), c, true), cudaSuccess);
    EXPECT_EQ(host(c, 256), want);

    std::fill(a.begin(), a.end(), 0.0f);
    a[0] = 1.0f + 0x1.8p-11f; // rounds up to 1 + 2^-10, and is cut to 1
    std::fill(b.begin(), b.end(), 1.0f);
    ASSERT_EQ(run(1, 32, planted::multiply_tf32, device(a), device(b), c, true), cudaSuccess);
    EXPECT_EQ(host(c, 1)[0], 1.0f + 0x1p-10f);
    ASSERT_EQ(run(1, 32, planted::multiply_tf32, device(a), device(b), c, false), cudaSuccess);
    EXPECT_EQ(host(c, 1)[0], 1.0f);
}

} // namespace
