// conv_winograd.cpp -- convolutions by Winograd's transforms
//
// strides : a convolution of stride s is the sum of s x s convolutions of stride 1, of every s-th pixel with every
//           s-th row of the filter. They are summed as frequencies: more channels, one inverse transform
// forward : y = A' [sum over phases and channels of (G g) * (B d)] A (winograd_kernels.h)
// gradient: the transpose of the same sum: windows B' [sum of (G g) * (A d_y)] B, which overlap and are added; the
//           filter's is in winograd_filter.cpp. So no phase needs a shifted tile
// taps    : a phase with fewer taps than another has a filter that is zero at infinity: those products are left out
// product : at each frequency a product of matrices; a 4x4 filter of stride 2 takes 100 real multiplications a channel
//           pair for 4 x 4 results, where it takes 256 directly
// blocks  : one operand is transformed as a whole, before; the other one's blocks by the thread that multiplies them,
//           when it needs them, so that they and the sums stay in its L2. Whole is what has the smaller spectra: filters
//           ("bank"), where windows are many, or windows
// memory  : whole windows' images in chunks, so that spectra stay in the last cache (but for one image's)
// threads : windows, then blocks; bit-equal for any number of threads, since a sum's order depends on the shape alone
// error   : below that of a direct sum in one chain, if it is long, and other sums are not made so; not exact for integers
// reference: cpu/reference/conv2d.cpp
#include "cpu/fast/conv_winograd.h"

#include <algorithm>

#include "cpu/fast/filters.h"
#include "cpu/fast/winograd_windows.h"

namespace cgan::fast {
namespace {

constexpr std::int64_t kPanelsTogether = 4; // columns of a block that transforms its filters, in panels
constexpr std::int64_t kSide = 6;           // of the largest window
constexpr std::int64_t kNearBytes = std::int64_t{1000} << 10; // of one thread's windows and sums, in L2
constexpr std::int64_t kBankBytes = std::int64_t{16} << 20;  // of whole filters: they stay in the last cache
constexpr std::int64_t kMostTogether = 16; // windows of an image, up to which blocks are made of images
constexpr std::int64_t kFewRows =
    18; // of a block, below which reading filters from the last cache costs too much

// The filters of a pass: its columns are results, its rows what is summed over.
struct Filters {
    const ConvShape& shape;
    const WinogradPlan& plan;
    const float* data; // forward: packed, [k / 16][r, s][c][16]; by data: [k][r, s][c]
    bool forward;

    std::int64_t terms() const { return forward ? shape.c : shape.k; }
    std::int64_t term_panels() const { return panels_of(terms()); }
    std::int64_t result_panels() const { return panels_of(forward ? shape.k : shape.c); }

    TileSource window(const PhasePair& phase, std::int64_t panel, std::int64_t term) const {
        if (term >= terms()) return {nullptr, 0, 0, 0, 0, 0, 0, kPanel};
        if (forward)
            return filter_window(shape, phase, data + (panel * shape.taps() * shape.c + term) * kPanel,
                                 shape.c * kPanel, kPanel);
        return filter_window(shape, phase, data + term * shape.taps() * shape.c + panel * kPanel, shape.c,
                             panel_channels(shape.c, panel));
    }
    // G g of `panels` panels and `depth` terms, written from panel `at` on; read in the order in which they lie.
    void spectra(const Kernels& kernels, const PhasePair& phase, std::int64_t panel, std::int64_t panels,
                 std::int64_t begin, std::int64_t depth, const Planes& out, std::int64_t at) const {
        for (std::int64_t i = 0; i < panels * depth; i++) {
            const std::int64_t p = forward ? i / depth : i % panels, term = forward ? i % depth : i / panels;
            kernels.winograd_spectrum(plan.taps, WinogradForm::Filter, {}, window(phase, panel + p, begin + term),
                                      out.past, out.at(0, at + p, term), out.plane());
        }
    }
};

// Spectra of all filters, as the products read them: [phase][chain of terms][results / 16][terms of the chain][16].
class Bank {
  public:
    explicit Bank(const Filters& filters)
        : filters_(filters), chains_(ceil_div(filters.term_panels() * kPanel, depth_of(filters.plan))) {
        planes_.panels = filters.plan.phases() * chains_ * filters.result_panels();
        planes_.items = std::min(depth_of(filters.plan), filters.term_panels() * kPanel);
    }
    std::int64_t floats() const {
        return Planes::floats(filters_.plan.planes(), planes_.panels, planes_.items);
    }
    void fill(Machine& machine, bool past) {
        planes_.past = past;
        planes_.data = machine.scratch.take<float>(floats());
        const std::int64_t columns = filters_.result_panels(), terms = filters_.term_panels() * kPanel;
        machine.pool.parallel(planes_.panels, [&](std::int64_t at, int) {
            const std::int64_t begin = at / columns % chains_ * planes_.items;
            filters_.spectra(machine.kernels, phase_at(filters_.plan, at / columns / chains_), at % columns,
                             1, begin, std::min(planes_.items, terms - begin), planes_, at);
            planes_.finish(machine.kernels);
        });
    }
    const Planes& planes() const { return planes_; }
    // Where a phase's filters begin, of a chain that begins at `term`.
    std::int64_t panel(std::int64_t phase, std::int64_t term) const {
        return (phase * chains_ + term / planes_.items) * filters_.result_panels();
    }

  private:
    const Filters filters_;
    const std::int64_t chains_;
    Planes planes_{};
};

// What is transformed whole, and how many windows a block has.
struct Split {
    bool bank;
    std::int64_t rows;
};

// `near` panels of each window are in L2 if filters are whole; windows come in groups of `group`.
Split split_of(const Machine& machine, const Filters& filters, std::int64_t near, std::int64_t group) {
    const WinogradPlan& plan = filters.plan;
    const std::int64_t items = filters.shape.n * plan.tiles(), threads = machine.pool.threads();
    const std::int64_t window_panels = filters.term_panels() * (filters.forward ? plan.phases() : 1);
    const std::int64_t bank_bytes = bytes_of(Bank(filters).floats());
    const std::int64_t windows_bytes = bytes_of(Planes::floats(plan.planes(), window_panels, items));
    const std::int64_t panel_bytes = bytes_of(plan.planes() * kPanel);
    const std::int64_t most = kNearBytes / (panel_bytes * near) / group * group;
    if (most < kFewRows || bank_bytes > kBankBytes || bank_bytes > windows_bytes ||
        items < 2 * threads * kFewRows) {
        const std::int64_t rows = std::max(kRowBlock / group, std::int64_t{1}) * group;
        return {false, round_up(ceil_div(items, ceil_div(items, rows)), group)};
    }
    const std::int64_t rounds = ceil_div(items, most * threads);
    return {true, round_up(ceil_div(items, rounds * threads), group)};
}

// Columns of a block that transforms its filters, in panels: twice as many read the windows half as often, if that leaves
// blocks enough for all threads. `others` is the number of blocks of the same columns.
std::int64_t columns_together(const Machine& machine, std::int64_t panels, std::int64_t others) {
    const std::int64_t wide = ceil_div(panels, 2 * kPanelsTogether);
    if (wide * others >= 2 * machine.pool.threads()) return ceil_div(panels, wide);
    return std::min(panels, kPanelsTogether);
}

// Memory of one worker: the block of the operand that it transforms, and the products' sums.
class Blocks {
  public:
    Blocks(Machine& machine, std::int64_t operand_floats, std::int64_t sum_floats)
        : operand_floats_(operand_floats), total_(operand_floats + sum_floats),
          data_(machine.scratch.take<float>(machine.pool.threads() * total_)) {}
    float* operand(int worker) const { return data_ + worker * total_; }
    float* sums(int worker) const { return operand(worker) + operand_floats_; }

  private:
    const std::int64_t operand_floats_, total_;
    float* const data_;
};

// Where a block of an operand begins. What is transformed whole is far: in the last cache, or in memory.
struct Operand {
    const Planes& planes;
    std::int64_t panel, item;
    bool far = false;

    const float* at(std::int64_t f, std::int64_t row) const { return planes.at(f, panel, item + row); }
    // To be asked for while frequency f is multiplied; null if it is near, or there is no other.
    const float* next(std::int64_t f, std::int64_t frequencies, std::int64_t row) const {
        return far && f + 1 < frequencies ? at(f + 1, row) : nullptr;
    }
};

// Sums of a block of results, [frequency][panels][rows][16].
class Sums {
  public:
    Sums(const WinogradPlan& plan, const Planes& planes) : plan_(plan), planes_(planes) {}
    const Planes& planes() const { return planes_; }

    // Adds, at all frequencies of a phase, those rows of a that have it times b, `depth` deep. The rows are `items`.
    void add(const Kernels& kernels, const PhasePair& phase, const Operand& a, const Windows& windows,
             const Items& items, const Operand& b, std::int64_t depth) {
        SpectralProduct p{};
        p.real = true;
        p.a_block = a.planes.panel();
        p.b_panel = b.planes.panel();
        p.out_panel = planes_.panel();
        p.depth = depth, p.panels = planes_.panels;
        for (std::int64_t f = 0; f < plan_.planes(); f++) {
            if (!has_frequency(plan_, phase, f)) continue;
            const Items having = windows.having(f, items);
            if (having.count == 0) continue;
            const std::int64_t row = having.first - items.first;
            p.rows = having.count;
            p.a = a.at(f, row), p.next_a = a.next(f, plan_.planes(), row);
            p.b = b.at(f, 0), p.next_b = b.next(f, plan_.planes(), 0);
            p.out = planes_.at(f, 0, row);
            p.accumulate = written_[f];
            kernels.spectral_product(p);
            written_[f] = true;
        }
    }
    // What no product has written is zero.
    void finish() {
        for (std::int64_t f = 0; f < plan_.planes(); f++)
            if (!written_[f])
                std::fill(planes_.at(f, 0, 0), planes_.at(f, 0, 0) + planes_.panels * planes_.panel(), 0.0f);
    }

  private:
    const WinogradPlan& plan_;
    const Planes planes_;
    bool written_[kSide * kSide] = {};
};

Epilogue of_panel(const Epilogue& e, std::int64_t panel) {
    return {e.bia ? e.bia + panel * kPanel : nullptr, e.act};
}

} // namespace

void winograd_forward(Machine& machine, const ConvShape& shape, const WinogradPlan& plan, const float* src,
                      const float* wei, const Epilogue& epilogue, float* dst) {
    Scratch::Frame frame(machine.scratch);
    const Kernels& kernels = machine.kernels;
    const AxisPlan ys = forward_plan(shape.vertical()), xs = forward_plan(shape.horizontal());
    const Filters filters{shape, plan, pack_filter(machine, shape, {ys[0], xs[0]}, wei, true), true};
    const std::int64_t in_panels = panels_of(shape.c), out_panels = panels_of(shape.k);
    const std::int64_t near = std::min(in_panels, depth_of(plan) / kPanel);
    const std::int64_t together = plan.tiles() <= kMostTogether ? plan.tiles() : 1;
    const Split split = split_of(machine, filters, near + out_panels, together);
    const std::int64_t chunk = split.bank ? shape.n : chunk_of(shape, plan, plan.phases() * in_panels);
    const std::int64_t blocks_of_chunk = ceil_div(chunk * plan.tiles(), split.rows);
    const std::int64_t width =
        split.bank ? out_panels : columns_together(machine, out_panels, blocks_of_chunk);
    const std::int64_t columns = ceil_div(out_panels, width);
    Bank bank(filters);
    const StoreTrials::Call call(
        machine.store_trials, Pass::Forward, shape,
        bytes_of(split.bank ? bank.floats()
                            : Planes::floats(plan.planes(), plan.phases() * in_panels, chunk * plan.tiles())));
    Planes x{};
    if (split.bank)
        bank.fill(machine, call.past());
    else
        x = take(machine, plan, plan.phases() * in_panels, chunk * plan.tiles(), call.past());
    const Blocks blocks(machine,
                        split.bank ? Planes::floats(plan.planes(), near, split.rows)
                                   : Planes::floats(plan.planes(), width, depth_of(plan)),
                        Planes::floats(plan.planes(), width, split.rows));

    for (std::int64_t image = 0; image < shape.n; image += chunk) {
        const std::int64_t images = std::min(chunk, shape.n - image);
        const Windows windows(plan, images, split.bank && together > 1 ? split.rows / together : images);
        float* const results = dst + image * shape.oh * shape.ow * shape.k;
        const float* sources = src + image * shape.h * shape.w * shape.c;
        if (!split.bank) transform_sources(machine, shape, plan, sources, windows, x);
        const std::int64_t row_blocks = ceil_div(windows.count(), split.rows);
        machine.pool.parallel(columns * row_blocks, [&](std::int64_t task, int worker) {
            const std::int64_t panel = task % columns * width, first = task / columns * split.rows;
            const std::int64_t panels = std::min(width, out_panels - panel);
            const Items items{first, std::min(split.rows, windows.count() - first)};
            Sums sums(plan, {blocks.sums(worker), panels, split.rows});
            for (std::int64_t q = 0; q < plan.phases(); q++) {
                const PhasePair phase = phase_at(plan, q);
                for (std::int64_t c = 0; c < in_panels * kPanel; c += depth_of(plan)) {
                    const std::int64_t depth = std::min(depth_of(plan), in_panels * kPanel - c);
                    const std::int64_t column = q * in_panels + c / kPanel;
                    if (split.bank) {
                        const Planes own{blocks.operand(worker), depth / kPanel, split.rows};
                        source_spectra(kernels, shape, plan, sources, windows, items, column, own, 0);
                        sums.add(kernels, phase, {own, 0, 0}, windows, items,
                                 {bank.planes(), bank.panel(q, c), 0, true}, depth);
                    } else {
                        const Planes own{blocks.operand(worker), panels, depth};
                        filters.spectra(kernels, phase, panel, panels, c, depth, own, 0);
                        sums.add(kernels, phase, {x, column, first, true}, windows, items, {own, 0, 0},
                                 depth);
                    }
                }
            }
            sums.finish();
            for (std::int64_t row = 0; row < items.count; row++) {
                const Window window = windows.at(first + row);
                for (std::int64_t p = 0; p < panels; p++)
                    kernels.winograd_image(plan.taps, WinogradForm::Result, window.size,
                                           sums.planes().at(0, p, row), sums.planes().plane(),
                                           sink_of(result_window(shape, results, window, panel + p),
                                                   of_panel(epilogue, panel + p)));
            }
        });
    }
}

namespace {

// Calls f(pointer to pixel (y, 0) of the phase, pixels) for each of its rows of an image.
template <class F> void for_phase_rows(const ConvShape& s, const PhasePair& phase, float* image, F f) {
    for (std::int64_t y = 0; y < phase.y.count; y++)
        f(image + ((phase.y.first + y * s.stride_h) * s.w + phase.x.first) * s.c, phase.x.count);
}

// The part of the gradients that a task adds to: some images' pixels of a phase and channels of a few panels, or all.
struct Part {
    const ConvShape& shape;
    float* images;
    std::int64_t count;
    bool whole;
    PhasePair phase;
    std::int64_t panel, channels;

    void clear() const {
        const std::int64_t size = shape.h * shape.w * shape.c;
        if (whole) return std::fill(images, images + count * size, 0.0f), void();
        for (std::int64_t i = 0; i < count; i++)
            for_phase_rows(shape, phase, images + i * size + panel * kPanel, [&](float* row, std::int64_t n) {
                for (std::int64_t x = 0; x < n; x++, row += shape.stride_w * shape.c)
                    std::fill(row, row + channels, 0.0f);
            });
    }
    void finish(const Kernels& kernels, const Epilogue& epilogue) const {
        const std::int64_t size = shape.h * shape.w * shape.c;
        if (!epilogue.any()) return;
        if (whole) return kernels.epilogue(epilogue, images, count * shape.h * shape.w, shape.c, shape.c);
        for (std::int64_t i = 0; i < count; i++)
            for_phase_rows(shape, phase, images + i * size + panel * kPanel, [&](float* row, std::int64_t n) {
                kernels.epilogue(of_panel(epilogue, panel), row, n, channels, shape.stride_w * shape.c);
            });
    }
};

} // namespace

void winograd_backward_data(Machine& machine, const ConvShape& shape, const WinogradPlan& plan,
                            const float* wei, const float* d_dst, const Epilogue& epilogue, float* d_src) {
    Scratch::Frame frame(machine.scratch);
    const Kernels& kernels = machine.kernels;
    const Filters filters{shape, plan, wei, false};
    const std::int64_t in_panels = panels_of(shape.k), out_panels = panels_of(shape.c);
    const std::int64_t size = shape.h * shape.w * shape.c, tiles = plan.tiles();
    const std::int64_t few = std::min(out_panels, kPanelsTogether);
    const Split split = split_of(machine, filters, in_panels + few, tiles);
    const std::int64_t group = split.rows / tiles; // images of a task
    const std::int64_t block = split.bank ? split.rows : std::min(split.rows, kRowBlock);
    const std::int64_t chunk = split.bank ? shape.n : chunk_of(shape, plan, in_panels);
    const std::int64_t width =
        split.bank ? few : columns_together(machine, out_panels, plan.phases() * ceil_div(chunk, group));
    const std::int64_t columns = ceil_div(out_panels, width);
    Bank bank(filters);
    const StoreTrials::Call call(
        machine.store_trials, Pass::BackwardData, shape,
        bytes_of(split.bank ? bank.floats() : Planes::floats(plan.planes(), in_panels, chunk * tiles)));
    Planes dy{};
    if (split.bank)
        bank.fill(machine, call.past());
    else
        dy = take(machine, plan, in_panels, chunk * tiles, call.past());
    const Blocks blocks(machine,
                        split.bank ? Planes::floats(plan.planes(), in_panels, block)
                                   : Planes::floats(plan.planes(), width, depth_of(plan)),
                        Planes::floats(plan.planes(), width, block));

    for (std::int64_t image = 0; image < shape.n; image += chunk) {
        const std::int64_t images = std::min(chunk, shape.n - image);
        const float* results = d_dst + image * shape.oh * shape.ow * shape.k;
        float* const out = d_src + image * size;
        const Windows windows(plan, images, group);
        if (!split.bank) transform_results(machine, shape, plan, results, windows, dy);

        // Adds the windows of one phase and column of panels; `near`: their spectra, if filters are whole.
        const auto add_windows = [&](std::int64_t q, std::int64_t panel, const Items& items,
                                     const Planes& near, int worker) {
            const PhasePair phase = phase_at(plan, q);
            const std::int64_t panels = std::min(width, out_panels - panel);
            Sums sums(plan, {blocks.sums(worker), panels, block});
            for (std::int64_t k = 0; k < in_panels * kPanel; k += depth_of(plan)) {
                const std::int64_t depth = std::min(depth_of(plan), in_panels * kPanel - k);
                if (split.bank) {
                    sums.add(kernels, phase, {near, k / kPanel, 0}, windows, items,
                             {bank.planes(), bank.panel(q, k) + panel, 0, true}, depth);
                } else {
                    const Planes own{blocks.operand(worker), panels, depth};
                    filters.spectra(kernels, phase, panel, panels, k, depth, own, 0);
                    sums.add(kernels, phase, {dy, k / kPanel, items.first, true}, windows, items, {own, 0, 0},
                             depth);
                }
            }
            sums.finish();
            for (std::int64_t row = 0; row < items.count; row++) {
                const Window window = windows.at(items.first + row);
                for (std::int64_t p = 0; p < panels; p++)
                    kernels.winograd_image(plan.taps, WinogradForm::Source, window.size,
                                           sums.planes().at(0, p, row), sums.planes().plane(),
                                           sink_of(source_window(shape, plan, phase, out, window, panel + p)));
            }
        };

        const std::int64_t all = plan.phases() * columns, per_group = split.bank ? 1 : all;
        machine.pool.parallel(per_group * ceil_div(images, group), [&](std::int64_t task, int worker) {
            const std::int64_t column = task % per_group, first_image = task / per_group * group;
            const std::int64_t panel = column % columns * width;
            const std::int64_t end_image = std::min(first_image + group, images), end = end_image * tiles;
            const Part part{shape,
                            out + first_image * size,
                            end_image - first_image,
                            split.bank,
                            phase_at(plan, column / columns),
                            panel,
                            std::min<std::int64_t>(width * kPanel, shape.c - panel * kPanel)};
            part.clear();
            for (std::int64_t first = first_image * tiles; first < end; first += block) {
                const Items items{first, std::min(block, end - first)};
                const Planes near{split.bank ? blocks.operand(worker) : nullptr, in_panels, block};
                if (split.bank) result_spectra(kernels, shape, plan, results, windows, items, near, 0);
                for (std::int64_t i = column; i < column + all / per_group; i++)
                    add_windows(i / columns, i % columns * width, items, near, worker);
            }
            part.finish(kernels, epilogue);
        });
    }
}

} // namespace cgan::fast
