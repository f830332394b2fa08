// Updates of the optimisers over contiguous floats.
//
// bound   : memory; Adam reads 16 bytes and writes 12 for each parameter
// repeat  : element-wise, so bits do not depend on how the work was split
#pragma once

#include "cpu/fast/elementwise_kernels.h"

namespace cgan::fast::CGAN_ISA {

// f(vectors of p, g, a, b) updates p, a and b; a and b may be null and then read as zero.
template <class F>
CGAN_INLINE void update(float* p, const float* g, float* a, float* b, std::int64_t n, F f) {
    std::int64_t i = 0;
    for (; i + kLanes <= n; i += kLanes) {
        Vec pv = load(p + i), av = a ? load(a + i) : Vec{}, bv = b ? load(b + i) : Vec{};
        f(pv, load(g + i), av, bv);
        store(p + i, pv);
        if (a) store(a + i, av);
        if (b) store(b + i, bv);
    }
    const std::int64_t m = n - i;
    if (m == 0) return;
    Vec pv = load_part(p + i, m), av = a ? load_part(a + i, m) : Vec{}, bv = b ? load_part(b + i, m) : Vec{};
    f(pv, load_part(g + i, m), av, bv);
    store_part(p + i, pv, m);
    if (a) store_part(a + i, av, m);
    if (b) store_part(b + i, bv, m);
}

static void adam(const AdamStep& s, float* param, const float* grad, float* m, float* v, std::int64_t n) {
    const Vec b1 = splat(s.keep1), b2 = splat(s.keep2), c1 = splat(s.take1), c2 = splat(s.take2);
    const Vec eps = splat(s.epsilon), step = splat(s.step), decay = splat(s.decay), root = splat(s.root);
    update(param, grad, m, v, n, [=](Vec& p, Vec g, Vec& mv, Vec& vv) {
        mv = b1 * mv + c1 * g;
        vv = b2 * vv + c2 * (g * g);
        p = p * decay - step * mv / (vsqrt(vv) * root + eps);
    });
}

static void sgd(float lr, float momentum, float decay, bool nesterov, float* param, const float* grad,
                float* velocity, std::int64_t n) {
    const Vec rate = splat(lr), mu = splat(momentum), wd = splat(decay);
    update(param, grad, velocity, nullptr, n, [=](Vec& p, Vec g, Vec& u, Vec&) {
        const Vec full = g + wd * p;
        u = mu * u + full;
        p = p - rate * (nesterov ? full + mu * u : u);
    });
}

static void rmsprop(float lr, float keep, float take, float epsilon, float* param, const float* grad,
                    float* v, std::int64_t n) {
    const Vec rate = splat(lr), r = splat(keep), c = splat(take), eps = splat(epsilon);
    update(param, grad, v, nullptr, n, [=](Vec& p, Vec g, Vec& vv, Vec&) {
        vv = r * vv + c * (g * g);
        p = p - rate * g / (vsqrt(vv) + eps);
    });
}

static void ema(float keep, float take, const float* src, float* dst, std::int64_t n) {
    const Vec k = splat(keep), t = splat(take);
    map2(src, dst, dst, n, [=](Vec s, Vec d) { return k * d + t * s; });
}

} // namespace cgan::fast::CGAN_ISA
