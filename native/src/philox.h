// Philox4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011) and
// the numbers that cgan_random makes of its words, in arithmetic that gives the same bits on every device:
// integers, float products and sums rounded one at a time, and the correctly rounded square root.
//
// On a host this needs -ffp-contract=off; device compilers are told by the rounding intrinsics.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#if defined(__CUDACC__)
#define CGAN_HOST_DEVICE __host__ __device__ inline
#else
#define CGAN_HOST_DEVICE inline
#endif

namespace cgan::philox {

struct Words {
    std::uint32_t w[4];
};

// ---- arithmetic
// -------------------------------------------------------------------------------------------------

CGAN_HOST_DEVICE float multiply(float a, float b) {
#if defined(__CUDA_ARCH__)
    return __fmul_rn(a, b);
#else
    return a * b;
#endif
}

CGAN_HOST_DEVICE float add(float a, float b) {
#if defined(__CUDA_ARCH__)
    return __fadd_rn(a, b);
#else
    return a + b;
#endif
}

CGAN_HOST_DEVICE double multiply(double a, double b) {
#if defined(__CUDA_ARCH__)
    return __dmul_rn(a, b);
#else
    return a * b;
#endif
}

CGAN_HOST_DEVICE double add(double a, double b) {
#if defined(__CUDA_ARCH__)
    return __dadd_rn(a, b);
#else
    return a + b;
#endif
}

CGAN_HOST_DEVICE float square_root(float a) {
#if defined(__CUDA_ARCH__)
    return __fsqrt_rn(a);
#else
    return std::sqrt(a);
#endif
}

// ---- the generator
// ----------------------------------------------------------------------------------------------

CGAN_HOST_DEVICE Words philox4x32_10(Words counter, std::uint32_t key0, std::uint32_t key1) {
    for (int round = 0; round < 10; round++) {
        const std::uint64_t a = std::uint64_t{0xD2511F53u} * counter.w[0];
        const std::uint64_t b = std::uint64_t{0xCD9E8D57u} * counter.w[2];
        counter = {{static_cast<std::uint32_t>(b >> 32) ^ counter.w[1] ^ key0, static_cast<std::uint32_t>(b),
                    static_cast<std::uint32_t>(a >> 32) ^ counter.w[3] ^ key1,
                    static_cast<std::uint32_t>(a)}};
        key0 += 0x9E3779B9u;
        key1 += 0xBB67AE85u;
    }
    return counter;
}

// The four words of elements 4 * block .. 4 * block + 3 of a stream at a step.
CGAN_HOST_DEVICE Words words(std::uint64_t seed, std::uint32_t stream, std::uint64_t step,
                             std::uint32_t block) {
    const Words counter = {
        {block, stream, static_cast<std::uint32_t>(step), static_cast<std::uint32_t>(step >> 32)}};
    return philox4x32_10(counter, static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32));
}

// ---- numbers from words
// -----------------------------------------------------------------------------------------

// In [0, 1), a multiple of 2^-24.
CGAN_HOST_DEVICE float unit(std::uint32_t word) { return multiply(static_cast<float>(word >> 8), 0x1p-24f); }

// In [a, b): a + (b - a) * unit; where rounding would reach b, a. T is float or double.
template <class T> CGAN_HOST_DEVICE T uniform(std::uint32_t word, T a, T b) {
    const T x = add(a, multiply(add(b, -a), static_cast<T>(unit(word))));
    return x < b ? x : a;
}

// A word's upper 24 bits are below this number with probability p.
CGAN_HOST_DEVICE std::uint32_t bernoulli_threshold(double p) {
    return static_cast<std::uint32_t>(std::ceil(multiply(p, 0x1p24)));
}

// In low .. low + range - 1; the probabilities differ by less than 2^-32.
CGAN_HOST_DEVICE std::int32_t integer(std::uint32_t word, std::int32_t low, std::uint32_t range) {
    return static_cast<std::int32_t>(low + static_cast<std::int64_t>((std::uint64_t{word} * range) >> 32));
}

// The logarithm of m * 2^-24, m in 1 .. 2^24, with a relative error below 2e-7. With m = 2^e (1 + f) and 1 +
// f in [sqrt(1/2), sqrt(2)]: (e - 24) log 2 + f P(f), P of degree 8, minimax.
CGAN_HOST_DEVICE float log_unit(std::uint32_t m) {
    const float value = static_cast<float>(m); // exact
    std::uint32_t bits = 0;
    std::memcpy(&bits, &value, sizeof bits);
    int exponent = static_cast<int>(bits >> 23) - 127 - 24;
    bits = (bits & 0x007FFFFFu) | 0x3F800000u; // 1 + f in [1, 2)
    if (bits > 0x3FB504F3u) {                  // above sqrt(2): halve
        bits -= 0x00800000u;
        exponent++;
    }
    float mantissa = 0;
    std::memcpy(&mantissa, &bits, sizeof mantissa);
    const float f = add(mantissa, -1.0f); // exact
    const float c[] = {0.08959909528493881f,  -0.14482185244560242f, 0.1491737812757492f,
                       -0.16543738543987274f, 0.19958417117595673f,  -0.25002947449684143f,
                       0.3333415985107422f,   -0.4999997913837433f,  1.0f};
    float p = c[0];
    for (int i = 1; i < 9; i++) p = add(multiply(p, f), c[i]);
    const float e = static_cast<float>(exponent);
    const float low = add(multiply(e, -2.12194440e-4f), multiply(f, p));
    return add(multiply(e, 0.693359375f), low); // log 2 in two parts, the first product exact
}

struct Pair {
    float first, second;
};

// The cosine and sine of 2 pi v 2^-24, v in 0 .. 2^24 - 1, with an absolute error below 2e-7: v is taken to
// the nearest quarter turn, x = the rest, |x| <= 1/8 turn, then minimax polynomials in x^2.
CGAN_HOST_DEVICE Pair cos_sin_turn(std::uint32_t v) {
    const std::uint32_t quarter = (v + (1u << 21)) >> 22;
    const float x =
        multiply(static_cast<float>(static_cast<std::int32_t>(v - (quarter << 22))), 0x1p-24f); // exact
    const float z = multiply(x, x);
    float s = add(multiply(z, -75.40206909179688f), 81.5925521850586f);
    s = add(multiply(s, z), -41.3416633605957f);
    s = multiply(add(multiply(s, z), 6.2831854820251465f), x);
    float c = add(multiply(z, 59.22040557861328f), -85.44285583496094f);
    c = add(multiply(c, z), 64.93931579589844f);
    c = add(multiply(c, z), -19.739208221435547f);
    c = add(multiply(c, z), 1.0f);
    switch (quarter & 3) {
    case 0:
        return {c, s};
    case 1:
        return {-s, c};
    case 2:
        return {-c, -s};
    default:
        return {s, -c};
    }
}

// Two independent standard normals (Box and Muller 1958) of two words; |result| <= 5.77; absolute error below
// 2e-6.
CGAN_HOST_DEVICE Pair normal_pair(std::uint32_t word0, std::uint32_t word1) {
    const float radius = square_root(multiply(-2.0f, log_unit((1u << 24) - (word0 >> 8))));
    const Pair turn = cos_sin_turn(word1 >> 8);
    return {multiply(radius, turn.first), multiply(radius, turn.second)};
}

} // namespace cgan::philox
