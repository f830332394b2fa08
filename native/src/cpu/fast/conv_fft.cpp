// conv_fft.cpp -- convolutions by Fourier transforms
//
// forward : Y = X conj(W);  gradients: dX = dY W, dW = X conj(dY)  (capitals: spectra of windows)
// windows : an image of h pixels with padding p fits one circular window of h + p: the zeros of both sides
//           are
//           the same zeros. Larger images are cut so that windows overlap by the filter's reach
// product : at each frequency a product of matrices [images, channels] and [channels, results]; 382 real
//           multiplications a channel pair for 16 x 16 results; a 5x5 filter takes 4900 directly at 14 x 14
// fusion  : scale, bias, pooling, arg-max and activation where the inverse transform ends; unpooling and
//           activation gradient where the transform of a gradient begins
// memory  : images in chunks, so that spectra in flight stay below kChunkBytes (but for one image's), or all at once where a
//           later pass will find them (held_spectra.h)
// threads : windows, then frequencies; bit-equal for any number of threads
// error   : 2e-7 of the norm for a result, 5e-7 for gradients; not exact for integers
// reference: cpu/reference/conv2d.cpp
#include "cpu/fast/conv_fft.h"

#include <algorithm>
#include <cstring>

namespace cgan::fast {
namespace {

constexpr std::int64_t kChunkBytes = std::int64_t{16} << 20; // stays in the last cache
constexpr std::int64_t kWholeBytes = std::int64_t{48} << 20;
constexpr int kMaxSide = 16;

std::int64_t source_planes(const Machine& machine, int n) {
    return 4 + machine.kernels.planes * complex_count(n);
}
std::int64_t result_planes(int n) { return 4 + 2 * complex_count(n); } // re, im

std::int64_t panels_of(std::int64_t channels) { return ceil_div(channels, kPanel); }

// Spectra of `items` windows of `panels` channel panels: planes of [panels][items][16], a cache line apart so
// that the
// planes of a window do not all fall into one set of the cache.
struct Spectra {
    float* data = nullptr;
    std::int64_t items = 0, panels = 0;
    bool past = false; // written past the caches

    std::int64_t plane() const { return panels * items * kPanel + kPanel; }
    float* at(std::int64_t panel, std::int64_t item) const { return data + (panel * items + item) * kPanel; }
    // Before another thread reads what this one wrote.
    void finish(const Machine& machine) const {
        if (past) machine.kernels.end_stores_past();
    }
};

// In `memory`, or if that is null in scratch memory.
Spectra take(Machine& machine, std::int64_t planes, std::int64_t panels, std::int64_t items, bool past,
             float* memory = nullptr) {
    Spectra s{memory, items, panels, past};
    if (!memory) s.data = machine.scratch.take<float>(planes * s.plane());
    return s;
}

// What `take` needs.
std::int64_t floats_of(std::int64_t planes, std::int64_t panels, std::int64_t items) {
    return planes * Spectra{nullptr, items, panels}.plane();
}

// Images as seen by the windows: pixel (y, x) is data + image * n + y * row + x * step + channel, for y, x
// within
// height, width; window (i, j) begins at pixel (first + tile * i, ...) and reads at most `limit` pixels each
// way.
struct WindowGrid {
    const float* data;
    std::int64_t image, row, step;
    std::int64_t height, width, channels;
    std::int64_t first_y, first_x, tile_y, tile_x, tiles_y, tiles_x;
    std::int64_t limit_y, limit_x;

    TileSource window(std::int64_t n, std::int64_t tile, std::int64_t panel) const {
        const std::int64_t y = first_y + tile / tiles_x * tile_y, x = first_x + tile % tiles_x * tile_x;
        return {data + n * image + y * row + x * step + panel * kPanel,
                row,
                step,
                std::max<std::int64_t>(-y, 0),
                std::min(height - y, limit_y),
                std::max<std::int64_t>(-x, 0),
                std::min(width - x, limit_x),
                std::min<std::int64_t>(channels - panel * kPanel, kPanel)};
    }
};

void transform_images(Machine& machine, int n, const WindowGrid& grid, std::int64_t images, int third,
                      const Spectra& out, std::int64_t first_panel) {
    const std::int64_t tiles = grid.tiles_y * grid.tiles_x, panels = panels_of(grid.channels);
    machine.pool.ranges(images * tiles * panels, 4, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; i++) {
            const std::int64_t item = i / panels, panel = i % panels;
            machine.kernels.spectrum(n, grid.window(item / tiles, item % tiles, panel), third,
                                     out.past, out.at(first_panel + panel, item), out.plane());
        }
        out.finish(machine);
    });
}

// The images from `first` on, as the forward pass and the filter gradient see them.
WindowGrid source_grid(const ConvShape& s, const SpectralPlan& p, const float* src, std::int64_t first) {
    return {src + first * s.h * s.w * s.c,
            s.h * s.w * s.c,
            s.w * s.c,
            s.c,
            s.h,
            s.w,
            s.c,
            p.first_y,
            p.first_x,
            p.tile_y,
            p.tile_x,
            p.tiles_y,
            p.tiles_x,
            p.n,
            p.n};
}

// The results of one phase, each window's own.
WindowGrid result_grid(const ConvShape& s, const SpectralPlan& p, const Stencil& phase, const float* dst,
                       std::int64_t first) {
    const std::int64_t image = s.oh * s.ow * s.k;
    return {dst + first * image + (phase.y.first * s.ow + phase.x.first) * s.k,
            image,
            phase.y.step * s.ow * s.k,
            phase.x.step * s.k,
            phase.y.count,
            phase.x.count,
            s.k,
            0,
            0,
            p.tile_y,
            p.tile_x,
            p.tiles_y,
            p.tiles_x,
            p.tile_y,
            p.tile_x};
}

// ---- filters ----

// A stencil's taps as a small image inside the window.
TileSource filter_window(const SpectralPlan& p, const Stencil& s, const float* taps, std::int64_t step,
                         std::int64_t channels) {
    const std::int64_t width = static_cast<std::int64_t>(s.x.taps.size());
    const std::int64_t y = s.y.taps[0].offset - p.first_y, x = s.x.taps[0].offset - p.first_x;
    return {taps - (y * width + x) * step,
            width * step,
            step,
            y,
            y + static_cast<std::int64_t>(s.y.taps.size()),
            x,
            x + width,
            channels};
}

// Rows beyond the channels: zeros, since they meet whatever the other operand holds there.
TileSource empty_window() { return {nullptr, 0, 0, 0, 0, 0, 0, kPanel}; }

// [phase, k / 16][c][16]
Spectra forward_filter(Machine& machine, const ConvShape& shape, const SpectralPlan& plan, const float* wei,
                       bool past) {
    const std::int64_t depth = round_up(shape.c, kPanel), panels = panels_of(shape.k);
    const Spectra out = take(machine, source_planes(machine, plan.n), plan.phases() * panels, depth, past);
    std::int64_t first = 0;
    for (const Stencil& s : stencils_of(plan)) {
        Scratch::Frame frame(machine.scratch);
        const float* packed = pack_filter(machine, shape, s, wei, true);
        machine.pool.ranges(panels * depth, 8, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; i++) {
                const std::int64_t panel = i / depth, c = i % depth;
                const float* taps = packed + (panel * s.taps() * shape.c + c) * kPanel;
                machine.kernels.spectrum(plan.n,
                                         c < shape.c ? filter_window(plan, s, taps, shape.c * kPanel, kPanel)
                                                     : empty_window(),
                                         -1, out.past, out.at(first + panel, c), out.plane());
            }
            out.finish(machine);
        });
        first += panels;
    }
    return out;
}

// [c / 16][phase, k][16]
Spectra backward_filter(Machine& machine, const ConvShape& shape, const SpectralPlan& plan,
                        const float* wei, bool past) {
    const std::int64_t rows = round_up(shape.k, kPanel), panels = panels_of(shape.c);
    const Spectra out = take(machine, source_planes(machine, plan.n), panels, plan.phases() * rows, past);
    std::int64_t first = 0;
    for (const Stencil& s : stencils_of(plan)) {
        Scratch::Frame frame(machine.scratch);
        const FoldedFilter filter = fold(machine, shape, s, wei);
        machine.pool.ranges(rows * panels, 8, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; i++) {
                const std::int64_t k = i / panels, panel = i % panels;
                const float* taps = filter.data + k * filter.k_stride + panel * kPanel;
                const std::int64_t channels = std::min<std::int64_t>(shape.c - panel * kPanel, kPanel);
                machine.kernels.spectrum(
                    plan.n, k < shape.k ? filter_window(plan, s, taps, shape.c, channels) : empty_window(),
                    -1, out.past, out.at(panel, first + k), out.plane());
            }
            out.finish(machine);
        });
        first += rows;
    }
    return out;
}

// ---- products ----

enum class Product { ConjugateFilter, Filter, OverImages };

// out at every frequency; `depth` of b's items are summed.
void multiply(Machine& machine, int n, Product kind, const Spectra& a, const Spectra& b, std::int64_t depth,
              bool accumulate, const Spectra& out) {
    const std::int64_t frequencies = 4 + complex_count(n);
    const std::int64_t pieces = std::min(ceil_div(16 * machine.pool.threads(), frequencies), b.panels);
    const std::int64_t panels = ceil_div(b.panels, pieces);
    const auto source_plane = [&](std::int64_t f) {
        return f < 4 ? f : 4 + machine.kernels.planes * (f - 4);
    };
    machine.pool.parallel(frequencies * pieces, [&](std::int64_t task, int) {
        const std::int64_t f = task / pieces, panel = task % pieces * panels;
        if (panel >= b.panels) return;
        const std::int64_t in = source_plane(f), to = f < 4 ? f : 4 + 2 * (f - 4);
        SpectralProduct p{};
        p.real = f < 4;
        p.over_images = kind == Product::OverImages;
        p.conjugate_b = kind == Product::ConjugateFilter;
        p.accumulate = accumulate;
        p.past = out.past;
        p.a = a.data + in * a.plane();
        p.a_plane = a.plane();
        p.a_block = a.items * kPanel;
        p.b = b.data + in * b.plane() + panel * b.items * kPanel;
        p.b_plane = b.plane();
        p.b_panel = b.items * kPanel;
        p.out = out.data + to * out.plane() + panel * out.items * kPanel;
        p.out_plane = out.plane();
        p.out_panel = out.items * kPanel;
        p.rows = out.items;
        p.depth = depth;
        p.panels = std::min(panels, b.panels - panel);
        if (const std::int64_t next = task + 1;
            next < frequencies * pieces) { // the thread's next task, as a rule
            const std::int64_t planes = source_plane(next / pieces) - in;
            p.a_ahead = planes * a.plane();
            p.a_lines = planes > 0 ? a.panels * a.items : 0; // else it is at hand
            p.b_ahead = planes * b.plane() + (next % pieces * panels - panel) * b.items * kPanel;
            p.b_lines = std::min(panels, b.panels - next % pieces * panels) * b.items;
        }
        machine.kernels.spectral_product(p);
        out.finish(machine);
    });
}

// Images that are in flight together, and the bytes of their spectra.
struct Chunk {
    std::int64_t images, bytes;

    // Of `panels` panels of planes in all, for each window.
    Chunk(const ConvShape& shape, const SpectralPlan& plan, std::int64_t panels) {
        const std::int64_t image = 4 * kPanel * plan.tiles() * panels;
        images = std::clamp<std::int64_t>(kChunkBytes / image, 1, shape.n);
        bytes = images * image;
        whole_ = shape.n * image;
        all_ = shape.n;
    }
    // Whether all images may be in flight, for spectra that are held.
    bool may_be_whole() const { return whole_ <= kWholeBytes; }
    void make_whole() { images = all_, bytes = whole_; }

  private:
    std::int64_t whole_, all_;
};

using Lease = HeldSpectra::Lease;

// Memory for the spectra of all of a source, or of all of a gradient as single windows see it: for the passes to share.
Lease lease_source(Machine& machine, const ConvShape& shape, const SpectralPlan& plan, const Chunk& chunk,
                   const float* src) {
    if (!chunk.may_be_whole()) return {};
    const std::int64_t floats =
        floats_of(source_planes(machine, plan.n), panels_of(shape.c), shape.n * plan.tiles());
    return machine.held.lease(HeldSpectra::Role::Source, shape, {}, {src}, floats);
}
Lease lease_gradient(Machine& machine, const ConvShape& shape, const SpectralPlan& plan, const Chunk& chunk,
                     const float* d_dst, const Pooled* pooled) {
    if (!chunk.may_be_whole() || !plan.single) return {};
    const std::int64_t floats = floats_of(source_planes(machine, plan.n),
                                          plan.phases() * panels_of(shape.k), shape.n * plan.tiles());
    if (!pooled) return machine.held.lease(HeldSpectra::Role::Gradient, shape, {}, {d_dst}, floats);
    return machine.held.lease(HeldSpectra::Role::Gradient, shape, pooled->act,
                              {pooled->dst, pooled->d_dst, pooled->arg}, floats);
}

// ---- pooled results ----

// A row of `count` pooling windows in a spectral window's pixels, [n][n][16], and in results of k channels.
PoolWindows pooled_row(const SpectralPlan& plan, std::int64_t count, std::int64_t channels, std::int64_t k) {
    return {count, channels, kPanel, plan.n * kPanel, 2 * kPanel, k};
}

// The window of a gradient given in pooled form: image `n`, unpooled into `pixels` [n][n][16].
TileSource unpool_window(Machine& machine, const ConvShape& s, const SpectralPlan& plan, const Pooled& pooled,
                         std::int64_t image, std::int64_t panel, float* pixels) {
    const std::int64_t ph = s.oh / 2, pw = s.ow / 2,
                       channels = std::min<std::int64_t>(s.k - panel * kPanel, kPanel);
    for (std::int64_t y = 0; y < ph; y++) {
        const std::int64_t at = (image * ph + y) * pw * s.k + panel * kPanel;
        machine.kernels.unpool_windows(pooled_row(plan, pw, channels, s.k), pooled.act, pooled.dst + at,
                                       pooled.d_dst + at, pooled.arg + at, pixels + 2 * y * plan.n * kPanel);
    }
    return {pixels, plan.n * kPanel, kPanel, 0, ph * 2, 0, pw * 2, channels};
}

void transform_pooled(Machine& machine, const ConvShape& shape, const SpectralPlan& plan,
                      const Pooled& pooled, std::int64_t first, std::int64_t images, const Spectra& out) {
    const std::int64_t panels = panels_of(shape.k);
    machine.pool.ranges(images * panels, 4, [&](std::int64_t begin, std::int64_t end) {
        alignas(64) float pixels[kMaxSide * kMaxSide * kPanel];
        for (std::int64_t i = begin; i < end; i++) {
            const std::int64_t item = i / panels, panel = i % panels;
            machine.kernels.spectrum(plan.n,
                                     unpool_window(machine, shape, plan, pooled, first + item, panel, pixels),
                                     -1, out.past, out.at(panel, item), out.plane());
        }
        out.finish(machine);
    });
}

// The spectra of a result's gradient, of either form, as [phase, k / 16].
void transform_gradient(Machine& machine, const ConvShape& shape, const SpectralPlan& plan,
                        const float* d_dst, const Pooled* pooled, std::int64_t first, std::int64_t images,
                        const Spectra& out) {
    if (pooled) return transform_pooled(machine, shape, plan, *pooled, first, images, out);
    std::int64_t panel = 0;
    for (const Stencil& s : stencils_of(plan)) {
        transform_images(machine, plan.n, result_grid(shape, plan, s, d_dst, first), images, -1, out, panel);
        panel += panels_of(shape.k);
    }
}

Epilogue of_panel(const Epilogue& e, std::int64_t panel) {
    return {e.bia ? e.bia + panel * kPanel : nullptr, e.act};
}

void pooled_image(Machine& machine, const ConvShape& s, const SpectralPlan& plan, const Spectra& spectra,
                  std::int64_t item, std::int64_t image, std::int64_t panel, const Epilogue& epilogue,
                  const Pooled& pooled) {
    alignas(64) float pixels[kMaxSide * kMaxSide * kPanel];
    const std::int64_t ph = s.oh / 2, pw = s.ow / 2,
                       channels = std::min<std::int64_t>(s.k - panel * kPanel, kPanel);
    machine.kernels.image(plan.n, spectra.at(panel, item), spectra.plane(),
                          {pixels, plan.n * kPanel, kPanel, 0, ph * 2, 0, pw * 2, channels, {}});
    for (std::int64_t y = 0; y < ph; y++) {
        const std::int64_t at = (image * ph + y) * pw * s.k + panel * kPanel;
        machine.kernels.pool_windows(pooled_row(plan, pw, channels, s.k), pixels + 2 * y * plan.n * kPanel,
                                     of_panel(epilogue, panel), pooled.dst + at, pooled.arg + at);
    }
}

// Writes the results of all phases from their spectra, [phase, k / 16].
void write_results(Machine& machine, const ConvShape& s, const SpectralPlan& plan, const Spectra& spectra,
                   std::int64_t first, const Epilogue& epilogue, float* dst, const Pooled* pooled) {
    const std::vector<Stencil> stencils = stencils_of(plan);
    const std::int64_t panels = panels_of(s.k);
    machine.pool.ranges(spectra.items * spectra.panels, 4, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; i++) {
            const std::int64_t item = i / spectra.panels, panel = i % spectra.panels % panels;
            if (pooled) {
                pooled_image(machine, s, plan, spectra, item, first + item, panel, epilogue, *pooled);
                continue;
            }
            const Stencil& phase = stencils[static_cast<std::size_t>(i % spectra.panels / panels)];
            const TileSource t = result_grid(s, plan, phase, dst, first)
                                     .window(item / plan.tiles(), item % plan.tiles(), panel);
            machine.kernels.image(plan.n, spectra.at(i % spectra.panels, item), spectra.plane(),
                                  {const_cast<float*>(t.data), t.row, t.step, t.y0, t.y1, t.x0, t.x1,
                                   t.channels, of_panel(epilogue, panel)});
        }
    });
}

} // namespace

void spectral_forward(Machine& machine, const ConvShape& shape, const SpectralPlan& plan, const float* src,
                      const float* wei, const Epilogue& epilogue, float* dst, const Pooled* pooled) {
    Scratch::Frame frame(machine.scratch);
    const std::int64_t in_panels = panels_of(shape.c), out_panels = plan.phases() * panels_of(shape.k);
    Chunk chunk(shape, plan,
                source_planes(machine, plan.n) * in_panels + result_planes(plan.n) * out_panels);
    Lease held = lease_source(machine, shape, plan, chunk, src);
    if (held.data()) chunk.make_whole();
    const StoreTrials::Call call(machine.store_trials, Pass::Forward, shape, chunk.bytes);
    const Spectra filter = forward_filter(machine, shape, plan, wei, call.past());
    for (std::int64_t first = 0; first < shape.n; first += chunk.images) {
        Scratch::Frame chunk_frame(machine.scratch);
        const std::int64_t images = std::min(chunk.images, shape.n - first), items = images * plan.tiles();
        const Spectra x =
            take(machine, source_planes(machine, plan.n), in_panels, items, call.past(), held.data());
        const Spectra y = take(machine, result_planes(plan.n), out_panels, items, call.past());
        if (!held.ready())
            transform_images(machine, plan.n, source_grid(shape, plan, src, first), images, 1, x, 0);
        held.filled();
        multiply(machine, plan.n, Product::ConjugateFilter, x, filter, filter.items, false, y);
        write_results(machine, shape, plan, y, first, epilogue, dst, pooled);
    }
}

namespace {

// Windows of a phase's results that hold all that a tile of the source fed: for images of several windows.
WindowGrid feeding_grid(const ConvShape& s, const SpectralPlan& p, const Stencil& phase, const float* d_dst,
                        std::int64_t first, std::int64_t tiles_y, std::int64_t tiles_x) {
    WindowGrid grid = result_grid(s, p, phase, d_dst, first);
    grid.first_y = -(p.first_y + p.reach_y - 1);
    grid.first_x = -(p.first_x + p.reach_x - 1);
    grid.tile_y = p.n - p.reach_y + 1;
    grid.tile_x = p.n - p.reach_x + 1;
    grid.tiles_y = tiles_y;
    grid.tiles_x = tiles_x;
    grid.limit_y = grid.limit_x = p.n;
    return grid;
}

// Where pixel (0, 0) of each window of the source's gradient goes, and which pixels are the source's.
TileSink source_sink(const ConvShape& s, const SpectralPlan& p, float* d_src, std::int64_t image,
                     std::int64_t tile, std::int64_t tiles_x, std::int64_t panel, const Epilogue& epilogue) {
    TileSink t{};
    std::int64_t y = p.first_y, x = p.first_x; // source pixel of the window's (0, 0)
    std::int64_t valid_y = p.n, valid_x = p.n; // end of the valid pixels
    t.y0 = -y;
    t.x0 = -x;
    if (!p.single) {
        t.y0 = p.reach_y - 1;
        t.x0 = p.reach_x - 1;
        y = tile / tiles_x * (p.n - p.reach_y + 1) - t.y0;
        x = tile % tiles_x * (p.n - p.reach_x + 1) - t.x0;
    }
    t.y1 = std::min(valid_y, s.h - y);
    t.x1 = std::min(valid_x, s.w - x);
    t.row = s.w * s.c;
    t.step = s.c;
    t.data = d_src + ((image * s.h + y) * s.w + x) * s.c + panel * kPanel;
    t.channels = std::min<std::int64_t>(s.c - panel * kPanel, kPanel);
    t.epilogue = of_panel(epilogue, panel);
    return t;
}

} // namespace

void spectral_backward_data(Machine& machine, const ConvShape& shape, const SpectralPlan& plan,
                            const float* wei, const float* d_dst, const Epilogue& epilogue, float* d_src,
                            const Pooled* pooled) {
    Scratch::Frame frame(machine.scratch);
    const std::int64_t in_panels = plan.phases() * panels_of(shape.k), out_panels = panels_of(shape.c);
    const std::int64_t tiles_y = plan.single ? 1 : ceil_div(shape.h, plan.n - plan.reach_y + 1);
    const std::int64_t tiles_x = plan.single ? 1 : ceil_div(shape.w, plan.n - plan.reach_x + 1);
    const std::int64_t tiles = tiles_y * tiles_x;
    Chunk chunk(shape, plan,
                source_planes(machine, plan.n) * in_panels + result_planes(plan.n) * out_panels);
    Lease held = lease_gradient(machine, shape, plan, chunk, d_dst, pooled);
    if (held.data()) chunk.make_whole();
    const StoreTrials::Call call(machine.store_trials, Pass::BackwardData, shape, chunk.bytes);
    const Spectra filter = backward_filter(machine, shape, plan, wei, call.past());
    for (std::int64_t first = 0; first < shape.n; first += chunk.images) {
        Scratch::Frame chunk_frame(machine.scratch);
        const std::int64_t images = std::min(chunk.images, shape.n - first);
        const Spectra dy = take(machine, source_planes(machine, plan.n), in_panels, images * tiles,
                                call.past(), held.data());
        const Spectra dx = take(machine, result_planes(plan.n), out_panels, images * tiles, call.past());
        if (plan.single) {
            if (!held.ready()) transform_gradient(machine, shape, plan, d_dst, pooled, first, images, dy);
            held.filled();
        } else {
            std::int64_t panel = 0;
            for (const Stencil& s : stencils_of(plan)) {
                transform_images(machine, plan.n,
                                 feeding_grid(shape, plan, s, d_dst, first, tiles_y, tiles_x), images, -1, dy,
                                 panel);
                panel += panels_of(shape.k);
            }
        }
        multiply(machine, plan.n, Product::Filter, dy, filter, filter.items, false, dx);
        machine.pool.ranges(dx.items * out_panels, 4, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; i++) {
                const std::int64_t item = i / out_panels, panel = i % out_panels;
                machine.kernels.image(plan.n, dx.at(panel, item), dx.plane(),
                                      source_sink(shape, plan, d_src, first + item / tiles, item % tiles,
                                                  tiles_x, panel, epilogue));
            }
        });
    }
}

namespace {

// Writes one phase's filter gradient [k][taps][c] from spectra [c / 16][phase, k].
void write_filter(Machine& machine, const ConvShape& s, const SpectralPlan& plan, const Stencil& phase,
                  const Spectra& spectra, std::int64_t first, float* sums) {
    const std::int64_t panels = panels_of(s.c), taps = phase.taps();
    machine.pool.ranges(s.k * panels, 8, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; i++) {
            const std::int64_t k = i / panels, panel = i % panels;
            const TileSource t = filter_window(plan, phase, sums + k * taps * s.c + panel * kPanel, s.c,
                                               std::min<std::int64_t>(s.c - panel * kPanel, kPanel));
            machine.kernels.image(
                plan.n, spectra.at(panel, first + k), spectra.plane(),
                {const_cast<float*>(t.data), t.row, t.step, t.y0, t.y1, t.x0, t.x1, t.channels, {}});
        }
    });
}

} // namespace

void spectral_backward_filter(Machine& machine, const ConvShape& shape, const SpectralPlan& plan,
                              const float* src, const float* d_dst, float* d_wei, const Pooled* pooled) {
    Scratch::Frame frame(machine.scratch);
    const std::int64_t x_panels = panels_of(shape.c), y_panels = plan.phases() * panels_of(shape.k);
    Chunk chunk(shape, plan, source_planes(machine, plan.n) * (x_panels + y_panels));
    Lease held_x = lease_source(machine, shape, plan, chunk, src),
          held_dy = lease_gradient(machine, shape, plan, chunk, d_dst, pooled);
    if (held_x.data() || held_dy.data()) chunk.make_whole();
    const StoreTrials::Call call(machine.store_trials, Pass::BackwardFilter, shape, chunk.bytes);
    const Spectra dw = take(machine, result_planes(plan.n), x_panels, y_panels * kPanel, call.past());
    for (std::int64_t first = 0; first < shape.n; first += chunk.images) {
        Scratch::Frame chunk_frame(machine.scratch);
        const std::int64_t images = std::min(chunk.images, shape.n - first), items = images * plan.tiles();
        const Spectra x =
            take(machine, source_planes(machine, plan.n), x_panels, items, call.past(), held_x.data());
        const Spectra dy =
            take(machine, source_planes(machine, plan.n), y_panels, items, call.past(), held_dy.data());
        if (!held_x.ready())
            transform_images(machine, plan.n, source_grid(shape, plan, src, first), images, 1, x, 0);
        held_x.filled();
        if (!held_dy.ready()) transform_gradient(machine, shape, plan, d_dst, pooled, first, images, dy);
        held_dy.filled();
        multiply(machine, plan.n, Product::OverImages, dy, x, items, first > 0, dw);
    }
    const bool folded = plan.phases() > 1 || shape.upsample > 1;
    if (folded) std::fill(d_wei, d_wei + shape.k * shape.taps() * shape.c, 0.0f);
    std::int64_t row = 0;
    for (const Stencil& s : stencils_of(plan)) {
        Scratch::Frame phase_frame(machine.scratch);
        float* sums = folded ? machine.scratch.take<float>(shape.k * s.taps() * shape.c) : d_wei;
        write_filter(machine, shape, plan, s, dw, row, sums);
        if (folded) add_unfolded(machine, shape, s, sums, d_wei);
        row += round_up(shape.k, kPanel);
    }
}

} // namespace cgan::fast
