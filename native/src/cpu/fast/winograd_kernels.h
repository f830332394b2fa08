// Winograd's transforms of one panel of 16 channels: windows of n x n numbers, n = 4 + taps - 1.
//
// method  : a filter of `taps` taps over n pixels makes n + 1 - taps results. All three are read as polynomials of which the
//           values at n points (one at infinity) are multiplied: y = A' [(G g) * (B d)], ' the transpose. The
//           gradients transpose the same sum: d_d = B' [(G g) * (A d_y)], d_g = G' [(B d) * (A d_y)]
// forms   : Source (matrix B), Result (A), Filter (G, `taps`); each from pixels and back
// points  : +-3/8, +-5/4 (2 taps); 0, +-2/3, +-3/2 (3 taps); infinity. They magnify rounding errors the least of all
//           small fractions: 2.1 and 2.7 times an axis, where 0, 1, -1, 2 and 0, +-1, +-2 do 4 times and more
// short   : a window with 3 results along an axis leaves out the first point, the other values being the same filter's:
//           5 x 5 products become 4 x 5 or 4 x 4, with no greater errors
// layout  : frequency (i, j) is plane i * n + j of [channels / 16][windows][16] (spectral_kernels.h), all real
// repeat  : fixed order
#pragma once

#include "cpu/fast/fft.h"
#include "cpu/fast/spectral_kernels.h"

namespace cgan::fast::CGAN_ISA {

template <int r, int c> struct Matrix {
    static constexpr int rows = r, cols = c;
    double value[r][c] = {};
};

// The finite points for filters of `taps` taps. Three of those of 2 taps magnify the least without +-3/8, four of those
// of 3 taps without 0: 1.55 times and 1.99, where all of them do 1.68 and 2.18 (root mean square, an axis).
template <int taps> struct Points;
template <> struct Points<2> { static constexpr double value[4] = {0.375, -0.375, 1.25, -1.25}; };
template <> struct Points<3> { static constexpr double value[5] = {0, 2.0 / 3, -2.0 / 3, 1.5, -1.5}; };

// Points of a window with `results` results: the last ones.
template <int taps, int results> inline constexpr int kWindow = results + taps - 1;
template <int taps, int results> constexpr double point(int i) {
    return Points<taps>::value[kWinogradTile - results + i];
}

// Values of a polynomial of `count` coefficients at the points; at infinity its last one.
template <int taps, int results, int count> constexpr Matrix<kWindow<taps, results>, count> values_at_points() {
    constexpr int n = kWindow<taps, results>;
    Matrix<n, count> m;
    for (int i = 0; i + 1 < n; i++) {
        m.value[i][0] = 1;
        for (int j = 1; j < count; j++) m.value[i][j] = m.value[i][j - 1] * point<taps, results>(i);
    }
    m.value[n - 1][count - 1] = 1;
    return m;
}

// Row i: coefficients of the polynomial that is 1 at point i and 0 at the others (Lagrange's); the last, of
// the one that is 0 at all.
template <int taps, int results> constexpr auto interpolation() {
    constexpr int n = kWindow<taps, results>;
    Matrix<n, n> m;
    for (int i = 0; i < n; i++) {
        double scale = 1;
        m.value[i][0] = 1;
        for (int j = 0, degree = 0; j + 1 < n; j++) {
            if (j == i) continue;
            const double other = point<taps, results>(j);
            degree++;
            for (int k = degree; k >= 0; k--)
                m.value[i][k] = (k > 0 ? m.value[i][k - 1] : 0) - other * m.value[i][k];
            if (i + 1 < n) scale *= point<taps, results>(i) - other;
        }
        for (int k = 0; k < n; k++) m.value[i][k] /= scale;
    }
    return m;
}

template <int r, int c> constexpr Matrix<c, r> transposed(const Matrix<r, c>& m) {
    Matrix<c, r> t;
    for (int i = 0; i < r; i++)
        for (int j = 0; j < c; j++) t.value[j][i] = m.value[i][j];
    return t;
}

template <WinogradForm form, int taps, int results> constexpr auto form_matrix() {
    if constexpr (form == WinogradForm::Source)
        return interpolation<taps, results>();
    else if constexpr (form == WinogradForm::Result)
        return values_at_points<taps, results, results>();
    else
        return values_at_points<taps, results, taps>();
}

// From pixels to frequencies, and the transpose, back.
template <WinogradForm form, int taps, int results>
inline constexpr auto kForth = form_matrix<form, taps, results>();
template <WinogradForm form, int taps, int results>
inline constexpr auto kBack = transposed(form_matrix<form, taps, results>());

// One element of row i of m, times x.
template <const auto& m, int i, int j> CGAN_INLINE Vec term(const Vec* x) {
    constexpr double factor = m.value[i][j];
    if constexpr (factor == 1)
        return x[j];
    else if constexpr (factor == -1)
        return -x[j];
    else
        return x[j] * splat(static_cast<float>(factor));
}

template <const auto& m, int i> constexpr int first_term() {
    int j = 0;
    while (m.value[i][j] == 0) j++;
    return j;
}

// Row i of m times x; zeros cost nothing.
template <const auto& m, int i> CGAN_INLINE Vec row_product(const Vec* x) {
    constexpr int first = first_term<m, i>();
    Vec sum = term<m, i, first>(x);
    unroll<m.cols - first - 1>([&](auto k) {
        constexpr int j = first + 1 + k;
        if constexpr (m.value[i][j] != 0) sum += term<m, i, j>(x);
    });
    return sum;
}

template <const auto& m> CGAN_INLINE void apply(const Vec* x, Vec* out) {
    unroll<m.rows>([&](auto i) { out[i] = row_product<m, i>(x); });
}

// Of the matrices of both axes, my down the columns and mx along the rows; `taps` tells where plane (0, 0) is.
template <int taps, const auto& my, const auto& mx>
static void to_frequencies(const TileSource& s, bool past, float* out, std::int64_t plane) {
    constexpr int n = kWindow<taps, kWinogradTile>, height = my.cols, width = mx.cols;
    out += ((n - my.rows) * n + n - mx.rows) * plane;
    for (int part = 0; part < kParts; part++, out += kLanes) {
        const std::int64_t channels = s.channels - part * kLanes;
        Vec rows[height][mx.rows];
        for (std::int64_t y = 0; y < height; y++) {
            Vec in[width];
            const bool inside = y >= s.y0 && y < s.y1 && channels > 0;
            const float* from = s.data + y * s.row + part * kLanes;
            if (part == 0 && s.next)
                unroll<width>([&](auto x) { __builtin_prefetch(s.next + y * s.row + x * s.step); });
            unroll<width>([&](auto x) {
                in[x] = inside && x >= s.x0 && x < s.x1 ? load_channels(from + x * s.step, channels) : Vec{};
            });
            apply<mx>(in, rows[y]);
        }
        for (std::int64_t j = 0; j < mx.rows; j++) {
            Vec in[height], values[my.rows];
            unroll<height>([&](auto y) { in[y] = rows[y][j]; });
            apply<my>(in, values);
            if (past)
                unroll<my.rows>([&](auto i) { store_past(out + (i * n + j) * plane, values[i]); });
            else
                unroll<my.rows>([&](auto i) { store(out + (i * n + j) * plane, values[i]); });
        }
    }
}

// Writes act(v + shift) to pixels [x0, x1) of a row, or adds it.
template <bool add, int kind, int width> CGAN_INLINE void
put_pixels(const TileSink& s, float* to, const Vec* v, Vec shift, std::int64_t channels) {
    const Vec alpha = splat(s.epilogue.act.alpha);
    unroll<width>([&](auto x) {
        if (x < s.x0 || x >= s.x1) return;
        float* pixel = to + x * s.step;
        Vec value = act_value<kind>(v[x] + shift, alpha);
        if constexpr (add) value += load_channels(pixel, channels);
        if (channels >= kLanes)
            store(pixel, value);
        else
            store_part(pixel, value, channels);
    });
}

// Writes, or adds, pixels [y0, y1) x [x0, x1); the matrices are transposed.
template <int taps, const auto& my, const auto& mx, bool add>
static void to_pixels(const float* in, std::int64_t plane, const TileSink& s) {
    constexpr int n = kWindow<taps, kWinogradTile>, height = my.rows, width = mx.rows;
    in += ((n - my.cols) * n + n - mx.cols) * plane;
    for (int part = 0; part < kParts; part++, in += kLanes) {
        const std::int64_t channels = s.channels - part * kLanes;
        if (channels <= 0) return;
        Vec columns[height][mx.cols];
        for (std::int64_t j = 0; j < mx.cols; j++) {
            Vec values[my.cols], out[height];
            unroll<my.cols>([&](auto i) { values[i] = load(in + (i * n + j) * plane); });
            apply<my>(values, out);
            unroll<height>([&](auto y) { columns[y][j] = out[y]; });
        }
        const float* bia = s.epilogue.bia;
        const Vec shift = bia == nullptr ? Vec{} : load_channels(bia + part * kLanes, channels);
        for (std::int64_t y = s.y0; y < s.y1; y++) {
            Vec out[width];
            apply<mx>(columns[y], out);
            float* to = s.data + y * s.row + part * kLanes;
            if constexpr (add)
                put_pixels<true, CGAN_ACT_NONE, width>(s, to, out, shift, channels);
            else
                with_activation(s.epilogue.act.kind, [&](auto kind) {
                    put_pixels<false, decltype(kind)::value, width>(s, to, out, shift, channels);
                });
        }
    }
}

template <WinogradForm form, int taps, int y, int x>
static void winograd_forth(const TileSource& s, bool past, float* out, std::int64_t plane) {
    to_frequencies<taps, kForth<form, taps, y>, kForth<form, taps, x>>(s, past, out, plane);
}

template <WinogradForm form, int taps, int y, int x>
static void winograd_back(const float* in, std::int64_t plane, const TileSink& s) {
    to_pixels<taps, kBack<form, taps, y>, kBack<form, taps, x>, form == WinogradForm::Source>(in, plane, s);
}

template <int v> struct Number { static constexpr int value = v; };

// Calls f(Number<taps>, Number<results down>, Number<results along>) for those of a window.
template <class F> CGAN_INLINE void with_window(int taps, WinogradSize size, F f) {
    constexpr int full = kWinogradTile, less = kWinogradTile - 1;
    const auto along = [&](auto t, auto y) {
        size.x == full ? f(t, y, Number<full>{}) : f(t, y, Number<less>{});
    };
    const auto down = [&](auto t) { size.y == full ? along(t, Number<full>{}) : along(t, Number<less>{}); };
    taps == 2 ? down(Number<2>{}) : down(Number<3>{});
}

static void winograd_spectrum(int taps, WinogradForm form, WinogradSize size, const TileSource& s, bool past,
                              float* out, std::int64_t plane) {
    constexpr int full = kWinogradTile;
    if (form == WinogradForm::Filter)
        return taps == 2 ? winograd_forth<WinogradForm::Filter, 2, full, full>(s, past, out, plane)
                         : winograd_forth<WinogradForm::Filter, 3, full, full>(s, past, out, plane);
    with_window(taps, size, [&](auto t, auto y, auto x) {
        constexpr int k = decltype(t)::value, h = decltype(y)::value, w = decltype(x)::value;
        form == WinogradForm::Source ? winograd_forth<WinogradForm::Source, k, h, w>(s, past, out, plane)
                                     : winograd_forth<WinogradForm::Result, k, h, w>(s, past, out, plane);
    });
}

static void winograd_image(int taps, WinogradForm form, WinogradSize size, const float* in,
                           std::int64_t plane, const TileSink& s) {
    constexpr int full = kWinogradTile;
    if (form == WinogradForm::Filter)
        return taps == 2 ? winograd_back<WinogradForm::Filter, 2, full, full>(in, plane, s)
                         : winograd_back<WinogradForm::Filter, 3, full, full>(in, plane, s);
    with_window(taps, size, [&](auto t, auto y, auto x) {
        constexpr int k = decltype(t)::value, h = decltype(y)::value, w = decltype(x)::value;
        form == WinogradForm::Source ? winograd_back<WinogradForm::Source, k, h, w>(in, plane, s)
                                     : winograd_back<WinogradForm::Result, k, h, w>(in, plane, s);
    });
}

} // namespace cgan::fast::CGAN_ISA
