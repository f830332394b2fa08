// spectral_plan.cpp -- which convolutions go by Fourier transforms, and how their images are cut into windows
#include <algorithm>
#include <utility>

#include "cpu/fast/conv_fft.h"

namespace cgan::fast {

std::vector<Stencil> stencils_of(const SpectralPlan& plan) {
    std::vector<Stencil> all;
    for (const Phase& y : plan.ys)
        for (const Phase& x : plan.xs) all.push_back({y, x});
    return all;
}

namespace {

// Least and greatest tap offset and most results of an axis's phases.
struct Extent {
    std::int64_t low, reach, count;
    explicit Extent(const AxisPlan& plan) : low(INT64_MAX), reach(0), count(0) {
        std::int64_t high = INT64_MIN;
        for (const Phase& p : plan) {
            count = std::max(count, p.count);
            for (const Tap& t : p.taps) {
                low = std::min(low, t.offset);
                high = std::max(high, t.offset);
            }
        }
        reach = high - low + 1;
    }
    // One window of n holds the axis: results and sources that wrap around meet only zeros.
    bool fits(std::int64_t n, std::int64_t source) const {
        return count + reach - 1 + low <= n && source - low <= n;
    }
};

SpectralPlan plan_windows(const ConvShape& s, const AxisPlan& ys, const AxisPlan& xs, int n) {
    const Extent y(ys), x(xs);
    SpectralPlan p{n,       ys,    xs,      y.low,   x.low, y.reach, x.reach, y.count,
                   x.count, false, y.count, x.count, 1,     1,       0};
    p.single = y.low <= 0 && x.low <= 0 && y.fits(n, s.h) && x.fits(n, s.w);
    if (!p.single) {
        p.tile_y = n - y.reach + 1;
        p.tile_x = n - x.reach + 1;
        p.tiles_y = ceil_div(y.count, p.tile_y);
        p.tiles_x = ceil_div(x.count, p.tile_x);
    }
    return p;
}

// Of an image. By data they tile the source, which without padding is larger than the result.
std::int64_t windows_of(const ConvShape& s, const SpectralPlan& p, Pass pass) {
    if (p.single || pass != Pass::BackwardData) return p.tiles();
    return ceil_div(s.h, p.tile_y) * ceil_div(s.w, p.tile_x);
}

// Multiplications, or as long as they take.
double spectral_cost(const ConvShape& s, const SpectralPlan& p, Pass pass) {
    const double side = p.n, windows = static_cast<double>(s.n * windows_of(s, p, pass));
    const double c = static_cast<double>(round_up(s.c, kPanel)),
                 k = static_cast<double>(p.phases() * round_up(s.k, kPanel));
    const double transforms = 20.0 * side * side * (windows * (c + k) + c * k);
    return static_cast<double>(4 + 3 * complex_count(p.n)) * windows * c * k * 1.1 + transforms;
}

double direct_cost(const ConvShape& s, const SpectralPlan& p) {
    double taps = 0;
    for (const Stencil& phase : stencils_of(p)) taps += static_cast<double>(phase.taps() * phase.positions());
    return taps * static_cast<double>(s.n * s.c * round_up(s.k, kPanel));
}

} // namespace

std::optional<SpectralPlan> plan_spectral(const ConvShape& shape, Pass pass) {
    if (shape.stride_h != 1 || shape.stride_w != 1 || shape.c < 8 || shape.k < 8) return std::nullopt;
    const AxisPlan ys = forward_plan(shape.vertical()), xs = forward_plan(shape.horizontal());
    std::optional<SpectralPlan> best;
    for (const int n : {8, 16}) {
        if (Extent(ys).reach > n / 2 + 1 || Extent(xs).reach > n / 2 + 1) continue;
        SpectralPlan plan = plan_windows(shape, ys, xs, n);
        plan.cost = spectral_cost(shape, plan, pass);
        if (plan.cost < direct_cost(shape, plan) && (!best || plan.cost < best->cost)) best = std::move(plan);
    }
    return best;
}

} // namespace cgan::fast
