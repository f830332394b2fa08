// Stands in for CUDA's warp matrix functions, for the one shape that this project uses: 16x16x8, TF32
// operands, float32 accumulators. The elements of a fragment lie with the lanes in an order that the
// documentation leaves open; here lane l holds elements (32 i + l) * 5 mod the size, which no kernel can
// guess. Operands keep 10 bits of mantissa, as the hardware reads them; a kernel has to round with
// __float_to_tf32 first.
#pragma once

#include "cuda_runtime.h"

namespace cgan_sim {
inline float truncate_tf32(float v) { return __uint_as_float(__float_as_uint(v) & 0xffffe000u); }
// Where element i of this lane lies in a matrix of `size` elements: 5 and the size are coprime to each other.
inline int fragment_element(int i, int size) { return (i * 32 + (cgan_sim::self().rank & 31)) * 5 % size; }
} // namespace cgan_sim

namespace nvcuda::wmma {

struct matrix_a {};
struct matrix_b {};
struct accumulator {};
struct row_major {};
struct col_major {};
namespace precision {
struct tf32 {};
} // namespace precision
enum layout_t { mem_row_major, mem_col_major };

template <class Use, int M, int N, int K, class T, class Layout = void> struct fragment;
template <class L> struct fragment<matrix_a, 16, 16, 8, precision::tf32, L> {
    static constexpr int num_elements = 4;
    float x[4];
};
template <class L> struct fragment<matrix_b, 16, 16, 8, precision::tf32, L> {
    static constexpr int num_elements = 4;
    float x[4];
};
template <> struct fragment<accumulator, 16, 16, 8, float> {
    static constexpr int num_elements = 8;
    float x[8];
};

inline float __float_to_tf32(float v) {
    const unsigned bits = __float_as_uint(v);
    if ((bits & 0x7f800000u) == 0x7f800000u) return v;
    return __uint_as_float((bits + 0x1000u) & 0xffffe000u); // to nearest, ties away from zero
}

template <class F, class V> void fill_fragment(F& f, const V& value) {
    for (float& v : f.x) v = value;
}

template <class L> void load_matrix_sync(fragment<matrix_a, 16, 16, 8, precision::tf32, L>& f, const float* p,
                                         unsigned ldm, CganSimPlace where = CganSimPlace::current()) {
    cgan_sim::check_aligned(p, 32);
    for (int i = 0; i < 4; i++) {
        const int e = cgan_sim::fragment_element(i, 128), row = e / 8, col = e % 8;
        f.x[i] = std::is_same_v<L, row_major> ? p[row * ldm + col] : p[col * ldm + row];
    }
    __syncwarp(0xffffffffu, where);
}

template <class L> void load_matrix_sync(fragment<matrix_b, 16, 16, 8, precision::tf32, L>& f, const float* p,
                                         unsigned ldm, CganSimPlace where = CganSimPlace::current()) {
    cgan_sim::check_aligned(p, 32);
    for (int i = 0; i < 4; i++) {
        const int e = cgan_sim::fragment_element(i, 128), row = e / 16, col = e % 16;
        f.x[i] = std::is_same_v<L, row_major> ? p[row * ldm + col] : p[col * ldm + row];
    }
    __syncwarp(0xffffffffu, where);
}

inline void store_matrix_sync(float* p, const fragment<accumulator, 16, 16, 8, float>& f, unsigned ldm,
                              layout_t layout, CganSimPlace where = CganSimPlace::current()) {
    cgan_sim::check_aligned(p, 32);
    for (int i = 0; i < 8; i++) {
        const int e = cgan_sim::fragment_element(i, 256), row = e / 16, col = e % 16;
        p[layout == mem_row_major ? row * ldm + col : col * ldm + row] = f.x[i];
    }
    __syncwarp(0xffffffffu, where);
}

template <class LA, class LB> void mma_sync(fragment<accumulator, 16, 16, 8, float>& d,
                                            const fragment<matrix_a, 16, 16, 8, precision::tf32, LA>& a,
                                            const fragment<matrix_b, 16, 16, 8, precision::tf32, LB>& b,
                                            const fragment<accumulator, 16, 16, 8, float>& c,
                                            CganSimPlace where = CganSimPlace::current()) {
    struct Operands {
        const float *a, *b;
    } mine{a.x, b.x};
    float ma[128], mb[128];
    void* const* lanes = cgan_sim::warp_publish(&mine, where);
    for (int lane = 0; lane < 32; lane++)
        for (int i = 0; i < 4; i++) {
            const int e = (i * 32 + lane) * 5 % 128;
            ma[e] = cgan_sim::truncate_tf32(static_cast<const Operands*>(lanes[lane])->a[i]);
            mb[e] = cgan_sim::truncate_tf32(static_cast<const Operands*>(lanes[lane])->b[i]);
        }
    for (int i = 0; i < 8; i++) {
        const int e = cgan_sim::fragment_element(i, 256), row = e / 16, col = e % 16;
        float sum = c.x[i];
        for (int k = 0; k < 8; k++) sum += ma[row * 8 + k] * mb[k * 16 + col];
        d.x[i] = sum;
    }
    __syncwarp(0xffffffffu, where);
}

} // namespace nvcuda::wmma
