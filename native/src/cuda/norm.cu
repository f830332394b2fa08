// norm.cu: batch and layer normalisation
// forward : dst = gamma * (src - mean) * rstd + beta
// backward: d_src = gamma * rstd * (d_dst - mean(d_dst) - xhat * mean(d_dst * xhat)), xhat = (src - mean) * rstd
// shapes  : src, dst [rows, c] F32; batch norm: mean, rstd, gamma, beta [c]; layer norm: mean, rstd [rows]
// launch  : batch norm reads src once for its moments: blocks of 32 channels x 8 rows, each thread sums what differs from
//           its first element over at most 64 rows, then moments are merged in float64 (Chan, Golub and LeVeque 1983),
//           first in the block, then over the chunks in their order; one element-wise launch follows.  Layer norm: a
//           block of 128 for each row, two passes over the row in the cache.  Bound by memory (8n + 4n bytes)
// repeat  : run-to-run deterministic (no atomics);  reference: cpu/reference/normalization.cpp
#include "cuda_backend.h"
#include "warp.h"

namespace cgan::cuda {

// ---- kernels ------------------------------------------------------------------------------------

namespace {

constexpr int kColumns = 32, kRows = 8, kChunkRows = kRows * 64;
constexpr int kRowBlock = 128;

struct Moments {
    double count, mean, m2; // m2: sum of squared differences from the mean
};

__device__ __forceinline__ Moments merge(const Moments& a, const Moments& b) {
    const double n = a.count + b.count;
    if (n == 0) return a;
    const double delta = b.mean - a.mean, share = b.count / n;
    return {n, a.mean + delta * share, a.m2 + b.m2 + delta * delta * a.count * share};
}

__device__ __forceinline__ float at_or(const float* p, int i, float absent) { return p ? p[i] : absent; }

// The rows first, first + kRows, ... of a chunk that belong to this thread.
struct ChunkRows {
    std::int64_t first, end;

    __device__ __forceinline__ ChunkRows(std::int64_t rows, int chunk) {
        const std::int64_t begin = std::int64_t(chunk) * kChunkRows;
        first = begin + threadIdx.y;
        end = rows - begin < kChunkRows ? rows : begin + kChunkRows;
    }
};

} // namespace

// Of the rows of a chunk that this thread reads, in one channel.
__device__ __forceinline__ Moments moments_of(const ChunkRows& chunk, int c, int channel, const float* src) {
    if (channel >= c || chunk.first >= chunk.end) return {0, 0, 0};
    const float shift = src[chunk.first * c + channel];
    float sum = 0, squares = 0, count = 0;
    for (std::int64_t row = chunk.first; row < chunk.end; row += kRows) {
        const float d = src[row * c + channel] - shift;
        sum += d;
        squares = fmaf(d, d, squares);
        count += 1;
    }
    const double mean = double(sum) / count;
    return {count, double(shift) + mean, double(squares) - double(sum) * mean};
}

// partial [chunks, c]; block (32, 8), grid (c / 32, some)
__global__ void __launch_bounds__(kBlock)
    batch_moments_kernel(std::int64_t rows, int c, int chunks, const float* __restrict__ src,
                         Moments* __restrict__ partial) {
    __shared__ SharedArray<Moments, kColumns * kRows> shared;
    const int channel = int(blockIdx.x) * kColumns + threadIdx.x;
    for (int chunk = blockIdx.y; chunk < chunks; chunk += gridDim.y) {
        Moments m = moments_of(ChunkRows(rows, chunk), c, channel, src);
        shared[threadIdx.y * kColumns + threadIdx.x] = m;
        __syncthreads();
        if (threadIdx.y == 0 && channel < c) {
            for (int row = 1; row < kRows; row++) m = merge(m, shared[row * kColumns + threadIdx.x]);
            partial[std::int64_t(chunk) * c + channel] = m;
        }
        __syncthreads();
    }
}

// running_mean, running_var nullable.
__global__ void __launch_bounds__(kBlock)
    batch_finish_kernel(int chunks, int c, double epsilon, double momentum,
                        const Moments* __restrict__ partial, float* __restrict__ mean,
                        float* __restrict__ rstd, float* __restrict__ running_mean,
                        float* __restrict__ running_var) {
    const int channel = int(blockIdx.x * blockDim.x + threadIdx.x);
    if (channel >= c) return;
    Moments m = partial[channel];
    for (int chunk = 1; chunk < chunks; chunk++) m = merge(m, partial[std::int64_t(chunk) * c + channel]);
    const double variance = m.m2 > 0 || m.m2 != m.m2 ? m.m2 / m.count : 0;
    mean[channel] = float(m.mean);
    rstd[channel] = float(1 / sqrt(variance + epsilon));
    if (!running_mean) return;
    running_mean[channel] = float(momentum * running_mean[channel] + (1 - momentum) * m.mean);
    running_var[channel] = float(momentum * running_var[channel] + (1 - momentum) * variance);
}

// A lane for each channel, eight rows at a time, grid (c / 32, some). `variance` tells whether `spread` is a
// variance (inference) or 1 / standard deviation (training).
__global__ void __launch_bounds__(kBlock)
    batch_apply_kernel(std::int64_t rows, int c, bool variance, float epsilon, const float* __restrict__ src,
                       const float* __restrict__ gamma, const float* __restrict__ beta,
                       const float* __restrict__ mean, const float* __restrict__ spread,
                       float* __restrict__ dst) {
    const int channel = int(blockIdx.x) * kColumns + threadIdx.x;
    if (channel >= c) return;
    const float g = at_or(gamma, channel, 1), b = at_or(beta, channel, 0), centre = mean[channel];
    const float scale = variance ? 1 / sqrtf(spread[channel] + epsilon) : spread[channel];
    const std::int64_t step = std::int64_t(gridDim.y) * kRows;
    for (std::int64_t row = std::int64_t(blockIdx.y) * kRows + threadIdx.y; row < rows; row += step)
        dst[row * c + channel] = fmaf(g, (src[row * c + channel] - centre) * scale, b);
}

// Sums over rows of d_dst and of d_dst * xhat: partial [chunks, 2, c]. Statistics belong to channels, or to
// rows if by_row.
__global__ void __launch_bounds__(kBlock)
    gradient_sums_kernel(std::int64_t rows, int c, int chunks, bool by_row, const float* __restrict__ src,
                         const float* __restrict__ mean, const float* __restrict__ rstd,
                         const float* __restrict__ d_dst, double* __restrict__ partial) {
    __shared__ SharedArray<double, kColumns * kRows> sums;
    __shared__ SharedArray<double, kColumns * kRows> products;
    const int channel = int(blockIdx.x) * kColumns + threadIdx.x, slot = threadIdx.y * kColumns + threadIdx.x;
    for (int chunk = blockIdx.y; chunk < chunks; chunk += gridDim.y) {
        const ChunkRows own(rows, chunk);
        double sum = 0, product = 0;
        for (std::int64_t row = own.first; row < own.end && channel < c; row += kRows) {
            const std::int64_t i = row * c + channel, s = by_row ? row : channel;
            const float d = d_dst[i];
            sum += double(d);
            product += double(d * ((src[i] - mean[s]) * rstd[s]));
        }
        sums[slot] = sum;
        products[slot] = product;
        __syncthreads();
        if (threadIdx.y == 0 && channel < c) {
            for (int row = 1; row < kRows; row++) {
                sum += sums[row * kColumns + threadIdx.x];
                product += products[row * kColumns + threadIdx.x];
            }
            partial[2 * std::int64_t(chunk) * c + channel] = sum;
            partial[(2 * std::int64_t(chunk) + 1) * c + channel] = product;
        }
        __syncthreads();
    }
}

// Folds the chunks; means [2, c] (nullable) are for d_src, d_gamma and d_beta [c] are nullable.
__global__ void __launch_bounds__(kBlock)
    gradient_finish_kernel(int chunks, int c, double rows, const double* __restrict__ partial,
                           float* __restrict__ means, float* __restrict__ d_gamma,
                           float* __restrict__ d_beta) {
    const int channel = int(blockIdx.x * blockDim.x + threadIdx.x);
    if (channel >= c) return;
    double sum = 0, product = 0;
    for (int chunk = 0; chunk < chunks; chunk++) {
        sum += partial[(2 * std::int64_t(chunk)) * c + channel];
        product += partial[(2 * std::int64_t(chunk) + 1) * c + channel];
    }
    if (means) {
        means[channel] = float(sum / rows);
        means[c + channel] = float(product / rows);
    }
    if (d_gamma) d_gamma[channel] = float(product);
    if (d_beta) d_beta[channel] = float(sum);
}

// As batch_apply_kernel; means [2, c] of d_dst and of d_dst * xhat.
__global__ void __launch_bounds__(kBlock)
    batch_backward_kernel(std::int64_t rows, int c, const float* __restrict__ src,
                          const float* __restrict__ gamma, const float* __restrict__ mean,
                          const float* __restrict__ rstd, const float* __restrict__ means,
                          const float* __restrict__ d_dst, float* __restrict__ d_src) {
    const int channel = int(blockIdx.x) * kColumns + threadIdx.x;
    if (channel >= c) return;
    const float centre = mean[channel], scale = rstd[channel], factor = at_or(gamma, channel, 1) * scale;
    const float mean_d = means[channel], mean_product = means[c + channel];
    const std::int64_t step = std::int64_t(gridDim.y) * kRows;
    for (std::int64_t row = std::int64_t(blockIdx.y) * kRows + threadIdx.y; row < rows; row += step) {
        const std::int64_t i = row * c + channel;
        const float xhat = (src[i] - centre) * scale;
        d_src[i] = factor * (d_dst[i] - mean_d - xhat * mean_product);
    }
}

// share = 1 / c: a division in float64 is a call, which costs a stack.
__global__ void __launch_bounds__(kRowBlock)
    layer_forward_kernel(std::int64_t rows, int c, double share, double epsilon,
                         const float* __restrict__ src, const float* __restrict__ gamma,
                         const float* __restrict__ beta, float* __restrict__ dst, float* __restrict__ mean,
                         float* __restrict__ rstd) {
    __shared__ SharedArray<double, 32> scratch;
    for (std::int64_t row = blockIdx.x; row < rows; row += gridDim.x) {
        const float* x = src + row * c;
        double sum = 0, squares = 0;
        for (int i = threadIdx.x; i < c; i += kRowBlock) sum += double(x[i]);
        const double centre = block_fold(sum, Add{}, scratch) * share;
        for (int i = threadIdx.x; i < c; i += kRowBlock) squares += (x[i] - centre) * (x[i] - centre);
        const double spread = 1 / sqrt(block_fold(squares, Add{}, scratch) * share + epsilon);
        const float m = float(centre), s = float(spread);
        for (int i = threadIdx.x; i < c; i += kRowBlock)
            dst[row * c + i] = fmaf(at_or(gamma, i, 1), (x[i] - m) * s, at_or(beta, i, 0));
        if (threadIdx.x == 0) {
            mean[row] = m;
            rstd[row] = s;
        }
    }
}

__global__ void __launch_bounds__(kRowBlock)
    layer_backward_kernel(std::int64_t rows, int c, const float* __restrict__ src,
                          const float* __restrict__ gamma, const float* __restrict__ mean,
                          const float* __restrict__ rstd, const float* __restrict__ d_dst,
                          float* __restrict__ d_src) {
    __shared__ SharedArray<double, 32> scratch;
    for (std::int64_t row = blockIdx.x; row < rows; row += gridDim.x) {
        const float *x = src + row * c, *d = d_dst + row * c;
        const float m = mean[row], s = rstd[row];
        double sum = 0, product = 0;
        for (int i = threadIdx.x; i < c; i += kRowBlock) {
            const float weighted = at_or(gamma, i, 1) * d[i];
            sum += double(weighted);
            product += double(weighted * ((x[i] - m) * s));
        }
        const float mean_d = float(block_fold(sum, Add{}, scratch) / c);
        const float mean_product = float(block_fold(product, Add{}, scratch) / c);
        for (int i = threadIdx.x; i < c; i += kRowBlock) {
            const float weighted = at_or(gamma, i, 1) * d[i];
            d_src[row * c + i] = s * (weighted - mean_d - (x[i] - m) * s * mean_product);
        }
    }
}

// ---- launchers ----------------------------------------------------------------------------------

namespace {

// Blocks of 32 channels by some of `most` pieces of the rows, a few for each multiprocessor.
dim3 piece_grid(const Device& device, std::int64_t most, std::int64_t channels) {
    const std::int64_t across = div_up(channels, kColumns),
                       wanted = div_up(device.multiprocessors() * 16, across);
    const std::int64_t down = wanted < most ? wanted : most;
    return dim3(unsigned(across), unsigned(down < 1 ? 1 : down < 65535 ? down : 65535));
}

struct Chunks {
    std::int64_t rows;
    int c, chunks;
    dim3 grid;

    Chunks(const Device& device, std::int64_t rows, std::int64_t channels, const char* what)
        : rows(rows), c(require_length(channels, what)),
          chunks(require_length(div_up(rows, kChunkRows), what)),
          grid(piece_grid(device, chunks, channels)) {}
};

dim3 row_grid(const Device& device, std::int64_t rows, std::int64_t channels) {
    return piece_grid(device, div_up(rows, kRows), channels);
}

void sum_gradients(const Device& device, const Chunks& k, bool by_row, const View& src, const View& mean,
                   const View& rstd, const View& d_dst, float* means, const View& d_gamma,
                   const View& d_beta) {
    Scratch<double> partial(device, 2 * std::int64_t(k.chunks) * k.c);
    launch(device, k.grid, dim3(kColumns, kRows), gradient_sums_kernel, k.rows, k.c, k.chunks, by_row,
           src.as<float>(), mean.as<float>(), rstd.as<float>(), d_dst.as<float>(), partial.data());
    launch(device, unsigned(div_up(k.c, kBlock)), kBlock, gradient_finish_kernel, k.chunks, k.c,
           double(k.rows), partial.data(), means, d_gamma.as<float>(), d_beta.as<float>());
}

void own_batch_training(const Device& device, const cgan_norm_params& p, const View& src, const View& gamma,
                        const View& beta, const View& running_mean, const View& running_var, const View& dst,
                        const View& mean, const View& rstd) {
    const Chunks k(device, src.rows(), src.last(), "batch_norm_training");
    Scratch<Moments> partial(device, std::int64_t(k.chunks) * k.c);
    launch(device, k.grid, dim3(kColumns, kRows), batch_moments_kernel, k.rows, k.c, k.chunks,
           src.as<float>(), partial.data());
    launch(device, unsigned(div_up(k.c, kBlock)), kBlock, batch_finish_kernel, k.chunks, k.c, p.epsilon,
           p.momentum, partial.data(), mean.as<float>(), rstd.as<float>(), running_mean.as<float>(),
           running_var.as<float>());
    launch(device, row_grid(device, k.rows, k.c), dim3(kColumns, kRows), batch_apply_kernel, k.rows, k.c,
           false, 0.0f, src.as<float>(), gamma.as<float>(), beta.as<float>(), mean.as<float>(),
           rstd.as<float>(), dst.as<float>());
}

void own_batch_inference(const Device& device, const cgan_norm_params& p, const View& src, const View& gamma,
                         const View& beta, const View& running_mean, const View& running_var,
                         const View& dst) {
    const int c = require_length(src.last(), "batch_norm_inference");
    launch(device, row_grid(device, src.rows(), c), dim3(kColumns, kRows), batch_apply_kernel,
           src.rows(), c, true, float(p.epsilon), src.as<float>(), gamma.as<float>(),
           beta.as<float>(), running_mean.as<float>(), running_var.as<float>(), dst.as<float>());
}

void own_batch_backward(const Device& device, const View& src, const View& gamma, const View& mean,
                        const View& rstd, const View& d_dst, const View& d_src, const View& d_gamma,
                        const View& d_beta) {
    const Chunks k(device, src.rows(), src.last(), "batch_norm_backward");
    Scratch<float> means(device, 2 * std::int64_t(k.c));
    sum_gradients(device, k, false, src, mean, rstd, d_dst, means.data(), d_gamma, d_beta);
    launch(device, row_grid(device, k.rows, k.c), dim3(kColumns, kRows), batch_backward_kernel, k.rows,
           k.c, src.as<float>(), gamma.as<float>(), mean.as<float>(), rstd.as<float>(), means.data(),
           d_dst.as<float>(), d_src.as<float>());
}

} // namespace

void CudaBackend::batch_norm_training(const cgan_norm_params& p, const View& src, const View& gamma,
                                      const View& beta, const View& running_mean, const View& running_var,
                                      const View& dst, const View& mean, const View& rstd) {
    require_f32(src, "batch_norm_training");
    const auto vendor = [&](const View& m, const View& v) {
        return [&](vendor::Operators& o) {
            return o.batch_norm_training(p, src, gamma, beta, m, v, dst, mean, rstd);
        };
    };
    const auto own = [&](const View& m, const View& v) {
        return [&] { own_batch_training(device_, p, src, gamma, beta, m, v, dst, mean, rstd); };
    };
    const View none; // rehearsals must not move the running statistics
    candidates_.serve({"batch_norm_training", {&src}, {running_mean.present()}},
                      vendor(running_mean, running_var), own(running_mean, running_var), vendor(none, none),
                      own(none, none));
}

void CudaBackend::batch_norm_inference(const cgan_norm_params& p, const View& src, const View& gamma,
                                       const View& beta, const View& running_mean, const View& running_var,
                                       const View& dst) {
    require_f32(src, "batch_norm_inference");
    candidates_.serve(
        {"batch_norm_inference", {&src}, {}},
        [&](vendor::Operators& v) {
            return v.batch_norm_inference(p, src, gamma, beta, running_mean, running_var, dst);
        },
        [&] { own_batch_inference(device_, p, src, gamma, beta, running_mean, running_var, dst); });
}

void CudaBackend::batch_norm_backward(const cgan_norm_params& p, const View& src, const View& gamma,
                                      const View& mean, const View& rstd, const View& d_dst,
                                      const View& d_src, const View& d_gamma, const View& d_beta) {
    require_f32(src, "batch_norm_backward");
    candidates_.serve(
        {"batch_norm_backward", {&src}, {}},
        [&](vendor::Operators& v) {
            return v.batch_norm_backward(p, src, gamma, mean, rstd, d_dst, d_src, d_gamma, d_beta);
        },
        [&] { own_batch_backward(device_, src, gamma, mean, rstd, d_dst, d_src, d_gamma, d_beta); });
}

void CudaBackend::layer_norm_forward(const cgan_norm_params& p, const View& src, const View& gamma,
                                     const View& beta, const View& dst, const View& mean, const View& rstd) {
    require_f32(src, "layer_norm_forward");
    const std::int64_t rows = src.dims[0];
    const int c = require_length(src.dims[1], "layer_norm_forward");
    launch(device_, unsigned(rows < 65536 ? rows : 65536), kRowBlock, layer_forward_kernel, rows, c, 1.0 / c,
           p.epsilon, src.as<float>(), gamma.as<float>(), beta.as<float>(), dst.as<float>(), mean.as<float>(),
           rstd.as<float>());
}

void CudaBackend::layer_norm_backward(const cgan_norm_params&, const View& src, const View& gamma,
                                      const View& mean, const View& rstd, const View& d_dst,
                                      const View& d_src, const View& d_gamma, const View& d_beta) {
    require_f32(src, "layer_norm_backward");
    const std::int64_t rows = src.dims[0];
    const Chunks k(device_, rows, src.dims[1], "layer_norm_backward");
    launch(device_, unsigned(rows < 65536 ? rows : 65536), kRowBlock, layer_backward_kernel, rows, k.c,
           src.as<float>(), gamma.as<float>(), mean.as<float>(), rstd.as<float>(), d_dst.as<float>(),
           d_src.as<float>());
    if (d_gamma.present() || d_beta.present())
        sum_gradients(device_, k, true, src, mean, rstd, d_dst, nullptr, d_gamma, d_beta);
}

} // namespace cgan::cuda
