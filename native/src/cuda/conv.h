// What the passes of convolution share: geometry, where results go, and the products that a transposed
// convolution falls apart into.
#pragma once

#include "candidates.h"
#include "product.h"
#include "warp.h"

namespace cgan::cuda {

// src [n, h, w, c], wei [k, r, s, c], dst [n, oh, ow, k]; pads may be negative.
struct ConvShape {
    int n, h, w, c, k, r, s, oh, ow;
    int stride_y, stride_x, pad_y, pad_x;

    int filter_elems() const { return k * r * s * c; }
};

// `src` enlarged as p says; dst before any pooling. Throws CGAN_E_UNSUPPORTED beyond 2^31 - 1 elements.
ConvShape make_shape(const cgan_conv2d_params& p, const View& src, const View& wei, const char* what);

// What a choice between candidates depends on. image: src or d_src.
OperatorKey conv_key(const char* op, const cgan_conv2d_params& p, const View& image, const View& wei,
                     const View& bia);

// Nearest 2x enlargement followed by a convolution with stride 1 is a transposed convolution with stride 2 of
// the small image: large[o] = sum over i, u with o = 2 i + u of small[i] F[u], where F [k, r + 1, s + 1, c]
// holds in each dimension the sums of neighbours F[u'] = w[r - 1 - u'] + w[r - u'], u' = u + r - 1 - pad.
// (r + 1)(s + 1) of 4 r s products remain: 9/25 for 5x5.
struct FoldedShape {
    int r, s, pad_y, pad_x; // of F
};
inline FoldedShape fold_shape(const ConvShape& g) {
    return {g.r + 1, g.s + 1, g.r - 1 - g.pad_y, g.s - 1 - g.pad_x};
}
void fold_filter(const Device& device, const ConvShape& g, const float* wei, float* folded);
// d_wei [k, r, s, c] from the gradient of F as [c, r + 1, s + 1, k].
void unfold_gradient(const Device& device, const ConvShape& g, const float* d_folded, float* d_wei);

// dst [pixel, channel] = act(sum + bia[channel]). Pixels of the grid [n, rows, columns] are those of dst [n,
// h, w], or, for one phase of a transposed convolution, every step-th of them from `first` on.
struct PixelStore {
    static constexpr bool kWindows = false;
    float* dst;
    const float* bia; // nullable
    Activation act;
    int m_count, n_count, split;
    bool all; // the grid is dst
    Divider rows, columns;
    int h, w, step_y, step_x, first_y, first_x;

    // Where the channels of a pixel begin.
    __device__ __forceinline__ float* row(int m) const {
        int pixel = m;
        if (!all) {
            unsigned y, x;
            const unsigned image = rows.divmod(columns.divmod(unsigned(m), x), y);
            pixel = (int(image) * h + int(y) * step_y + first_y) * w + int(x) * step_x + first_x;
        }
        return dst + pixel * n_count;
    }
    __device__ __forceinline__ void operator()(int m, int n, float v) const {
        if (m < m_count && n < n_count) row(m)[n] = act(bia ? v + bia[n] : v);
    }
    // n .. n + 3
    __device__ __forceinline__ void four(int m, int n, float4 v) const {
        if (m < m_count) store_four(row(m), n, n_count, bia, act, v);
    }
};

// dst [window, channel] = act(max of its four places + bia), arg = the place, the first of equals; NaN wins.
struct WindowStore {
    static constexpr bool kWindows = true;
    float* dst;
    std::uint8_t* arg;
    const float* bia; // nullable
    Activation act;
    int windows, n_count, split;

    __device__ __forceinline__ void window(int w, int n, float v0, float v1, float v2, float v3) const {
        if (w >= windows || n >= n_count) return;
        const float v[4] = {v0, v1, v2, v3};
        float top = v0;
        int best = 0;
#pragma unroll
        for (int q = 1; q < 4; q++)
            if (top == top && (v[q] > top || v[q] != v[q])) top = v[q], best = q;
        dst[w * n_count + n] = act(bia ? top + bia[n] : top);
        arg[w * n_count + n] = std::uint8_t(best);
    }
};

// conv2d_forward, or with `arg` conv2d_pool_forward, of up to 3 source channels (conv_thin_source.cu). False, with nothing
// done, for filters or strides whose operands do not fit in a block's shared memory.
bool launch_thin_source(const Device& device, const ConvShape& g, const float* src, const float* wei,
                        const float* bia, Activation act, float* dst, std::uint8_t* arg);

// conv2d_backward_filter of up to 3 source channels (conv_thin_filter.cu). False, with nothing done, where a few rows of
// the source do not fit in a block's shared memory.
bool launch_thin_filter(const Device& device, const ConvShape& g, const float* src, const float* d_dst,
                        float* d_wei);
// The same after pooling, from the gradient of the pooled results, with d_bia unless it is null: only where it serves.
bool serves_thin_pooled_filter(const Device& device, const ConvShape& g);
void launch_thin_pooled_filter(const Device& device, const ConvShape& g, const float* src, const float* dst,
                               const float* d_dst, const std::uint8_t* arg, Activation act, float* d_wei,
                               float* d_bia);

using PixelProduct = Product<PixelOperand, FilterOperand, PixelStore>;

inline TapSplit make_taps(int rows, int columns, int inner) {
    return {Divider(inner), Divider(columns), rows * columns * inner};
}

// The pixels of a result of shape g, and what the filter's taps see of src from each.
inline ImageGrid image_grid(const ConvShape& g, const float* src) {
    ImageGrid grid = {};
    grid.image = src;
    grid.h = g.h, grid.w = g.w, grid.c = g.c;
    grid.rows = Divider(g.oh), grid.columns = Divider(g.ow);
    grid.pixels = g.n * g.oh * g.ow;
    grid.stride_y = g.stride_y, grid.stride_x = g.stride_x;
    grid.first_y = -g.pad_y, grid.first_x = -g.pad_x;
    grid.tap_step = 1;
    grid.taps = make_taps(g.r, g.s, g.c);
    return grid;
}

// A warp for each pixel, lanes along k: for results of at most kThin channels, which would leave a tile
// empty.
inline constexpr int kThin = 4;
template <int Vec, Order order_b> __global__ void __launch_bounds__(kBlock)
    thin_kernel(const __grid_constant__ Products<PixelProduct> products) {
    const PixelProduct& p = products.list[blockIdx.y];
    const int lane = int(threadIdx.x) % 32, warps = int(gridDim.x * blockDim.x) / 32;
    for (int m = int(blockIdx.x * blockDim.x + threadIdx.x) / 32; m < p.m_count; m += warps) {
        const PixelPart pixel = p.a.mn(m);
        float sum[kThin] = {};
        for (int k = lane * Vec; k < p.k_count; k += 32 * Vec) {
            const Address a = p.a.at(pixel, p.a.k(k));
            if (a.count == 0) continue;
            float v[Vec];
            if constexpr (Vec == 4) {
                const float4 x = load4(a.at);
                v[0] = x.x, v[1] = x.y, v[2] = x.z, v[3] = x.w;
            } else {
                v[0] = *a.at;
            }
#pragma unroll
            for (int q = 0; q < Vec; q++) {
                const auto part = p.b.k(k + q);
#pragma unroll
                for (int n = 0; n < kThin; n++)
                    if (n < p.n_count) sum[n] = fmaf(v[q], *p.b.at(p.b.mn(n), part).at, sum[n]);
            }
        }
#pragma unroll
        for (int n = 0; n < kThin; n++) {
            const float total = warp_sum(sum[n]);
            if (lane == 0 && n < p.n_count) p.store(m, n, total);
        }
    }
}

// Runs the products, whose operands may be read in vectors if `vector_a` and `vector_b`.
template <Order order_b> void launch_pixel_products(const Device& device,
                                                    const LaunchPlan<PixelProduct>& plan, bool vector_a,
                                                    bool vector_b) {
    if (plan.n_count <= kThin) {
        const dim3 grid(grid_1d(device, plan.m_most, kBlock / 32), unsigned(plan.phases));
        launch(device, grid, kBlock, vector_a ? thin_kernel<4, order_b> : thin_kernel<1, order_b>,
               plan.products);
        return;
    }
    launch_products<Order::K, order_b>(device, plan, vector_a && vector_b, 1,
                                       (plan.k_most + kSlice - 1) / kSlice * kSlice);
}

// The transposed convolution small -> large as one product for each remainder of a large pixel's coordinates
// by the stride. `filter` is a FilterOperand for the whole filter of tap_row by tap_column steps.
struct Transposed {
    const float* small;
    int n, h, w, c;                // of the small image
    int large_h, large_w, large_c; // of the large image
    int r, s, stride_y, stride_x, pad_y, pad_x;
    FilterOperand filter;
    PixelStore store; // dst, bia, act
};

template <Order order_b>
void launch_transposed(const Device& device, const Transposed& t, bool vector_a, bool vector_b);

extern template void launch_transposed<Order::K>(const Device&, const Transposed&, bool, bool);
extern template void launch_transposed<Order::Mn>(const Device&, const Transposed&, bool, bool);

} // namespace cgan::cuda
