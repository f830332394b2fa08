// conv_shifted.cpp -- convolutions of few result channels
//
// products: at each source pixel those of all its taps, columns (tap, phase, result): full panels where results alone
//           would leave them nearly empty
// sums    : each result adds the products of its taps; phases of the same taps, such as the four of an enlarged source
//           by a filter of odd size, together, in vectors of up to 4 results
// fusion  : one image's products, sums, bias and activation while it is in L2; unpooling before
// threads : images; bit-equal for any number of threads
// reference: cpu/reference/conv2d.cpp
#include "cpu/fast/conv_shifted.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "cpu/fast/filters.h"

namespace cgan::fast {
namespace {

constexpr std::int64_t kMostSums = 8; // of a group of phases at one position
constexpr std::int64_t kSlack = 8;    // floats after the products that whole vectors may read

struct Image {
    std::int64_t h, w, c;
    std::int64_t floats() const { return h * w * c; }
};

Image source_of(const ConvShape& s, bool forward) {
    return forward ? Image{s.h, s.w, s.c} : Image{s.oh, s.ow, s.k};
}
Image result_of(const ConvShape& s, bool forward) { return source_of(s, !forward); }

// Phases of the same taps: where one's results are, the others' are as well. Columns (tap, phase, result).
struct Group {
    std::vector<Stencil> phases;
    std::int64_t column; // the first

    std::int64_t taps() const { return phases[0].taps(); }
    std::int64_t sums(std::int64_t results) const { return static_cast<std::int64_t>(phases.size()) * results; }
};

// The results of all phases as columns of one product, 16 to a panel.
struct Columns {
    std::vector<Group> groups;
    std::int64_t total = 0;
};

bool same_taps(const Phase& a, const Phase& b) {
    return a.count == b.count && a.source_step == b.source_step &&
           std::ranges::equal(a.taps, b.taps, {}, &Tap::offset, &Tap::offset);
}

Columns columns_of(const AxisPlan& ys, const AxisPlan& xs, std::int64_t results) {
    Columns all;
    for (const Phase& y : ys)
        for (const Phase& x : xs) {
            const auto group = std::ranges::find_if(all.groups, [&](const Group& g) {
                return same_taps(g.phases[0].y, y) && same_taps(g.phases[0].x, x) &&
                       g.sums(results) + results <= kMostSums;
            });
            (group == all.groups.end() ? all.groups.emplace_back() : *group).phases.push_back({y, x});
        }
    for (Group& g : all.groups) {
        g.column = all.total;
        all.total += g.taps() * g.sums(results);
    }
    return all;
}

// The columns' filters as [total / 16][summed][16].
const float* pack_columns(Machine& machine, const ConvShape& shape, const Columns& columns, const float* wei,
                          bool forward) {
    const FilterSide side = forward ? forward_side(shape) : backward_side(shape);
    float* rows = machine.scratch.take<float>(columns.total * side.summed); // [total][summed]
    for (const Group& group : columns.groups)
        for (std::size_t phase = 0; phase < group.phases.size(); phase++) {
            const FoldedFilter filter = fold(machine, shape, group.phases[phase], wei);
            const std::int64_t result_stride = forward ? filter.k_stride : 1;
            const std::int64_t summed_stride = forward ? 1 : filter.k_stride;
            std::int64_t column = group.column + static_cast<std::int64_t>(phase) * side.results;
            for (const std::int64_t tap : filter.tap_offset) {
                for (std::int64_t result = 0; result < side.results; result++)
                    for (std::int64_t j = 0; j < side.summed; j++)
                        rows[(column + result) * side.summed + j] =
                            filter.data[tap + result * result_stride + j * summed_stride];
                column += group.sums(side.results);
            }
        }
    float* packed = machine.scratch.take<float>(round_up(columns.total, kPanel) * side.summed);
    machine.kernels.pack_b(rows, 1, side.summed, side.summed, columns.total, packed);
    return packed;
}

// dst, `to_step` floats apart, = for each of n pixels the sum of some floats at each of `taps`, `from_step` apart.
template <int sums>
void add_taps(const float* const* taps, std::int64_t count, std::int64_t from_step, std::int64_t n, float* dst,
              std::int64_t to_step) {
    constexpr int vectors = (sums + 3) / 4;
    typedef float Four __attribute__((vector_size(16)));
    for (std::int64_t x = 0; x < n; x++, dst += to_step) {
        Four sum[vectors] = {};
        for (std::int64_t t = 0; t < count; t++)
            for (int i = 0; i < vectors; i++) {
                Four v;
                std::memcpy(&v, taps[t] + x * from_step + 4 * i, sizeof v);
                sum[i] += v;
            }
        std::memcpy(dst, sum, sums * sizeof(float));
    }
}

template <> void add_taps<1>(const float* const* taps, std::int64_t count, std::int64_t from_step,
                             std::int64_t n, float* dst, std::int64_t to_step) {
    for (std::int64_t x = 0; x < n; x++, dst += to_step) {
        float sum = 0;
        for (std::int64_t t = 0; t < count; t++) sum += taps[t][x * from_step];
        *dst = sum;
    }
}

using AddTaps = void (*)(const float* const*, std::int64_t, std::int64_t, std::int64_t, float*, std::int64_t);
constexpr AddTaps kAddTaps[kMostSums + 1] = {nullptr,     add_taps<1>, add_taps<2>, add_taps<3>, add_taps<4>,
                                            add_taps<5>, add_taps<6>, add_taps<7>, add_taps<8>};

bool inside(std::int64_t i, std::int64_t limit) { return i >= 0 && i < limit; }

// Positions [begin, end) have all taps of a row inside of a source of that width.
std::pair<std::int64_t, std::int64_t> inner_positions(const Phase& phase, std::int64_t width) {
    std::int64_t begin = 0, end = phase.count;
    for (const Tap& t : phase.taps) {
        while (begin < end && !inside(begin * phase.source_step + t.offset, width)) begin++;
        while (end > begin && !inside((end - 1) * phase.source_step + t.offset, width)) end--;
    }
    return {begin, end};
}

// One image's results of a group of phases, from its products [source pixel][columns].
class GroupSums {
  public:
    GroupSums(const Group& group, std::int64_t columns, const Image& src, const Image& dst)
        : group_(group), y_(group.phases[0].y), x_(group.phases[0].x), columns_(columns),
          sums_(group.sums(dst.c)), src_(src), dst_(dst), inner_(inner_positions(x_, src.w)) {}

    // `row` has room for the sums of all positions of a row, `taps` for the group's.
    void add(const float* products, float* row, const float** taps, float* image) const {
        const bool alone = group_.phases.size() == 1;
        for (std::int64_t y = 0; y < y_.count; y++) {
            if (alone)
                add_row(products, y, result_row(image, group_.phases[0], y), x_.step * dst_.c, taps);
            else
                add_row(products, y, row, sums_, taps);
            for (std::size_t phase = 0; !alone && phase < group_.phases.size(); phase++)
                spread(row + static_cast<std::int64_t>(phase) * dst_.c,
                       result_row(image, group_.phases[phase], y));
        }
    }

  private:
    float* result_row(float* image, const Stencil& phase, std::int64_t y) const {
        return image + ((phase.y.first + y * phase.y.step) * dst_.w + phase.x.first) * dst_.c;
    }

    void add_row(const float* products, std::int64_t y, float* to, std::int64_t to_step,
                 const float** taps) const {
        for (std::int64_t x = 0, n = 1; x < x_.count; x += n) {
            n = x == inner_.first && inner_.second > x ? inner_.second - x : 1;
            const std::int64_t count = find_taps(products, y, x, taps);
            kAddTaps[sums_](taps, count, x_.source_step * columns_, n, to + x * to_step, to_step);
        }
    }

    std::int64_t find_taps(const float* products, std::int64_t y, std::int64_t x, const float** taps) const {
        const float* at = products + group_.column;
        std::int64_t count = 0;
        for (const Tap& ty : y_.taps)
            for (const Tap& tx : x_.taps) {
                const std::int64_t sy = y * y_.source_step + ty.offset, sx = x * x_.source_step + tx.offset;
                if (inside(sy, src_.h) && inside(sx, src_.w))
                    taps[count++] = at + (sy * src_.w + sx) * columns_;
                at += sums_;
            }
        return count;
    }

    void spread(const float* from, float* to) const {
        for (std::int64_t x = 0; x < x_.count; x++, from += sums_, to += x_.step * dst_.c)
            for (std::int64_t c = 0; c < dst_.c; c++) to[c] = from[c];
    }

    const Group& group_;
    const Phase &y_, &x_;
    std::int64_t columns_, sums_;
    Image src_, dst_;
    std::pair<std::int64_t, std::int64_t> inner_;
};

// The bias repeated along a row of pixels, so that rows of few channels are one long vector.
const float* repeat_bias(Machine& machine, const Epilogue& epilogue, const Image& dst) {
    if (epilogue.bia == nullptr) return nullptr;
    float* row = machine.scratch.take<float>(dst.w * dst.c);
    for (std::int64_t i = 0; i < dst.w * dst.c; i++) row[i] = epilogue.bia[i % dst.c];
    return row;
}

} // namespace

bool shifting_pays(const ConvShape& shape, const AxisPlan& ys, const AxisPlan& xs, bool forward) {
    const Image src = source_of(shape, forward), dst = result_of(shape, forward);
    if (dst.c >= 8 || src.c < 8) return false;
    const Columns columns = columns_of(ys, xs, dst.c);
    std::int64_t gathered = 0; // multiplications per image and summed channel
    for (const Group& g : columns.groups)
        for (const Stencil& s : g.phases) gathered += s.positions() * s.taps() * round_up(dst.c, kPanel);
    return src.h * src.w * round_up(columns.total, kPanel) < gathered;
}

void shifted(Machine& machine, const ConvShape& shape, const AxisPlan& ys, const AxisPlan& xs, bool forward,
             const float* wei, const float* src, const Pooled* pooled, const Epilogue& epilogue, float* dst) {
    Scratch::Frame frame(machine.scratch);
    const Image source = source_of(shape, forward), result = result_of(shape, forward);
    const Columns columns = columns_of(ys, xs, result.c);
    const float* packed = pack_columns(machine, shape, columns, wei, forward);
    const Epilogue wide{repeat_bias(machine, epilogue, result), epilogue.act};
    const std::int64_t pixels = source.h * source.w;
    const std::int64_t product_floats = round_up(pixels * columns.total + kSlack, kPanel);
    const std::int64_t unpooled = pooled ? round_up(source.floats(), kPanel) : 0;
    const std::int64_t sums_floats = round_up(result.w * kMostSums, kPanel);
    const std::int64_t worker_floats = product_floats + unpooled + sums_floats;
    float* scratch = machine.scratch.take<float>(machine.pool.threads() * worker_floats);
    std::vector<GroupSums> groups;
    std::int64_t most_taps = 0;
    for (const Group& g : columns.groups) {
        groups.emplace_back(g, columns.total, source, result);
        most_taps = std::max(most_taps, g.taps());
    }
    std::vector<const float*> taps(static_cast<std::size_t>(machine.pool.threads() * most_taps));
    machine.pool.parallel(shape.n, [&](std::int64_t n, int worker) {
        float* products = scratch + worker * worker_floats;
        float* sums = products + product_floats + unpooled;
        const float* from = src + n * source.floats();
        if (pooled) {
            unpool_image(machine.kernels, shape, *pooled, n, products + product_floats);
            from = products + product_floats;
        }
        BlockProduct p{};
        p.a = from, p.a_row = source.c;
        p.b = packed, p.b_panel = source.c * kPanel;
        p.rows = pixels, p.cols = columns.total, p.k = source.c;
        p.dst = products, p.ld = columns.total;
        machine.kernels.block_product(p);
        float* image = dst + n * result.floats();
        for (const GroupSums& group : groups)
            group.add(products, sums, taps.data() + worker * most_taps, image);
        if (wide.any())
            machine.kernels.epilogue(wide, image, result.h, result.w * result.c, result.w * result.c);
    });
}

} // namespace cgan::fast
