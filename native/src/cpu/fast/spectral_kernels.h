// Two-dimensional spectra of one panel of 16 channels, and products of spectra.
//
// spectrum: n x n window -> planes; the 4 frequencies with real values take 1 plane each, the others 3: real
//           part, imaginary part, and their sum or difference, for a complex product of three real ones. With
//           AVX-512, whose products outrun memory, 2: the product adds the parts as it reads them
// image   : the inverse, from planes that hold only real and imaginary parts (2 each), with scale, bias and
//           activation
// product : P1 = sum a.re b.re, P2 = sum a.im b.im, P3 = sum (a.re +- a.im) (b.re - b.im);
//           a conj(b) = (P1 + P2) + i (P3 - P1 + P2) with a.re + a.im,
//           a b       = (P1 - P2) + i (P1 + P2 - P3) with a.re - a.im
// layout  : a plane is [channels / 16][images][16], so that a transform writes whole cache lines, and every
//           product reads
//           its operands where they are
// repeat  : fixed order
#pragma once

#include "cpu/fast/fft.h"
#include "cpu/fast/product_kernels.h"

namespace cgan::fast::CGAN_ISA {

inline constexpr int kParts = kPanel / kLanes;        // vectors of a panel
inline constexpr int kPlanes = kVectorPanels ? 2 : 3; // of a complex frequency

// The window's rows after the first transform: row y is re 0, re 1, im 1, ..., re n/2, for each vector of the
// panel.
template <int n> struct RowSpectra { alignas(64) float value[n][kParts][n][kLanes]; };

CGAN_INLINE Vec load_channels(const float* p, std::int64_t channels) {
    return channels >= kLanes ? load(p) : load_part(p, channels);
}

template <int n> CGAN_INLINE void store_row_spectrum(const Complex* x, float (&to)[n][kLanes]) {
    store(to[0], x[0].re);
    store(to[n - 1], x[n / 2].re);
    unroll<n / 2 - 1>([&](auto i) {
        store(to[2 * i + 1], x[i + 1].re);
        store(to[2 * i + 2], x[i + 1].im);
    });
}

template <int n> CGAN_INLINE void transform_rows(const TileSource& s, RowSpectra<n>& rows) {
    for (std::int64_t y = 0; y < n; y++)
        for (int part = 0; part < kParts; part++) {
            const std::int64_t channels = s.channels - part * kLanes;
            if (y < s.y0 || y >= s.y1 || channels <= 0) {
                unroll<n>([&](auto x) { store(rows.value[y][part][x], splat(0.0f)); }); // memset is slower
                continue;
            }
            const float* from = s.data + y * s.row + part * kLanes;
            Vec in[n];
            Complex out[n / 2 + 1];
            unroll<n>([&](auto x) {
                in[x] = x >= s.x0 && x < s.x1 ? load_channels(from + x * s.step, channels) : splat(0.0f);
            });
            real_transform<n, 1>(in, out);
            store_row_spectrum<n>(out, rows.value[y][part]);
        }
}

// Asks for the lines of `count` planes ahead of their use: they lie far apart, and no hardware prefetcher
// sees it.
template <int count, int write> CGAN_INLINE void prefetch_planes(const float* p, std::int64_t plane) {
    for (int i = 0; i < count; i++) __builtin_prefetch(p + i * plane, write);
}

// How a spectrum's planes are written: which third plane, and whether past the caches.
template <int third_sign, bool past_caches> struct SpectrumForm {
    static constexpr int third = third_sign;
    static constexpr bool past = past_caches;
};

template <class Form> CGAN_INLINE void store_plane(float* out, Vec v) {
    if constexpr (Form::past)
        store_past(out, v);
    else
        store(out, v);
}

// Writes one complex frequency's planes.
template <class Form> CGAN_INLINE void store_frequency(Complex x, float* out, std::int64_t plane) {
    store_plane<Form>(out, x.re);
    store_plane<Form>(out + plane, x.im);
    if constexpr (kPlanes == 3)
        store_plane<Form>(out + 2 * plane, Form::third > 0 ? x.re + x.im : x.re - x.im);
}

// What is stored past the caches is not fetched.
template <int count, class Form> CGAN_INLINE void prefetch_written(float* out, std::int64_t plane) {
    if constexpr (!Form::past) prefetch_planes<count, 1>(out, plane);
}

// Complex frequencies are numbered: column 0 rows 1..n/2-1, column n/2 rows 1..n/2-1, then the columns
// between, whole.
template <int n> constexpr int column_start(int column) { return n - 2 + (column - 1) * n; }

template <int n, class Form> CGAN_INLINE void transform_real_column(const RowSpectra<n>& rows, int part,
                                                                    int at, int number, float* out,
                                                                    std::int64_t plane) {
    Vec in[n];
    Complex x[n / 2 + 1];
    unroll<n>([&](auto y) { in[y] = load(rows.value[y][part][at]); });
    real_transform<n, 1>(in, x);
    store_plane<Form>(out + (2 * number) * plane, x[0].re);
    store_plane<Form>(out + (2 * number + 1) * plane, x[n / 2].re);
    float* to = out + (4 + kPlanes * number * (n / 2 - 1)) * plane;
    unroll<n / 2 - 1>([&](auto i) { store_frequency<Form>(x[i + 1], to + kPlanes * i * plane, plane); });
}

template <int n, class Form>
static void transform_columns(const RowSpectra<n>& rows, float* out, std::int64_t plane) {
    for (int number = 0; number < 2; number++) {
        prefetch_written<kPlanes * n / 2, Form>(
            out + (4 + kPlanes * (n - 2) + number * kPlanes * n / 2) * plane, plane);
        for (int part = 0; part < kParts; part++)
            transform_real_column<n, Form>(rows, part, number * (n - 1), number, out + part * kLanes, plane);
    }
    for (int column = 1; column < n / 2; column++) {
        if (column + 1 < n / 2)
            prefetch_written<kPlanes * n, Form>(out + (4 + kPlanes * column_start<n>(column + 1)) * plane,
                                                plane);
        for (int part = 0; part < kParts; part++) {
            Complex in[n], x[n];
            unroll<n>([&](auto y) {
                in[y] = {load(rows.value[y][part][2 * column - 1]), load(rows.value[y][part][2 * column])};
            });
            transform<n, 1, -1>(in, x);
            float* to = out + (4 + kPlanes * column_start<n>(column)) * plane + part * kLanes;
            unroll<n>([&](auto y) { store_frequency<Form>(x[y], to + kPlanes * y * plane, plane); });
        }
    }
}

template <int n, class Form>
static void spectrum_of(const TileSource& s, float* out, std::int64_t plane) {
    RowSpectra<n> rows;
    prefetch_written<4 + kPlanes*(n - 2), Form>(out, plane);
    transform_rows<n>(s, rows);
    transform_columns<n, Form>(rows, out, plane);
}

template <int n> static void spectrum_of(const TileSource& s, int third, bool past, float* out,
                                         std::int64_t plane) {
    if (third > 0)
        past ? spectrum_of<n, SpectrumForm<1, true>>(s, out, plane)
             : spectrum_of<n, SpectrumForm<1, false>>(s, out, plane);
    else
        past ? spectrum_of<n, SpectrumForm<-1, true>>(s, out, plane)
             : spectrum_of<n, SpectrumForm<-1, false>>(s, out, plane);
}

static void spectrum(int n, const TileSource& s, int third, bool past, float* out, std::int64_t plane) {
    return n == 8 ? spectrum_of<8>(s, third, past, out, plane) : spectrum_of<16>(s, third, past, out, plane);
}

// ---- inverse ----

template <int n> CGAN_INLINE void invert_real_column(const float* in, std::int64_t plane, int part,
                                                     int number, int at, RowSpectra<n>& rows) {
    Complex x[n / 2 + 1];
    Vec out[n];
    x[0].re = load(in + (2 * number) * plane);
    x[n / 2].re = load(in + (2 * number + 1) * plane);
    const float* from = in + (4 + 2 * number * (n / 2 - 1)) * plane;
    unroll<n / 2 - 1>([&](auto i) {
        x[i + 1] = {load(from + 2 * i * plane), load(from + (2 * i + 1) * plane)};
    });
    inverse_real_transform<n, 1>(x, out);
    unroll<n>([&](auto y) { store(rows.value[y][part][at], out[y]); });
}

template <int n> static void invert_columns(const float* in, std::int64_t plane, RowSpectra<n>& rows) {
    prefetch_planes<4 + 2 * (n - 2), 0>(in, plane);
    for (int number = 0; number < 2; number++) {
        prefetch_planes<n, 0>(in + (4 + 2 * (n - 2) + number * n) * plane, plane);
        for (int part = 0; part < kParts; part++)
            invert_real_column<n>(in + part * kLanes, plane, part, number, number * (n - 1), rows);
    }
    for (int column = 1; column < n / 2; column++) {
        if (column + 1 < n / 2)
            prefetch_planes<2 * n, 0>(in + (4 + 2 * column_start<n>(column + 1)) * plane, plane);
        for (int part = 0; part < kParts; part++) {
            Complex x[n], out[n];
            const float* from = in + (4 + 2 * column_start<n>(column)) * plane + part * kLanes;
            unroll<n>([&](auto y) { x[y] = {load(from + 2 * y * plane), load(from + (2 * y + 1) * plane)}; });
            transform<n, 1, 1>(x, out);
            unroll<n>([&](auto y) {
                store(rows.value[y][part][2 * column - 1], out[y].re);
                store(rows.value[y][part][2 * column], out[y].im);
            });
        }
    }
}

template <int n, int kind> CGAN_INLINE void invert_rows(const TileSink& s, const RowSpectra<n>& rows) {
    const Vec scale = splat(1.0f / (n * n)), alpha = splat(s.epilogue.act.alpha);
    for (std::int64_t y = s.y0; y < s.y1; y++)
        for (int part = 0; part < kParts; part++) {
            const std::int64_t channels = s.channels - part * kLanes;
            if (channels <= 0) break;
            const auto& row = rows.value[y][part];
            Complex x[n / 2 + 1];
            Vec out[n];
            x[0].re = load(row[0]);
            x[n / 2].re = load(row[n - 1]);
            unroll<n / 2 - 1>([&](auto i) { x[i + 1] = {load(row[2 * i + 1]), load(row[2 * i + 2])}; });
            inverse_real_transform<n, 1>(x, out);
            const float* bia = s.epilogue.bia;
            const Vec shift = bia == nullptr ? splat(0.0f) : load_channels(bia + part * kLanes, channels);
            float* to = s.data + y * s.row + part * kLanes;
            unroll<n>([&](auto i) {
                if (i < s.x0 || i >= s.x1) return;
                const Vec v = act_value<kind>(out[i] * scale + shift, alpha);
                if (channels >= kLanes)
                    store(to + i * s.step, v);
                else
                    store_part(to + i * s.step, v, channels);
            });
        }
}

template <int n> static void image_of(const float* in, std::int64_t plane, const TileSink& s) {
    RowSpectra<n> rows;
    invert_columns<n>(in, plane, rows);
    with_activation(s.epilogue.act.kind, [&](auto kind) { invert_rows<n, decltype(kind)::value>(s, rows); });
}

static void image(int n, const float* in, std::int64_t plane, const TileSink& s) {
    return n == 8 ? image_of<8>(in, plane, s) : image_of<16>(in, plane, s);
}

// ---- products ----

// Lines that a tile asks for, one with each term of its sum: all at once they would hold up its own loads.
struct LinesAhead {
    const float* at = nullptr; // null: none
    CGAN_INLINE_MEMBER void fetch() {
        __builtin_prefetch(at, 0, 2);
        at += kPanel;
    }
};

// One of the three sums. Rows of A: images (depth over channels, in blocks of 16) or channels (depth over
// images).
template <bool over_images, bool ahead = false, int R, int W>
CGAN_INLINE void spectral_sum(Vec (&acc)[R][W], const SpectralProduct& p, const float* a, const float* b,
                              Columns<W> cols, LinesAhead lines = {}) {
    clear(acc);
    if constexpr (over_images) {
#pragma GCC unroll 4
        for (std::int64_t i = 0; i < p.depth; i++, a += kPanel, b += kPanel) {
            if constexpr (ahead) lines.fetch();
            multiply_step(acc, b, cols, [=](int r) { return a[r]; });
        }
    } else {
        for (std::int64_t block = 0; block < p.depth; block += kPanel, a += p.a_block)
#pragma GCC unroll 4
            for (int i = 0; i < kPanel; i++, b += kPanel) {
                if constexpr (ahead) lines.fetch();
                multiply_step(acc, b, cols, [=](int r) { return a[r * kPanel + i]; });
            }
    }
}

// The third sum: of (a.re + sign_a a.im) (b.re + sign_b b.im), which has planes of its own unless kPlanes is 2.
template <bool over_images, int sign_a, int sign_b, int R, int W> CGAN_INLINE void
third_sum(Vec (&acc)[R][W], const SpectralProduct& p, const float* a, const float* b, Columns<W> cols) {
    if constexpr (kPlanes == 3) {
        spectral_sum<over_images>(acc, p, a + 2 * p.a_plane, b + 2 * p.b_plane, cols);
    } else {
        clear(acc);
        const auto step = [&](const float* at, std::int64_t row_stride) {
            Vec bv[W];
            for (int j = 0; j < W; j++) {
                const float* from = b + j * cols.step;
                bv[j] =
                    sign_b > 0 ? load(from) + load(from + p.b_plane) : load(from) - load(from + p.b_plane);
            }
#pragma GCC unroll 6
            for (int i = 0; i < R; i++) {
                const Vec re = splat(at[i * row_stride]), im = splat(at[i * row_stride + p.a_plane]);
                const Vec av = sign_a > 0 ? re + im : re - im;
                for (int j = 0; j < W; j++) acc[i][j] += av * bv[j];
            }
        };
        if constexpr (over_images) {
            for (std::int64_t i = 0; i < p.depth; i++, a += kPanel, b += kPanel) step(a, 1);
        } else {
            for (std::int64_t block = 0; block < p.depth; block += kPanel, a += p.a_block)
                for (int i = 0; i < kPanel; i++, b += kPanel) step(a + i, kPanel);
        }
    }
}

// Writes a tile's results, W vectors of a row `step` floats apart, to the p.out of its plane.
template <int R, int W> CGAN_INLINE void put_tile(const SpectralProduct& p, const Vec (&v)[R][W], float* out,
                                                  std::int64_t step) {
    if (p.past && !p.accumulate) {
        for (int i = 0; i < R; i++)
            for (int j = 0; j < W; j++) store_past(out + i * kPanel + j * step, v[i][j]);
        return;
    }
    for (int i = 0; i < R; i++)
        for (int j = 0; j < W; j++) {
            float* to = out + i * kPanel + j * step;
            store(to, p.accumulate ? load(to) + v[i][j] : v[i][j]);
        }
}

// What is stored past the caches is not fetched.
template <int R, int W>
CGAN_INLINE void prefetch_results(const SpectralProduct& p, const float* out, std::int64_t step) {
    if (p.past && !p.accumulate) return;
    for (int i = 0; i < R; i++)
        for (int j = 0; j < W; j++) {
            __builtin_prefetch(out + i * kPanel + j * step, 1);
            if (!p.real) __builtin_prefetch(out + p.out_plane + i * kPanel + j * step, 1);
        }
}

template <bool over_images, bool conjugate_b, int R, int W> static void
spectral_tile(const SpectralProduct& p, const float* a, const float* b, Columns<W> cols, float* out,
              LinesAhead lines) {
    const std::int64_t step = kVectorPanels ? p.out_panel : kLanes;
    Vec acc[R][W], held[R][W], part[R][W]; // held: P1, then what the imaginary part needs of P1 and P2
    prefetch_results<R, W>(p, out, step);
    if (lines.at) {
        spectral_sum<over_images, true>(acc, p, a, b, cols, lines);
        return put_tile(p, acc, out, step);
    }
    spectral_sum<over_images>(acc, p, a, b, cols);
    if (p.real) return put_tile(p, acc, out, step);
    for (int i = 0; i < R; i++)
        for (int j = 0; j < W; j++) held[i][j] = acc[i][j];
    spectral_sum<over_images>(acc, p, a + p.a_plane, b + p.b_plane, cols);
    for (int i = 0; i < R; i++)
        for (int j = 0; j < W; j++) {
            const Vec p1 = held[i][j], p2 = acc[i][j];
            part[i][j] = conjugate_b ? p1 + p2 : p1 - p2;
            held[i][j] = conjugate_b ? p2 - p1 : p1 + p2;
        }
    put_tile(p, part, out, step);
    third_sum<over_images, !over_images && conjugate_b ? 1 : -1, over_images ? 1 : -1>(acc, p, a, b, cols);
    for (int i = 0; i < R; i++)
        for (int j = 0; j < W; j++)
            part[i][j] = conjugate_b ? acc[i][j] + held[i][j] : held[i][j] - acc[i][j];
    put_tile(p, part, out + p.out_plane, step);
}

// Asks for the next product's operands little by little, while this one is computed: the planes lie too far apart for
// the hardware to foresee.
class Ahead {
  public:
    Ahead(const SpectralProduct& p, std::int64_t tiles)
        : p_(p), planes_(p.real ? 1 : kPlanes),
          per_tile_((planes_ * (p.a_lines + p.b_lines) + tiles - 1) / tiles),
          a_blocks_(p.next_a ? (p.over_images ? p.rows : p.depth) / kPanel : 0),
          b_panels_(p.next_b ? p.panels : 0) {}

    // Of the next real product: each tile's are those of a panel of b, then of a block of a.
    CGAN_INLINE_MEMBER LinesAhead next() {
        const std::int64_t i = tile_++;
        if (i < b_panels_) return {p_.next_b + i * p_.b_panel};
        if (i - b_panels_ < a_blocks_) return {p_.next_a + (i - b_panels_) * p_.a_block};
        return {};
    }

    CGAN_INLINE_MEMBER void fetch() {
        for (std::int64_t i = 0; i < per_tile_ && plane_ < planes_; i++) {
            if (line_ < p_.a_lines)
                __builtin_prefetch(p_.a + p_.a_ahead + plane_ * p_.a_plane + line_ * kLine, 0, 2);
            else
                __builtin_prefetch(p_.b + p_.b_ahead + plane_ * p_.b_plane + (line_ - p_.a_lines) * kLine, 0,
                                   2);
            if (++line_ < p_.a_lines + p_.b_lines) continue;
            line_ = 0;
            plane_++;
        }
    }

  private:
    static constexpr std::int64_t kLine = 16; // floats
    const SpectralProduct& p_;
    const std::int64_t planes_, per_tile_, a_blocks_, b_panels_;
    std::int64_t plane_ = 0, line_ = 0, tile_ = 0;
};

// Rows of a block of 16, or of images, in tiles of at most 6 that are nearly equal: 16 = 6 + 5 + 5.
template <bool over_images, bool conjugate_b, int W>
static void spectral_rows(const SpectralProduct& p, const float* a, const float* b, Columns<W> cols,
                          float* out, std::int64_t rows, Ahead& ahead) {
    constexpr std::int64_t row_stride = over_images ? 1 : kPanel;
    for (std::int64_t r = 0, tiles = (rows + kRows - 1) / kRows; tiles > 0; tiles--) {
        const std::int64_t count = (rows - r + tiles - 1) / tiles;
        ahead.fetch();
        const LinesAhead lines = ahead.next();
        with_rows(count, [&](auto n) {
            spectral_tile<over_images, conjugate_b, decltype(n)::value, W>(p, a + r * row_stride, b, cols,
                                                                           out + r * kPanel, lines);
        });
        r += count;
    }
}

static void spectral_product(const SpectralProduct& p) {
    const std::int64_t row_tiles =
        p.over_images ? p.rows / kPanel * ((kPanel + kRows - 1) / kRows) : (p.rows + kRows - 1) / kRows;
    Ahead ahead(p, row_tiles * ((p.panels * kPanel + kTileCols - 1) / kTileCols));
    for_tiles(p.panels * kPanel, p.b_panel, [&](auto cols, std::int64_t c) {
        const float* b = p.b + column_offset(c, p.b_panel);
        float* out = p.out + column_offset(c, p.out_panel);
        if (p.over_images) {
            for (std::int64_t r = 0; r < p.rows; r += kPanel)
                spectral_rows<true, true>(p, p.a + r / kPanel * p.a_block, b, cols, out + r * kPanel, kPanel,
                                          ahead);
        } else if (p.conjugate_b) {
            spectral_rows<false, true>(p, p.a, b, cols, out, p.rows, ahead);
        } else {
            spectral_rows<false, false>(p, p.a, b, cols, out, p.rows, ahead);
        }
    });
}

} // namespace cgan::fast::CGAN_ISA
