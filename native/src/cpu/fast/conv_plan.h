// A convolution as gathers: which source pixels, weighted by which filter rows, make each result.
//
// One axis at a time. Forward, result o takes source i = o * stride + r - pad (halved, rounding down, after a
// nearest 2x enlargement). Backward, source j collects every result that it fed. Either way the results fall
// into phases, inside which the same taps apply at every position. Taps of a phase that read the same source
// (two rows of the filter on one enlarged pixel) are one tap whose filter rows are added: that is what folds
// an upsampling into a smaller convolution.
#pragma once

#include <compare>
#include <cstdint>
#include <vector>

#include "cgan.h"
#include "moderate.h"

namespace cgan::fast {

struct Tap {
    std::int64_t offset;            // source = position * source_step + offset
    std::vector<std::int64_t> rows; // of the filter, added
};

struct Phase {
    std::int64_t first, step, count; // results first, first + step, ...
    std::int64_t source_step;
    std::vector<Tap> taps;
};

using AxisPlan = std::vector<Phase>;

// Geometry of one axis.
struct Axis {
    std::int64_t source; // pixels before any enlargement
    std::int64_t result; // pixels of the convolution's result
    std::int64_t kernel, stride, pad, upsample;
};

AxisPlan forward_plan(const Axis& axis);

// Of the gradient with respect to the source. Enlarged sources need stride 1.
AxisPlan backward_plan(const Axis& axis);

enum class Pass { Forward, BackwardData, BackwardFilter };

// A convolution and its operands' sizes, NHWC and KRSC.
struct ConvShape {
    std::int64_t n, h, w, c, k, r, s, oh, ow;
    std::int64_t stride_h, stride_w, pad_top, pad_left, pad_bottom, pad_right, upsample;

    Axis vertical() const { return {h, oh, r, stride_h, pad_top, upsample}; }
    Axis horizontal() const { return {w, ow, s, stride_w, pad_left, upsample}; }
    std::int64_t taps() const { return r * s; }
    auto operator<=>(const ConvShape&) const = default;
    bool moderate() const {
        return is_moderate(upsample * h, r, stride_h, pad_top + pad_bottom) &&
               is_moderate(upsample * w, s, stride_w, pad_left + pad_right);
    }
    bool foldable() const { return upsample == 1 || (stride_h == 1 && stride_w == 1); }
};

} // namespace cgan::fast
