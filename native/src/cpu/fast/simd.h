// Vectors of floats, by the compiler's vector extensions: one source for SSE2, AVX2+FMA, AVX-512 and NEON.
//
// Included only by the files that are compiled once for each instruction set, which define CGAN_ISA to a name
// (baseline, avx2, avx512). Everything lives in that name's namespace, so that no inline function of one instruction
// set is ever linked into another. a * b + c is contracted to a fused multiply-add where there is one
// (-ffp-contract=fast).
#pragma once

#include <cstdint>
#include <cstring>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#if !defined(CGAN_ISA)
#error "compile this file once for each instruction set, with -DCGAN_ISA=<name>"
#endif

#define CGAN_INLINE static inline __attribute__((always_inline))
#define CGAN_INLINE_MEMBER inline __attribute__((always_inline))
#define CGAN_INLINE_LAMBDA __attribute__((always_inline)) // after the parameters

namespace cgan::fast::CGAN_ISA {

#if defined(__AVX512F__)
inline constexpr int kLanes = 16;
#elif defined(__AVX2__)
inline constexpr int kLanes = 8;
#else
inline constexpr int kLanes = 4;
#endif
// Vectors side by side in a register tile: 6 x kWide accumulators, kWide columns and one broadcast fill the
// registers, of which AVX-512 and NEON have 32.
#if defined(__AVX512F__) || defined(__aarch64__)
inline constexpr int kWide = 4;
#else
inline constexpr int kWide = 2;
#endif

typedef float Vec __attribute__((vector_size(kLanes * 4)));
typedef std::int32_t Int __attribute__((vector_size(kLanes * 4)));
typedef std::uint8_t Bytes __attribute__((vector_size(kLanes)));
typedef double Wide __attribute__((vector_size(kLanes * 8)));
typedef float VecAtFloat __attribute__((vector_size(kLanes * 4), aligned(4), may_alias));

CGAN_INLINE Vec load(const float* p) { return *reinterpret_cast<const VecAtFloat*>(p); }
CGAN_INLINE void store(float* p, Vec v) { *reinterpret_cast<VecAtFloat*>(p) = v; }
// Past the caches, to an aligned address: what nobody reads soon need not be fetched before it is written.
CGAN_INLINE void store_past(float* p, Vec v) {
#if defined(__AVX512F__)
    _mm512_stream_ps(p, reinterpret_cast<__m512>(v));
#elif defined(__AVX2__)
    _mm256_stream_ps(p, reinterpret_cast<__m256>(v));
#elif defined(__x86_64__)
    _mm_stream_ps(p, reinterpret_cast<__m128>(v));
#else
    store(p, v);
#endif
}
// Before another thread reads what was stored past the caches.
CGAN_INLINE void end_stores_past() {
#if defined(__x86_64__)
    _mm_sfence();
#endif
}
CGAN_INLINE Vec splat(float x) { return x - Vec{}; } // x - 0 is x, -0 included
CGAN_INLINE Int splat_int(std::int32_t x) { return Int{} + x; }
CGAN_INLINE Int bits(Vec v) { return reinterpret_cast<Int>(v); }
CGAN_INLINE Vec from_bits(Int v) { return reinterpret_cast<Vec>(v); }

#if defined(__AVX512F__)
CGAN_INLINE __mmask16 first_lanes(std::int64_t n) { return static_cast<__mmask16>((1u << n) - 1); }
#endif

// The first n < kLanes floats; the others are `fill`.
CGAN_INLINE Vec load_part(const float* p, std::int64_t n, float fill = 0) {
#if defined(__AVX512F__)
    return _mm512_mask_loadu_ps(splat(fill), first_lanes(n), p);
#else
    float t[kLanes];
    for (int i = 0; i < kLanes; i++) t[i] = fill;
    std::memcpy(t, p, static_cast<std::size_t>(n) * sizeof(float));
    return load(t);
#endif
}
CGAN_INLINE void store_part(float* p, Vec v, std::int64_t n) {
#if defined(__AVX512F__)
    _mm512_mask_storeu_ps(p, first_lanes(n), v);
#else
    float t[kLanes];
    store(t, v);
    std::memcpy(p, t, static_cast<std::size_t>(n) * sizeof(float));
#endif
}

CGAN_INLINE Vec select(Int mask, Vec yes, Vec no) {
#if defined(__AVX512F__)
    return mask ? yes : no; // through a mask register
#else
    return from_bits((bits(yes) & mask) | (bits(no) & ~mask));
#endif
}
// The first operand wins where the comparison is false, so a NaN in it survives.
#if defined(__AVX512F__)
CGAN_INLINE Vec vmin(Vec a, Vec b) { return _mm512_maskz_min_ps(0xffff, b, a); }
CGAN_INLINE Vec vmax(Vec a, Vec b) { return _mm512_maskz_max_ps(0xffff, b, a); }
#elif defined(__AVX2__)
CGAN_INLINE Vec vmin(Vec a, Vec b) { return _mm256_min_ps(b, a); }
CGAN_INLINE Vec vmax(Vec a, Vec b) { return _mm256_max_ps(b, a); }
#elif defined(__x86_64__)
CGAN_INLINE Vec vmin(Vec a, Vec b) { return _mm_min_ps(b, a); }
CGAN_INLINE Vec vmax(Vec a, Vec b) { return _mm_max_ps(b, a); }
#else
CGAN_INLINE Vec vmin(Vec a, Vec b) { return select(b < a, b, a); }
CGAN_INLINE Vec vmax(Vec a, Vec b) { return select(b > a, b, a); }
#endif
CGAN_INLINE Vec vabs(Vec a) { return from_bits(bits(a) & splat_int(0x7fffffff)); }
CGAN_INLINE Vec with_sign_of(Vec magnitude, Vec sign) {
    return from_bits((bits(magnitude) & splat_int(0x7fffffff)) | (bits(sign) & splat_int(INT32_MIN)));
}
CGAN_INLINE Vec vsqrt(Vec a) {
    Vec r = a;
    for (int i = 0; i < kLanes; i++) r[i] = __builtin_sqrtf(a[i]);
    return r;
}
CGAN_INLINE float sum_lanes(Vec v) { // pairwise
    float t[kLanes];
    store(t, v);
    for (int w = kLanes / 2; w > 0; w /= 2)
        for (int i = 0; i < w; i++) t[i] += t[i + w];
    return t[0];
}
template <class T> CGAN_INLINE T least(T a, T b) { return b < a ? b : a; }

} // namespace cgan::fast::CGAN_ISA
