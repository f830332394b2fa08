// Elementary functions of vectors. Errors are the greatest relative ones found over all finite results that
// are normal numbers (test: function_errors_test.cpp); NaN gives NaN. Coefficients: least maximum relative error,
// by weighted least squares in float64.
#pragma once

#include "cpu/fast/simd.h"

namespace cgan::fast::CGAN_ISA {

// 2^n for n of -126..127, as integers.
CGAN_INLINE Vec power_of_two(Int n) { return from_bits((n + 127) << 23); }

// e^x, error 1.5e-7; 0 below -104, infinity above 88.73.
CGAN_INLINE Vec vexp(Vec x) {
    const Vec clamped = vmax(vmin(x, splat(89.0f)), splat(-104.0f));
    const Vec shifted = clamped * splat(1.44269504f) + splat(12582912.0f); // 1.5 * 2^23: rounds to an integer
    const Vec n = shifted - splat(12582912.0f);
    Vec r = clamped - n * splat(0.693145752f); // ln 2 in two parts, the first with trailing zeros
    r = r - n * splat(1.42860677e-6f);
    Vec p = r * splat(1.3814612e-3f) + splat(8.3687103e-3f);
    p = p * r + splat(4.1668387e-2f);
    p = p * r + splat(1.6666521e-1f);
    p = p * r + splat(4.9999993e-1f);
    p = p * r * r + r + splat(1.0f);
    const Int i = bits(shifted) - splat_int(0x4b400000);
    const Int half = i >> 1; // two factors: 2^n itself may be out of range
    return p * power_of_two(half) * power_of_two(i - half);
}

// ln x, error 1.2e-7 (absolute near 1); -infinity at 0, NaN below.
CGAN_INLINE Vec vlog(Vec x) {
    const Int tiny = x < splat(1.17549435e-38f);
    const Vec normal = select(tiny, x * splat(8388608.0f), x);
    // m in [sqrt(1/2), sqrt(2)), x = m * 2^e
    // Without its sign, which would overflow here, a number below 0 gives NaN all the same.
    const Int offset = (bits(normal) & splat_int(INT32_MAX)) - splat_int(0x3f3504f3);
    const Int exponent = (offset >> 23) - (tiny & splat_int(23));
    const Vec m = from_bits((offset & splat_int(0x007fffff)) + splat_int(0x3f3504f3));
    const Vec f = m - splat(1.0f);
    Vec p = f * splat(6.7466246e-2f) - splat(1.1675656e-1f);
    p = p * f + splat(1.1888172e-1f);
    p = p * f - splat(1.2405589e-1f);
    p = p * f + splat(1.4219551e-1f);
    p = p * f - splat(1.6667996e-1f);
    p = p * f + splat(2.0002119e-1f);
    p = p * f - splat(2.5000010e-1f);
    p = p * f + splat(3.3333313e-1f);
    const Vec e = __builtin_convertvector(exponent, Vec);
    const Vec square = f * f;
    Vec r = p * f * square + e * splat(1.42860677e-6f) - splat(0.5f) * square + f + e * splat(0.693145752f);
    r = select(x == splat(__builtin_inff()), x, r);
    r = select(x == splat(0.0f), splat(-__builtin_inff()), r);
    return select((x < splat(0.0f)) | (x != x), splat(__builtin_nanf("")), r);
}

// tanh x, error 3.4e-7: x P(x^2) / Q(x^2), limited to [-1, 1].
CGAN_INLINE Vec vtanh(Vec x) {
    const Vec c = vmax(vmin(x, splat(9.02f)), splat(-9.02f));
    const Vec t = c * c;
    Vec p = t * splat(1.33177904e-8f) + splat(2.05825581e-5f);
    p = p * t + splat(3.49397934e-3f);
    p = p * t + splat(1.33796722e-1f);
    p = p * t + splat(1.0f);
    Vec q = t * splat(7.7614942e-7f) + splat(3.28300172e-4f);
    q = q * t + splat(2.58708652e-2f);
    q = q * t + splat(4.67129886e-1f);
    q = q * t + splat(1.0f);
    return vmax(vmin(c * p / q, splat(1.0f)), splat(-1.0f));
}

// 1 / (1 + e^-x), error 2.5e-7, also where the result is tiny.
CGAN_INLINE Vec vsigmoid(Vec x) {
    const Vec e = vexp(from_bits(bits(x) | splat_int(INT32_MIN))); // e^-|x|
    return select(x < splat(0.0f), e, splat(1.0f)) / (splat(1.0f) + e);
}

// ln(1 + u) for u of [0, 1]; the rounding of 1 + u is put back.
CGAN_INLINE Vec vlog1p(Vec u) {
    const Vec w = splat(1.0f) + u;
    return vlog(w) + (u - (w - splat(1.0f))) / w;
}

// ln(1 + e^x), error 3e-7.
CGAN_INLINE Vec vsoftplus(Vec x) {
    return vmax(x, splat(0.0f)) + vlog1p(vexp(from_bits(bits(x) | splat_int(INT32_MIN))));
}

} // namespace cgan::fast::CGAN_ISA
