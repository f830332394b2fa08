// Register tiles of 6 rows, in which all matrix products and convolutions end.
//
// product : dst[r, c] (=|+=) sum over k of A[r, k] B[k, c]; A in panels [k][6], B in panels [k][16]
// gather  : the same with rows of A read where they lie: no im2col, and no packing of activations
// few     : of up to 8 terms the stores are the work, and go row by row; with few rows or columns, whose k lie
//           together in both operands, lanes are k and nothing is packed
// in place: rows of A whose k lie together, or in runs that lie alike for all rows, as an image's do, and rows of B, are
//           read where they are; the first rows of tiles can pack B
// tile    : 6 x 2 vectors of accumulators, twice side by side where a vector is 4 floats (6 x 4 on aarch64); with
//           AVX-512, where a vector is a whole row of a panel, 6 x 4 vectors of up to 4 panels
// bound   : arithmetic; 90-95 % of the FMA peak from 128 columns and k = 256 on
// repeat  : the order of summation depends on k alone
#pragma once

#include <utility>

#include "cpu/fast/elementwise_kernels.h"

namespace cgan::fast::CGAN_ISA {

inline constexpr bool kVectorPanels = kLanes == kPanel; // a vector is a whole row of a panel of B
inline constexpr int kTileCols = kLanes * kWide;
static_assert(kVectorPanels ? kTileCols % kPanel == 0 : kPanel % kTileCols == 0);

// k of a convolution's panels of B between two visits of the results. One panel stays in L1 while rows of A pass, 16 KB;
// four side by side stream from L2, 64 KB, which costs a tile of 6 x 4 vectors nothing.
inline constexpr std::int64_t kDepth = 256;

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

// f(0), f(1), ... f(n - 1), written out: only what has constant indices all the way stays in registers.
template <int n, class F> CGAN_INLINE void for_all(F f) {
    [&]<int... i>(std::integer_sequence<int, i...>) CGAN_INLINE_LAMBDA { (f(i), ...); }(
        std::make_integer_sequence<int, n>{});
}
// f(row, vector) of each vector of a tile.
template <int R, int W, class F> CGAN_INLINE void for_vectors(F f) {
    for_all<R * W>([&](int i) CGAN_INLINE_LAMBDA { f(i / W, i % W); });
}

template <int R, int W> CGAN_INLINE void clear(Vec (&acc)[R][W]) {
    for_vectors<R, W>([&](int i, int j) CGAN_INLINE_LAMBDA { acc[i][j] = Vec{}; });
}

// acc += value(i), the i-th row's element, times a row of B.
template <int R, int W, class Value>
CGAN_INLINE void add_products(Vec (&acc)[R][W], const Vec (&b)[W], Value value) {
    for_all<R>([&](int i) CGAN_INLINE_LAMBDA {
        const Vec a = splat(value(i));
        for_all<W>([&](int j) CGAN_INLINE_LAMBDA { acc[i][j] += a * b[j]; });
    });
}

// One k of the product.
template <int R, int W, class Value>
CGAN_INLINE void multiply_step(Vec (&acc)[R][W], const float* b, Columns<W> cols, Value value) {
    const std::int64_t step = kVectorPanels ? cols.step : kLanes;
    Vec row[W];
    for_all<W>([&](int j) CGAN_INLINE_LAMBDA { row[j] = load(b + j * step); });
    add_products(acc, row, value);
}

// Six rows of A in a panel, [k][6].
struct PackedRows {
    const float* a;
    CGAN_INLINE_MEMBER float operator()(int row, std::int64_t k) const { return a[k * kRows + row]; }
};

// Rows of A that lie apart, each with its k together.
template <int R> struct PlainRows {
    const float* a[R];
    CGAN_INLINE_MEMBER float operator()(int row, std::int64_t k) const { return a[row][k]; }
};

// acc += rows of A, from k = `from` on, times columns of B.
template <int R, int W, class Rows> CGAN_INLINE void multiply(Vec (&acc)[R][W], const Rows& rows,
                                                              std::int64_t from, const float* b,
                                                              Columns<W> cols, std::int64_t k) {
    const std::int64_t end = from + k;
#pragma GCC unroll 2
    for (std::int64_t i = from; i < end; i++, b += kPanel)
        multiply_step(acc, b, cols, [&](int r) CGAN_INLINE_LAMBDA { return rows(r, i); });
}

// Adds or writes the first `cols` columns of one row of a tile.
template <int W>
CGAN_INLINE void store_row(const Vec (&acc)[W], float* dst, std::int64_t cols, bool accumulate) {
    for_all<W>([&](int j) CGAN_INLINE_LAMBDA {
        float* to = dst + j * kLanes;
        const std::int64_t left = cols - j * kLanes;
        if (left >= kLanes)
            store(to, accumulate ? load(to) + acc[j] : acc[j]);
        else if (left > 0)
            store_part(to, accumulate ? load_part(to, left) + acc[j] : acc[j], left);
    });
}

// Asks for the lines that a tile will write, before they are needed, where the tile takes long enough.
template <int R, int W>
CGAN_INLINE void prefetch_tile(float* const (&dst)[R], std::int64_t cols, std::int64_t k) {
    if (k < 64) return;
    for (int i = 0; i < R; i++)
        for (int j = 0; j < W && j * kLanes < cols; j++) __builtin_prefetch(dst[i] + j * kLanes, 1);
}

// Sums of many terms are made of chains of at most kChain, each added to a total: one long chain's rounding errors grow
// with its length, and would exceed those of other libraries.
inline constexpr std::int64_t kChain = 48;

// k in equal chains, of a multiple of the loops' unrolling.
CGAN_INLINE std::int64_t chain_length(std::int64_t k) {
    if (k <= kChain) return k;
    const std::int64_t chains = (k + kChain - 1) / kChain;
    return ((k + chains - 1) / chains + 3) / 4 * 4;
}

// The sum of the chains before the current one.
template <int R, int W> class Total {
  public:
    CGAN_INLINE_MEMBER Total() { clear(value_); }
    // Adds the chain to the total and begins another.
    CGAN_INLINE_MEMBER void add(Vec (&acc)[R][W]) {
        for_vectors<R, W>([&](int i, int j) CGAN_INLINE_LAMBDA { value_[i][j] += acc[i][j]; });
        clear(acc);
    }
    // Adds the total to the last chain.
    CGAN_INLINE_MEMBER void join(Vec (&acc)[R][W]) const {
        for_vectors<R, W>([&](int i, int j) CGAN_INLINE_LAMBDA { acc[i][j] += value_[i][j]; });
    }

  private:
    Vec value_[R][W];
};

// acc = k terms in chains; step(at, count) adds `count` of them to acc.
template <int R, int W, class Step> CGAN_INLINE void in_chains(Vec (&acc)[R][W], std::int64_t k, Step step) {
    const std::int64_t chain = chain_length(k);
    clear(acc);
    if (chain >= k) return step(0, k);
    Total<R, W> total;
    for (std::int64_t at = 0;;) {
        step(at, least(chain, k - at));
        at += chain;
        if (at >= k) break;
        total.add(acc);
    }
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

template <int R, int W> CGAN_INLINE void store_tile(const Vec (&acc)[R][W], float* const (&rows)[R],
                                                    std::int64_t cols, bool accumulate) {
    if (cols >= W * kLanes && !accumulate) {
        for_vectors<R, W>([&](int i, int j) CGAN_INLINE_LAMBDA { store(rows[i] + j * kLanes, acc[i][j]); });
        return;
    }
    for_all<R>([&](int i) CGAN_INLINE_LAMBDA { store_row(acc[i], rows[i], cols, accumulate); });
}

// ---- blocks ----

// Asks for `count` more floats of each row.
template <int R>
CGAN_INLINE void prefetch_ahead(const PlainRows<R>& rows, std::int64_t from, std::int64_t count) {
    constexpr std::int64_t kLine = 16; // floats
    for (std::int64_t i = from; i < from + count; i += kLine)
        for (int r = 0; r < R; r++) __builtin_prefetch(rows.a[r] + i, 0, 2);
}

// Rows of A times columns of B that are packed; `ahead` floats after those of the rows are asked for meanwhile.
template <int R, int W> CGAN_INLINE void sum_packed(Vec (&acc)[R][W], const BlockProduct& p, std::int64_t row,
                                                    const float* b, Columns<W> columns, std::int64_t ahead) {
    if (p.a_row == 0) {
        const PackedRows rows{p.a + row / kRows * p.a_panel};
        in_chains(acc, p.k, [&](std::int64_t at, std::int64_t count) CGAN_INLINE_LAMBDA {
            multiply(acc, rows, at, b + at * kPanel, columns, count);
        });
        return;
    }
    PlainRows<R> rows;
    for (int r = 0; r < R; r++) rows.a[r] = p.a + (row + r) * p.a_row;
    in_chains(acc, p.k, [&](std::int64_t at, std::int64_t count) CGAN_INLINE_LAMBDA {
        if (at < ahead) prefetch_ahead(rows, p.k + at, least(count, ahead - at));
        multiply(acc, rows, at, b + at * kPanel, columns, count);
    });
}

// Rows of A in place whose k are runs, p.a_run floats apart.
template <int R, int W> CGAN_INLINE void sum_runs(Vec (&acc)[R][W], const BlockProduct& p, std::int64_t row,
                                                  const float* b, Columns<W> columns) {
    PlainRows<R> rows;
    for (int r = 0; r < R; r++) rows.a[r] = p.a + (row + r) * p.a_row;
    const std::int64_t step = chain_length(p.run);
    Total<R, W> total;
    clear(acc);
    std::int64_t chain = 0;
    for (std::int64_t at = 0; at < p.k; at += p.run) {
        for (std::int64_t i = 0; i < p.run; i += step, chain += step) {
            if (chain + step > kChain && chain > 0) {
                total.add(acc);
                chain = 0;
            }
            const std::int64_t count = least(step, p.run - i);
            multiply(acc, rows, i, b, columns, count);
            b += count * kPanel;
        }
        for (int r = 0; r < R; r++) rows.a[r] += p.a_run;
    }
    total.join(acc);
}

// The same with columns of B where they lie, `to` null or the panels that they are copied to.
template <int R, int W> CGAN_INLINE void sum_in_place(Vec (&acc)[R][W], const BlockProduct& p,
                                                      std::int64_t row, std::int64_t column,
                                                      Columns<W> columns, float* to) {
    const std::int64_t step = p.a_row == 0 ? kRows : 1, apart = p.a_row == 0 ? 1 : p.a_row;
    const float* a = p.a_row == 0 ? p.a + row / kRows * p.a_panel : p.a + row * p.a_row;
    const float* b = p.b + column;
    const std::int64_t panel = kVectorPanels ? columns.step : kLanes;
    in_chains(acc, p.k, [&](std::int64_t, std::int64_t count) CGAN_INLINE_LAMBDA {
        for (std::int64_t i = 0; i < count; i++, a += step, b += p.b_row) {
            Vec row[W];
            for_all<W>([&](int j) CGAN_INLINE_LAMBDA { row[j] = load(b + j * kLanes); });
            if (to != nullptr) {
                for_all<W>([&](int j) CGAN_INLINE_LAMBDA { store(to + j * panel, row[j]); });
                to += kPanel;
            }
            add_products(acc, row, [&](int r) CGAN_INLINE_LAMBDA { return a[r * apart]; });
        }
    });
}

template <int R, int W>
static void block_tile(const BlockProduct& p, std::int64_t row, std::int64_t column, Columns<W> columns) {
    Vec acc[R][W];
    float* dst[R];
    for (int i = 0; i < R; i++) dst[i] = p.dst + (row + i) * p.ld + column;
    prefetch_tile<R, W>(dst, p.cols - column, p.k);
    const std::int64_t offset = column_offset(column, p.b_panel);
    if (p.run > 0)
        sum_runs(acc, p, row, p.b + offset, columns);
    else if (p.b_row == 0)
        sum_packed(acc, p, row, p.b + offset, columns, column == 0 ? p.a_ahead : 0);
    else if (p.packed == nullptr)
        sum_in_place(acc, p, row, column, columns, nullptr);
    else if (row == 0)
        sum_in_place(acc, p, row, column, columns, p.packed + offset);
    else
        sum_packed(acc, p, row, p.packed + offset, columns, column == 0 ? p.a_ahead : 0);
    store_tile(acc, dst, p.cols - column, p.accumulate);
}

// Calls f(first, rows) for tiles of at most 6 rows, nearly equal if they need not be a panel's: 32 rows are 6, 6, 5, 5, 5, 5.
template <class F> CGAN_INLINE void for_rows(std::int64_t rows, bool panels, F f) {
    std::int64_t tiles = (rows + kRows - 1) / kRows;
    for (std::int64_t r = 0; tiles > 0; tiles--) {
        const std::int64_t count =
            panels ? least<std::int64_t>(kRows, rows - r) : (rows - r + tiles - 1) / tiles;
        with_rows(count, [&](auto n) { f(r, n); });
        r += count;
    }
}

static void block_product(const BlockProduct& p) {
    for_tiles(p.cols, p.b_panel, [&](auto columns, std::int64_t c) {
        constexpr int W = decltype(columns)::width;
        for_rows(p.rows, p.a_row == 0, [&](std::int64_t r, auto count) {
            block_tile<decltype(count)::value, W>(p, r, c, columns);
        });
    });
}

// ---- few terms, few results ----

// R rows of results, from their first to their last column: written in the order of memory.
template <int R, int K> static void few_terms_rows(const FewTerms& p, std::int64_t row) {
    Vec a[R][K];
    for_vectors<R, K>(
        [&](int r, int i) CGAN_INLINE_LAMBDA { a[r][i] = splat(p.a[(row + r) * p.a_row + i]); });
    float* dst = p.dst + row * p.ld;
    const auto sums = [&](Vec(&sum)[R][1], const auto& at) CGAN_INLINE_LAMBDA { // at(b): of a row of B
        clear(sum);
        for_all<K>([&](int i) CGAN_INLINE_LAMBDA {
            const Vec b = at(p.b + i * p.b_row);
            for_all<R>([&](int r) CGAN_INLINE_LAMBDA { sum[r][0] += a[r][i] * b; });
        });
    };
    Vec sum[R][1];
    std::int64_t c = 0;
    for (; c + kLanes <= p.cols; c += kLanes) {
        sums(sum, [=](const float* b) CGAN_INLINE_LAMBDA { return load(b + c); });
        for (int r = 0; r < R; r++) store(dst + r * p.ld + c, sum[r][0]);
    }
    if (c == p.cols) return;
    sums(sum, [=, n = p.cols - c](const float* b) CGAN_INLINE_LAMBDA { return load_part(b + c, n); });
    for (int r = 0; r < R; r++) store_part(dst + r * p.ld + c, sum[r][0], p.cols - c);
}

template <int K> static void few_terms_of(const FewTerms& p) {
    std::int64_t row = 0;
    if constexpr (kWide == 4 || K <= 4) // their factors fit in registers
        for (; row + 2 <= p.rows; row += 2) few_terms_rows<2, K>(p, row);
    for (; row < p.rows; row++) few_terms_rows<1, K>(p, row);
}

static void few_terms(const FewTerms& p) {
    switch (p.k) {
    case 1:
        return few_terms_of<1>(p);
    case 2:
        return few_terms_of<2>(p);
    case 3:
        return few_terms_of<3>(p);
    case 4:
        return few_terms_of<4>(p);
    case 5:
        return few_terms_of<5>(p);
    case 6:
        return few_terms_of<6>(p);
    case 7:
        return few_terms_of<7>(p);
    default:
        return few_terms_of<8>(p);
    }
}

typedef float Four __attribute__((vector_size(16)));

CGAN_INLINE Four sum_fours(Vec v) {
    Four t[kLanes / 4];
    std::memcpy(t, &v, sizeof v);
    for (int w = kLanes / 8; w > 0; w /= 2)
        for (int i = 0; i < w; i++) t[i] += t[i + w];
    return t[0];
}
// The lanes of each of four vectors, summed.
CGAN_INLINE Four sum_lanes(Vec v0, Vec v1, Vec v2, Vec v3) {
    const Four a = sum_fours(v0), b = sum_fours(v1), c = sum_fours(v2), d = sum_fours(v3);
    const Four ab = __builtin_shufflevector(a, b, 0, 4, 1, 5) + __builtin_shufflevector(a, b, 2, 6, 3, 7);
    const Four cd = __builtin_shufflevector(c, d, 0, 4, 1, 5) + __builtin_shufflevector(c, d, 2, 6, 3, 7);
    return __builtin_shufflevector(ab, cd, 0, 1, 4, 5) + __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
}

// Lanes are k: each result is a vector's sum in the end.
template <int R, int C> static void dot_tile(const DotProducts& p, std::int64_t row, std::int64_t col) {
    const float *a = p.a + row * p.a_row, *b = p.b + col * p.b_row;
    Vec acc[R][C];
    Total<R, C> total;
    clear(acc);
    const auto step = [&](const auto& at) CGAN_INLINE_LAMBDA {
        Vec y[C];
        for_all<C>([&](int j) CGAN_INLINE_LAMBDA { y[j] = at(b + j * p.b_row); });
        for_all<R>([&](int i) CGAN_INLINE_LAMBDA {
            const Vec x = at(a + i * p.a_row);
            for_all<C>([&](int j) CGAN_INLINE_LAMBDA { acc[i][j] += x * y[j]; });
        });
    };
    std::int64_t k = 0;
    for (;;) {
        const std::int64_t end = least(p.k, k + kChain * kLanes);
        for (; k + kLanes <= end; k += kLanes)
            step([=](const float* x) CGAN_INLINE_LAMBDA { return load(x + k); });
        if (p.k - k < kLanes) break;
        total.add(acc);
    }
    if (k < p.k) step([=, n = p.k - k](const float* x) CGAN_INLINE_LAMBDA { return load_part(x + k, n); });
    total.join(acc);
    float* dst = p.dst + row * p.ld + col;
    if constexpr (R == 4)
        for (int j = 0; j < C; j++) {
            const Four sums = sum_lanes(acc[0][j], acc[1][j], acc[2][j], acc[3][j]);
            for (int i = 0; i < R; i++) dst[i * p.ld + j] = sums[i];
        }
    else
        for_vectors<R, C>([&](int i, int j) CGAN_INLINE_LAMBDA { dst[i * p.ld + j] = sum_lanes(acc[i][j]); });
}

template <int R> static void dot_rows(const DotProducts& p, std::int64_t row) {
    std::int64_t c = 0;
    for (; c + kWide <= p.cols; c += kWide) dot_tile<R, kWide>(p, row, c);
    if constexpr (kWide == 4)
        if (c + 2 <= p.cols) dot_tile<R, 2>(p, row, c), c += 2;
    if (c < p.cols) dot_tile<R, 1>(p, row, c);
}

static void dot_products(const DotProducts& p) {
    std::int64_t row = 0;
    for (; row + 4 <= p.rows; row += 4) dot_rows<4>(p, row);
    for (; row < p.rows; row++) dot_rows<1>(p, row);
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
    for (std::int64_t i = 0; i < t.taps; i++) {
        if (rows[(t.tap + i) * kRows] == nullptr) continue;
        for (std::int64_t c = 0; c < t.count; c += step, chain += step) {
            if (chain + step > kChain && chain > 0) {
                total.add(acc);
                chain = 0;
            }
            PlainRows<R> at;
            for (int r = 0; r < R; r++) at.a[r] = rows[(t.tap + i) * kRows + r] + t.channel + c;
            multiply(acc, at, 0, b + ((t.tap + i) * g.channels + t.channel + c) * kPanel, columns,
                     least(step, t.count - c));
        }
    }
    total.join(acc);
    float* to[R];
    for (int i = 0; i < R; i++) to[i] = dst[i] + col;
    store_tile(acc, to, g.cols - col, accumulate);
}

static void gather_range(const GatherProduct& g, const TapRange& t, bool accumulate) {
    const std::int64_t panel = g.taps * g.channels * kPanel;
    for_tiles(g.cols, panel, [&](auto columns, std::int64_t c) {
        constexpr int W = decltype(columns)::width;
        const float* b = g.packed + column_offset(c, panel);
        for (std::int64_t p = 0; p < g.pixels; p += kRows) {
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
                    for (int r = 0; r < kRows; r++) to[r] = rows[0] == nullptr ? 0.0f : rows[r][c];
            }
            const float* b = g.packed + tap * g.channels * kPanel;
            for_tiles(g.cols, panel, [&](auto columns, std::int64_t c) {
                constexpr int W = decltype(columns)::width;
                with_rows(g.pixels - p, [&](auto rows) {
                    constexpr int R = decltype(rows)::value;
                    Vec acc[R][W];
                    const float* from = b + column_offset(c, panel);
                    in_chains(acc, count * g.channels, [&](std::int64_t at, std::int64_t n) CGAN_INLINE_LAMBDA {
                        multiply(acc, PackedRows{packed}, at, from + at * kPanel, columns, n);
                    });
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
        for (std::int64_t y = 0; y < f.height; y++, chain += f.width) {
            if (chain + f.width > kChain && chain > 0) {
                total.add(acc);
                chain = 0;
            }
            const float *ap = a + image * f.a_image + y * f.a_row, *bp = b + image * f.b_image + y * f.b_row;
#pragma GCC unroll 4
            for (std::int64_t x = 0; x < f.width; x++, ap += f.a_step, bp += f.b_step)
                multiply_step(acc, bp, columns, [=](int r) CGAN_INLINE_LAMBDA { return ap[r]; });
        }
    }
    total.join(acc);
    store_tile(acc, rows, cols, f.accumulate);
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

} // namespace cgan::fast::CGAN_ISA
