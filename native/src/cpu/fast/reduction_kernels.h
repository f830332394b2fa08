// Sums and maxima of contiguous floats, column sums, and the column-wise passes of batch normalisation.
//
// sums    : four vectors of float32 partial sums over 512 elements, then float64: the error is that of
//           pairwise
//           summation
// repeat  : fixed order for a length
// bound   : memory
#pragma once

#include "cpu/fast/elementwise_kernels.h"
#include "cpu/fast/kernels.h"

namespace cgan::fast::CGAN_ISA {

inline constexpr std::int64_t kSumBlock = 512;
inline constexpr std::int64_t kRowBlock = 16; // rows added in float32 before they join a float64 sum

template <class F> CGAN_INLINE double sum_map(std::int64_t n, F f) {
    double total = 0;
    for (std::int64_t begin = 0; begin < n; begin += kSumBlock) {
        const std::int64_t end = least(begin + kSumBlock, n);
        Vec acc[4] = {};
        std::int64_t i = begin;
        for (; i + 4 * kLanes <= end; i += 4 * kLanes)
            for (int j = 0; j < 4; j++) acc[j] += f(i + j * kLanes, std::int64_t{kLanes});
        for (; i < end; i += kLanes) acc[0] += f(i, least<std::int64_t>(kLanes, end - i));
        total += static_cast<double>(sum_lanes((acc[0] + acc[1]) + (acc[2] + acc[3])));
    }
    return total;
}

CGAN_INLINE Vec load_up_to(const float* p, std::int64_t n) { return n >= kLanes ? load(p) : load_part(p, n); }

static double sum(const float* s, std::int64_t n) {
    return sum_map(n, [=](std::int64_t i, std::int64_t m) { return load_up_to(s + i, m); });
}
static double sum_squares(const float* s, std::int64_t n) {
    return sum_map(n, [=](std::int64_t i, std::int64_t m) {
        const Vec x = load_up_to(s + i, m);
        return x * x;
    });
}
static double sum_exp(const float* s, std::int64_t n) {
    return sum_map(n, [=](std::int64_t i, std::int64_t m) {
        return vexp(m >= kLanes ? load(s + i) : load_part(s + i, m, -__builtin_inff()));
    });
}
static double dot(const float* a, const float* b, std::int64_t n) {
    return sum_map(
        n, [=](std::int64_t i, std::int64_t m) { return load_up_to(a + i, m) * load_up_to(b + i, m); });
}

static float max(const float* s, std::int64_t n) {
    Vec acc = splat(-__builtin_inff());
    const auto join = [](Vec m, Vec x) { return select((x > m) | (x != x), x, m); };
    std::int64_t i = 0;
    for (; i + kLanes <= n; i += kLanes) acc = select(acc != acc, acc, join(acc, load(s + i)));
    if (i < n) acc = select(acc != acc, acc, join(acc, load_part(s + i, n - i, -__builtin_inff())));
    float r = acc[0];
    for (int j = 1; j < kLanes; j++) r = (acc[j] > r || acc[j] != acc[j]) ? acc[j] : r;
    return r;
}

// acc[j] += v[j] for the first n lanes.
CGAN_INLINE void add_wide(double* acc, Vec v, std::int64_t n) {
    if (n < kLanes) {
        for (std::int64_t j = 0; j < n; j++) acc[j] += static_cast<double>(v[j]);
        return;
    }
    Wide total;
    std::memcpy(&total, acc, sizeof total);
    total += __builtin_convertvector(v, Wide);
    std::memcpy(acc, &total, sizeof total);
}

// Calls f(Kind<vectors>{}, c, lanes) for strips of columns: four vectors, whose chains of additions do not wait for each
// other, then single ones, of which the last may have few lanes.
template <class F> CGAN_INLINE void for_strips(std::int64_t cols, F f) {
    constexpr int kStrip = 4;
    std::int64_t c = 0;
    for (; c + kStrip * kLanes <= cols; c += kStrip * kLanes) f(Kind<kStrip>{}, c, std::int64_t{kLanes});
    for (; c < cols; c += kLanes) f(Kind<1>{}, c, least<std::int64_t>(kLanes, cols - c));
}

// acc += the sum of V vectors over rows [r0, r1), of values(row, vector).
template <int V, class Values>
CGAN_INLINE void add_strip(std::int64_t r0, std::int64_t r1, std::int64_t n, double* acc, Values values) {
    Vec a[V] = {};
    for (std::int64_t r = r0; r < r1; r++)
        for (int v = 0; v < V; v++) a[v] += values(r, v);
    for (int v = 0; v < V; v++) add_wide(acc + v * kLanes, a[v], n);
}

static void add_columns(const float* src, std::int64_t rows, std::int64_t cols, std::int64_t ld,
                        double* acc) {
    for (std::int64_t r0 = 0; r0 < rows; r0 += kRowBlock)
        for_strips(cols, [&](auto strip, std::int64_t c, std::int64_t n) CGAN_INLINE_LAMBDA {
            const float* from = src + c;
            add_strip<decltype(strip)::value>(r0, least(r0 + kRowBlock, rows), n, acc + c,
                                              [&](std::int64_t r, int v) CGAN_INLINE_LAMBDA {
                                                  return load_up_to(from + r * ld + v * kLanes, n);
                                              });
        });
}

// The same of two sums, to which add(row, vector, a, b) adds.
template <int V, class Add>
CGAN_INLINE void add_strips(std::int64_t r0, std::int64_t r1, std::int64_t n, double* acc_a, double* acc_b,
                            Add add) {
    Vec a[V] = {}, b[V] = {};
    for (std::int64_t r = r0; r < r1; r++)
        for (int v = 0; v < V; v++) add(r, v, a[v], b[v]);
    for (int v = 0; v < V; v++) {
        add_wide(acc_a + v * kLanes, a[v], n);
        add_wide(acc_b + v * kLanes, b[v], n);
    }
}

// The vectors of `shift` that belong to a strip.
template <int V> struct Shifts {
    Vec value[V];
    CGAN_INLINE_MEMBER Shifts(const float* shift, std::int64_t n) {
        for (int v = 0; v < V; v++) value[v] = load_up_to(shift + v * kLanes, n);
    }
};

static void moment_columns(const float* x, const float* shift, std::int64_t rows, std::int64_t cols,
                           std::int64_t ld, double* acc, double* acc_squares) {
    for (std::int64_t r0 = 0; r0 < rows; r0 += kRowBlock)
        for_strips(cols, [&](auto strip, std::int64_t c, std::int64_t n) CGAN_INLINE_LAMBDA {
            constexpr int vectors = decltype(strip)::value;
            const Shifts<vectors> shifts(shift + c, n);
            const float* from = x + c;
            add_strips<vectors>(r0, least(r0 + kRowBlock, rows), n, acc + c, acc_squares + c,
                                [&](std::int64_t r, int v, Vec& a, Vec& b) CGAN_INLINE_LAMBDA {
                                    const Vec t =
                                        load_up_to(from + r * ld + v * kLanes, n) - shifts.value[v];
                                    a += t;
                                    b += t * t;
                                });
        });
}

static void norm_columns(const float* x, const float* d, const float* mean, std::int64_t rows,
                         std::int64_t cols, std::int64_t ld, double* acc_a, double* acc_b) {
    for (std::int64_t r0 = 0; r0 < rows; r0 += kRowBlock)
        for_strips(cols, [&](auto strip, std::int64_t c, std::int64_t n) CGAN_INLINE_LAMBDA {
            constexpr int vectors = decltype(strip)::value;
            const Shifts<vectors> means(mean + c, n);
            add_strips<vectors>(r0, least(r0 + kRowBlock, rows), n, acc_a + c, acc_b + c,
                                [&](std::int64_t r, int v, Vec& a, Vec& b) CGAN_INLINE_LAMBDA {
                                    const std::int64_t at = r * ld + c + v * kLanes;
                                    const Vec dv = load_up_to(d + at, n);
                                    a += dv;
                                    b += dv * (load_up_to(x + at, n) - means.value[v]);
                                });
        });
}

CGAN_INLINE void store_up_to(float* p, Vec v, std::int64_t n) {
    if (n >= kLanes)
        store(p, v);
    else
        store_part(p, v, n);
}

static void scale_columns(const float* x, const float* mean, const float* q, const float* s, float* dst,
                          std::int64_t rows, std::int64_t cols) {
    for (std::int64_t r = 0; r < rows; r++, x += cols, dst += cols)
        for (std::int64_t c = 0; c < cols; c += kLanes) {
            const std::int64_t m = cols - c;
            store_up_to(dst + c,
                        (load_up_to(x + c, m) - load_up_to(mean + c, m)) * load_up_to(q + c, m) +
                            load_up_to(s + c, m),
                        m);
        }
}

static void combine_columns(const float* d, const float* x, const float* mean, const float* p, const float* q,
                            const float* s, float* dst, std::int64_t rows, std::int64_t cols) {
    for (std::int64_t r = 0; r < rows; r++, d += cols, x += cols, dst += cols)
        for (std::int64_t c = 0; c < cols; c += kLanes) {
            const std::int64_t m = cols - c;
            const Vec centred = load_up_to(x + c, m) - load_up_to(mean + c, m);
            store_up_to(dst + c,
                        load_up_to(d + c, m) * load_up_to(p + c, m) + centred * load_up_to(q + c, m) +
                            load_up_to(s + c, m),
                        m);
        }
}

static void row_gradient(const float* w, const float* x, const float* d, float shift, float slope,
                         float scale, float* dst, float* product, std::int64_t n) {
    const Vec a = splat(shift), b = splat(slope), c = splat(scale);
    for (std::int64_t i = 0; i < n; i += kLanes) {
        const std::int64_t m = n - i;
        const Vec xv = load_up_to(x + i, m), dv = load_up_to(d + i, m);
        store_up_to(dst + i, c * (load_up_to(w + i, m) - a - b * xv), m);
        store_up_to(product + i, dv * xv, m);
    }
}

} // namespace cgan::fast::CGAN_ISA
