// Element-wise kernels: dst[i] = f(src[i]), activation gradients, binary operations, epilogues.
//
// shapes  : n contiguous floats; src may be dst
// bound   : memory; exp, log, tanh and their kin 0.3-0.6 ns an element with AVX2
// repeat  : an element's bits do not depend on its place: tails run the same vector code
// reference: cpu/reference; error of each function: math.h
#pragma once

#include <type_traits>

#include "cgan.h"
#include "cpu/fast/kernels.h"
#include "cpu/fast/math.h"

namespace cgan::fast::CGAN_ISA {

// dst[i] = f(a[i]) in vectors; the tail is computed in a vector padded with ones.
template <class F> CGAN_INLINE void map(const float* a, float* dst, std::int64_t n, F f) {
    std::int64_t i = 0;
    for (; i + kLanes <= n; i += kLanes) store(dst + i, f(load(a + i)));
    if (i < n) store_part(dst + i, f(load_part(a + i, n - i, 1.0f)), n - i);
}

template <class F> CGAN_INLINE void map2(const float* a, const float* b, float* dst, std::int64_t n, F f) {
    std::int64_t i = 0;
    for (; i + kLanes <= n; i += kLanes) store(dst + i, f(load(a + i), load(b + i)));
    if (i < n) store_part(dst + i, f(load_part(a + i, n - i, 1.0f), load_part(b + i, n - i, 1.0f)), n - i);
}

CGAN_INLINE Vec sign_of(Vec x) {
    const Vec one = with_sign_of(splat(1.0f), x);
    return select(x == splat(0.0f), splat(0.0f), select(x != x, x, one));
}

static void unary(std::int32_t kind, float alpha, float beta, const float* s, float* d, std::int64_t n) {
    const Vec a = splat(alpha), b = splat(beta), zero = splat(0.0f), one = splat(1.0f);
    switch (kind) {
    case CGAN_UNARY_AFFINE:
        return map(s, d, n, [=](Vec x) { return a * x + b; });
    case CGAN_UNARY_EXP:
        return map(s, d, n, [](Vec x) { return vexp(x); });
    case CGAN_UNARY_LOG:
        return map(s, d, n, [](Vec x) { return vlog(x); });
    case CGAN_UNARY_SQRT:
        return map(s, d, n, [](Vec x) { return vsqrt(x); });
    case CGAN_UNARY_RSQRT:
        return map(s, d, n, [=](Vec x) { return one / vsqrt(x); });
    case CGAN_UNARY_SQUARE:
        return map(s, d, n, [](Vec x) { return x * x; });
    case CGAN_UNARY_ABS:
        return map(s, d, n, [](Vec x) { return vabs(x); });
    case CGAN_UNARY_RECIPROCAL:
        return map(s, d, n, [=](Vec x) { return one / x; });
    case CGAN_UNARY_SIGN:
        return map(s, d, n, [](Vec x) { return sign_of(x); });
    case CGAN_UNARY_STEP:
        return map(s, d, n, [=](Vec x) { return select(x > zero, one, a); });
    case CGAN_UNARY_CLAMP:
        return map(s, d, n, [=](Vec x) { return vmin(vmax(x, a), b); });
    case CGAN_UNARY_TANH:
        return map(s, d, n, [](Vec x) { return vtanh(x); });
    case CGAN_UNARY_SIGMOID:
        return map(s, d, n, [](Vec x) { return vsigmoid(x); });
    case CGAN_UNARY_SOFTPLUS:
        return map(s, d, n, [](Vec x) { return vsoftplus(x); });
    case CGAN_UNARY_RELU:
        return map(s, d, n, [=](Vec x) { return vmax(x, zero); });
    case CGAN_UNARY_LEAKY_RELU:
        return map(s, d, n, [=](Vec x) { return select(x > zero, x, a * x); });
    default:
        __builtin_unreachable();
    }
}

// f'(x) as a function of y = f(x).
CGAN_INLINE Vec tanh_slope(Vec y) { return splat(1.0f) - y * y; }
CGAN_INLINE Vec sigmoid_slope(Vec y) { return y * (splat(1.0f) - y); }
// sigmoid(x) = 1 - e^-y; for small y by its series, where the difference would cancel
CGAN_INLINE Vec softplus_slope(Vec y) {
    const Vec series = y * (splat(1.0f) - y * (splat(0.5f) - y * (splat(1.0f / 6) - y * splat(1.0f / 24))));
    return select(y < splat(0.0625f), series, splat(1.0f) - vexp(-y));
}

// d * f'(x), for one vector; the kind is a template argument of the loops around it.
template <int kind> CGAN_INLINE Vec act_gradient(Vec y, Vec d, Vec alpha) {
    if constexpr (kind == CGAN_ACT_TANH) return d * tanh_slope(y);
    if constexpr (kind == CGAN_ACT_SIGMOID) return d * sigmoid_slope(y);
    if constexpr (kind == CGAN_ACT_SOFTPLUS) return d * softplus_slope(y);
    if constexpr (kind == CGAN_ACT_RELU) return select(y > splat(0.0f), d, splat(0.0f));
    if constexpr (kind == CGAN_ACT_LEAKY_RELU) return d * select(y > splat(0.0f), splat(1.0f), alpha);
    return d;
}

template <int kind> CGAN_INLINE Vec act_value(Vec x, Vec alpha) {
    if constexpr (kind == CGAN_ACT_TANH) return vtanh(x);
    if constexpr (kind == CGAN_ACT_SIGMOID) return vsigmoid(x);
    if constexpr (kind == CGAN_ACT_SOFTPLUS) return vsoftplus(x);
    if constexpr (kind == CGAN_ACT_RELU) return vmax(x, splat(0.0f));
    if constexpr (kind == CGAN_ACT_LEAKY_RELU) return select(x > splat(0.0f), x, alpha * x);
    return x;
}

template <int k> struct Kind { static constexpr int value = k; };

// Calls f(Kind<kind>{}) for the activation given at run time.
template <class F> CGAN_INLINE void with_activation(std::int32_t kind, F f) {
    switch (kind) {
    case CGAN_ACT_TANH:
        return f(Kind<CGAN_ACT_TANH>{});
    case CGAN_ACT_SIGMOID:
        return f(Kind<CGAN_ACT_SIGMOID>{});
    case CGAN_ACT_SOFTPLUS:
        return f(Kind<CGAN_ACT_SOFTPLUS>{});
    case CGAN_ACT_RELU:
        return f(Kind<CGAN_ACT_RELU>{});
    case CGAN_ACT_LEAKY_RELU:
        return f(Kind<CGAN_ACT_LEAKY_RELU>{});
    default:
        return f(Kind<CGAN_ACT_NONE>{});
    }
}

static void act_backward(Activation act, const float* y, const float* d, float* dst, std::int64_t n) {
    const Vec alpha = splat(act.alpha);
    with_activation(act.kind, [=](auto kind) {
        map2(y, d, dst, n,
             [=](Vec yv, Vec dv) { return act_gradient<decltype(kind)::value>(yv, dv, alpha); });
    });
}

static void epilogue(const Epilogue& e, float* dst, std::int64_t rows, std::int64_t cols, std::int64_t ld) {
    const Vec alpha = splat(e.act.alpha);
    with_activation(e.act.kind, [=](auto kind) {
        float* row = dst;
        constexpr int k = decltype(kind)::value;
        for (std::int64_t r = 0; r < rows; r++, row += ld) {
            if (e.bia == nullptr)
                map(row, row, cols, [=](Vec x) { return act_value<k>(x, alpha); });
            else
                map2(row, e.bia, row, cols, [=](Vec x, Vec b) { return act_value<k>(x + b, alpha); });
        }
    });
}

static void epilogue_past(const Epilogue& e, const float* src, float* dst, std::int64_t rows,
                          std::int64_t cols) {
    const Vec alpha = splat(e.act.alpha);
    with_activation(e.act.kind, [=](auto kind) {
        constexpr int k = decltype(kind)::value;
        for (std::int64_t i = 0; i < rows * cols;)
            for (std::int64_t c = 0; c < cols; c += kLanes, i += kLanes) {
                const Vec shift = e.bia == nullptr ? Vec{} : load(e.bia + c);
                store_past(dst + i, act_value<k>(load(src + i) + shift, alpha));
            }
    });
    end_stores_past();
}

// b after a: the greater, the first of equals; NaN wins.
CGAN_INLINE Int beats(Vec b, Vec a) { return ~(b <= a) & (a == a); }

// Vectors of the first n channels of pixels; `whole`: n is kLanes.
template <bool whole> CGAN_INLINE Vec load_first(const float* p, std::int64_t n) {
    return whole ? load(p) : load_part(p, n);
}
template <bool whole> CGAN_INLINE void store_first(float* p, Vec v, std::int64_t n) {
    if (whole)
        store(p, v);
    else
        store_part(p, v, n);
}
// A place is a byte.
template <bool whole> CGAN_INLINE Int load_places(const std::uint8_t* p, std::int64_t n) {
    Bytes places = {};
    std::memcpy(&places, p, whole ? sizeof places : static_cast<std::size_t>(n));
    return __builtin_convertvector(places, Int);
}
template <bool whole> CGAN_INLINE void store_places(std::uint8_t* p, Int v, std::int64_t n) {
    const Bytes places = __builtin_convertvector(v, Bytes);
    std::memcpy(p, &places, whole ? sizeof places : static_cast<std::size_t>(n));
}

// Calls f(channel, n, whole) for vectors of channels.
template <class F> CGAN_INLINE void for_channels(std::int64_t channels, F f) {
    std::int64_t c = 0;
    for (; c + kLanes <= channels; c += kLanes) f(c, std::int64_t{kLanes}, std::true_type{});
    if (c < channels) f(c, channels - c, std::false_type{});
}

// One vector of channels, window after window, so that one's activation is computed while the next is compared.
template <int kind, bool whole> CGAN_INLINE void pool_channels(const PoolWindows& w, const float* src,
                                                               std::int64_t n, Vec shift, Vec alpha,
                                                               float* dst, std::uint8_t* arg) {
    for (std::int64_t i = 0; i < w.count; i++, src += w.step, dst += w.pooled_step, arg += w.pooled_step) {
        Vec best = load_first<whole>(src, n);
        Int at = {};
        for (int place = 1; place < 4; place++) {
            const Vec x = load_first<whole>(src + place % 2 * w.col + place / 2 * w.row, n);
            const Int better = beats(x, best);
            best = select(better, x, best);
            at = (splat_int(place) & better) | (at & ~better);
        }
        store_first<whole>(dst, act_value<kind>(best + shift, alpha), n);
        store_places<whole>(arg, at, n);
    }
}

static void pool_windows(const PoolWindows& w, const float* src, const Epilogue& e, float* dst,
                         std::uint8_t* arg) {
    const Vec alpha = splat(e.act.alpha);
    with_activation(e.act.kind, [=](auto kind) {
        for_channels(w.channels, [=](std::int64_t c, std::int64_t n, auto whole) {
            const Vec shift = e.bia == nullptr ? Vec{} : load_first<whole.value>(e.bia + c, n);
            pool_channels<decltype(kind)::value, whole.value>(w, src + c, n, shift, alpha, dst + c, arg + c);
        });
    });
}

template <int kind, bool whole> CGAN_INLINE void unpool_channels(const PoolWindows& w, const float* dst,
                                                                 const float* d_dst, const std::uint8_t* arg,
                                                                 std::int64_t n, Vec alpha, float* d_src) {
    for (std::int64_t i = 0; i < w.count; i++, d_src += w.step) {
        const std::int64_t from = i * w.pooled_step;
        const Vec g =
            act_gradient<kind>(load_first<whole>(dst + from, n), load_first<whole>(d_dst + from, n), alpha);
        const Int at = load_places<whole>(arg + from, n);
        for (int place = 0; place < 4; place++)
            store_first<whole>(d_src + place % 2 * w.col + place / 2 * w.row,
                               select(at == splat_int(place), g, Vec{}), n);
    }
}

static void unpool_windows(const PoolWindows& w, Activation act, const float* dst, const float* d_dst,
                           const std::uint8_t* arg, float* d_src) {
    const Vec alpha = splat(act.alpha);
    with_activation(act.kind, [=](auto kind) {
        for_channels(w.channels, [=](std::int64_t c, std::int64_t n, auto whole) {
            unpool_channels<decltype(kind)::value, whole.value>(w, dst + c, d_dst + c, arg + c, n, alpha,
                                                                d_src + c);
        });
    });
}

// a op b; a NaN of either operand reaches the result of MAX and MIN.
template <int kind> CGAN_INLINE Vec binary_value(Vec a, Vec b) {
    if constexpr (kind == CGAN_BINARY_ADD) return a + b;
    if constexpr (kind == CGAN_BINARY_SUB) return a - b;
    if constexpr (kind == CGAN_BINARY_MUL) return a * b;
    if constexpr (kind == CGAN_BINARY_DIV) return a / b;
    if constexpr (kind == CGAN_BINARY_MAX) return select((a > b) | (a != a), a, b);
    if constexpr (kind == CGAN_BINARY_MIN) return select((a < b) | (a != a), a, b);
    return select(a > b, splat(1.0f), splat(0.0f));
}

template <int kind>
static void binary_loop(Mode mode, const float* a, const float* b, float* d, std::int64_t n) {
    if (mode == Mode::VectorVector)
        return map2(a, b, d, n, [](Vec x, Vec y) { return binary_value<kind>(x, y); });
    const Vec repeated = splat(mode == Mode::VectorScalar ? *b : *a);
    if (mode == Mode::VectorScalar)
        return map(a, d, n, [=](Vec x) { return binary_value<kind>(x, repeated); });
    map(b, d, n, [=](Vec x) { return binary_value<kind>(repeated, x); });
}

static void binary(std::int32_t kind, Mode mode, const float* a, const float* b, float* d, std::int64_t n) {
    switch (kind) {
    case CGAN_BINARY_ADD:
        return binary_loop<CGAN_BINARY_ADD>(mode, a, b, d, n);
    case CGAN_BINARY_SUB:
        return binary_loop<CGAN_BINARY_SUB>(mode, a, b, d, n);
    case CGAN_BINARY_MUL:
        return binary_loop<CGAN_BINARY_MUL>(mode, a, b, d, n);
    case CGAN_BINARY_DIV:
        return binary_loop<CGAN_BINARY_DIV>(mode, a, b, d, n);
    case CGAN_BINARY_MAX:
        return binary_loop<CGAN_BINARY_MAX>(mode, a, b, d, n);
    case CGAN_BINARY_MIN:
        return binary_loop<CGAN_BINARY_MIN>(mode, a, b, d, n);
    default:
        return binary_loop<CGAN_BINARY_GREATER>(mode, a, b, d, n);
    }
}

} // namespace cgan::fast::CGAN_ISA
