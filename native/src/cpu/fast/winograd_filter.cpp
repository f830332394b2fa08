// winograd_filter.cpp -- filter gradient of a convolution by Winograd's transforms
//
// result  : d_g = G' [sum over windows of (B d) * (A d_y)] G (winograd_kernels.h), for each phase (conv_winograd.cpp)
// blocks  : 64 columns of (phase, channel) and 64 results, or 32 where threads are many, are one thread's, whose sums
//           stay in its L2
// memory  : images in chunks; what is summed over several is kept as frequencies
// threads : windows, then blocks; bit-equal for any number of threads
// reference: cpu/reference/conv2d.cpp
#include <algorithm>

#include "cpu/fast/winograd_windows.h"

namespace cgan::fast {
namespace {

constexpr std::int64_t kPanelsTogether = 4; // columns of a block, in panels

// The sum of no products.
void clear(const SpectralProduct& p) {
    for (std::int64_t panel = 0; panel < p.panels; panel++)
        std::fill(p.out + panel * p.out_panel, p.out + panel * p.out_panel + p.rows * kPanel, 0.0f);
}

// Where a block's spectra lie.
struct Columns {
    const Planes &x, &dy;
    std::int64_t x_panel, dy_panel;
};

// p.out (=|+=) the sum over windows of one frequency, in chains. What follows, the next chain's or frequency's, is asked for.
void add_windows(const Kernels& kernels, const WinogradPlan& plan, const Columns& c, std::int64_t f,
                 const Items& items, bool accumulate, SpectralProduct p) {
    for (std::int64_t done = 0; done < items.count; done += p.depth) {
        p.accumulate = accumulate || done > 0;
        p.depth = std::min(depth_of(plan), items.count - done);
        p.a = c.dy.at(f, c.dy_panel, items.first + done);
        p.b = c.x.at(f, c.x_panel, items.first + done);
        const bool ends = done + p.depth == items.count, all = ends && f + 1 == plan.planes();
        p.next_a = all ? nullptr : ends ? c.dy.at(f + 1, c.dy_panel, items.first) : p.a + p.depth * kPanel;
        p.next_b = all ? nullptr : ends ? c.x.at(f + 1, c.x_panel, items.first) : p.b + p.depth * kPanel;
        kernels.spectral_product(p);
    }
}

// G' of a block's sums [panels][k]: the gradient of a phase's taps.
void write_filters(const Kernels& kernels, const ConvShape& s, const WinogradPlan& plan,
                   const PhasePair& phase, std::int64_t panel, std::int64_t first, std::int64_t rows,
                   const Planes& sums, std::int64_t at_panel, std::int64_t at_row, float* d_wei) {
    const std::int64_t panels = std::min(kPanelsTogether, panels_of(s.c) - panel);
    for (std::int64_t k = 0; k < rows; k++)
        for (std::int64_t p = 0; p < panels; p++) {
            const TileSource t =
                filter_window(s, phase, d_wei + (first + k) * s.taps() * s.c + (panel + p) * kPanel, s.c,
                              panel_channels(s.c, panel + p));
            kernels.winograd_image(plan.taps, WinogradForm::Filter, {}, sums.at(0, at_panel + p, at_row + k),
                                   sums.plane(), sink_of(t));
        }
}

} // namespace

void winograd_backward_filter(Machine& machine, const ConvShape& shape, const WinogradPlan& plan,
                              const float* src, const float* d_dst, float* d_wei) {
    Scratch::Frame frame(machine.scratch);
    const Kernels& kernels = machine.kernels;
    const std::int64_t x_panels = panels_of(shape.c), y_panels = panels_of(shape.k);
    const std::int64_t all_panels = plan.phases() * x_panels;
    const std::int64_t chunk = chunk_of(shape, plan, all_panels + y_panels);
    const StoreTrials::Call call(
        machine.store_trials, Pass::BackwardFilter, shape,
        bytes_of(Planes::floats(plan.planes(), all_panels + y_panels, chunk * plan.tiles())));
    const Planes x = take(machine, plan, all_panels, chunk * plan.tiles(), call.past());
    const Planes dy = take(machine, plan, y_panels, chunk * plan.tiles(), call.past());
    const std::int64_t columns = ceil_div(x_panels, kPanelsTogether);
    const std::int64_t block_columns = plan.phases() * columns;
    const bool many = block_columns * ceil_div(shape.k, kFilterRows) >= 4 * machine.pool.threads();
    const std::int64_t block_rows = many ? kFilterRows : kFilterRows / 2;
    const std::int64_t row_blocks = ceil_div(shape.k, block_rows);
    const bool whole = chunk >= shape.n; // else the sums of all chunks are kept
    const Planes kept = whole ? Planes{} : take(machine, plan, all_panels, row_blocks * block_rows);
    const std::int64_t sums = Planes::floats(plan.planes(), kPanelsTogether, block_rows);
    float* all_sums = machine.scratch.take<float>(machine.pool.threads() * sums);

    for (std::int64_t image = 0; image < shape.n; image += chunk) {
        const std::int64_t images = std::min(chunk, shape.n - image);
        const bool last = image + images == shape.n;
        const Windows windows(plan, images, images);
        transform_sources(machine, shape, plan, src + image * shape.h * shape.w * shape.c, windows, x);
        transform_results(machine, shape, plan, d_dst + image * shape.oh * shape.ow * shape.k, windows, dy);
        machine.pool.parallel(block_columns * row_blocks, [&](std::int64_t task, int worker) {
            const std::int64_t column = task / row_blocks, first = task % row_blocks * block_rows;
            const PhasePair phase = phase_at(plan, column / columns);
            const std::int64_t panel = column % columns * kPanelsTogether;
            const std::int64_t panels = std::min(kPanelsTogether, x_panels - panel);
            const std::int64_t rows = std::min<std::int64_t>(block_rows, shape.k - first);
            const std::int64_t source = column / columns * x_panels + panel;
            const Planes own{all_sums + worker * sums, panels, block_rows};
            for (std::int64_t f = 0; f < plan.planes(); f++) {
                if (!has_frequency(plan, phase, f)) continue;
                SpectralProduct p{};
                p.real = p.over_images = true;
                p.a_block = dy.panel();
                p.b_panel = x.panel();
                p.out = whole ? own.at(f, 0, 0) : kept.at(f, source, first);
                p.out_panel = whole ? own.panel() : kept.panel();
                p.rows = round_up(rows, kPanel);
                p.panels = panels;
                const Items items = windows.having(f, {0, windows.count()});
                if (items.count == 0) clear(p);
                add_windows(kernels, plan, {x, dy, source, first / kPanel}, f, items, image > 0, p);
            }
            if (!last) return;
            if (whole)
                write_filters(kernels, shape, plan, phase, panel, first, rows, own, 0, 0, d_wei);
            else
                write_filters(kernels, shape, plan, phase, panel, first, rows, kept, source, first, d_wei);
        });
    }
}

} // namespace cgan::fast
