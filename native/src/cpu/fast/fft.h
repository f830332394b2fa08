// Discrete Fourier transforms of short, constant lengths, in straight-line code over vectors: each lane is a
// channel.
//
// method  : decimation in time by two; real input and Hermitian output are used throughout (half the work)
// scale   : none; forward then inverse multiplies by the length
// length  : powers of two up to 32; twiddle factors are constants, those of 1, i and (1 + i) / sqrt 2 cost
//           less
// error   : grows as log2 of the length, about 1e-7 relative to the norm for 16
#pragma once

#include <utility>

#include "cpu/fast/simd.h"

namespace cgan::fast::CGAN_ISA {

template <int i> struct Index {
    static constexpr int value = i;
    constexpr operator int() const { return i; }
};

template <class F, int... i>
CGAN_INLINE void unroll_sequence([[maybe_unused]] F f, std::integer_sequence<int, i...>) {
    (f(Index<i>{}), ...);
}
// f(Index<0>{}) ... f(Index<n - 1>{}): a loop whose counter is a constant, so that arrays become registers.
template <int n, class F> CGAN_INLINE void unroll(F f) {
    unroll_sequence(f, std::make_integer_sequence<int, n>{});
}

struct Complex {
    Vec re, im;
};

CGAN_INLINE Complex add(Complex a, Complex b) { return {a.re + b.re, a.im + b.im}; }
CGAN_INLINE Complex subtract(Complex a, Complex b) { return {a.re - b.re, a.im - b.im}; }
CGAN_INLINE Complex conjugate(Complex a) { return {a.re, -a.im}; }

// cos(2 pi k / 32) for k = 0..8.
inline constexpr float kCosines[9] = {1.0f,         0.980785280f, 0.923879533f, 0.831469612f, 0.707106781f,
                                      0.555570233f, 0.382683432f, 0.195090322f, 0.0f};

constexpr float cosine(int k) { // of 2 pi k / 32
    k = ((k % 32) + 32) % 32;
    if (k > 16) k = 32 - k;
    return k <= 8 ? kCosines[k] : -kCosines[16 - k];
}

// a * e^(direction * 2 pi i k / n)
template <int k, int n, int direction> CGAN_INLINE Complex rotate(Complex a) {
    constexpr int step = k * (32 / n);
    constexpr float c = cosine(step), s = direction * cosine(step - 8);
    if constexpr (step == 0) return a;
    if constexpr (step == 8) return direction > 0 ? Complex{-a.im, a.re} : Complex{a.im, -a.re};
    if constexpr (step == 4) // c = |s|: the sum first, then one product each
        return direction > 0 ? Complex{(a.re - a.im) * splat(c), (a.re + a.im) * splat(c)}
                             : Complex{(a.re + a.im) * splat(c), (a.im - a.re) * splat(c)};
    return {a.re * splat(c) - a.im * splat(s), a.re * splat(s) + a.im * splat(c)};
}

// out[k] = sum over j of in[j * stride] e^(direction * 2 pi i j k / n)
template <int n, int stride, int direction> CGAN_INLINE void transform(const Complex* in, Complex* out) {
    if constexpr (n == 1) {
        out[0] = in[0];
    } else {
        Complex even[n / 2], odd[n / 2];
        transform<n / 2, stride * 2, direction>(in, even);
        transform<n / 2, stride * 2, direction>(in + stride, odd);
        unroll<n / 2>([&](auto k) {
            const Complex t = rotate<k, n, direction>(odd[k]);
            out[k] = add(even[k], t);
            out[k + n / 2] = subtract(even[k], t);
        });
    }
}

// out[0..n/2] of real in; out[0] and out[n/2] have imaginary part 0, which is not written.
template <int n, int stride> CGAN_INLINE void real_transform(const Vec* in, Complex* out) {
    if constexpr (n == 2) {
        out[0].re = in[0] + in[stride];
        out[1].re = in[0] - in[stride];
    } else {
        constexpr int quarter = n / 4;
        Complex even[n / 4 + 1], odd[n / 4 + 1];
        real_transform<n / 2, stride * 2>(in, even);
        real_transform<n / 2, stride * 2>(in + stride, odd);
        out[0].re = even[0].re + odd[0].re;
        out[n / 2].re = even[0].re - odd[0].re;
        out[quarter] = {even[quarter].re, -odd[quarter].re};
        unroll<quarter - 1>([&](auto i) {
            constexpr int k = i + 1;
            const Complex t = rotate<k, n, -1>(odd[k]);
            out[k] = add(even[k], t);
            out[n / 2 - k] = conjugate(subtract(even[k], t));
        });
    }
}

// The inverse: real out[j * stride] of the Hermitian in[0..n/2], whose ends' imaginary parts are not read.
template <int n, int stride> CGAN_INLINE void inverse_real_transform(const Complex* in, Vec* out) {
    if constexpr (n == 2) {
        out[0] = in[0].re + in[1].re;
        out[stride] = in[0].re - in[1].re;
    } else {
        constexpr int quarter = n / 4;
        Complex even[n / 4 + 1], odd[n / 4 + 1];
        even[0].re = in[0].re + in[n / 2].re;
        odd[0].re = in[0].re - in[n / 2].re;
        even[quarter].re = in[quarter].re + in[quarter].re;
        odd[quarter].re = -(in[quarter].im + in[quarter].im);
        unroll<quarter - 1>([&](auto i) {
            constexpr int k = i + 1;
            const Complex mirror = conjugate(in[n / 2 - k]);
            even[k] = add(in[k], mirror);
            odd[k] = rotate<k, n, 1>(subtract(in[k], mirror));
        });
        inverse_real_transform<n / 2, stride * 2>(even, out);
        inverse_real_transform<n / 2, stride * 2>(odd, out + stride);
    }
}

} // namespace cgan::fast::CGAN_ISA
