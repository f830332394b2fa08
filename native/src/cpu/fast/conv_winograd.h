// Convolutions by Winograd's transforms of windows with 4 or 3 results along each axis.
#pragma once

#include <algorithm>
#include <optional>

#include "cpu/fast/conv_plan.h"
#include "cpu/fast/machine.h"

namespace cgan::fast {

// Every stride-th pixel of an axis of the source, with every stride-th row of the filter: a convolution of stride 1.
struct SourcePhase {
    std::int64_t first, count; // source pixels first, first + stride, ...
    std::int64_t low;          // result o reads pixels o + low ... of the phase
    std::int64_t row, taps;    // filter rows row, row + stride, ...
};

// Results of an axis, cut into tiles: the first ones have 4, the others 3, of which the last may be partly empty.
struct TileAxis {
    std::int64_t count = 0, full = 0;

    static TileAxis over(std::int64_t results) {
        const std::int64_t count = ceil_div(results, kWinogradTile);
        return {count, std::max<std::int64_t>(results - count * (kWinogradTile - 1), 0)};
    }
    std::int64_t first(std::int64_t tile) const { return tile * (kWinogradTile - 1) + std::min(tile, full); }
    int results(std::int64_t tile) const { return tile < full ? kWinogradTile : kWinogradTile - 1; }
};

struct WinogradPlan {
    int taps; // 2 or 3: the most of any phase
    std::vector<SourcePhase> ys, xs;
    TileAxis down, along;
    double cost; // multiplications, or as long as they take

    std::int64_t n() const { return kWinogradTile + taps - 1; }
    std::int64_t planes() const { return n() * n(); }
    std::int64_t tiles() const { return down.count * along.count; }
    std::int64_t phases() const { return static_cast<std::int64_t>(ys.size() * xs.size()); }
};

// The plan by which these transforms take less than register tiles over gathered rows, if there is one. Depends on the
// shape and the pass alone.
std::optional<WinogradPlan> plan_winograd(const ConvShape& shape, Pass pass);

// As conv_direct.h.
void winograd_forward(Machine& machine, const ConvShape& shape, const WinogradPlan& plan, const float* src,
                      const float* wei, const Epilogue& epilogue, float* dst);
void winograd_backward_data(Machine& machine, const ConvShape& shape, const WinogradPlan& plan,
                            const float* wei, const float* d_dst, const Epilogue& epilogue, float* d_src);
void winograd_backward_filter(Machine& machine, const ConvShape& shape, const WinogradPlan& plan,
                              const float* src, const float* d_dst, float* d_wei);

} // namespace cgan::fast
