// Register tiles of 6 rows, in which all matrix products and convolutions end; their packing.
//
// product : dst[r, c] (=|+=) sum over k of A[r, k] B[k, c]; A in panels [k][6], B in panels [k][16]
// gather  : the same with rows of A read where they lie: no im2col, and no packing of activations
// tile    : 6 x 2 vectors of accumulators, twice side by side where a vector is 4 floats (6 x 4 on aarch64); with
//           AVX-512, where a vector is a whole row of a panel, 6 x 4 vectors of up to 4 panels
// bound   : arithmetic; 90-95 % of the FMA peak from 128 columns and k = 256 on
// repeat  : the order of summation depends on k alone
#pragma once

#include "cpu/fast/elementwise_kernels.h"

namespace cgan::fast::CGAN_ISA {

inline constexpr bool kVectorPanels = kLanes == kPanel; // a vector is a whole row of a panel of B
inline constexpr int kTileCols = kLanes * kWide;
static_assert(kVectorPanels ? kTileCols % kPanel == 0 : kPanel % kTileCols == 0);

// k that one panel of B, or the panels of a tile side by side, may have to stay in L1 while rows of A pass: 16 to 32 KB.
inline constexpr std::int64_t kDepth = kVectorPanels ? 128 : 256;

// W vectors of a row of B, `step` floats apart.
template <int W> struct Columns {
    std::int64_t step;
    static constexpr int width = W;
};

// Calls f(columns, c) for the tiles of `cols` columns, c the first of each. Panels of B are `panel` floats apart.
template <class F> CGAN_INLINE void for_tiles(std::int64_t cols, [[maybe_unused]] std::int64_t panel, F f) {
    if constexpr (kVectorPanels) {
        std::int64_t left = (cols + kPanel - 1) / kPanel;
        for (std::int64_t c = 0; left > 0;) { // nearly equal: 5 panels are 3 and 2
            const std::int64_t tiles = (left + kWide - 1) / kWide, count = (left + tiles - 1) / tiles;
            switch (count) {
            case 1:
                f(Columns<1>{panel}, c);
                break;
            case 2:
                f(Columns<2>{panel}, c);
                break;
            case 3:
                f(Columns<3>{panel}, c);
                break;
            default:
                f(Columns<4>{panel}, c);
                break;
            }
            c += count * kPanel;
            left -= count;
        }
    } else {
        for (std::int64_t c = 0; c < cols; c += kTileCols) f(Columns<kWide>{kLanes}, c);
    }
}

// Where column c of a row of panels lies that are `panel` floats apart.
CGAN_INLINE std::int64_t column_offset(std::int64_t c, std::int64_t panel) {
    return c / kPanel * panel + c % kPanel;
}

template <int R, int W> CGAN_INLINE void clear(Vec (&acc)[R][W]) {
    for (int i = 0; i < R; i++)
        for (int j = 0; j < W; j++) acc[i][j] = Vec{};
}

// One k of the product; value(i) is the i-th row's element.
template <int R, int W, class Value>
CGAN_INLINE void multiply_step(Vec (&acc)[R][W], const float* b, Columns<W> cols, Value value) {
    Vec bv[W];
    for (int j = 0; j < W; j++) bv[j] = load(b + j * (kVectorPanels ? cols.step : kLanes));
#pragma GCC unroll 6
    for (int i = 0; i < R; i++) {
        const Vec av = splat(value(i));
        for (int j = 0; j < W; j++) acc[i][j] += av * bv[j];
    }
}

// acc += a panel of A (column stride kRows) times columns of B.
template <int R, int W> CGAN_INLINE void multiply_packed(Vec (&acc)[R][W], const float* a, const float* b,
                                                         Columns<W> cols, std::int64_t k) {
#pragma GCC unroll 4
    for (std::int64_t i = 0; i < k; i++, a += kRows, b += kPanel)
        multiply_step(acc, b, cols, [=](int r) { return a[r]; });
}

// acc += rows of A that lie apart, times columns of B.
template <int R, int W> CGAN_INLINE void multiply_rows(Vec (&acc)[R][W], const float* const* rows,
                                                       const float* b, Columns<W> cols, std::int64_t k) {
    const float* a[R];
    for (int r = 0; r < R; r++) a[r] = rows[r];
#pragma GCC unroll 4
    for (std::int64_t i = 0; i < k; i++, b += kPanel)
        multiply_step(acc, b, cols, [=](int r) { return a[r][i]; });
}

// Adds or writes the first `cols` columns of one row of a tile.
template <int W>
CGAN_INLINE void store_row(const Vec (&acc)[W], float* dst, std::int64_t cols, bool accumulate) {
    for (int j = 0; j < W; j++, dst += kLanes, cols -= kLanes) {
        if (cols >= kLanes)
            store(dst, accumulate ? load(dst) + acc[j] : acc[j]);
        else if (cols > 0)
            store_part(dst, accumulate ? load_part(dst, cols) + acc[j] : acc[j], cols);
    }
}

// Asks for the lines that a tile will write, before they are needed, where the tile takes long enough.
template <int R, int W>
CGAN_INLINE void prefetch_tile(float* const (&dst)[R], std::int64_t cols, std::int64_t k) {
    if (k < 64) return;
    for (int i = 0; i < R; i++)
        for (int j = 0; j < W && j * kLanes < cols; j++) __builtin_prefetch(dst[i] + j * kLanes, 1);
}

// Sums of many terms are made of chains of about kChain, each added to a total: one long chain's rounding
// errors grow with its length, and would exceed those of other libraries.
inline constexpr std::int64_t kChain = 48;

// k in equal chains, of a multiple of the loops' unrolling.
CGAN_INLINE std::int64_t chain_length(std::int64_t k) {
    const std::int64_t chains = (k + kChain - 1) / kChain;
    return chains <= 1 ? k : ((k + chains - 1) / chains + 3) / 4 * 4;
}

template <int R, int W> class Total {
  public:
    // Adds the chain to the total and begins another.
    CGAN_INLINE_MEMBER void add(Vec (&acc)[R][W]) {
        for (int i = 0; i < R; i++)
            for (int j = 0; j < W; j++) {
                value_[i][j] += acc[i][j];
                acc[i][j] = Vec{};
            }
        any_ = true;
    }
    // Adds the total to the last chain.
    CGAN_INLINE_MEMBER void join(Vec (&acc)[R][W]) const {
        if (!any_) return;
        for (int i = 0; i < R; i++)
            for (int j = 0; j < W; j++) acc[i][j] += value_[i][j];
    }

  private:
    Vec value_[R][W] = {};
    bool any_ = false;
};

// acc = a panel of A times columns of B, in chains.
template <int R, int W> CGAN_INLINE void multiply_chains(Vec (&acc)[R][W], const float* a, const float* b,
                                                         Columns<W> cols, std::int64_t k) {
    const std::int64_t chain = chain_length(k);
    Total<R, W> total;
    clear(acc);
    std::int64_t at = 0;
    for (; k - at > chain; at += chain) {
        multiply_packed(acc, a + at * kRows, b + at * kPanel, cols, chain);
        total.add(acc);
    }
    multiply_packed(acc, a + at * kRows, b + at * kPanel, cols, k - at);
    total.join(acc);
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

template <int R, int W> static void product_tile(const float* a, const float* b, Columns<W> columns,
                                                 std::int64_t k, float* dst, std::int64_t ld,
                                                 std::int64_t cols, bool accumulate) {
    Vec acc[R][W];
    float* rows[R];
    for (int i = 0; i < R; i++) rows[i] = dst + i * ld;
    prefetch_tile<R, W>(rows, cols, k);
    multiply_chains(acc, a, b, columns, k);
    for (int i = 0; i < R; i++) store_row(acc[i], rows[i], cols, accumulate);
}

static void product(const float* a, std::int64_t a_panel, const float* b, std::int64_t b_panel,
                    std::int64_t rows, std::int64_t cols, std::int64_t k, float* dst, std::int64_t ld,
                    bool accumulate) {
    for_tiles(cols, b_panel, [&](auto columns, std::int64_t c) {
        constexpr int W = decltype(columns)::width;
        const float* from = b + column_offset(c, b_panel);
        for (std::int64_t r = 0; r < rows; r += kRows)
            with_rows(rows - r, [&](auto count) {
                product_tile<decltype(count)::value, W>(a + r / kRows * a_panel, from, columns, k,
                                                        dst + r * ld + c, ld, cols - c, accumulate);
            });
    });
}

// ---- gathered rows ----

inline constexpr std::int64_t kThinFloats = 3072; // of a packed tile: 12 KB

// Part of the sum: taps [tap, tap + taps), channels [channel, channel + count) of each.
struct TapRange {
    std::int64_t tap, taps, channel, count;
};

template <int R, int W> static void gather_tile(const GatherProduct& g, const TapRange& t,
                                                const float* const* rows, const float* b, Columns<W> columns,
                                                float* const* dst, std::int64_t col, bool accumulate) {
    Vec acc[R][W];
    Total<R, W> total;
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
            multiply_rows(acc, at, b + ((t.tap + i) * g.channels + t.channel + c) * kPanel, columns,
                          least(step, t.count - c));
        }
    total.join(acc);
    for (int i = 0; i < R; i++) store_row(acc[i], dst[i] + col, g.cols - col, accumulate);
}

// Asks for the channels after these of six rows: so many rows at once are more than the hardware follows.
CGAN_INLINE void prefetch_channels(const GatherProduct& g, const TapRange& t, const float* const* rows) {
    constexpr std::int64_t kLine = 16; // floats
    const std::int64_t begin = t.channel + t.count, end = least(begin + t.count, g.channels);
    for (int r = 0; r < kRows; r++)
        for (std::int64_t i = begin; i < end; i += kLine) __builtin_prefetch(rows[r] + i, 0, 2);
}

static void gather_range(const GatherProduct& g, const TapRange& t, bool accumulate) {
    const std::int64_t panel = g.taps * g.channels * kPanel;
    for_tiles(g.cols, panel, [&](auto columns, std::int64_t c) {
        constexpr int W = decltype(columns)::width;
        const float* b = g.packed + column_offset(c, panel);
        for (std::int64_t p = 0; p < g.pixels; p += kRows) {
            if (c == 0 && g.taps == 1) prefetch_channels(g, t, g.rows + p);
            with_rows(g.pixels - p, [&](auto count) {
                gather_tile<decltype(count)::value, W>(g, t, g.rows + p * g.taps, b, columns, g.dst + p, c,
                                                       accumulate);
            });
        }
    });
}

// Few channels: each tile's rows are packed first, since a loop of so few steps would be all overhead.
static void gather_thin(const GatherProduct& g) {
    const std::int64_t taps = least(g.taps, kThinFloats / (g.channels * kRows));
    const std::int64_t panel = g.taps * g.channels * kPanel;
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
            for_tiles(g.cols, panel, [&](auto columns, std::int64_t c) {
                constexpr int W = decltype(columns)::width;
                with_rows(g.pixels - p, [&](auto rows) {
                    constexpr int R = decltype(rows)::value;
                    Vec acc[R][W];
                    multiply_chains(acc, packed, b + column_offset(c, panel), columns, count * g.channels);
                    for (int i = 0; i < R; i++) store_row(acc[i], g.dst[p + i] + c, g.cols - c, tap > 0);
                });
            });
        }
}

static void gather_deep(const GatherProduct& g) {
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

template <int R, int W> static void filter_tile(const FilterProduct& f, const float* a, const float* b,
                                                Columns<W> columns, float* dst, std::int64_t cols) {
    float* rows[R];
    for (int i = 0; i < R; i++) rows[i] = dst + i * f.ld;
    prefetch_tile<R, W>(rows, cols, f.images * f.height * f.width);
    Vec acc[R][W];
    Total<R, W> total;
    clear(acc);
    std::int64_t chain = 0;
    for (std::int64_t image = 0; image < f.images; image++) {
        const float* ap = a + image * f.a_image;
        for (std::int64_t y = 0; y < f.height; y++, chain += f.width) {
            if (chain >= kChain) {
                total.add(acc);
                chain = 0;
            }
            const float* bp = b + image * f.b_image + y * f.b_row;
#pragma GCC unroll 4
            for (std::int64_t x = 0; x < f.width; x++, ap += kRows, bp += f.b_step)
                multiply_step(acc, bp, columns, [=](int r) { return ap[r]; });
        }
    }
    total.join(acc);
    for (int i = 0; i < R; i++) store_row(acc[i], rows[i], cols, f.accumulate);
}

static void filter_product(const FilterProduct& f) {
    for_tiles(f.cols, f.b_panel, [&](auto columns, std::int64_t c) {
        constexpr int W = decltype(columns)::width;
        const float* b = f.b + column_offset(c, f.b_panel);
        for (std::int64_t r = 0; r < f.rows; r += kRows)
            with_rows(f.rows - r, [&](auto count) {
                filter_tile<decltype(count)::value, W>(f, f.a + r / kRows * f.a_panel, b, columns,
                                                       f.dst + r * f.ld + c, f.cols - c);
            });
    });
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
