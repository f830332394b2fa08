// conv_winograd.cpp -- convolutions by Winograd's transforms
//
// strides : a convolution of stride s is the sum of s x s convolutions of stride 1, of every s-th pixel with every
//           s-th row of the filter. They are summed as frequencies: more channels, one inverse transform
// forward : y = A' [sum over phases and channels of (G g) * (B d)] A (winograd_kernels.h)
// gradient: the transposes of the same sum. Source: windows B' [sum of (G g) * (A d_y)] B, which overlap and are
//           added; filter: G' [sum over windows of (B d) * (A d_y)] G. So no phase needs a shifted tile
// taps    : a phase with fewer taps than another has a filter that is zero at infinity: those products are left out
// product : at each frequency a product of matrices; a 4x4 filter of stride 2 takes 100 real multiplications a channel
//           pair for 4 x 4 results, where it takes 256 directly
// blocks  : 64 columns, depth_of() terms of the sum and `kRowBlock` rows are one thread's: the operand that it transforms
//           itself, when it is needed, and the sums stay in its L2, and only the other operand is written as a whole
// memory  : images in chunks, so that spectra stay below kChunkBytes (but for one image's, below kMostBytes)
// threads : windows, then blocks; bit-equal for any number of threads
// error   : below that of a direct sum in one chain, if it is long; 3 taps serve long sums only; not exact for integers
// reference: cpu/reference/conv2d.cpp
#include "cpu/fast/conv_winograd.h"

#include <algorithm>
#include <cstring>

#include "cpu/fast/filters.h"

namespace cgan::fast {
namespace {

constexpr std::int64_t kChunkBytes = std::int64_t{12} << 20;
constexpr std::int64_t kMostBytes = std::int64_t{64} << 20;
constexpr std::int64_t kPanelsTogether = 4; // columns of a block, in panels
constexpr std::int64_t kDepth = 64;         // terms of a sum in one go, at most
constexpr std::int64_t kRowBlock = 96;      // windows, a multiple of the tile's rows
constexpr std::int64_t kFilterRows = 32;    // rows of a block of a filter's gradient
constexpr std::int64_t kSide = 6;           // of the largest window

// Terms of a chain of a sum: the transforms of 3 taps magnify its rounding errors more than those of 2.
std::int64_t depth_of(const WinogradPlan& plan) { return plan.taps == 2 ? kDepth : kDepth / 2; }

std::int64_t panels_of(std::int64_t channels) { return ceil_div(channels, kPanel); }

std::int64_t panel_channels(std::int64_t channels, std::int64_t panel) {
    return std::min<std::int64_t>(channels - panel * kPanel, kPanel);
}

// One plane for each frequency, of [panels][items][16], a cache line apart so that the planes of a window do not all
// fall into one set of the cache.
struct Planes {
    float* data;
    std::int64_t panels, items;

    std::int64_t plane() const { return (panels * items + 1) * kPanel; }
    std::int64_t panel() const { return items * kPanel; }
    float* at(std::int64_t f, std::int64_t panel, std::int64_t item) const {
        return data + f * plane() + (panel * items + item) * kPanel;
    }
    // Floats of `frequencies` planes.
    static std::int64_t floats(std::int64_t frequencies, std::int64_t panels, std::int64_t items) {
        return frequencies * (panels * items + 1) * kPanel;
    }
};

Planes take(Machine& machine, const WinogradPlan& plan, std::int64_t panels, std::int64_t items) {
    return {machine.scratch.take<float>(Planes::floats(plan.planes(), panels, items)), panels, items};
}

// The phases of both axes in turn.
struct PhasePair {
    SourcePhase y, x;
};

PhasePair phase_at(const WinogradPlan& plan, std::int64_t i) {
    const std::int64_t width = static_cast<std::int64_t>(plan.xs.size());
    return {plan.ys[static_cast<std::size_t>(i / width)], plan.xs[static_cast<std::size_t>(i % width)]};
}

// False where the phase's filter is zero: at infinity, if it has fewer taps than the transform takes.
bool has_frequency(const WinogradPlan& plan, const PhasePair& phase, std::int64_t f) {
    const std::int64_t last = plan.n() - 1;
    return !(f / plan.n() == last && phase.y.taps < plan.taps) &&
           !(f % plan.n() == last && phase.x.taps < plan.taps);
}

// ---- windows of the source and of the result ----

TileSource source_window(const ConvShape& s, const WinogradPlan& plan, const PhasePair& phase,
                         const float* image, std::int64_t tile, std::int64_t panel) {
    const std::int64_t y = tile / plan.tiles_x * kWinogradTile + phase.y.low,
                       x = tile % plan.tiles_x * kWinogradTile + phase.x.low;
    const std::int64_t row = s.stride_h * s.w * s.c, step = s.stride_w * s.c;
    return {image + (phase.y.first * s.w + phase.x.first) * s.c + y * row + x * step + panel * kPanel,
            row,
            step,
            std::max<std::int64_t>(-y, 0),
            std::min(phase.y.count - y, plan.n()),
            std::max<std::int64_t>(-x, 0),
            std::min(phase.x.count - x, plan.n()),
            panel_channels(s.c, panel)};
}

TileSource result_window(const ConvShape& s, const WinogradPlan& plan, const float* image, std::int64_t tile,
                         std::int64_t panel) {
    const std::int64_t y = tile / plan.tiles_x * kWinogradTile, x = tile % plan.tiles_x * kWinogradTile;
    return {image + (y * s.ow + x) * s.k + panel * kPanel,
            s.ow * s.k,
            s.k,
            0,
            std::min<std::int64_t>(s.oh - y, kWinogradTile),
            0,
            std::min<std::int64_t>(s.ow - x, kWinogradTile),
            panel_channels(s.k, panel)};
}

// B d of images as [phase, c / 16][tile].
void transform_sources(Machine& machine, const ConvShape& s, const WinogradPlan& plan, const float* src,
                       std::int64_t images, const Planes& out) {
    const std::int64_t panels = panels_of(s.c);
    machine.pool.ranges(images * plan.tiles() * out.panels, 16, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; i++) {
            const std::int64_t item = i / out.panels, column = i % out.panels;
            machine.kernels.winograd_spectrum(plan.taps, WinogradForm::Source,
                                              source_window(s, plan, phase_at(plan, column / panels),
                                                            src + item / plan.tiles() * s.h * s.w * s.c,
                                                            item % plan.tiles(), column % panels),
                                              out.at(0, column, item), out.plane());
        }
    });
}

// A d_y of images as [k / 16][tile].
void transform_results(Machine& machine, const ConvShape& s, const WinogradPlan& plan, const float* d_dst,
                       std::int64_t images, const Planes& out) {
    machine.pool.ranges(images * plan.tiles() * out.panels, 16, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; i++) {
            const std::int64_t item = i / out.panels, panel = i % out.panels;
            machine.kernels.winograd_spectrum(plan.taps, WinogradForm::Result,
                                              result_window(s, plan,
                                                            d_dst + item / plan.tiles() * s.oh * s.ow * s.k,
                                                            item % plan.tiles(), panel),
                                              out.at(0, panel, item), out.plane());
        }
    });
}

// ---- filters ----

// A phase's taps of one filter; `at` is where its row (0, 0) has the panel's channels, `tap` apart.
TileSource filter_window(const ConvShape& s, const PhasePair& phase, const float* at, std::int64_t tap,
                         std::int64_t channels) {
    return {at + (phase.y.row * s.s + phase.x.row) * tap,
            s.stride_h * s.s * tap,
            s.stride_w * tap,
            0,
            phase.y.taps,
            0,
            phase.x.taps,
            channels};
}

TileSource empty_window() { return {nullptr, 0, 0, 0, 0, 0, 0, kPanel}; }

// Memory of one worker: a block of the filter's spectra, and the products' sums.
struct Blocks {
    std::int64_t filter_floats, sum_floats, image_floats;
    float* data;

    Blocks(Machine& machine, const WinogradPlan& plan, std::int64_t rows, std::int64_t image)
        : filter_floats(Planes::floats(plan.planes(), kPanelsTogether, kDepth)),
          sum_floats(Planes::floats(plan.planes(), kPanelsTogether, rows)), image_floats(image) {
        data = machine.scratch.take<float>(machine.pool.threads() * total());
    }
    std::int64_t total() const { return filter_floats + sum_floats + image_floats; }
    float* filter(int worker) const { return data + worker * total(); }
    float* sums(int worker) const { return filter(worker) + filter_floats; }
    float* image(int worker) const { return sums(worker) + sum_floats; }
};

// How many images at once, equally many each time.
std::int64_t chunk_of(const ConvShape& s, const WinogradPlan& plan, std::int64_t panels) {
    const std::int64_t image =
        Planes::floats(plan.planes(), panels, plan.tiles()) * static_cast<std::int64_t>(sizeof(float));
    const std::int64_t most =
        std::clamp<std::int64_t>(kChunkBytes / image, 1, std::max<std::int64_t>(s.n, 1));
    return ceil_div(s.n, std::max<std::int64_t>(ceil_div(s.n, most), 1));
}

// sums (=|+=) rows [first, first + rows) of a's panels from `panel` on, times b, `depth` deep.
void multiply(const Kernels& kernels, const Planes& a, std::int64_t f, std::int64_t panel, std::int64_t first,
              std::int64_t rows, const Planes& b, std::int64_t depth, bool accumulate, const Planes& sums) {
    SpectralProduct p{};
    p.real = true;
    p.accumulate = accumulate;
    p.a = a.at(f, panel, first);
    p.a_block = a.panel();
    p.b = b.at(f, 0, 0);
    p.b_panel = b.panel();
    p.out = sums.at(f, 0, 0);
    p.out_panel = sums.panel();
    p.rows = rows;
    p.depth = depth;
    p.panels = b.panels;
    kernels.spectral_product(p);
}

// Sums that no product has written.
void clear_unwritten(const bool (&written)[kSide * kSide], const WinogradPlan& plan, const Planes& sums) {
    for (std::int64_t f = 0; f < plan.planes(); f++)
        if (!written[f]) std::fill(sums.at(f, 0, 0), sums.at(f, 0, 0) + sums.panels * sums.panel(), 0.0f);
}

Epilogue of_panel(const Epilogue& e, std::int64_t panel) {
    return {e.bia ? e.bia + panel * kPanel : nullptr, e.act};
}

} // namespace

void winograd_forward(Machine& machine, const ConvShape& shape, const WinogradPlan& plan, const float* src,
                      const float* wei, const Epilogue& epilogue, float* dst) {
    Scratch::Frame frame(machine.scratch);
    const Kernels& kernels = machine.kernels;
    const AxisPlan ys = forward_plan(shape.vertical()), xs = forward_plan(shape.horizontal());
    const float* packed = pack_filter(machine, shape, {ys[0], xs[0]}, wei, true); // [k / 16][r, s][c][16]
    const std::int64_t in_panels = panels_of(shape.c), out_panels = panels_of(shape.k);
    const std::int64_t chunk = chunk_of(shape, plan, plan.phases() * in_panels);
    const Planes x = take(machine, plan, plan.phases() * in_panels, chunk * plan.tiles());
    const std::int64_t columns = ceil_div(out_panels, kPanelsTogether);
    const Blocks blocks(machine, plan, kRowBlock, 0);

    // Spectra of the filters of `panels` panels, channels [begin, begin + depth) of a phase.
    const auto transform_filters = [&](const PhasePair& phase, std::int64_t panel, std::int64_t begin,
                                       std::int64_t depth, const Planes& out) {
        for (std::int64_t p = 0; p < out.panels; p++)
            for (std::int64_t c = begin; c < begin + depth; c++) {
                const float* at = packed + ((panel + p) * shape.taps() * shape.c + c) * kPanel;
                kernels.winograd_spectrum(
                    plan.taps, WinogradForm::Filter,
                    c < shape.c ? filter_window(shape, phase, at, shape.c * kPanel, kPanel) : empty_window(),
                    out.at(0, p, c - begin), out.plane());
            }
    };

    for (std::int64_t image = 0; image < shape.n; image += chunk) {
        const std::int64_t images = std::min(chunk, shape.n - image), items = images * plan.tiles();
        transform_sources(machine, shape, plan, src + image * shape.h * shape.w * shape.c, images, x);
        const std::int64_t row_blocks = ceil_div(items, kRowBlock);
        machine.pool.parallel(columns * row_blocks, [&](std::int64_t task, int worker) {
            const std::int64_t panel = task % columns * kPanelsTogether, first = task / columns * kRowBlock;
            const std::int64_t panels = std::min(kPanelsTogether, out_panels - panel);
            const std::int64_t rows = std::min(kRowBlock, items - first);
            const Planes sums{blocks.sums(worker), panels, kRowBlock};
            bool written[kSide * kSide] = {};
            for (std::int64_t q = 0; q < plan.phases(); q++) {
                const PhasePair phase = phase_at(plan, q);
                for (std::int64_t c = 0; c < in_panels * kPanel; c += depth_of(plan)) {
                    const std::int64_t depth = std::min(depth_of(plan), in_panels * kPanel - c);
                    const Planes filter{blocks.filter(worker), panels, depth};
                    transform_filters(phase, panel, c, depth, filter);
                    for (std::int64_t f = 0; f < plan.planes(); f++) {
                        if (!has_frequency(plan, phase, f)) continue;
                        multiply(kernels, x, f, q * in_panels + c / kPanel, first, rows, filter, depth,
                                 written[f], sums);
                        written[f] = true;
                    }
                }
            }
            clear_unwritten(written, plan, sums);
            for (std::int64_t row = 0; row < rows; row++)
                for (std::int64_t p = 0; p < panels; p++) {
                    const std::int64_t item = first + row;
                    const TileSource t = result_window(
                        shape, plan, dst + (image + item / plan.tiles()) * shape.oh * shape.ow * shape.k,
                        item % plan.tiles(), panel + p);
                    kernels.winograd_image(plan.taps, WinogradForm::Result, sums.at(0, p, row), sums.plane(),
                                           {const_cast<float*>(t.data), t.row, t.step, t.y0, t.y1, t.x0, t.x1,
                                            t.channels, of_panel(epilogue, panel + p)});
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

} // namespace

void winograd_backward_data(Machine& machine, const ConvShape& shape, const WinogradPlan& plan,
                            const float* wei, const float* d_dst, const Epilogue& epilogue, float* d_src) {
    Scratch::Frame frame(machine.scratch);
    const Kernels& kernels = machine.kernels;
    const std::int64_t in_panels = panels_of(shape.k), out_panels = panels_of(shape.c);
    const std::int64_t chunk = chunk_of(shape, plan, in_panels), size = shape.h * shape.w * shape.c;
    const Planes dy = take(machine, plan, in_panels, chunk * plan.tiles());
    const std::int64_t columns = ceil_div(out_panels, kPanelsTogether);
    const std::int64_t group = std::max<std::int64_t>(kRowBlock / plan.tiles(), 1); // images of a block
    const Blocks blocks(machine, plan, kRowBlock, 0);

    const auto transform_filters = [&](const PhasePair& phase, std::int64_t panel, std::int64_t begin,
                                       std::int64_t depth, const Planes& out) {
        for (std::int64_t k = begin; k < begin + depth; k++)
            for (std::int64_t p = 0; p < out.panels; p++) {
                const float* at = wei + k * shape.taps() * shape.c + (panel + p) * kPanel;
                kernels.winograd_spectrum(
                    plan.taps, WinogradForm::Filter,
                    k < shape.k ? filter_window(shape, phase, at, shape.c, panel_channels(shape.c, panel + p))
                                : empty_window(),
                    out.at(0, p, k - begin), out.plane());
            }
    };

    for (std::int64_t image = 0; image < shape.n; image += chunk) {
        const std::int64_t images = std::min(chunk, shape.n - image), items = images * plan.tiles();
        transform_results(machine, shape, plan, d_dst + image * shape.oh * shape.ow * shape.k, images, dy);
        const std::int64_t groups = ceil_div(images, group), column_blocks = plan.phases() * columns;
        machine.pool.parallel(column_blocks * groups, [&](std::int64_t task, int worker) {
            const std::int64_t column = task % column_blocks, first_image = task / column_blocks * group;
            const PhasePair phase = phase_at(plan, column / columns);
            const std::int64_t panel = column % columns * kPanelsTogether;
            const std::int64_t panels = std::min(kPanelsTogether, out_panels - panel);
            const std::int64_t channels = std::min<std::int64_t>(panels * kPanel, shape.c - panel * kPanel);
            const std::int64_t end_image = std::min(first_image + group, images);
            float* const out = d_src + image * size;
            for (std::int64_t i = first_image; i < end_image; i++)
                for_phase_rows(shape, phase, out + i * size + panel * kPanel,
                               [&](float* row, std::int64_t n) {
                                   for (std::int64_t x = 0; x < n; x++, row += shape.stride_w * shape.c)
                                       std::fill(row, row + channels, 0.0f);
                               });
            const std::int64_t end = std::min(end_image * plan.tiles(), items);
            for (std::int64_t first = first_image * plan.tiles(); first < end; first += kRowBlock) {
                const std::int64_t rows = std::min(kRowBlock, end - first);
                const Planes sums{blocks.sums(worker), panels, kRowBlock};
                bool written[kSide * kSide] = {};
                for (std::int64_t k = 0; k < in_panels * kPanel; k += depth_of(plan)) {
                    const std::int64_t depth = std::min(depth_of(plan), in_panels * kPanel - k);
                    const Planes filter{blocks.filter(worker), panels, depth};
                    transform_filters(phase, panel, k, depth, filter);
                    for (std::int64_t f = 0; f < plan.planes(); f++) {
                        if (!has_frequency(plan, phase, f)) continue;
                        multiply(kernels, dy, f, k / kPanel, first, rows, filter, depth, written[f], sums);
                        written[f] = true;
                    }
                }
                clear_unwritten(written, plan, sums);
                for (std::int64_t row = 0; row < rows; row++)
                    for (std::int64_t p = 0; p < panels; p++) {
                        const std::int64_t item = first + row;
                        const TileSource t =
                            source_window(shape, plan, phase, out + item / plan.tiles() * size,
                                          item % plan.tiles(), panel + p);
                        kernels.winograd_image(plan.taps, WinogradForm::Source, sums.at(0, p, row),
                                               sums.plane(),
                                               {const_cast<float*>(t.data),
                                                t.row,
                                                t.step,
                                                t.y0,
                                                t.y1,
                                                t.x0,
                                                t.x1,
                                                t.channels,
                                                {}});
                    }
            }
            if (!epilogue.any()) return;
            for (std::int64_t i = first_image; i < end_image; i++)
                for_phase_rows(shape, phase, out + i * size + panel * kPanel,
                               [&](float* row, std::int64_t n) {
                                   kernels.epilogue(of_panel(epilogue, panel), row, n, channels,
                                                    shape.stride_w * shape.c);
                               });
        });
    }
}

namespace {

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
            kernels.winograd_image(
                plan.taps, WinogradForm::Filter, sums.at(0, at_panel + p, at_row + k), sums.plane(),
                {const_cast<float*>(t.data), t.row, t.step, t.y0, t.y1, t.x0, t.x1, t.channels, {}});
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
    const Planes x = take(machine, plan, all_panels, chunk * plan.tiles());
    const Planes dy = take(machine, plan, y_panels, chunk * plan.tiles());
    const std::int64_t columns = ceil_div(x_panels, kPanelsTogether);
    const std::int64_t row_blocks = ceil_div(shape.k, kFilterRows);
    const bool whole = chunk >= shape.n; // else the sums of all chunks are kept
    const Planes kept = whole ? Planes{} : take(machine, plan, all_panels, row_blocks * kFilterRows);
    const Blocks blocks(machine, plan, kFilterRows, 0);

    for (std::int64_t image = 0; image < shape.n; image += chunk) {
        const std::int64_t images = std::min(chunk, shape.n - image), items = images * plan.tiles();
        const bool last = image + images == shape.n;
        transform_sources(machine, shape, plan, src + image * shape.h * shape.w * shape.c, images, x);
        transform_results(machine, shape, plan, d_dst + image * shape.oh * shape.ow * shape.k, images, dy);
        machine.pool.parallel(plan.phases() * columns * row_blocks, [&](std::int64_t task, int worker) {
            const std::int64_t column = task / row_blocks, first = task % row_blocks * kFilterRows;
            const PhasePair phase = phase_at(plan, column / columns);
            const std::int64_t panel = column % columns * kPanelsTogether;
            const std::int64_t panels = std::min(kPanelsTogether, x_panels - panel);
            const std::int64_t rows = std::min<std::int64_t>(kFilterRows, shape.k - first);
            const std::int64_t source = column / columns * x_panels + panel;
            const Planes own{blocks.sums(worker), panels, kFilterRows};
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
                for (std::int64_t item = 0; item < items; item += depth_of(plan)) {
                    p.accumulate = image + item > 0;
                    p.a = dy.at(f, first / kPanel, item);
                    p.b = x.at(f, source, item);
                    p.depth = std::min(depth_of(plan), items - item);
                    kernels.spectral_product(p);
                }
            }
            if (!last) return;
            if (whole)
                write_filters(kernels, shape, plan, phase, panel, first, rows, own, 0, 0, d_wei);
            else
                write_filters(kernels, shape, plan, phase, panel, first, rows, kept, source, first, d_wei);
        });
    }
}

// ---- the choice ----

namespace {

constexpr std::int64_t kLongSum =
    512; // terms from which on 3 taps' errors are no greater than a direct sum's

std::int64_t floor_div(std::int64_t a, std::int64_t b) { return a >= 0 ? a / b : -((-a + b - 1) / b); }

// Empty if some phase has no tap, or no pixel.
std::vector<SourcePhase> source_phases(const Axis& axis) {
    std::vector<SourcePhase> phases;
    for (std::int64_t q = 0; q < axis.stride; q++) {
        const std::int64_t row = (q + axis.pad) % axis.stride;
        if (row >= axis.kernel || q >= axis.source) return {};
        phases.push_back({q, ceil_div(axis.source - q, axis.stride), floor_div(row - axis.pad, axis.stride),
                          row, ceil_div(axis.kernel - row, axis.stride)});
    }
    return phases;
}

// Frequencies of all phases that have a product.
std::int64_t products(const WinogradPlan& plan) {
    std::int64_t sum = 0;
    for (const SourcePhase& y : plan.ys)
        for (const SourcePhase& x : plan.xs)
            sum += (plan.n() - (y.taps < plan.taps)) * (plan.n() - (x.taps < plan.taps));
    return sum;
}

// Multiplications, or as long as they take.
double winograd_cost(const ConvShape& s, const WinogradPlan& p, Pass pass) {
    const double windows = static_cast<double>(s.n * p.tiles()), planes = static_cast<double>(p.planes()),
                 phases = static_cast<double>(p.phases()), c = static_cast<double>(round_up(s.c, kPanel)),
                 k = static_cast<double>(round_up(s.k, kPanel));
    const double blocks =
        pass == Pass::BackwardFilter ? 1 : static_cast<double>(ceil_div(s.n * p.tiles(), kRowBlock));
    const double transforms = 20 * windows * (phases * c + k) + 10 * blocks * phases * c * k;
    return 1.1 * static_cast<double>(products(p)) * windows * c * k + planes * transforms;
}

// Terms of a direct sum.
std::int64_t direct_terms(const ConvShape& s, Pass pass) {
    if (pass == Pass::Forward) return s.taps() * s.c;
    if (pass == Pass::BackwardData) return s.taps() * s.k / (s.stride_h * s.stride_w);
    return s.n * s.oh * s.ow;
}

// Whether the errors of 3 taps' transforms stay within those of direct sums. At stride 1 Fourier transforms serve, whose
// errors are the least.
bool accurate(const ConvShape& s, const WinogradPlan& plan, Pass pass) {
    if (plan.taps == 2) return true;
    return (s.stride_h > 1 || s.stride_w > 1) && direct_terms(s, pass) >= kLongSum;
}

double direct_cost(const ConvShape& s) {
    return static_cast<double>(s.n * s.oh * s.ow * s.taps() * s.c * round_up(s.k, kPanel));
}

// Of what one image needs, and of the sums of a filter's gradient.
std::int64_t most_bytes(const ConvShape& s, const WinogradPlan& p, Pass pass) {
    const std::int64_t x = p.phases() * panels_of(s.c), y = panels_of(s.k);
    const std::int64_t panels = pass == Pass::Forward ? x : pass == Pass::BackwardData ? y : x + y;
    std::int64_t floats = Planes::floats(p.planes(), panels, p.tiles());
    if (pass == Pass::BackwardFilter)
        floats = std::max(floats, Planes::floats(p.planes(), x, round_up(s.k, kFilterRows)));
    return floats * static_cast<std::int64_t>(sizeof(float));
}

} // namespace

std::optional<WinogradPlan> plan_winograd(const ConvShape& shape, Pass pass) {
    if (shape.upsample != 1 || shape.c < 8 || shape.k < 8 || shape.n == 0) return std::nullopt;
    WinogradPlan plan{0, source_phases(shape.vertical()), source_phases(shape.horizontal()), 0, 0, 0};
    if (plan.ys.empty() || plan.xs.empty()) return std::nullopt;
    for (const auto* axis : {&plan.ys, &plan.xs})
        for (const SourcePhase& phase : *axis) plan.taps = std::max(plan.taps, static_cast<int>(phase.taps));
    if (plan.taps < 2 || plan.taps > 3 || !accurate(shape, plan, pass)) return std::nullopt;
    plan.tiles_y = ceil_div(shape.oh, kWinogradTile);
    plan.tiles_x = ceil_div(shape.ow, kWinogradTile);
    plan.cost = winograd_cost(shape, plan, pass);
    if (plan.cost >= direct_cost(shape) || most_bytes(shape, plan, pass) > kMostBytes) return std::nullopt;
    return plan;
}

} // namespace cgan::fast
