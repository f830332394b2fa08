// conv_shifted.cpp -- convolutions of few result channels
//
// products: at each source pixel those of all its taps, columns (phase, tap, result): full panels where results alone
//           would leave them nearly empty
// sums    : each result adds the products of its taps, one vector of up to 4 results for each
// fusion  : one image's products, sums, bias and activation while it is in L2; unpooling before
// threads : images; bit-equal for any number of threads
// reference: cpu/reference/conv2d.cpp
#include "cpu/fast/conv_shifted.h"

#include <algorithm>
#include <cstring>

#include "cpu/fast/filters.h"

namespace cgan::fast {
namespace {

constexpr std::int64_t kSlack = 8; // floats after the products that whole vectors may read

struct Image {
    std::int64_t h, w, c;
    std::int64_t floats() const { return h * w * c; }
};

Image source_of(const ConvShape& s, bool forward) {
    return forward ? Image{s.h, s.w, s.c} : Image{s.oh, s.ow, s.k};
}
Image result_of(const ConvShape& s, bool forward) { return source_of(s, !forward); }

// The results of all phases as columns of one product: (phase, tap, result), 16 to a panel.
struct Columns {
    std::vector<Stencil> stencils;
    std::vector<std::int64_t> first; // column of each stencil
    std::int64_t total = 0;
};

Columns columns_of(const AxisPlan& ys, const AxisPlan& xs, std::int64_t results) {
    Columns all;
    for (const Phase& y : ys)
        for (const Phase& x : xs) {
            all.stencils.push_back({y, x});
            all.first.push_back(all.total);
            all.total += all.stencils.back().taps() * results;
        }
    return all;
}

// The columns' filters as [total / 16][summed][16].
const float* pack_columns(Machine& machine, const ConvShape& shape, const Columns& columns, const float* wei,
                          bool forward) {
    const FilterSide side = forward ? forward_side(shape) : backward_side(shape);
    float* rows = machine.scratch.take<float>(columns.total * side.summed); // [total][summed]
    for (std::size_t i = 0; i < columns.stencils.size(); i++) {
        const FoldedFilter filter = fold(machine, shape, columns.stencils[i], wei);
        const std::int64_t result_stride = forward ? filter.k_stride : 1;
        const std::int64_t summed_stride = forward ? 1 : filter.k_stride;
        float* to = rows + columns.first[i] * side.summed;
        for (const std::int64_t tap : filter.tap_offset)
            for (std::int64_t result = 0; result < side.results; result++)
                for (std::int64_t j = 0; j < side.summed; j++)
                    *to++ = filter.data[tap + result * result_stride + j * summed_stride];
    }
    float* packed = machine.scratch.take<float>(round_up(columns.total, kPanel) * side.summed);
    machine.kernels.pack_b(rows, 1, side.summed, side.summed, columns.total, packed);
    return packed;
}

// dst, `to_step` floats apart, = for each of n pixels the sum of `results` floats at each of `taps`, `from_step` apart.
template <int results> void add_taps(const float* const* taps, std::int64_t count, std::int64_t from_step,
                                     std::int64_t n, float* dst, std::int64_t to_step) {
    constexpr int vectors = (results + 3) / 4;
    typedef float Four __attribute__((vector_size(16)));
    for (std::int64_t x = 0; x < n; x++, dst += to_step) {
        Four sum[vectors] = {};
        for (std::int64_t t = 0; t < count; t++)
            for (int i = 0; i < vectors; i++) {
                Four v;
                std::memcpy(&v, taps[t] + x * from_step + 4 * i, sizeof v);
                sum[i] += v;
            }
        std::memcpy(dst, sum, results * sizeof(float));
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
constexpr AddTaps kAddTaps[] = {nullptr,     add_taps<1>, add_taps<2>, add_taps<3>,
                                add_taps<4>, add_taps<5>, add_taps<6>, add_taps<7>};

// One phase of an image's results, from its products [source pixel][columns]; `column` is the phase's first.
void add_phase(const Stencil& stencil, const float* products, std::int64_t column, std::int64_t columns,
               const Image& src, const Image& dst, std::vector<const float*>& taps, float* image) {
    const auto inside = [](std::int64_t i, std::int64_t limit) { return i >= 0 && i < limit; };
    // Positions [begin, end) have all taps of a row inside.
    std::int64_t begin = 0, end = stencil.x.count;
    for (const Tap& t : stencil.x.taps) {
        while (begin < end && !inside(begin * stencil.x.source_step + t.offset, src.w)) begin++;
        while (end > begin && !inside((end - 1) * stencil.x.source_step + t.offset, src.w)) end--;
    }
    for (std::int64_t y = 0; y < stencil.y.count; y++) {
        float* row = image + ((stencil.y.first + y * stencil.y.step) * dst.w + stencil.x.first) * dst.c;
        for (std::int64_t x = 0, n = 1; x < stencil.x.count; x += n) {
            n = x == begin && end > begin ? end - begin : 1;
            taps.clear();
            const float* at = products + column;
            for (const Tap& ty : stencil.y.taps)
                for (const Tap& tx : stencil.x.taps) {
                    const std::int64_t sy = y * stencil.y.source_step + ty.offset,
                                       sx = x * stencil.x.source_step + tx.offset;
                    if (inside(sy, src.h) && inside(sx, src.w))
                        taps.push_back(at + (sy * src.w + sx) * columns);
                    at += dst.c;
                }
            kAddTaps[dst.c](taps.data(), static_cast<std::int64_t>(taps.size()),
                            stencil.x.source_step * columns, n, row + x * stencil.x.step * dst.c,
                            stencil.x.step * dst.c);
        }
    }
}

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
    for (const Stencil& s : columns.stencils) gathered += s.positions() * s.taps() * round_up(dst.c, kPanel);
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
    float* scratch = machine.scratch.take<float>(machine.pool.threads() * (product_floats + unpooled));
    machine.pool.parallel(shape.n, [&](std::int64_t n, int worker) {
        float* products = scratch + worker * (product_floats + unpooled);
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
        std::vector<const float*> taps;
        for (std::size_t i = 0; i < columns.stencils.size(); i++)
            add_phase(columns.stencils[i], products, columns.first[i], columns.total, source, result, taps,
                      image);
        if (wide.any())
            machine.kernels.epilogue(wide, image, result.h, result.w * result.c, result.w * result.c);
    });
}

} // namespace cgan::fast
