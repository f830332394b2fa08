// winograd_plan.cpp -- which convolutions go by Winograd's transforms
#include <algorithm>

#include "cpu/fast/winograd_windows.h"

namespace cgan::fast {
namespace {

constexpr std::int64_t kMostBytes = std::int64_t{64} << 20; // of spectra
// Terms from which on the errors of 2 and of 3 taps' transforms are below twice a direct sum's.
constexpr std::int64_t kLongSum2 = 320, kLongSum3 = 512;
constexpr std::int64_t kWindowsTogether = 96; // of one transform of the filters, about

std::int64_t floor_div(std::int64_t a, std::int64_t b) { return a >= 0 ? a / b : -((-a + b - 1) / b); }

// Empty if some phase has no tap, or no pixel.
std::vector<SourcePhase> source_phases(const Axis& axis) {
    std::vector<SourcePhase> phases;
    for (std::int64_t q = 0; q < axis.stride; q++) {
        const std::int64_t row = (q + axis.pad) % axis.stride;
        if (row >= axis.kernel || q >= axis.source) return {};
        phases.push_back({q, ceil_div(axis.source - q, axis.stride), floor_div(row - axis.pad, axis.stride),
                          row, ceil_div(axis.kernel - row, axis.stride)});
    }
    return phases;
}

// Frequencies of all phases and tiles of an axis that have a product.
std::int64_t products(const WinogradPlan& plan, const std::vector<SourcePhase>& phases, const TileAxis& tiles) {
    std::int64_t sum = 0;
    for (const SourcePhase& phase : phases)
        sum += tiles.count * (plan.n() - 1 - (phase.taps < plan.taps)) + tiles.full;
    return sum;
}

// Multiplications, or as long as they take.
double winograd_cost(const ConvShape& s, const WinogradPlan& p, Pass pass) {
    const double windows = static_cast<double>(s.n * p.tiles()), planes = static_cast<double>(p.planes()),
                 phases = static_cast<double>(p.phases()), c = static_cast<double>(round_up(s.c, kPanel)),
                 k = static_cast<double>(round_up(s.k, kPanel));
    const double blocks =
        pass == Pass::BackwardFilter ? 1 : static_cast<double>(ceil_div(s.n * p.tiles(), kWindowsTogether));
    const double transforms = 20 * windows * (phases * c + k) + 10 * blocks * phases * c * k;
    const double products_of_image =
        static_cast<double>(products(p, p.ys, p.down) * products(p, p.xs, p.along));
    return 1.1 * products_of_image * static_cast<double>(s.n) * c * k + planes * transforms;
}

// Terms of a direct sum.
std::int64_t direct_terms(const ConvShape& s, Pass pass) {
    if (pass == Pass::Forward) return s.taps() * s.c;
    if (pass == Pass::BackwardData) return s.taps() * s.k / (s.stride_h * s.stride_w);
    return s.n * s.oh * s.ow;
}

// Whether the transforms' errors stay within twice a direct sum's. At stride 1, where nothing is summed over phases, 3 taps
// need longer sums, and the filter's gradient has none that are long enough.
bool accurate(const ConvShape& s, const WinogradPlan& plan, Pass pass) {
    const std::int64_t terms = direct_terms(s, pass);
    if (plan.taps == 2) return terms >= kLongSum2;
    if (s.stride_h > 1 || s.stride_w > 1) return terms >= kLongSum3;
    return pass != Pass::BackwardFilter && terms >= 2 * kLongSum3;
}

double direct_cost(const ConvShape& s) {
    return static_cast<double>(s.n * s.oh * s.ow * s.taps() * s.c * round_up(s.k, kPanel));
}

// Of what one image needs, and of the sums of a filter's gradient.
std::int64_t most_bytes(const ConvShape& s, const WinogradPlan& p, Pass pass) {
    const std::int64_t x = p.phases() * panels_of(s.c), y = panels_of(s.k);
    const std::int64_t panels = pass == Pass::Forward ? x : pass == Pass::BackwardData ? y : x + y;
    std::int64_t floats = Planes::floats(p.planes(), panels, p.tiles());
    if (pass == Pass::BackwardFilter)
        floats = std::max(floats, Planes::floats(p.planes(), x, round_up(s.k, kFilterRows)));
    return floats * static_cast<std::int64_t>(sizeof(float));
}

} // namespace

std::optional<WinogradPlan> plan_winograd(const ConvShape& shape, Pass pass) {
    if (shape.upsample != 1 || shape.c < 8 || shape.k < 8 || shape.n == 0) return std::nullopt;
    WinogradPlan plan{0, source_phases(shape.vertical()), source_phases(shape.horizontal()), {}, {}, 0};
    if (plan.ys.empty() || plan.xs.empty()) return std::nullopt;
    for (const auto* axis : {&plan.ys, &plan.xs})
        for (const SourcePhase& phase : *axis) plan.taps = std::max(plan.taps, static_cast<int>(phase.taps));
    if (plan.taps < 2 || plan.taps > 3 || !accurate(shape, plan, pass)) return std::nullopt;
    plan.down = TileAxis::over(shape.oh);
    plan.along = TileAxis::over(shape.ow);
    plan.cost = winograd_cost(shape, plan, pass);
    if (plan.cost >= direct_cost(shape) || most_bytes(shape, plan, pass) > kMostBytes) return std::nullopt;
    return plan;
}

} // namespace cgan::fast
