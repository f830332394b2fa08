// conv_turned.cpp -- gradients of convolutions of few result channels, by the convolution turned around
//
// source  : d_src is the convolution of d_dst, of few channels, by the filter turned by half a turn
// filter  : the turned filter's gradient is that of this convolution, with src in place of its result's
// folding : a source that the convolution enlarges u times takes steps of u in d_dst; each of its pixels fed u * u
//           pixels, so that the turned filter has r + u - 1 rows, sums of the rows that reach from there
// both    : conv_thin.cpp; a filter is small beside a batch
// reference: cpu/reference/conv2d.cpp
#include "cpu/fast/conv_turned.h"

#include <algorithm>

#include "cpu/fast/conv_thin.h"

namespace cgan::fast {
namespace {

constexpr std::int64_t kRangeFloats = 8192; // of the turned filter

ConvShape turn(const ConvShape& s) {
    ConvShape t = s;
    t.h = s.oh, t.w = s.ow, t.c = s.k, t.k = s.c;
    t.oh = s.h, t.ow = s.w;
    t.r = s.r + s.upsample - 1, t.s = s.s + s.upsample - 1;
    t.stride_h = t.stride_w = s.upsample, t.upsample = 1;
    t.pad_top = s.r - 1 - s.pad_top, t.pad_left = s.s - 1 - s.pad_left;
    t.pad_bottom = s.r - 1 - s.pad_bottom, t.pad_right = s.s - 1 - s.pad_right;
    return t;
}

bool turns(const ConvShape& s) {
    return s.stride_h == 1 && s.stride_w == 1 && s.pad_top < s.r && s.pad_bottom < s.r && s.pad_left < s.s &&
           s.pad_right < s.s;
}

// Calls visit(turned tap, tap) for each tap of the filter that is added to a tap of the turned one.
template <class Visit> void for_each_tap(const ConvShape& shape, const ConvShape& turned, Visit visit) {
    for (std::int64_t y = 0; y < shape.upsample; y++)
        for (std::int64_t x = 0; x < shape.upsample; x++)
            for (std::int64_t r = 0; r < shape.r; r++)
                for (std::int64_t s = 0; s < shape.s; s++)
                    visit((shape.r - 1 - r + y) * turned.s + shape.s - 1 - s + x, r * shape.s + s);
}

} // namespace

bool is_thin_result(const ConvShape& s) { return s.k < 8 && s.c >= 8 && turns(s); }

bool turns_for_source(const ConvShape& s) {
    return is_thin_result(s) || (s.c >= 8 && turns(s) && has_short_taps(turn(s)));
}

void turned_backward_data(Machine& machine, const ConvShape& shape, const float* wei, const float* d_dst,
                          const Epilogue& epilogue, float* d_src) {
    Scratch::Frame frame(machine.scratch);
    const ConvShape turned = turn(shape);
    const std::int64_t size = turned.taps() * shape.k;
    float* filter = machine.scratch.take<float>(shape.c * size); // [c][turned taps][k]
    machine.pool.ranges(shape.c, kRangeFloats / (size + 1) + 1, [&](std::int64_t begin, std::int64_t end) {
        std::fill(filter + begin * size, filter + end * size, 0.0f);
        for_each_tap(shape, turned, [&](std::int64_t to, std::int64_t from) {
            for (std::int64_t c = begin; c < end; c++)
                for (std::int64_t k = 0; k < shape.k; k++)
                    filter[c * size + to * shape.k + k] += wei[(k * shape.taps() + from) * shape.c + c];
        });
    });
    thin_forward(machine, turned, d_dst, filter, epilogue, d_src);
}

void turned_backward_filter(Machine& machine, const ConvShape& shape, const float* src, const float* d_dst,
                            float* d_wei) {
    Scratch::Frame frame(machine.scratch);
    const ConvShape turned = turn(shape);
    float* sums = machine.scratch.take<float>(shape.c * turned.taps() * shape.k); // [c][turned taps][k]
    thin_backward_filter(machine, turned, d_dst, src, sums);
    std::fill(d_wei, d_wei + shape.k * shape.taps() * shape.c, 0.0f);
    for_each_tap(shape, turned, [&](std::int64_t from, std::int64_t to) {
        for (std::int64_t k = 0; k < shape.k; k++)
            for (std::int64_t c = 0; c < shape.c; c++)
                d_wei[(k * shape.taps() + to) * shape.c + c] += sums[(c * turned.taps() + from) * shape.k + k];
    });
}

} // namespace cgan::fast
