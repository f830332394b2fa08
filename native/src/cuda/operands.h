// Where the elements of a product's operands lie. An operand is a matrix [mn, k] that may exist only as a
// rule: an element's address comes from a part fixed by mn and a part fixed by k, so that a thread computes
// each part once and combines them for every copy. `left` says how many elements of a vector are inside; 0
// makes the copy write zeros.
#pragma once

#include "divider.h"

namespace cgan::cuda {

inline constexpr int kAlways = 1 << 30;

struct Part {
    int offset, left;
};

struct Address {
    const float* at;
    int count;
};

__host__ __device__ __forceinline__ int least(int a, int b) { return a < b ? a : b; }

// A matrix in memory, mn * step_mn + k * step_k; one of the steps is 1.
struct MatrixOperand {
    const float* base;
    int step_mn, step_k, mn_count, k_count;

    using Mn = Part;
    using K = Part;
    __device__ __forceinline__ Mn mn(int i) const {
        return {i * step_mn, i < mn_count ? (step_mn == 1 ? mn_count - i : kAlways) : 0};
    }
    __device__ __forceinline__ K k(int i) const {
        return {i * step_k, i < k_count ? (step_k == 1 ? k_count - i : kAlways) : 0};
    }
    __device__ __forceinline__ Address at(const Mn& m, const K& k) const {
        return {base + m.offset + k.offset, least(m.left, k.left)};
    }
};

// Filter taps in a rectangle: k = (tap row, tap column, i), i < inner.
struct TapSplit {
    Divider inner, columns;
    int count; // of all k

    __device__ __forceinline__ void split(int k, unsigned& row, unsigned& column, unsigned& i) const {
        row = columns.divmod(inner.divmod(unsigned(k), i), column);
    }
};

// A filter whose taps lie tap_row and tap_column apart, from base on; mn runs over one of its channel axes, i
// over the other.
struct FilterOperand {
    const float* base;
    TapSplit taps;
    int tap_row, tap_column, step_mn, step_i, mn_count;

    using Mn = Part;
    using K = Part;
    __device__ __forceinline__ Mn mn(int i) const {
        return {i * step_mn, i < mn_count ? (step_mn == 1 ? mn_count - i : kAlways) : 0};
    }
    __device__ __forceinline__ K k(int index) const {
        if (index >= taps.count) return {0, 0};
        unsigned row, column, i;
        taps.split(index, row, column, i);
        return {int(row) * tap_row + int(column) * tap_column + int(i) * step_i,
                step_i == 1 ? int(taps.inner.divisor - i) : kAlways};
    }
    __device__ __forceinline__ Address at(const Mn& m, const K& k) const {
        return {base + m.offset + k.offset, least(m.left, k.left)};
    }
};

struct PixelPart {
    int image, y, x; // image: offset of its first element, or -1 outside
};

struct TapPart {
    int dy, dx, channel, left;
};

// The pixels of a grid [n, rows, columns], and what a tap sees from each: image [n, h, w, c] at
// (y * stride + first + tap * tap_step).
struct ImageGrid {
    const float* image;
    int h, w, c;
    Divider rows, columns;                              // of the grid
    int pixels;                                         // of the grid, all images together
    int stride_y, stride_x, first_y, first_x, tap_step; // tap_step: 1 or -1
    TapSplit taps;
    bool by_window; // pixels come as 2 x 2 windows: index 64 a + 16 q + t is place q of window 16 a + t
    bool packed;    // and with it: index 4 w + q

    __device__ __forceinline__ PixelPart pixel(int index) const {
        unsigned y, x, q = 0, i = unsigned(index);
        if (by_window) {
            q = packed ? i % 4 : i / 16 % 4;
            i = packed ? i / 4 : i / 64 * 16 + i % 16;
            if (4 * i >= unsigned(pixels)) return {-1, 0, 0};
        } else if (index >= pixels) {
            return {-1, 0, 0};
        }
        const unsigned n = rows.divmod(columns.divmod(i, x), y);
        if (by_window) y = 2 * y + q / 2, x = 2 * x + q % 2;
        return {int(n) * h * w * c, int(y) * stride_y + first_y, int(x) * stride_x + first_x};
    }
    __device__ __forceinline__ TapPart tap(int index) const {
        if (index >= taps.count) return {0, 0, 0, 0};
        unsigned row, column, channel;
        taps.split(index, row, column, channel);
        return {int(row) * tap_step, int(column) * tap_step, int(channel), int(taps.inner.divisor - channel)};
    }
    __device__ __forceinline__ Address at(const PixelPart& p, const TapPart& t) const {
        const int y = p.y + t.dy, x = p.x + t.dx;
        const bool inside = p.image >= 0 && y >= 0 && y < h && x >= 0 && x < w;
        return {image + (inside ? p.image + (y * w + x) * c + t.channel : 0), inside ? t.left : 0};
    }
};

// mn = pixel, k = (tap, channel)
struct PixelOperand : ImageGrid {
    using Mn = PixelPart;
    using K = TapPart;
    __device__ __forceinline__ Mn mn(int i) const { return pixel(i); }
    __device__ __forceinline__ K k(int i) const { return tap(i); }
};

// mn = (tap, channel), k = pixel
struct TapOperand : ImageGrid {
    using Mn = TapPart;
    using K = PixelPart;
    __device__ __forceinline__ Mn mn(int i) const { return tap(i); }
    __device__ __forceinline__ K k(int i) const { return pixel(i); }
    __device__ __forceinline__ Address at(const Mn& t, const K& p) const { return ImageGrid::at(p, t); }
};

} // namespace cgan::cuda
