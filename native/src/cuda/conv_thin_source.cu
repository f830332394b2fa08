// conv_thin_source.cu: conv2d_forward and conv2d_pool_forward of images of up to 3 channels
// forward : dst = act(conv(src, wei) + bia), or act(maxpool2x2(conv(src, wei)) + bia) with the places of the maxima
// shapes  : src [n, h, w, c], wei [k, r, s, c], dst [n, oh, ow, k] or [n, oh/2, ow/2, k] F32, arg U8
// launch  : a block computes 64 channels of up to 32 groups of 8 pixels of one image: a band of rows.  Its source pixels
//           and its filters lie in shared memory, brought once by asynchronous copies; a thread computes 8 pixels (or two
//           windows) by 8 channels in registers: 64 multiply-adds for 2 vector and 8 broadcast reads.
//           2 n oh ow k r s c FLOP, 4 (n h w c + n oh ow k) bytes
// repeat  : run-to-run deterministic (no atomics);  reference: cpu/reference/conv2d.cpp
#include "source_patch.h"

namespace cgan::cuda {
namespace {

constexpr int kPixels = 8; // of a thread
constexpr int kPanel = 64, kHalf = 32; // channels of a block: each of 8 threads has a vector of 4 of each half
constexpr int kThreadsAcross = 8;      // of a group
constexpr int kGroups = kBlock / kThreadsAcross;
constexpr int kSourceFloats = 4096, kFilterFloats = 6144; // of shared memory, 16 and 24 KiB

// How results are shared out. A group is 8 pixels of a row, or two windows of a row of windows.
struct ThinPlan {
    ConvShape shape;
    int rows, columns; // of results, or of windows
    int tile, band;    // groups of a row, and rows, that a block computes; tile * band <= kGroups
    int tiles, bands;
    SourcePatch patch; // that a block sees
    int run, taps;     // s * c and r * s * c
};

// Offset of a thread's p-th pixel from its first, in rows and columns of results.
template <bool windows> __device__ __forceinline__ int pixel_row(int p) { return windows ? p / 2 % 2 : 0; }
template <bool windows> __device__ __forceinline__ int pixel_column(int p) {
    return windows ? p / 4 * 2 + p % 2 : p;
}

// Stores 4 channels, from `channel` on, of k, of the result `at`; `vector`: k is a multiple of 4, and addresses are aligned.
struct ThinStore {
    float* dst;
    std::uint8_t* arg; // of windows
    const float* bia;  // nullable
    Activation act;

    template <bool vector>
    __device__ __forceinline__ void put(std::int64_t at, int channel, int k, const float (&v)[4]) const {
        float* to = dst + at * k + channel;
        if constexpr (vector) {
            if (channel < k) store4(to, {v[0], v[1], v[2], v[3]});
        } else {
#pragma unroll
            for (int i = 0; i < 4; i++)
                if (channel + i < k) to[i] = v[i];
        }
    }

    // Applies the activation to what this thread has put.
    template <bool vector>
    __device__ __forceinline__ void activate(std::int64_t at, int channel, int k) const {
        float* to = dst + at * k + channel;
        if constexpr (vector) {
            if (channel >= k) return;
            const float4 v = load4(to);
            store4(to, {act(v.x), act(v.y), act(v.z), act(v.w)});
        } else {
            for (int i = 0; i < 4 && channel + i < k; i++) to[i] = act(to[i]);
        }
    }

    template <bool vector>
    __device__ __forceinline__ void put_places(std::int64_t at, int channel, int k,
                                               const unsigned (&place)[4]) const {
        std::uint8_t* to = arg + at * k + channel;
        if constexpr (vector) {
            if (channel < k)
                *reinterpret_cast<unsigned*>(to) =
                    place[0] | place[1] << 8 | place[2] << 16 | place[3] << 24; // little-endian, as every GPU
        } else {
#pragma unroll
            for (int i = 0; i < 4; i++)
                if (channel + i < k) to[i] = std::uint8_t(place[i]);
        }
    }
};

// Of v[place][channel] the greatest, the first of equals; NaN wins.
__device__ __forceinline__ void pool(const float (*v)[4], float (&top)[4], unsigned (&place)[4]) {
#pragma unroll
    for (int i = 0; i < 4; i++) {
        top[i] = v[0][i], place[i] = 0;
#pragma unroll
        for (int q = 1; q < 4; q++)
            if (is_greater(v[q][i], top[i])) top[i] = v[q][i], place[i] = q;
    }
}

// Filters k0 .. k0 + 63 as [tap, c][64], zeros beyond the last.
__device__ __forceinline__ void copy_filters(const ThinPlan& p, Divider taps, const float* wei, int k0,
                                             SharedArray<float, kFilterFloats>& to) {
    for (int i = int(threadIdx.x); i < p.taps * kPanel; i += kBlock) {
        unsigned tap;
        const int k = int(taps.divmod(unsigned(i), tap));
        const bool inside = k0 + k < p.shape.k;
        __pipeline_memcpy_async(to.span(int(tap) * kPanel + k, 1), wei + (inside ? k0 * p.taps + i : 0),
                                sizeof(float), inside ? 0 : sizeof(float));
    }
}

// Adds all products of the pixels that begin at `base` in the source: sum[half][pixel][channel].
template <bool windows> __device__ __forceinline__ void
add_taps(const ThinPlan& p, SharedArray<float, kSourceFloats>& source,
         SharedArray<float, kFilterFloats>& filters, int base, float (&sum)[2][kPixels][4]) {
    const ConvShape& g = p.shape;
    const int thread = int(threadIdx.x) % kThreadsAcross;
    const int line = p.patch.line, column = g.stride_x * g.c; // steps in the source
    for (int r = 0; r < g.r; r++)
        for (int j = 0; j < p.run; j++) {
            float w[2][4];
#pragma unroll
            for (int half = 0; half < 2; half++) {
                const float4 v = load4(filters.span((r * p.run + j) * kPanel + half * kHalf + 4 * thread, 4));
                w[half][0] = v.x, w[half][1] = v.y, w[half][2] = v.z, w[half][3] = v.w;
            }
#pragma unroll
            for (int i = 0; i < kPixels; i++) {
                const float x = source[base + (pixel_row<windows>(i) * g.stride_y + r) * line +
                                       pixel_column<windows>(i) * column + j];
#pragma unroll
                for (int half = 0; half < 2; half++)
#pragma unroll
                    for (int q = 0; q < 4; q++) sum[half][i][q] = fmaf(x, w[half][q], sum[half][i][q]);
            }
        }
}

// Where a thread's results lie: those of one row of an image, from a column on.
struct ThinResults {
    std::int64_t first; // place of the first in dst
    int count;          // how many are inside
    int channel, k;     // 4 from channel on, and 4 from channel + kHalf on
};

// Bias, activation and, of windows, the greatest of four sums.
template <bool windows, bool vector> __device__ __forceinline__ void
store_results(const ThinStore& store, const ThinResults& to, const float (&sum)[2][kPixels][4]) {
    constexpr int kResults = windows ? kPixels / 4 : kPixels;
#pragma unroll
    for (int half = 0; half < 2; half++) {
        const int channel = to.channel + half * kHalf;
        float bias[4];
#pragma unroll
        for (int q = 0; q < 4; q++) bias[q] = bias_at(store.bia, channel + q, to.k);
#pragma unroll
        for (int i = 0; i < kResults; i++) {
            if (i >= to.count) break;
            float v[4];
            if constexpr (windows) {
                unsigned place[4];
                pool(&sum[half][4 * i], v, place);
                store.put_places<vector>(to.first + i, channel, to.k, place);
            }
#pragma unroll
            for (int q = 0; q < 4; q++)
                v[q] = store.act.piecewise((windows ? v[q] : sum[half][i][q]) + bias[q]);
            store.put<vector>(to.first + i, channel, to.k, v);
        }
    }
    if (store.act.is_piecewise()) return;
#pragma unroll 1
    for (int i = 0; i < 2 * to.count; i++)
        store.activate<vector>(to.first + i / 2, to.channel + i % 2 * kHalf, to.k);
}

// Grid (images * bands, tiles, panels of channels).
template <bool windows, bool vector> __global__ void __launch_bounds__(kBlock)
    thin_source_kernel(const __grid_constant__ ThinPlan p, Divider bands, Divider taps, Divider tile,
                       const float* __restrict__ src, const float* __restrict__ wei, ThinStore store) {
    __shared__ SharedArray<float, kSourceFloats> source;
    __shared__ SharedArray<float, kFilterFloats> filters;
    constexpr int kRows = windows ? 2 : 1, kColumns = kPixels / kRows; // of a group
    constexpr int kResults = kColumns / kRows;
    const ConvShape& g = p.shape;
    unsigned band, group;
    const int image = int(bands.divmod(blockIdx.x, band)), k0 = int(blockIdx.z) * kPanel;
    const int first_row = int(band) * p.band, first_group = int(blockIdx.y) * p.tile;
    p.patch.start(g, src + std::int64_t(image) * g.h * g.w * g.c, first_row * kRows * g.stride_y - g.pad_y,
                  first_group * kColumns * g.stride_x - g.pad_x, source, 0);
    copy_filters(p, taps, wei, k0, filters);
    __pipeline_commit();
    __pipeline_wait_prior(0);
    __syncthreads();

    const int row = int(tile.divmod(threadIdx.x / kThreadsAcross, group));
    if (row >= p.band) return;
    float sum[2][kPixels][4] = {};
    const int base = row * kRows * g.stride_y * p.patch.line + int(group) * kColumns * g.stride_x * g.c;
    add_taps<windows>(p, source, filters, base, sum);
    const int y = first_row + row, x = (first_group + int(group)) * kResults;
    if (y >= p.rows) return;
    const ThinResults results{(std::int64_t(image) * p.rows + y) * p.columns + x,
                              least(p.columns - x, kResults), k0 + 4 * (int(threadIdx.x) % kThreadsAcross), g.k};
    store_results<windows, vector>(store, results, sum);
}

// ---- launchers ----------------------------------------------------------------------------------

// False if what a block of `band` rows of `tile` groups sees has no room.
bool fits(ThinPlan& p, bool windows, int band, int tile) {
    const int rows = windows ? 2 : 1;
    p.band = band, p.tile = tile;
    return p.patch.fit(p.shape, band * rows, tile * kPixels / rows, kSourceFloats);
}

// The most rows, then the most groups, that the shared memory holds. False if these kernels do not serve the shape.
bool plan_thin_source(ThinPlan& p, bool windows) {
    const ConvShape& g = p.shape;
    p.run = g.s * g.c, p.taps = g.r * p.run;
    p.rows = windows ? g.oh / 2 : g.oh, p.columns = windows ? g.ow / 2 : g.ow;
    if (g.c > 3 || p.taps * kPanel > kFilterFloats || p.rows < 1 || p.columns < 1 || g.n < 1) return false;
    const int groups = int(div_up(p.columns, windows ? kPixels / 4 : kPixels));
    for (p.tiles = int(div_up(groups, kGroups)); p.tiles <= groups; p.tiles++) {
        const int tile = int(div_up(groups, p.tiles));
        for (int most = kGroups / tile; most > 0; most--) {
            p.bands = int(div_up(p.rows, most));
            if (fits(p, windows, int(div_up(p.rows, p.bands)), tile)) return true;
        }
    }
    return false;
}

template <bool windows, bool vector> void launch_thin(const Device& device, const ThinPlan& p,
                                                      const float* src, const float* wei,
                                                      const ThinStore& store) {
    const dim3 grid(unsigned(p.shape.n * p.bands), unsigned(p.tiles), unsigned(div_up(p.shape.k, kPanel)));
    launch(device, grid, kBlock, thin_source_kernel<windows, vector>, p, Divider(p.bands), Divider(p.taps),
           Divider(p.tile), src, wei, store);
}

} // namespace

bool launch_thin_source(const Device& device, const ConvShape& g, const float* src, const float* wei,
                        const float* bia, Activation act, float* dst, std::uint8_t* arg) {
    ThinPlan plan = {};
    plan.shape = g;
    if (!plan_thin_source(plan, arg != nullptr)) return false;
    const ThinStore store{dst, arg, bia, act};
    const bool vector = g.k % 4 == 0 && aligned16(dst) && reinterpret_cast<std::uintptr_t>(arg) % 4 == 0;
    if (arg)
        vector ? launch_thin<true, true>(device, plan, src, wei, store)
               : launch_thin<true, false>(device, plan, src, wei, store);
    else
        vector ? launch_thin<false, true>(device, plan, src, wei, store)
               : launch_thin<false, false>(device, plan, src, wei, store);
    return true;
}

} // namespace cgan::cuda
