// Panels of 6 rows and of 16 columns, as register tiles read them (product_kernels.h), made from matrices and images.
#pragma once

#include "cpu/fast/elementwise_kernels.h"

namespace cgan::fast::CGAN_ISA {

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

// Copies a number of floats that the compiler knows.
template <int n> CGAN_INLINE void copy(const float* src, float* dst) {
    if constexpr (n >= kLanes) {
        store(dst, load(src));
        copy<n - kLanes>(src + kLanes, dst + kLanes);
    } else if constexpr (n > 0) {
        constexpr int step = n >= 8 ? 8 : n >= 4 ? 4 : n >= 2 ? 2 : 1;
        __builtin_memcpy(dst, src, step * sizeof(float));
        copy<n - step>(src + step, dst + step);
    }
}

// dst[k][width] from columns of stride 1: `count` contiguous floats at each k.
template <int width> CGAN_INLINE void pack_columns(const float* src, std::int64_t k_stride,
                                                   std::int64_t count, std::int64_t k, float* dst) {
    if (count == width) {
#pragma GCC unroll 4
        for (std::int64_t i = 0; i < k; i++, src += k_stride, dst += width) copy<width>(src, dst);
        return;
    }
    for (std::int64_t i = 0; i < k; i++, src += k_stride, dst += width)
        for (int r = 0; r < width; r++) dst[r] = r < count ? src[r] : 0.0f;
}

inline constexpr int kPanelsTogether = 8;

// Whole panels of columns of stride 1, several side by side: what lies together is read at once, since rows may
// lie so that the cache cannot hold one line of each.
template <int width> CGAN_INLINE void pack_columns_together(const float* src, std::int64_t k_stride,
                                                            std::int64_t k, float* dst) {
    constexpr int whole = width + 2; // of which the next k, which follows, overwrites what is too much
    static_assert(whole == 8);
    const std::int64_t panel = k * width;
    for (std::int64_t i = 0; i + 1 < k; i++, src += k_stride, dst += width) {
        float* to = dst;
#pragma GCC unroll 8
        for (int p = 0; p < kPanelsTogether; p++, to += panel) copy<whole>(src + p * width, to);
    }
    for (int p = 0; p < kPanelsTogether; p++) copy<width>(src + p * width, dst + p * panel);
}

template <int width> static void pack(const float* src, std::int64_t stride, std::int64_t k_stride,
                                      std::int64_t total, std::int64_t k, float* dst) {
    if constexpr (width == kRows)
        if (stride == 1 && k_stride != 1 && k > 0)
            for (constexpr int many = kPanelsTogether * width; total >= many; total -= many) {
                pack_columns_together<width>(src, k_stride, k, dst);
                src += many, dst += many * k;
            }
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

// 16 rows at a time, whose results are then one cache line.
static void turn(const float* src, std::int64_t src_ld, std::int64_t rows, std::int64_t cols, float* dst,
                 std::int64_t dst_ld) {
    for (std::int64_t r = 0; r < rows; r += kPanel) {
        const std::int64_t count = least<std::int64_t>(kPanel, rows - r);
        for (std::int64_t c = 0; c < cols; c += kPanel) {
            float block[kPanel * kPanel];
            const std::int64_t n = least<std::int64_t>(kPanel, cols - c);
            pack_rows<kPanel>(src + r * src_ld + c, src_ld, count, n, block);
            for (std::int64_t i = 0; i < n; i++) {
                float* to = dst + (c + i) * dst_ld + r;
                if (count == kPanel)
                    copy<kPanel>(block + i * kPanel, to);
                else
                    for (std::int64_t j = 0; j < count; j++) to[j] = block[i * kPanel + j];
            }
        }
    }
}

} // namespace cgan::fast::CGAN_ISA
