#include "cpu/fast/conv_plan.h"

#include <algorithm>

namespace cgan::fast {
namespace {

std::int64_t floor_div(std::int64_t a, std::int64_t b) { return a >= 0 ? a / b : -((-a + b - 1) / b); }

void add_tap(Phase& phase, std::int64_t offset, std::int64_t row) {
    const auto same =
        std::find_if(phase.taps.begin(), phase.taps.end(), [=](const Tap& t) { return t.offset == offset; });
    if (same == phase.taps.end())
        phase.taps.push_back({offset, {row}});
    else
        same->rows.push_back(row);
}

std::int64_t positions(std::int64_t total, std::int64_t first, std::int64_t step) {
    return first < total ? (total - first + step - 1) / step : 0;
}

} // namespace

AxisPlan forward_plan(const Axis& axis) {
    AxisPlan plan;
    // Enlarged: results o = 2 q + p read enlarged pixel 2 q stride + (p stride + r - pad).
    const std::int64_t phases = axis.upsample;
    for (std::int64_t p = 0; p < phases; p++) {
        Phase phase{p, phases, positions(axis.result, p, phases), axis.stride, {}};
        for (std::int64_t r = 0; r < axis.kernel; r++)
            add_tap(phase, floor_div(p * axis.stride + r - axis.pad, axis.upsample), r);
        plan.push_back(std::move(phase));
    }
    return plan;
}

AxisPlan backward_plan(const Axis& axis) {
    AxisPlan plan;
    if (axis.upsample > 1) {
        // Source j fed the results 2 (j - d) + p, for each tap d of phase p of the forward plan.
        Phase all{0, 1, axis.source, axis.upsample, {}};
        for (const Phase& phase : forward_plan(axis))
            for (const Tap& tap : phase.taps)
                all.taps.push_back({phase.first - axis.upsample * tap.offset, tap.rows});
        plan.push_back(std::move(all));
        return plan;
    }
    for (std::int64_t first = 0; first < axis.stride; first++) {
        // Sources first + stride q: those rows with (first + pad - r) divisible by the stride.
        Phase phase{first, axis.stride, positions(axis.source, first, axis.stride), 1, {}};
        for (std::int64_t r = (first + axis.pad) % axis.stride; r < axis.kernel; r += axis.stride)
            add_tap(phase, floor_div(first + axis.pad - r, axis.stride), r);
        plan.push_back(std::move(phase));
    }
    return plan;
}

} // namespace cgan::fast
