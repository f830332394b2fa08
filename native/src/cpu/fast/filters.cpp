#include "cpu/fast/filters.h"

#include <algorithm>
#include <cstring>

namespace cgan::fast {

FoldedFilter fold(Machine& machine, const ConvShape& shape, const Stencil& stencil, const float* wei) {
    FoldedFilter folded{wei, shape.taps() * shape.c, {}};
    std::vector<std::vector<std::int64_t>> parts;
    bool plain = true;
    for (const Tap& y : stencil.y.taps)
        for (const Tap& x : stencil.x.taps) {
            auto& list = parts.emplace_back();
            for (const std::int64_t r : y.rows)
                for (const std::int64_t s : x.rows) list.push_back((r * shape.s + s) * shape.c);
            plain = plain && list.size() == 1;
        }
    if (plain) {
        for (const auto& list : parts) folded.tap_offset.push_back(list[0]);
        return folded;
    }
    const std::int64_t taps = stencil.taps(), c = shape.c;
    float* data = machine.scratch.take<float>(shape.k * taps * c);
    machine.pool.ranges(shape.k, 8, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t k = begin; k < end; k++)
            for (std::int64_t t = 0; t < taps; t++) {
                const auto& list = parts[static_cast<std::size_t>(t)];
                const float* from = wei + k * folded.k_stride;
                float* to = data + (k * taps + t) * c;
                std::memcpy(to, from + list[0], static_cast<std::size_t>(c) * sizeof(float));
                for (std::size_t i = 1; i < list.size(); i++)
                    machine.kernels.binary(CGAN_BINARY_ADD, Mode::VectorVector, to, from + list[i], to, c);
            }
    });
    for (std::int64_t t = 0; t < taps; t++) folded.tap_offset.push_back(t * c);
    return {data, taps * c, std::move(folded.tap_offset)};
}

namespace {

constexpr std::int64_t kPieceFloats = 128; // of each filter of a panel: 8 KB packed

bool follow_each_other(const std::vector<std::int64_t>& offsets, std::int64_t step) {
    for (std::size_t i = 0; i < offsets.size(); i++)
        if (offsets[i] != static_cast<std::int64_t>(i) * step) return false;
    return true;
}

} // namespace

const float* pack_filter(Machine& machine, const ConvShape& shape, const Stencil& stencil, const float* wei,
                         bool forward) {
    const FoldedFilter filter = fold(machine, shape, stencil, wei);
    FilterSide side = forward ? forward_side(shape) : backward_side(shape);
    (forward ? side.result_stride : side.summed_stride) = filter.k_stride;
    const std::int64_t taps = stencil.taps(), panels = ceil_div(side.results, kPanel);
    float* packed = machine.scratch.take<float>(panels * taps * side.summed * kPanel);
    if (side.summed_stride == 1 && follow_each_other(filter.tap_offset, side.summed)) {
        // One row of each filter, read in order.
        const std::int64_t depth = taps * side.summed, pieces = ceil_div(depth, kPieceFloats);
        machine.pool.parallel(panels * pieces, [&](std::int64_t i, int) {
            const std::int64_t panel = i / pieces, first = i % pieces * kPieceFloats;
            machine.kernels.pack_b(filter.data + panel * kPanel * side.result_stride + first, 1,
                                   side.result_stride, std::min(kPieceFloats, depth - first),
                                   std::min<std::int64_t>(kPanel, side.results - panel * kPanel),
                                   packed + (panel * depth + first) * kPanel);
        });
        return packed;
    }
    machine.pool.parallel(panels * taps, [&](std::int64_t i, int) {
        const std::int64_t panel = i / taps, tap = i % taps;
        machine.kernels.pack_b(filter.data + filter.tap_offset[static_cast<std::size_t>(tap)] +
                                   panel * kPanel * side.result_stride,
                               side.summed_stride, side.result_stride, side.summed,
                               std::min<std::int64_t>(kPanel, side.results - panel * kPanel),
                               packed + i * side.summed * kPanel);
    });
    return packed;
}

namespace {

// d_filter += c floats at `from`, for each row of the filter that a tap stands for.
void add_unfolded_tap(const ConvShape& shape, const Tap& y, const Tap& x, const float* from,
                      float* d_filter) {
    for (const std::int64_t r : y.rows)
        for (const std::int64_t s : x.rows) {
            float* to = d_filter + (r * shape.s + s) * shape.c;
            for (std::int64_t c = 0; c < shape.c; c++) to[c] += from[c];
        }
}

} // namespace

void add_unfolded(Machine& machine, const ConvShape& shape, const Stencil& stencil, const float* sums,
                  float* d_wei) {
    machine.pool.ranges(shape.k, 8, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t k = begin; k < end; k++) {
            const float* from = sums + k * stencil.taps() * shape.c;
            for (const Tap& y : stencil.y.taps)
                for (const Tap& x : stencil.x.taps) {
                    add_unfolded_tap(shape, y, x, from, d_wei + k * shape.taps() * shape.c);
                    from += shape.c;
                }
        }
    });
}

} // namespace cgan::fast
