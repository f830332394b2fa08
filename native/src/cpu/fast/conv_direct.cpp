// conv_direct.cpp -- forward and backward-data convolution over gathered rows
//
// result  : at each position of a phase (conv_plan.h), the sum over its taps of a source row times a filter
// blocks  : up to 96 positions, counted through the whole batch, so that register tiles are full across image
//           borders; each block sees all taps while its sources are in L2
// padding : a tap outside the image reads a row of zeros; one that all positions of a tile have outside is left out, and
//           where those are many the same pixel of all images makes a tile
// phases  : in one loop
// thin    : fewer than 8 source channels are packed tile by tile (the kernel does); few results: conv_shifted.cpp
// repeat  : bit-equal for any number of threads
// reference: cpu/reference/conv2d.cpp
#include "cpu/fast/conv_direct.h"

#include "cpu/fast/conv_shifted.h"
#include "cpu/fast/filters.h"

#include <algorithm>
#include <cstring>

namespace cgan::fast {
namespace {

constexpr std::int64_t kBlock = 96; // positions; a multiple of the tile's 6 rows and of a pooling window's 4

constexpr std::int64_t kNearFloats = 128 * 1024; // of the filters of all phases, that pass L2 block by block
constexpr std::int64_t kFewImages = 4; // of which tiles would hold several pixels
constexpr std::int64_t kLeftOutOf = 16; // taps, one at least must lie outside for images to be taken in turn

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

// The same pixel of all images in turn: what it does not see, the others do not.
struct ImageOrder {
    std::int64_t n, w;
    Position at(std::int64_t i) const { return {i % n, i / n / w, i / n % w}; }
};

// Taps that lie inside the image, of all positions of one axis.
std::int64_t inside_taps(const Phase& phase, std::int64_t source) {
    std::int64_t inside = 0;
    for (std::int64_t i = 0; i < phase.count; i++)
        for (const Tap& tap : phase.taps) {
            const std::int64_t at = i * phase.source_step + tap.offset;
            inside += at >= 0 && at < source;
        }
    return inside;
}

// Whether so many of the taps are outside that images are taken in turn, to leave those out.
bool image_order_pays(const Stencil& stencil, const Images& src, std::int64_t batch) {
    const std::int64_t all = stencil.positions() * stencil.taps();
    return batch >= kFewImages &&
           inside_taps(stencil.y, src.h) * inside_taps(stencil.x, src.w) * kLeftOutOf < all * (kLeftOutOf - 1);
}

// Fills the row pointers of `count` positions from `begin` on; `rows` is [ceil(count / 6)][taps][6]. Taps that all six
// positions of a tile have outside are null.
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
    for (const float** at = rows; at != rows + padded * taps; at += kRows)
        if (std::all_of(at, at + kRows, [=](const float* row) { return row == zeros; }))
            std::fill(at, at + kRows, nullptr);
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

// The results of one phase, in blocks that any thread may take.
struct PhaseRun {
    Stencil stencil;
    const float* packed;
    bool by_image;
    std::int64_t total, blocks;
};

template <class Order>
void run_block(Machine& machine, const PhaseRun& run, const Order& order, std::int64_t begin,
               std::int64_t count, const float* zeros, const BlockScratch& scratch, const Images& src,
               const Epilogue& epilogue, const Destination& dst) {
    const Stencil& stencil = run.stencil;
    gather_rows(stencil, src, zeros, order, begin, count, scratch.rows);
    for (std::int64_t i = 0; i < count; i++) {
        const Position p = order.at(begin + i);
        const std::int64_t y = stencil.y.first + p.y * stencil.y.step,
                           x = stencil.x.first + p.x * stencil.x.step;
        scratch.dst[i] = dst.data + ((p.n * dst.h + y) * dst.w + x) * dst.c;
    }
    machine.kernels.gather_product(
        {scratch.rows, count, stencil.taps(), src.c, dst.c, run.packed, scratch.dst, epilogue});
}

// All phases share one loop: block by block where their filters are near together, so that their sources are,
// too.
void run_phases(Machine& machine, const std::vector<PhaseRun>& runs, std::int64_t size, bool together,
                std::int64_t batch, const Images& src, const Epilogue& epilogue, const Destination& dst) {
    std::int64_t most = 0, taps = 0;
    for (const PhaseRun& run : runs) {
        most = std::max(most, run.blocks);
        taps = std::max(taps, run.stencil.taps());
    }
    const float* zeros = zero_row(machine, src.c);
    const BlockScratches scratches(machine, taps, 0);
    const auto phases = static_cast<std::int64_t>(runs.size());
    machine.pool.parallel(phases * most, [&](std::int64_t i, int worker) {
        const std::int64_t phase = together ? i % phases : i / most, block = together ? i / phases : i % most;
        const PhaseRun& run = runs[static_cast<std::size_t>(phase)];
        if (block >= run.blocks) return;
        const std::int64_t begin = block * size, count = std::min(size, run.total - begin);
        const std::int64_t rows = run.stencil.y.count, columns = run.stencil.x.count;
        const BlockScratch scratch = scratches.of(worker);
        if (run.by_image)
            run_block(machine, run, ImageOrder{batch, columns}, begin, count, zeros, scratch, src, epilogue,
                      dst);
        else
            run_block(machine, run, RowOrder{rows, columns}, begin, count, zeros, scratch, src, epilogue, dst);
    });
}

void run_plans(Machine& machine, const ConvShape& shape, const AxisPlan& ys, const AxisPlan& xs, bool forward,
               const float* wei, const Images& src, const Epilogue& epilogue, const Destination& dst) {
    Scratch::Frame frame(machine.scratch);
    std::vector<Stencil> stencils;
    std::int64_t total = 0, taps = 0;
    for (const Phase& y : ys)
        for (const Phase& x : xs) {
            const Stencil stencil{y, x};
            if (stencil.positions() == 0) continue;
            stencils.push_back(stencil);
            total += shape.n * stencil.positions();
            taps += stencil.taps();
        }
    const std::vector<const float*> packed = pack_filters(machine, shape, stencils, wei, forward);
    const std::int64_t size = block_size(machine, total, kRows);
    std::vector<PhaseRun> runs;
    for (std::size_t i = 0; i < stencils.size(); i++) {
        const std::int64_t positions = shape.n * stencils[i].positions();
        runs.push_back({stencils[i], packed[i], image_order_pays(stencils[i], src, shape.n), positions,
                        ceil_div(positions, size)});
    }
    run_phases(machine, runs, size, taps * src.c * dst.c <= kNearFloats, shape.n, src, epilogue, dst);
}

} // namespace

void direct_forward(Machine& machine, const ConvShape& shape, const float* src, const float* wei,
                    const Epilogue& epilogue, float* dst) {
    const AxisPlan ys = forward_plan(shape.vertical()), xs = forward_plan(shape.horizontal());
    const Images from{src, shape.h, shape.w, shape.c};
    const Destination to{dst, shape.oh, shape.ow, shape.k};
    if (shifting_pays(shape, ys, xs, true))
        shifted(machine, shape, ys, xs, true, wei, src, nullptr, epilogue, dst);
    else
        run_plans(machine, shape, ys, xs, true, wei, from, epilogue, to);
}

void direct_backward_data(Machine& machine, const ConvShape& shape, const float* wei, const float* d_dst,
                          const Epilogue& epilogue, float* d_src, const Pooled* pooled) {
    Scratch::Frame frame(machine.scratch);
    const AxisPlan ys = backward_plan(shape.vertical()), xs = backward_plan(shape.horizontal());
    Images from{d_dst, shape.oh, shape.ow, shape.k};
    const Destination to{d_src, shape.h, shape.w, shape.c};
    if (shifting_pays(shape, ys, xs, false))
        return shifted(machine, shape, ys, xs, false, wei, d_dst, pooled, epilogue, d_src);
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
        machine.kernels.pool_windows({count / 4, shape.k, shape.k, 2 * shape.k, 4 * shape.k, shape.k},
                                     scratch.pooled, epilogue, dst + begin / 4 * shape.k,
                                     arg + begin / 4 * shape.k);
    });
}

} // namespace cgan::fast
