// conv_direct.cpp -- forward and backward-data convolution over gathered rows
//
// result  : at each position of a phase (conv_plan.h), the sum over its taps of a source row times a filter
// blocks  : up to 96 positions, counted through the whole batch, so that register tiles are full across image
//           borders; each block sees all taps while its sources are in L2
// padding : a tap outside the image reads a row of zeros
// thin    : fewer than 8 source channels are packed tile by tile (the kernel does); fewer than 8 result
//           channels go by products at each source pixel that are then shifted and added
// repeat  : bit-equal for any number of threads
// reference: cpu/reference/conv2d.cpp
#include "cpu/fast/conv_direct.h"

#include "cpu/fast/filters.h"

#include <algorithm>
#include <cstring>

namespace cgan::fast {
namespace {

constexpr std::int64_t kBlock = 96; // positions; a multiple of the tile's 6 rows and of a pooling window's 4

// Positions of each block, so that all threads have equally many.
std::int64_t block_size(const Machine& machine, std::int64_t total, std::int64_t multiple) {
    const std::int64_t rounds = ceil_div(total, kBlock * machine.pool.threads());
    return std::min(
        kBlock,
        round_up(ceil_div(total, std::max<std::int64_t>(rounds, 1) * machine.pool.threads()), multiple));
}

struct Images {
    const float* data;
    std::int64_t h, w, c;
};

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

// Positions of a block in the order in which they are computed.
struct Position {
    std::int64_t n, y, x;
};

// Row order through the batch.
struct RowOrder {
    std::int64_t h, w;
    Position at(std::int64_t i) const { return {i / (h * w), i / w % h, i % w}; }
};

// The four positions of a 2x2 window in turn; odd last rows and columns are left out.
struct WindowOrder {
    std::int64_t h, w; // windows
    Position at(std::int64_t i) const {
        const std::int64_t q = i / 4;
        return {q / (h * w), q / w % h * 2 + i % 4 / 2, q % w * 2 + i % 2};
    }
};

// Fills the row pointers of `count` positions from `begin` on; `rows` is [ceil(count / 6)][taps][6].
template <class Order> void gather_rows(const Stencil& stencil, const Images& src, const float* zeros,
                                        const Order& order, std::int64_t begin, std::int64_t count,
                                        const float** rows) {
    const std::int64_t taps = stencil.taps(), padded = round_up(count, kRows);
    for (std::int64_t i = 0; i < padded; i++) {
        const Position p = order.at(begin + std::min(i, count - 1));
        const float** at = rows + i / kRows * taps * kRows + i % kRows;
        const float* image = src.data + p.n * src.h * src.w * src.c;
        for (const Tap& ty : stencil.y.taps) {
            const std::int64_t y = p.y * stencil.y.source_step + ty.offset;
            const bool inside = y >= 0 && y < src.h;
            for (const Tap& tx : stencil.x.taps) {
                const std::int64_t x = p.x * stencil.x.source_step + tx.offset;
                *at = inside && x >= 0 && x < src.w ? image + (y * src.w + x) * src.c : zeros;
                at += kRows;
            }
        }
    }
}

float* zero_row(Machine& machine, std::int64_t n) {
    float* zeros = machine.scratch.take<float>(n);
    std::fill(zeros, zeros + n, 0.0f);
    return zeros;
}

// Scratch of the threads that run blocks: row pointers, result pointers, pooled rows.
struct BlockScratch {
    const float** rows;
    float** dst;
    float* pooled;
};

struct BlockScratches {
    std::int64_t row_count, pooled_count;
    const float** rows;
    float** dst;
    float* pooled;

    BlockScratches(Machine& machine, std::int64_t taps, std::int64_t pooled_floats)
        : row_count(kBlock * taps), pooled_count(pooled_floats) {
        const int threads = machine.pool.threads();
        rows = machine.scratch.take<const float*>(threads * row_count);
        dst = machine.scratch.take<float*>(threads * kBlock);
        pooled = machine.scratch.take<float>(threads * pooled_count);
    }
    BlockScratch of(int worker) const {
        return {rows + worker * row_count, dst + worker * kBlock, pooled + worker * pooled_count};
    }
};

struct Destination {
    float* data;
    std::int64_t h, w, c;
};

void run_stencil(Machine& machine, const Stencil& stencil, const float* packed, const Images& src,
                 std::int64_t batch, const Epilogue& epilogue, const Destination& dst) {
    const std::int64_t total = batch * stencil.positions(), taps = stencil.taps();
    if (total == 0) return;
    const float* zeros = zero_row(machine, src.c);
    const BlockScratches scratches(machine, taps, 0);
    const RowOrder order{stencil.y.count, stencil.x.count};
    const std::int64_t size = block_size(machine, total, kRows);
    machine.pool.parallel(ceil_div(total, size), [&](std::int64_t block, int worker) {
        const std::int64_t begin = block * size, count = std::min(size, total - begin);
        const BlockScratch scratch = scratches.of(worker);
        gather_rows(stencil, src, zeros, order, begin, count, scratch.rows);
        for (std::int64_t i = 0; i < count; i++) {
            const Position p = order.at(begin + i);
            const std::int64_t y = stencil.y.first + p.y * stencil.y.step,
                               x = stencil.x.first + p.x * stencil.x.step;
            scratch.dst[i] = dst.data + ((p.n * dst.h + y) * dst.w + x) * dst.c;
        }
        machine.kernels.gather_product(
            {scratch.rows, count, taps, src.c, dst.c, packed, scratch.dst, epilogue});
    });
}

void run_plans(Machine& machine, const ConvShape& shape, const AxisPlan& ys, const AxisPlan& xs, bool forward,
               const float* wei, const Images& src, const Epilogue& epilogue, const Destination& dst) {
    for (const Phase& y : ys)
        for (const Phase& x : xs) {
            Scratch::Frame frame(machine.scratch);
            const Stencil stencil{y, x};
            const float* packed = pack_filter(machine, shape, stencil, wei, forward);
            run_stencil(machine, stencil, packed, src, shape.n, epilogue, dst);
        }
}

// ---- few results: products at each source pixel, then shifted and added ----

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

// image [h, w, results] += the tap's products, for all positions of the phase whose source is inside.
void add_shifted(const Stencil& stencil, const Tap& ty, const Tap& tx, const float* products,
                 std::int64_t total, const Images& src, const Destination& dst, float* image) {
    const auto inside = [](const Phase& p, const Tap& t, std::int64_t limit, std::int64_t i) {
        const std::int64_t at = i * p.source_step + t.offset;
        return at >= 0 && at < limit;
    };
    std::int64_t begin = 0, end = stencil.x.count;
    while (begin < end && !inside(stencil.x, tx, src.w, begin)) begin++;
    while (end > begin && !inside(stencil.x, tx, src.w, end - 1)) end--;
    const std::int64_t from_step = stencil.x.source_step * total, to_step = stencil.x.step * dst.c;
    for (std::int64_t y = 0; y < stencil.y.count; y++) {
        if (!inside(stencil.y, ty, src.h, y)) continue;
        const std::int64_t sy = y * stencil.y.source_step + ty.offset;
        const float* from = products + (sy * src.w + begin * stencil.x.source_step + tx.offset) * total;
        float* to = image + ((stencil.y.first + y * stencil.y.step) * dst.w + stencil.x.first) * dst.c +
                    begin * to_step;
        for (std::int64_t x = begin; x < end; x++, from += from_step, to += to_step)
            for (std::int64_t c = 0; c < dst.c; c++) to[c] += from[c];
    }
}

// The bias repeated along a row of pixels, so that rows of few channels are one long vector.
const float* repeat_bias(Machine& machine, const Epilogue& epilogue, const Destination& dst) {
    if (epilogue.bia == nullptr) return nullptr;
    float* row = machine.scratch.take<float>(dst.w * dst.c);
    for (std::int64_t i = 0; i < dst.w * dst.c; i++) row[i] = epilogue.bia[i % dst.c];
    return row;
}

void run_shifted(Machine& machine, const ConvShape& shape, const Columns& columns, bool forward,
                 const float* wei, const Images& src, const Pooled* pooled, const Epilogue& epilogue,
                 const Destination& dst) {
    Scratch::Frame frame(machine.scratch);
    const float* packed = pack_columns(machine, shape, columns, wei, forward);
    const Epilogue wide{repeat_bias(machine, epilogue, dst), epilogue.act};
    const std::int64_t pixels = src.h * src.w, image_floats = pixels * columns.total;
    float* all_products = machine.scratch.take<float>(machine.pool.threads() * image_floats);
    const BlockScratches scratches(machine, 1, pooled ? pixels * src.c : 0);
    machine.pool.parallel(shape.n, [&](std::int64_t n, int worker) {
        const BlockScratch scratch = scratches.of(worker);
        float* products = all_products + worker * image_floats;
        const float* from = src.data + n * pixels * src.c;
        if (pooled) {
            unpool_image(machine.kernels, shape, *pooled, n, scratch.pooled);
            from = scratch.pooled;
        }
        for (std::int64_t p = 0; p < pixels; p += kBlock) {
            const std::int64_t count = std::min(kBlock, pixels - p);
            for (std::int64_t i = 0; i < kBlock; i++)
                scratch.rows[i] = from + std::min(p + i, pixels - 1) * src.c;
            for (std::int64_t i = 0; i < count; i++) scratch.dst[i] = products + (p + i) * columns.total;
            machine.kernels.gather_product(
                {scratch.rows, count, 1, src.c, columns.total, packed, scratch.dst, {}});
        }
        float* image = dst.data + n * dst.h * dst.w * dst.c;
        std::fill(image, image + dst.h * dst.w * dst.c, 0.0f);
        for (std::size_t i = 0; i < columns.stencils.size(); i++) {
            const Stencil& stencil = columns.stencils[i];
            const float* column = products + columns.first[i];
            for (const Tap& ty : stencil.y.taps)
                for (const Tap& tx : stencil.x.taps) {
                    add_shifted(stencil, ty, tx, column, columns.total, src, dst, image);
                    column += dst.c;
                }
        }
        if (wide.any()) machine.kernels.epilogue(wide, image, dst.h, dst.w * dst.c, dst.w * dst.c);
    });
}

// Fewer than 8 results from enough channels, where products at each source pixel are fewer than at each
// result.
bool shifting_pays(const Columns& columns, const Images& src, const Destination& dst) {
    std::int64_t gathered = 0; // multiplications per image and summed channel
    for (const Stencil& s : columns.stencils) gathered += s.positions() * s.taps() * round_up(dst.c, kPanel);
    const std::int64_t shifted = src.h * src.w * round_up(columns.total, kPanel);
    return dst.c < 8 && src.c >= 8 && shifted < gathered;
}

} // namespace

void direct_forward(Machine& machine, const ConvShape& shape, const float* src, const float* wei,
                    const Epilogue& epilogue, float* dst) {
    const AxisPlan ys = forward_plan(shape.vertical()), xs = forward_plan(shape.horizontal());
    const Images from{src, shape.h, shape.w, shape.c};
    const Destination to{dst, shape.oh, shape.ow, shape.k};
    const Columns columns = columns_of(ys, xs, shape.k);
    if (shifting_pays(columns, from, to))
        run_shifted(machine, shape, columns, true, wei, from, nullptr, epilogue, to);
    else
        run_plans(machine, shape, ys, xs, true, wei, from, epilogue, to);
}

void direct_backward_data(Machine& machine, const ConvShape& shape, const float* wei, const float* d_dst,
                          const Epilogue& epilogue, float* d_src, const Pooled* pooled) {
    Scratch::Frame frame(machine.scratch);
    const AxisPlan ys = backward_plan(shape.vertical()), xs = backward_plan(shape.horizontal());
    Images from{d_dst, shape.oh, shape.ow, shape.k};
    const Destination to{d_src, shape.h, shape.w, shape.c};
    const Columns columns = columns_of(ys, xs, shape.c);
    if (shifting_pays(columns, from, to))
        return run_shifted(machine, shape, columns, false, wei, from, pooled, epilogue, to);
    if (pooled) from.data = unpool_batch(machine, shape, *pooled);
    run_plans(machine, shape, ys, xs, false, wei, from, epilogue, to);
}

void direct_pool_forward(Machine& machine, const ConvShape& shape, const float* src, const float* wei,
                         const Epilogue& epilogue, float* dst, std::uint8_t* arg) {
    Scratch::Frame frame(machine.scratch);
    const AxisPlan ys = forward_plan(shape.vertical()), xs = forward_plan(shape.horizontal());
    const Stencil stencil{ys[0], xs[0]};
    const float* packed = pack_filter(machine, shape, stencil, wei, true);
    const float* zeros = zero_row(machine, shape.c);
    const BlockScratches scratches(machine, stencil.taps(), kBlock * shape.k);
    const WindowOrder order{shape.oh / 2, shape.ow / 2};
    const std::int64_t total = shape.n * order.h * order.w * 4;
    const Images images{src, shape.h, shape.w, shape.c};
    const std::int64_t size = block_size(machine, total, 2 * kRows); // and of 4
    machine.pool.parallel(ceil_div(total, size), [&](std::int64_t block, int worker) {
        const std::int64_t begin = block * size, count = std::min(size, total - begin);
        const BlockScratch scratch = scratches.of(worker);
        gather_rows(stencil, images, zeros, order, begin, count, scratch.rows);
        for (std::int64_t i = 0; i < count; i++) scratch.dst[i] = scratch.pooled + i * shape.k;
        machine.kernels.gather_product(
            {scratch.rows, count, stencil.taps(), shape.c, shape.k, packed, scratch.dst, Epilogue{}});
        for (std::int64_t i = 0; i < count; i += 4)
            machine.kernels.pool_window(scratch.pooled + i * shape.k, shape.k, 2 * shape.k, shape.k, epilogue,
                                        dst + (begin + i) / 4 * shape.k, arg + (begin + i) / 4 * shape.k);
    });
}

} // namespace cgan::fast
