// Convolutions of stride 1 by two-dimensional Fourier transforms of 8 x 8 or 16 x 16 windows.
#pragma once

#include <optional>

#include "cpu/fast/filters.h"
#include "cpu/fast/pooled.h"

namespace cgan::fast {

// How a shape is cut into windows. The source is read at stride 1 by every phase (conv_plan.h), so that an
// enlargement
// is folded: its phases are so many more result channels.
struct SpectralPlan {
    int n; // window's side
    AxisPlan ys, xs;
    std::int64_t first_y, first_x; // least offset of any tap: where window 0 begins
    std::int64_t reach_y, reach_x; // taps side by side
    std::int64_t count_y, count_x; // results of the largest phase
    bool single;                   // one window holds the whole image: the padding of both sides is shared
    std::int64_t tile_y, tile_x;   // results of a window
    std::int64_t tiles_y, tiles_x;
    double cost; // multiplications, or as long as they take

    std::int64_t tiles() const { return tiles_y * tiles_x; }
    std::int64_t phases() const { return static_cast<std::int64_t>(ys.size() * xs.size()); }
};

// Frequencies of an n x n window that are complex; 4 are real.
inline std::int64_t complex_count(int n) { return (n * n - 4) / 2; }

// One for each phase, rows first.
std::vector<Stencil> stencils_of(const SpectralPlan& plan);

// The plan by which transforms take less arithmetic than register tiles over gathered rows, if there is one.
// Depends on the shape and the pass alone.
std::optional<SpectralPlan> plan_spectral(const ConvShape& shape, Pass pass);

// As conv_direct.h; with `pooled` (single windows only) the result, or the gradient d_dst, takes the form
// given there.
void spectral_forward(Machine& machine, const ConvShape& shape, const SpectralPlan& plan, const float* src,
                      const float* wei, const Epilogue& epilogue, float* dst, const Pooled* pooled = nullptr);
void spectral_backward_data(Machine& machine, const ConvShape& shape, const SpectralPlan& plan,
                            const float* wei, const float* d_dst, const Epilogue& epilogue, float* d_src,
                            const Pooled* pooled = nullptr);
void spectral_backward_filter(Machine& machine, const ConvShape& shape, const SpectralPlan& plan,
                              const float* src, const float* d_dst, float* d_wei,
                              const Pooled* pooled = nullptr);

} // namespace cgan::fast
