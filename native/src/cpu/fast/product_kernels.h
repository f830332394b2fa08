// Register tiles of 6 rows and 16 columns, in which all matrix products and convolutions end; their packing.
//
// product : dst[r, c] (=|+=) sum over k of A[r, k] B[k, c]; A in panels [k][6], B in panels [k][16]
// gather  : the same with rows of A read where they lie: no im2col, and no packing of activations
// tile    : 6 x 2 vectors of accumulators, twice side by side where a vector is 4 floats (6 x 4 on aarch64)
// bound   : arithmetic; 90-95 % of the FMA peak from 128 columns and k = 256 on
// repeat  : the order of summation depends on k alone
#pragma once

#include "cpu/fast/elementwise_kernels.h"

namespace cgan::fast::CGAN_ISA {

inline constexpr int kTileCols = kLanes * kWide;
static_assert(kPanel % kTileCols == 0);

template <int R> CGAN_INLINE void clear(Vec (&acc)[R][kWide]) {
    for (int i = 0; i < R; i++)
        for (int j = 0; j < kWide; j++) acc[i][j] = Vec{};
}

// One k of the product; value(i) is the i-th row's element.
template <int R, class Value>
CGAN_INLINE void multiply_step(Vec (&acc)[R][kWide], const float* b, Value value) {
    Vec bv[kWide];
    for (int j = 0; j < kWide; j++) bv[j] = load(b + j * kLanes);
#pragma GCC unroll 6
    for (int i = 0; i < R; i++) {
        const Vec av = splat(value(i));
        for (int j = 0; j < kWide; j++) acc[i][j] += av * bv[j];
    }
}

// acc += a panel of A (column stride kRows) times a panel of B.
template <int R>
CGAN_INLINE void multiply_packed(Vec (&acc)[R][kWide], const float* a, const float* b, std::int64_t k) {
#pragma GCC unroll 4
    for (std::int64_t i = 0; i < k; i++, a += kRows, b += kPanel)
        multiply_step(acc, b, [=](int r) { return a[r]; });
}

// acc += rows of A that lie apart, times a panel of B.
template <int R> CGAN_INLINE void multiply_rows(Vec (&acc)[R][kWide], const float* const* rows,
                                                const float* b, std::int64_t k) {
    const float* a[R];
    for (int r = 0; r < R; r++) a[r] = rows[r];
#pragma GCC unroll 4
    for (std::int64_t i = 0; i < k; i++, b += kPanel) multiply_step(acc, b, [=](int r) { return a[r][i]; });
}

// Adds or writes the first `cols` columns of one row of a tile.
CGAN_INLINE void store_row(const Vec (&acc)[kWide], float* dst, std::int64_t cols, bool accumulate) {
    for (int j = 0; j < kWide; j++, dst += kLanes, cols -= kLanes) {
        if (cols >= kLanes)
            store(dst, accumulate ? load(dst) + acc[j] : acc[j]);
        else if (cols > 0)
            store_part(dst, accumulate ? load_part(dst, cols) + acc[j] : acc[j], cols);
    }
}

// Sums of many terms are made of chains of about kChain, each added to a total: one long chain's rounding
// errors grow
// with its length, and would exceed those of other libraries.
inline constexpr std::int64_t kChain = 48;

// k in equal chains, of a multiple of the loops' unrolling.
CGAN_INLINE std::int64_t chain_length(std::int64_t k) {
    const std::int64_t chains = (k + kChain - 1) / kChain;
    return chains <= 1 ? k : ((k + chains - 1) / chains + 3) / 4 * 4;
}

template <int R> class Total {
  public:
    // Adds the chain to the total and begins another.
    CGAN_INLINE_MEMBER void add(Vec (&acc)[R][kWide]) {
        for (int i = 0; i < R; i++)
            for (int j = 0; j < kWide; j++) {
                value_[i][j] += acc[i][j];
                acc[i][j] = Vec{};
            }
        any_ = true;
    }
    // Adds the total to the last chain.
    CGAN_INLINE_MEMBER void join(Vec (&acc)[R][kWide]) const {
        if (!any_) return;
        for (int i = 0; i < R; i++)
            for (int j = 0; j < kWide; j++) acc[i][j] += value_[i][j];
    }

  private:
    Vec value_[R][kWide] = {};
    bool any_ = false;
};

// acc = a panel of A times a panel of B, in chains.
template <int R>
CGAN_INLINE void multiply_chains(Vec (&acc)[R][kWide], const float* a, const float* b, std::int64_t k) {
    const std::int64_t chain = chain_length(k);
    Total<R> total;
    clear(acc);
    std::int64_t at = 0;
    for (; k - at > chain; at += chain) {
        multiply_packed(acc, a + at * kRows, b + at * kPanel, chain);
        total.add(acc);
    }
    multiply_packed(acc, a + at * kRows, b + at * kPanel, k - at);
    total.join(acc);
}

template <int R> static void product_tile(const float* a, const float* b, std::int64_t k, float* dst,
                                          std::int64_t ld, std::int64_t cols, bool accumulate) {
    for (int half = 0; half < kPanel && half < cols; half += kTileCols) {
        Vec acc[R][kWide];
        multiply_chains(acc, a, b + half, k);
        for (int i = 0; i < R; i++) store_row(acc[i], dst + i * ld + half, cols - half, accumulate);
    }
}

// Calls f(Kind<rows>{}) with rows 1..6 made a constant.
template <class F> CGAN_INLINE void with_rows(std::int64_t rows, F f) {
    switch (rows) {
    case 1:
        return f(Kind<1>{});
    case 2:
        return f(Kind<2>{});
    case 3:
        return f(Kind<3>{});
    case 4:
        return f(Kind<4>{});
    case 5:
        return f(Kind<5>{});
    default:
        return f(Kind<6>{});
    }
}

static void product(const float* a, std::int64_t a_panel, const float* b, std::int64_t b_panel,
                    std::int64_t rows, std::int64_t cols, std::int64_t k, float* dst, std::int64_t ld,
                    bool accumulate) {
    for (std::int64_t c = 0; c < cols; c += kPanel, b += b_panel) {
        const float* panel = a;
        for (std::int64_t r = 0; r < rows; r += kRows, panel += a_panel)
            with_rows(rows - r, [&](auto count) {
                product_tile<decltype(count)::value>(panel, b, k, dst + r * ld + c, ld, cols - c, accumulate);
            });
    }
}

// ---- gathered rows ----

inline constexpr std::int64_t kThinFloats = 3072; // of a packed tile: 12 KB

// Part of the sum: taps [tap, tap + taps), channels [channel, channel + count) of each.
struct TapRange {
    std::int64_t tap, taps, channel, count;
};

template <int R> static void gather_tile(const GatherProduct& g, const TapRange& t, const float* const* rows,
                                         const float* b, float* const* dst, std::int64_t col,
                                         bool accumulate) {
    for (int half = 0; half < kPanel && col + half < g.cols; half += kTileCols) {
        Vec acc[R][kWide];
        Total<R> total;
        clear(acc);
        const std::int64_t step = chain_length(t.count);
        std::int64_t chain = 0;
        for (std::int64_t i = 0; i < t.taps; i++)
            for (std::int64_t c = 0; c < t.count; c += step, chain += step) {
                if (chain >= kChain) {
                    total.add(acc);
                    chain = 0;
                }
                const float* at[R];
                for (int r = 0; r < R; r++) at[r] = rows[(t.tap + i) * kRows + r] + t.channel + c;
                multiply_rows(acc, at, b + ((t.tap + i) * g.channels + t.channel + c) * kPanel + half,
                              least(step, t.count - c));
            }
        total.join(acc);
        for (int i = 0; i < R; i++) store_row(acc[i], dst[i] + col + half, g.cols - col - half, accumulate);
    }
}

static void gather_range(const GatherProduct& g, const TapRange& t, bool accumulate) {
    const float* b = g.packed;
    for (std::int64_t c = 0; c < g.cols; c += kPanel, b += g.taps * g.channels * kPanel)
        for (std::int64_t p = 0; p < g.pixels; p += kRows)
            with_rows(g.pixels - p, [&](auto count) {
                gather_tile<decltype(count)::value>(g, t, g.rows + p * g.taps, b, g.dst + p, c, accumulate);
            });
}

// Few channels: each tile's rows are packed first, since a loop of so few steps would be all overhead.
static void gather_thin(const GatherProduct& g) {
    const std::int64_t taps = least(g.taps, kThinFloats / (g.channels * kRows));
    float packed[kThinFloats];
    for (std::int64_t p = 0; p < g.pixels; p += kRows)
        for (std::int64_t tap = 0; tap < g.taps; tap += taps) {
            const std::int64_t count = least(taps, g.taps - tap);
            float* to = packed;
            for (std::int64_t t = 0; t < count; t++) {
                const float* const* rows = g.rows + p * g.taps + (tap + t) * kRows;
                for (std::int64_t c = 0; c < g.channels; c++, to += kRows)
                    for (int r = 0; r < kRows; r++) to[r] = rows[r][c];
            }
            const float* b = g.packed + tap * g.channels * kPanel;
            for (std::int64_t c = 0; c < g.cols; c += kPanel, b += g.taps * g.channels * kPanel)
                with_rows(g.pixels - p, [&](auto rows) {
                    constexpr int R = decltype(rows)::value;
                    for (int half = 0; half < kPanel && c + half < g.cols; half += kTileCols) {
                        Vec acc[R][kWide];
                        multiply_chains(acc, packed, b + half, count * g.channels);
                        for (int i = 0; i < R; i++)
                            store_row(acc[i], g.dst[p + i] + c + half, g.cols - c - half, tap > 0);
                    }
                });
        }
}

static void gather_deep(const GatherProduct& g) {
    constexpr std::int64_t kDepth = 256; // of one panel of B: 16 KB, held in L1 while the tiles pass
    const std::int64_t count = least(g.channels, kDepth);
    const std::int64_t taps = least(g.taps, count > 0 ? kDepth / count : 1);
    bool accumulate = false;
    for (std::int64_t tap = 0; tap < g.taps; tap += taps)
        for (std::int64_t channel = 0; channel < g.channels; channel += count) {
            gather_range(g, {tap, least(taps, g.taps - tap), channel, least(count, g.channels - channel)},
                         accumulate);
            accumulate = true;
        }
}

static void gather_product(const GatherProduct& g) {
    if (g.taps == 0)
        for (std::int64_t p = 0; p < g.pixels; p++)
            std::memset(g.dst[p], 0, static_cast<std::size_t>(g.cols) * sizeof(float));
    else if (g.channels < 8)
        gather_thin(g);
    else
        gather_deep(g);
    if (g.epilogue.any())
        for (std::int64_t p = 0; p < g.pixels; p++) epilogue(g.epilogue, g.dst[p], 1, g.cols, 0);
}

// ---- filter gradients ----

template <int R> static void filter_tile(const FilterProduct& f, const float* a, float* dst) {
    for (int half = 0; half < kPanel && half < f.cols; half += kTileCols) {
        Vec acc[R][kWide];
        Total<R> total;
        clear(acc);
        std::int64_t chain = 0;
        for (std::int64_t image = 0; image < f.images; image++) {
            const float* ap = a + image * f.a_image;
            for (std::int64_t y = 0; y < f.height; y++, chain += f.width) {
                if (chain >= kChain) {
                    total.add(acc);
                    chain = 0;
                }
                const float* b = f.b + image * f.b_image + y * f.b_row + half;
#pragma GCC unroll 4
                for (std::int64_t x = 0; x < f.width; x++, ap += kRows, b += f.b_step)
                    multiply_step(acc, b, [=](int r) { return ap[r]; });
            }
        }
        total.join(acc);
        for (int i = 0; i < R; i++) store_row(acc[i], dst + i * f.ld + half, f.cols - half, f.accumulate);
    }
}

static void filter_product(const FilterProduct& f) {
    const float* a = f.a;
    for (std::int64_t r = 0; r < f.rows; r += kRows, a += f.a_panel)
        with_rows(f.rows - r,
                  [&](auto count) { filter_tile<decltype(count)::value>(f, a, f.dst + r * f.ld); });
}

// ---- packing ----

// dst[k][width] from `count` <= width rows of contiguous k, zero-filled to the width: a transposition in 4 x
// 4 blocks.
template <int width> CGAN_INLINE void pack_rows(const float* src, std::int64_t stride, std::int64_t count,
                                                std::int64_t k, float* dst) {
    typedef float Four __attribute__((vector_size(16)));
    typedef float FourAtFloat __attribute__((vector_size(16), aligned(4), may_alias));
    std::int64_t r = 0;
    for (; r + 4 <= count; r += 4) {
        const float *s0 = src + r * stride, *s1 = s0 + stride, *s2 = s1 + stride, *s3 = s2 + stride;
        std::int64_t i = 0;
        for (; i + 4 <= k; i += 4) {
            const Four a = *reinterpret_cast<const FourAtFloat*>(s0 + i),
                       b = *reinterpret_cast<const FourAtFloat*>(s1 + i);
            const Four c = *reinterpret_cast<const FourAtFloat*>(s2 + i),
                       d = *reinterpret_cast<const FourAtFloat*>(s3 + i);
            const Four ab0 = __builtin_shufflevector(a, b, 0, 4, 1, 5),
                       ab1 = __builtin_shufflevector(a, b, 2, 6, 3, 7);
            const Four cd0 = __builtin_shufflevector(c, d, 0, 4, 1, 5),
                       cd1 = __builtin_shufflevector(c, d, 2, 6, 3, 7);
            float* o = dst + i * width + r;
            *reinterpret_cast<FourAtFloat*>(o) = __builtin_shufflevector(ab0, cd0, 0, 1, 4, 5);
            *reinterpret_cast<FourAtFloat*>(o + width) = __builtin_shufflevector(ab0, cd0, 2, 3, 6, 7);
            *reinterpret_cast<FourAtFloat*>(o + 2 * width) = __builtin_shufflevector(ab1, cd1, 0, 1, 4, 5);
            *reinterpret_cast<FourAtFloat*>(o + 3 * width) = __builtin_shufflevector(ab1, cd1, 2, 3, 6, 7);
        }
        for (; i < k; i++) {
            float* o = dst + i * width + r;
            o[0] = s0[i], o[1] = s1[i], o[2] = s2[i], o[3] = s3[i];
        }
    }
    for (; r < width; r++)
        for (std::int64_t i = 0; i < k; i++) dst[i * width + r] = r < count ? src[r * stride + i] : 0.0f;
}

// dst[k][width] from columns of stride 1: `count` contiguous floats at each k.
template <int width> CGAN_INLINE void pack_columns(const float* src, std::int64_t k_stride,
                                                   std::int64_t count, std::int64_t k, float* dst) {
    if (count == width) {
        for (std::int64_t i = 0; i < k; i++, src += k_stride, dst += width)
            for (int r = 0; r < width; r++) dst[r] = src[r];
        return;
    }
    for (std::int64_t i = 0; i < k; i++, src += k_stride, dst += width)
        for (int r = 0; r < width; r++) dst[r] = r < count ? src[r] : 0.0f;
}

template <int width> static void pack(const float* src, std::int64_t stride, std::int64_t k_stride,
                                      std::int64_t total, std::int64_t k, float* dst) {
    for (std::int64_t r = 0; r < total; r += width, src += width * stride, dst += width * k) {
        const std::int64_t count = least<std::int64_t>(width, total - r);
        if (k_stride == 1)
            pack_rows<width>(src, stride, count, k, dst);
        else if (stride == 1)
            pack_columns<width>(src, k_stride, count, k, dst);
        else
            for (std::int64_t i = 0; i < k; i++)
                for (std::int64_t j = 0; j < width; j++)
                    dst[i * width + j] = j < count ? src[j * stride + i * k_stride] : 0.0f;
    }
}

static void pack_a(const float* src, std::int64_t row_stride, std::int64_t k_stride, std::int64_t rows,
                   std::int64_t k, float* dst) {
    pack<kRows>(src, row_stride, k_stride, rows, k, dst);
}
static void pack_b(const float* src, std::int64_t k_stride, std::int64_t col_stride, std::int64_t k,
                   std::int64_t cols, float* dst) {
    pack<kPanel>(src, col_stride, k_stride, cols, k, dst);
}

static void pack_runs(const float* src, std::int64_t r_stride, std::int64_t step, std::int64_t runs,
                      std::int64_t run, std::int64_t rows, float* dst) {
    for (std::int64_t i = 0; i < rows; i += kRows, src += kRows * step) {
        const std::int64_t count = least<std::int64_t>(kRows, rows - i);
        for (std::int64_t r = 0; r < runs; r++)
            for (std::int64_t j = 0; j < run; j++, dst += kRows) {
                const float* from = src + r * r_stride + j;
                if (step == 1 &&
                    count == kRows) // six neighbours; what is copied beyond them is overwritten next
                    std::memcpy(dst, from, 8 * sizeof(float));
                else
                    for (std::int64_t k = 0; k < kRows; k++) dst[k] = k < count ? from[k * step] : 0.0f;
            }
    }
}

static void unroll_runs(const float* src, std::int64_t step, std::int64_t run, std::int64_t rows, float* dst,
                        std::int64_t panel) {
    for (std::int64_t j = 0; j < run; j += kRows, src += kRows, dst += panel) {
        const std::int64_t count = least<std::int64_t>(kRows, run - j);
        for (std::int64_t i = 0; i < rows; i++)
            for (std::int64_t k = 0; k < count; k++) dst[i * kRows + k] = src[i * step + k];
    }
}

} // namespace cgan::fast::CGAN_ISA
