// Filters as the convolutions want them: folded for an enlarged source, packed for register tiles.
#pragma once

#include <vector>

#include "cpu/fast/conv_plan.h"
#include "cpu/fast/machine.h"

namespace cgan::fast {

// One phase of both axes.
struct Stencil {
    const Phase& y;
    const Phase& x;
    std::int64_t taps() const { return static_cast<std::int64_t>(y.taps.size() * x.taps.size()); }
    std::int64_t positions() const { return y.count * x.count; }
};

// KRSC filter seen from one side: its result channels and its summed channels, with their strides.
struct FilterSide {
    std::int64_t results, summed, result_stride, summed_stride;
};

inline FilterSide forward_side(const ConvShape& s) { return {s.k, s.c, s.taps() * s.c, 1}; }
inline FilterSide backward_side(const ConvShape& s) { return {s.c, s.k, 1, s.taps() * s.c}; }

// For each tap of a stencil the sum of the filter's taps that it stands for: filter k's tap t, [c], is at
// data + k * k_stride + tap_offset[t]. The filter itself where nothing is folded, else in scratch memory of
// the caller's
// frame.
struct FoldedFilter {
    const float* data;
    std::int64_t k_stride;
    std::vector<std::int64_t> tap_offset;
};

FoldedFilter fold(Machine& machine, const ConvShape& shape, const Stencil& stencil, const float* wei);

// The folded filter of each stencil as [results / 16][taps][summed][16], in scratch memory of the caller's frame.
std::vector<const float*> pack_filters(Machine& machine, const ConvShape& shape,
                                       const std::vector<Stencil>& stencils, const float* wei, bool forward);
const float* pack_filter(Machine& machine, const ConvShape& shape, const Stencil& stencil, const float* wei,
                         bool forward);

// d_wei [k, r, s, c] += the gradient of one stencil's folded filter, [k][taps][c].
void add_unfolded(Machine& machine, const ConvShape& shape, const Stencil& stencil, const float* sums,
                  float* d_wei);

} // namespace cgan::fast
