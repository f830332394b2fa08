// Winograd's transforms of one panel of 16 channels: windows of n x n numbers, n = 4 + taps - 1.
//
// method  : a filter of `taps` taps over n pixels makes 4 results. All three are read as polynomials of which the
//           values at n points (one at infinity) are multiplied: y = A' [(G g) * (B d)], ' the transpose. The
//           gradients transpose the same sum: d_d = B' [(G g) * (A d_y)], d_g = G' [(B d) * (A d_y)]
// forms   : Source (matrix B, n pixels), Result (A, 4), Filter (G, `taps`); each from pixels and back
// points  : +-3/8, +-5/4 (2 taps); 0, +-2/3, +-3/2 (3 taps); infinity. They magnify rounding errors the least of all
//           small fractions: 2.1 and 2.7 times an axis, where 0, 1, -1, 2 and 0, +-1, +-2 do 4 times and more
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

// The finite points for filters of `taps` taps.
template <int taps> struct Points;
template <> struct Points<2> { static constexpr double value[4] = {0.375, -0.375, 1.25, -1.25}; };
template <> struct Points<3> { static constexpr double value[5] = {0, 2.0 / 3, -2.0 / 3, 1.5, -1.5}; };

template <int taps> inline constexpr int kWindow = kWinogradTile + taps - 1;

// Values of a polynomial of `count` coefficients at the points; at infinity its last one.
template <int taps, int count> constexpr Matrix<kWindow<taps>, count> values_at_points() {
    Matrix<kWindow<taps>, count> m;
    for (int i = 0; i + 1 < kWindow<taps>; i++) {
        m.value[i][0] = 1;
        for (int j = 1; j < count; j++) m.value[i][j] = m.value[i][j - 1] * Points<taps>::value[i];
    }
    m.value[kWindow<taps> - 1][count - 1] = 1;
    return m;
}

// Row i: coefficients of the polynomial that is 1 at point i and 0 at the others (Lagrange's); the last, of
// the one that is 0 at all.
template <int taps> constexpr Matrix<kWindow<taps>, kWindow<taps>> interpolation() {
    constexpr int n = kWindow<taps>;
    Matrix<n, n> m;
    for (int i = 0; i < n; i++) {
        double scale = 1;
        m.value[i][0] = 1;
        for (int j = 0, degree = 0; j + 1 < n; j++) {
            if (j == i) continue;
            const double point = Points<taps>::value[j];
            degree++;
            for (int k = degree; k >= 0; k--)
                m.value[i][k] = (k > 0 ? m.value[i][k - 1] : 0) - point * m.value[i][k];
            if (i + 1 < n) scale *= Points<taps>::value[i] - point;
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

template <WinogradForm form, int taps> constexpr auto form_matrix() {
    if constexpr (form == WinogradForm::Source)
        return interpolation<taps>();
    else if constexpr (form == WinogradForm::Result)
        return values_at_points<taps, kWinogradTile>();
    else
        return values_at_points<taps, taps>();
}

// From pixels to frequencies, and the transpose, back.
template <WinogradForm form, int taps> inline constexpr auto kForth = form_matrix<form, taps>();
template <WinogradForm form, int taps> inline constexpr auto kBack = transposed(form_matrix<form, taps>());

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

template <const auto& m> static void to_frequencies(const TileSource& s, float* out, std::int64_t plane) {
    constexpr int n = m.rows, side = m.cols;
    for (int part = 0; part < kParts; part++, out += kLanes) {
        const std::int64_t channels = s.channels - part * kLanes;
        Vec rows[side][n];
        for (std::int64_t y = 0; y < side; y++) {
            Vec in[side];
            const bool inside = y >= s.y0 && y < s.y1 && channels > 0;
            const float* from = s.data + y * s.row + part * kLanes;
            unroll<side>([&](auto x) {
                in[x] = inside && x >= s.x0 && x < s.x1 ? load_channels(from + x * s.step, channels) : Vec{};
            });
            apply<m>(in, rows[y]);
        }
        for (std::int64_t j = 0; j < n; j++) {
            Vec in[side], values[n];
            unroll<side>([&](auto y) { in[y] = rows[y][j]; });
            apply<m>(in, values);
            unroll<n>([&](auto i) { store(out + (i * n + j) * plane, values[i]); });
        }
    }
}

// Writes, or adds, pixels [y0, y1) x [x0, x1).
template <const auto& m, int kind, bool add>
static void to_pixels(const float* in, std::int64_t plane, const TileSink& s) {
    constexpr int n = m.cols, side = m.rows;
    const Vec alpha = splat(s.epilogue.act.alpha);
    for (int part = 0; part < kParts; part++, in += kLanes) {
        const std::int64_t channels = s.channels - part * kLanes;
        if (channels <= 0) return;
        Vec columns[side][n];
        for (std::int64_t j = 0; j < n; j++) {
            Vec values[n], out[side];
            unroll<n>([&](auto i) { values[i] = load(in + (i * n + j) * plane); });
            apply<m>(values, out);
            unroll<side>([&](auto y) { columns[y][j] = out[y]; });
        }
        const float* bia = s.epilogue.bia;
        const Vec shift = bia == nullptr ? Vec{} : load_channels(bia + part * kLanes, channels);
        for (std::int64_t y = s.y0; y < s.y1; y++) {
            Vec out[side];
            apply<m>(columns[y], out);
            float* to = s.data + y * s.row + part * kLanes;
            unroll<side>([&](auto x) {
                if (x < s.x0 || x >= s.x1) return;
                float* pixel = to + x * s.step;
                Vec v = act_value<kind>(out[x] + shift, alpha);
                if constexpr (add) v += load_channels(pixel, channels);
                if (channels >= kLanes)
                    store(pixel, v);
                else
                    store_part(pixel, v, channels);
            });
        }
    }
}

template <int taps>
static void winograd_forth(WinogradForm form, const TileSource& s, float* out, std::int64_t plane) {
    switch (form) {
    case WinogradForm::Source:
        return to_frequencies<kForth<WinogradForm::Source, taps>>(s, out, plane);
    case WinogradForm::Result:
        return to_frequencies<kForth<WinogradForm::Result, taps>>(s, out, plane);
    default:
        return to_frequencies<kForth<WinogradForm::Filter, taps>>(s, out, plane);
    }
}

template <int taps>
static void winograd_back(WinogradForm form, const float* in, std::int64_t plane, const TileSink& s) {
    switch (form) {
    case WinogradForm::Source:
        return to_pixels<kBack<WinogradForm::Source, taps>, 0, true>(in, plane, s);
    case WinogradForm::Result:
        return with_activation(s.epilogue.act.kind, [&](auto kind) {
            to_pixels<kBack<WinogradForm::Result, taps>, decltype(kind)::value, false>(in, plane, s);
        });
    default:
        return to_pixels<kBack<WinogradForm::Filter, taps>, 0, false>(in, plane, s);
    }
}

static void winograd_spectrum(int taps, WinogradForm form, const TileSource& s, float* out,
                              std::int64_t plane) {
    return taps == 2 ? winograd_forth<2>(form, s, out, plane) : winograd_forth<3>(form, s, out, plane);
}

static void winograd_image(int taps, WinogradForm form, const float* in, std::int64_t plane,
                           const TileSink& s) {
    return taps == 2 ? winograd_back<2>(form, in, plane, s) : winograd_back<3>(form, in, plane, s);
}

} // namespace cgan::fast::CGAN_ISA
