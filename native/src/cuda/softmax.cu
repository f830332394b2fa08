// softmax.cu: softmax, log-softmax and arg-max over the last axis
// forward : dst = exp(src - max) / sum, or src - max - log(sum);  arg-max: the first of the greatest, NaN being greatest
// backward: d_src = dst * (d_dst - sum(dst * d_dst)), or d_dst - exp(dst) * sum(d_dst)
// shapes  : src, dst [rows, c] F32
// launch  : a warp for each row, 8 rows in a block; three passes over a row that stays in the cache.  Bound by memory
// repeat  : run-to-run deterministic;  reference: cpu/reference/reduce.cpp
#include "cuda_backend.h"
#include "math.h"
#include "warp.h"

namespace cgan::cuda {

// ---- kernels ------------------------------------------------------------------------------------

namespace {

constexpr int kRowsPerBlock = kBlock / 32;

struct Max {
    __device__ __forceinline__ float operator()(float a, float b) const { return b > a ? b : a; }
};

struct Candidate {
    float value;
    int at;
};

// The greater value; NaN is greater than all, the lower position the greater of equals.
struct Better {
    __device__ __forceinline__ Candidate operator()(Candidate a, Candidate b) const {
        const bool a_nan = a.value != a.value, b_nan = b.value != b.value;
        if (a_nan != b_nan) return a_nan ? a : b;
        if (a_nan || a.value == b.value) return a.at < b.at ? a : b;
        return a.value > b.value ? a : b;
    }
};

} // namespace

__global__ void __launch_bounds__(kBlock)
    softmax_forward_kernel(std::int64_t rows, int c, bool log, const float* __restrict__ src,
                           float* __restrict__ dst) {
    const int lane = threadIdx.x % 32;
    const std::int64_t step = std::int64_t(gridDim.x) * kRowsPerBlock;
    for (std::int64_t row = std::int64_t(blockIdx.x) * kRowsPerBlock + threadIdx.x / 32; row < rows;
         row += step) {
        const float* x = src + row * c;
        float top = x[0];
        for (int i = lane; i < c; i += 32) top = Max{}(top, x[i]);
        top = warp_fold(top, Max{});
        float sum = 0;
        for (int i = lane; i < c; i += 32) sum += expf(x[i] - top);
        sum = warp_sum(sum);
        const float shift = log ? logf(sum) : 1 / sum;
        for (int i = lane; i < c; i += 32)
            dst[row * c + i] = log ? x[i] - top - shift : expf(x[i] - top) * shift;
    }
}

__global__ void __launch_bounds__(kBlock)
    softmax_backward_kernel(std::int64_t rows, int c, bool log, const float* __restrict__ dst,
                            const float* __restrict__ d_dst, float* __restrict__ d_src) {
    const int lane = threadIdx.x % 32;
    const std::int64_t step = std::int64_t(gridDim.x) * kRowsPerBlock;
    for (std::int64_t row = std::int64_t(blockIdx.x) * kRowsPerBlock + threadIdx.x / 32; row < rows;
         row += step) {
        const float *y = dst + row * c, *d = d_dst + row * c;
        float sum = 0;
        for (int i = lane; i < c; i += 32) sum += log ? d[i] : y[i] * d[i];
        sum = warp_sum(sum);
        for (int i = lane; i < c; i += 32)
            d_src[row * c + i] = log ? d[i] - expf(y[i]) * sum : y[i] * (d[i] - sum);
    }
}

__global__ void __launch_bounds__(kBlock)
    argmax_kernel(std::int64_t rows, int c, const float* __restrict__ src, int* __restrict__ dst) {
    const int lane = threadIdx.x % 32;
    const std::int64_t step = std::int64_t(gridDim.x) * kRowsPerBlock;
    for (std::int64_t row = std::int64_t(blockIdx.x) * kRowsPerBlock + threadIdx.x / 32; row < rows;
         row += step) {
        const float* x = src + row * c;
        Candidate best{x[0], 0};
        for (int i = lane; i < c; i += 32) best = Better{}(best, Candidate{x[i], i});
        for (int lanes = 16; lanes > 0; lanes /= 2) {
            const Candidate other{__shfl_xor_sync(0xffffffffu, best.value, lanes),
                                  __shfl_xor_sync(0xffffffffu, best.at, lanes)};
            best = Better{}(best, other);
        }
        if (lane == 0) dst[row] = best.at;
    }
}

// ---- launchers ----------------------------------------------------------------------------------

void CudaBackend::softmax_forward(const cgan_softmax_params& p, const View& src, const View& dst) {
    require_f32(src, "softmax_forward");
    const std::int64_t rows = src.rows();
    launch(device_, grid_1d(device_, rows, kRowsPerBlock), kBlock, softmax_forward_kernel, rows,
           require_length(src.last(), "softmax_forward"), p.log != 0, src.as<float>(), dst.as<float>());
}

void CudaBackend::softmax_backward(const cgan_softmax_params& p, const View& dst, const View& d_dst,
                                   const View& d_src) {
    require_f32(dst, "softmax_backward");
    const std::int64_t rows = dst.rows();
    launch(device_, grid_1d(device_, rows, kRowsPerBlock), kBlock, softmax_backward_kernel, rows,
           require_length(dst.last(), "softmax_backward"), p.log != 0, dst.as<float>(), d_dst.as<float>(),
           d_src.as<float>());
}

void CudaBackend::argmax(const View& src, const View& dst) {
    require_f32(src, "argmax");
    const std::int64_t rows = src.rows();
    launch(device_, grid_1d(device_, rows, kRowsPerBlock), kBlock, argmax_kernel, rows,
           require_length(src.last(), "argmax"), src.as<float>(), dst.as<int>());
}

} // namespace cgan::cuda
