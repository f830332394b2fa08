// Gradients of a thin convolution from a pooled gradient: one place of four counts.
//
// filter  : lanes are 16 result channels; a pooling window's source pixels, 8 of a row and 8 of the next, are one vector,
//           from which each lane takes that of its own maximum by a permutation: 1 multiply-add a tap, window and lane,
//           where the unpooled gradient, three quarters of it zeros, takes 4
// source  : lanes are the source pixels that a window sees; each channel adds its filter, moved to the place of its maximum
// needs   : for the filter a permutation of 16 lanes by an index, for the source 6 vectors for 48 pixels; others unpool
// repeat  : sums of kRowsTogether rows of windows are added in order
#pragma once

#include "cpu/fast/elementwise_kernels.h"
#include "cpu/fast/fft.h"

namespace cgan::fast::CGAN_ISA {

#if defined(__AVX512F__)

inline constexpr int kSparseTaps = 25; // sums that fit in registers, beside what is read

// The lanes' source pixels, relative to the first of the window: its own row of 8, then the next row's.
CGAN_INLINE Int sparse_lanes(Int place) { return (place & splat_int(1)) + (place & splat_int(2)) * splat_int(4); }

CGAN_INLINE Vec permute(const float* table, Int lane) {
    return _mm512_maskz_permutexvar_ps(0xffff, reinterpret_cast<__m512i>(lane), load(table));
}

// `height` rows of taps from row `first` on, of one panel of channels.
template <int width, int height, bool whole>
static void sparse_rows(const SparseFilter& f, std::int64_t first, std::int64_t channels) {
    for (std::int64_t begin = 0; begin < f.windows_y; begin += f.rows_together) {
        Vec acc[height][width] = {};
        for (std::int64_t y = begin; y < least(begin + f.rows_together, f.windows_y); y++)
            for (std::int64_t x = 0; x < f.windows_x; x++) {
                const std::int64_t at = (y * f.windows_x + x) * f.step;
                const Vec g = load_first<whole>(f.gradient + at, channels);
                const Int lane = sparse_lanes(load_places<whole>(f.arg + at, channels));
                const float* pixels = f.pairs + ((2 * y + first) * f.windows_x + x) * kPanel;
                unroll<width>([&](auto s) {
                    unroll<height>([&](auto r) {
                        acc[r][s] += g * permute(pixels + r * f.windows_x * kPanel, lane + splat_int(s));
                    });
                });
            }
        unroll<height>([&](auto r) {
            unroll<width>([&](auto s) {
                float* to = f.sums + ((first + r) * width + s) * kPanel;
                store(to, f.accumulate || begin > 0 ? load(to) + acc[r][s] : acc[r][s]);
            });
        });
    }
}

template <int width, bool whole> static void sparse_panel(const SparseFilter& f, std::int64_t channels) {
    constexpr int height = kSparseTaps / width < 5 ? kSparseTaps / width : 5;
    std::int64_t r = 0;
    for (; r + height <= f.taps_y; r += height) sparse_rows<width, height, whole>(f, r, channels);
    for (; r < f.taps_y; r++) sparse_rows<width, 1, whole>(f, r, channels);
}

template <int width> static void sparse_width(const SparseFilter& f) {
    f.channels == kPanel ? sparse_panel<width, true>(f, kPanel) : sparse_panel<width, false>(f, f.channels);
}

static void sparse_filter(const SparseFilter& f) {
    switch (f.taps_x) {
    case 1:
        return sparse_width<1>(f);
    case 2:
        return sparse_width<2>(f);
    case 3:
        return sparse_width<3>(f);
    case 4:
        return sparse_width<4>(f);
    case 5:
        return sparse_width<5>(f);
    case 6:
        return sparse_width<6>(f);
    default:
        return sparse_width<7>(f);
    }
}

inline constexpr auto kSparseFilter = sparse_filter;

#else

inline constexpr void (*kSparseFilter)(const SparseFilter&) = nullptr;

#endif

// Even and odd channels are two chains, so that one's multiply-add need not wait for the other's.
template <int V> static void sparse_window(const SparsePatches& p, const float* gradient,
                                           const std::uint8_t* arg, float* image) {
    Vec even[V] = {}, odd[V] = {};
    const auto add = [&](Vec(&acc)[V], std::int64_t k) {
        const Vec g = splat(gradient[k]);
        // & 3: the caller may have written anything; the gradient is then 0.
        const float* filter = p.filters + (4 * k + (arg[k] & 3)) * p.patch;
        for (int v = 0; v < V; v++) acc[v] += g * load(filter + v * kLanes);
    };
    std::int64_t k = 0;
    for (; k + 2 <= p.channels; k += 2) {
        add(even, k);
        add(odd, k + 1);
    }
    if (k < p.channels) add(even, k);
    alignas(64) float patch[V * kLanes];
    for (int v = 0; v < V; v++) store(patch + v * kLanes, even[v] + odd[v]);
    for (std::int64_t y = 0; y < p.rows; y++)
        for (std::int64_t x = 0; x < p.width; x++) image[y * p.row + x] += patch[y * p.width + x];
}

template <int V> static void sparse_row(const SparsePatches& p) {
    for (std::int64_t i = 0; i < p.windows; i++)
        sparse_window<V>(p, p.gradient + i * p.channels, p.arg + i * p.channels, p.image + i * p.step);
}

static void sparse_patches(const SparsePatches& p) {
    constexpr int vectors = kPanel / kLanes;
    switch (p.patch / kPanel) {
    case 1:
        return sparse_row<vectors>(p);
    case 2:
        return sparse_row<2 * vectors>(p);
    default:
        return sparse_row<3 * vectors>(p);
    }
}

inline constexpr void (*kSparsePatches)(const SparsePatches&) = kLanes >= 8 ? sparse_patches : nullptr;

} // namespace cgan::fast::CGAN_ISA
