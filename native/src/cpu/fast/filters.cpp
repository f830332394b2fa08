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

// A stencil's filter and where it is packed, in independent tasks.
class Packing {
  public:
    Packing(Machine& machine, const ConvShape& shape, const Stencil& stencil, const float* wei, bool forward)
        : kernels_(machine.kernels), filter_(fold(machine, shape, stencil, wei)),
          side_(forward ? forward_side(shape) : backward_side(shape)), taps_(stencil.taps()) {
        (forward ? side_.result_stride : side_.summed_stride) = filter_.k_stride;
        in_order_ = side_.summed_stride == 1 && follow_each_other(filter_.tap_offset, side_.summed);
        pieces_ = in_order_ ? ceil_div(depth(), kPieceFloats) : taps_;
        packed_ = machine.scratch.take<float>(panels() * depth() * kPanel);
    }
    const float* packed() const { return packed_; }
    std::int64_t tasks() const { return panels() * pieces_; }

    void run(std::int64_t task) const {
        const std::int64_t panel = task / pieces_, piece = task % pieces_;
        const std::int64_t columns = std::min<std::int64_t>(kPanel, side_.results - panel * kPanel);
        const float* from = filter_.data + panel * kPanel * side_.result_stride;
        float* to = packed_ + panel * depth() * kPanel;
        if (in_order_) { // one row of each filter
            const std::int64_t first = piece * kPieceFloats;
            kernels_.pack_b(from + first, 1, side_.result_stride, std::min(kPieceFloats, depth() - first),
                            columns, to + first * kPanel);
        } else {
            kernels_.pack_b(from + filter_.tap_offset[static_cast<std::size_t>(piece)], side_.summed_stride,
                            side_.result_stride, side_.summed, columns, to + piece * side_.summed * kPanel);
        }
    }

  private:
    std::int64_t depth() const { return taps_ * side_.summed; }
    std::int64_t panels() const { return ceil_div(side_.results, kPanel); }

    const Kernels& kernels_;
    FoldedFilter filter_;
    FilterSide side_;
    std::int64_t taps_, pieces_;
    bool in_order_;
    float* packed_;
};

} // namespace

std::vector<const float*> pack_filters(Machine& machine, const ConvShape& shape,
                                       const std::vector<Stencil>& stencils, const float* wei, bool forward) {
    std::vector<Packing> all;
    std::vector<const float*> packed;
    std::int64_t most = 0;
    for (const Stencil& stencil : stencils) {
        all.emplace_back(machine, shape, stencil, wei, forward);
        packed.push_back(all.back().packed());
        most = std::max(most, all.back().tasks());
    }
    const auto count = static_cast<std::int64_t>(all.size());
    machine.pool.parallel(most * count, [&](std::int64_t i, int) {
        const Packing& packing = all[static_cast<std::size_t>(i % count)];
        if (i / count < packing.tasks()) packing.run(i / count);
    });
    return packed;
}

const float* pack_filter(Machine& machine, const ConvShape& shape, const Stencil& stencil, const float* wei,
                         bool forward) {
    return pack_filters(machine, shape, {stencil}, wei, forward)[0];
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
