// Results of convolutions of few source channels.
//
// row     : 6 pixels by up to 64 channels are a register tile; its taps are a list of offsets, since a filter's rows of 5 or
//           9 values would be loops of their own, each with its beginning and end
// pooled  : a window's four pixels are a tile, of which the greatest values alone are stored
// needs   : sums of one chain
// repeat  : fixed order
#pragma once

#include "cpu/fast/product_kernels.h"

namespace cgan::fast::CGAN_ISA {

template <int W>
static void thin_window(const ThinWindows& p, const float* src, const float* b, Columns<W> columns,
                        std::int64_t channels, float* dst, std::uint8_t* arg) {
    const float* const pixels[4] = {src, src + p.col, src + p.row, src + p.row + p.col};
    Vec acc[4][W];
    clear(acc);
#pragma GCC unroll 5
    for (std::int64_t i = 0; i < p.depth; i++, b += kPanel) {
        const std::int64_t at = p.offsets[i];
        multiply_step(acc, b, columns, [&](int r) { return pixels[r][at]; });
    }
    for (int j = 0; j < W; j++) {
        Vec best = acc[0][j];
        Int place = {};
        for (int r = 1; r < 4; r++) {
            const Int better = beats(acc[r][j], best);
            best = select(better, acc[r][j], best);
            place = (splat_int(r) & better) | (place & ~better);
        }
        const std::int64_t n = least<std::int64_t>(channels - j * kLanes, kLanes);
        if (n == kLanes) {
            store(dst + j * kLanes, best);
            store_places<true>(arg + j * kLanes, place, n);
        } else if (n > 0) {
            store_part(dst + j * kLanes, best, n);
            store_places<false>(arg + j * kLanes, place, n);
        }
    }
}

static void thin_windows(const ThinWindows& p) {
    const std::int64_t panel = p.depth * kPanel;
    for_tiles(p.channels, panel, [&](auto columns, std::int64_t c) {
        const float* b = p.packed + column_offset(c, panel);
        const float* src = p.src;
        float* dst = p.dst + c;
        std::uint8_t* arg = p.arg + c;
        for (std::int64_t i = 0; i < p.count; i++, src += 2 * p.col, dst += p.channels, arg += p.channels)
            thin_window(p, src, b, columns, p.channels - c, dst, arg);
    });
}

template <int R, int W>
static void thin_pixels(const ThinRow& p, const float* src, const float* b, Columns<W> columns,
                        std::int64_t channels, float* dst) {
    PlainRows<R> pixels;
    for (int r = 0; r < R; r++) pixels.a[r] = src + r * p.step;
    Vec acc[R][W];
    clear(acc);
#pragma GCC unroll 4
    for (std::int64_t i = 0; i < p.depth; i++, b += kPanel) {
        const std::int64_t at = p.offsets[i];
        multiply_step(acc, b, columns, [&](int r) CGAN_INLINE_LAMBDA { return pixels(r, at); });
    }
    float* rows[R];
    for (int r = 0; r < R; r++) rows[r] = dst + r * p.channels;
    store_tile(acc, rows, channels, false);
}

static void thin_row(const ThinRow& p) {
    const std::int64_t panel = p.depth * kPanel;
    for_tiles(p.channels, panel, [&](auto columns, std::int64_t c) {
        constexpr int W = decltype(columns)::width;
        const float* b = p.packed + column_offset(c, panel);
        for_rows(p.count, false, [&](std::int64_t at, auto count) {
            thin_pixels<decltype(count)::value, W>(p, p.src + at * p.step, b, columns, p.channels - c,
                                                   p.dst + at * p.channels + c);
        });
    });
}

} // namespace cgan::fast::CGAN_ISA
