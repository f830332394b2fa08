#include "cpu/fast/winograd_windows.h"

namespace cgan::fast {
namespace {

constexpr std::int64_t kChunkBytes = std::int64_t{12} << 20;
constexpr std::int64_t kPiece = 16; // transforms that a thread takes at a time, at least

// Calls f(items) for pieces of the windows, by all threads.
template <class F> void share_items(Machine& machine, const Windows& windows, std::int64_t panels, F f) {
    machine.pool.ranges(windows.count(), ceil_div(kPiece, panels), [&](std::int64_t begin, std::int64_t end) {
        f(Items{begin, end - begin});
    });
}

// The tiles of an axis with 4 results, or those with 3.
Items tiles_of(const TileAxis& axis, bool full) {
    return full ? Items{0, axis.full} : Items{axis.full, axis.count - axis.full};
}

} // namespace

PhasePair phase_at(const WinogradPlan& plan, std::int64_t i) {
    const std::int64_t width = static_cast<std::int64_t>(plan.xs.size());
    return {plan.ys[static_cast<std::size_t>(i / width)], plan.xs[static_cast<std::size_t>(i % width)]};
}

bool has_frequency(const WinogradPlan& plan, const PhasePair& phase, std::int64_t f) {
    const std::int64_t last = plan.n() - 1;
    return !(f / plan.n() == last && phase.y.taps < plan.taps) &&
           !(f % plan.n() == last && phase.x.taps < plan.taps);
}

Windows::Windows(const WinogradPlan& plan, std::int64_t images, std::int64_t group)
    : plan_(plan), images_(images), group_(group) {
    for (int kind = 0; kind < kKinds; kind++) {
        const bool tall = kind == 1 || kind == 2, wide = kind == 0 || kind == 1;
        rows_[kind] = tiles_of(plan.down, tall);
        columns_[kind] = tiles_of(plan.along, wide);
        tiles_[kind] = rows_[kind].count * columns_[kind].count;
    }
}

Window Windows::at(std::int64_t item) const {
    const std::int64_t of_group = group_ * plan_.tiles(), group = item / of_group,
                       images = images_of_group(group);
    item -= group * of_group;
    int kind = 0;
    for (; item >= images * tiles_[kind]; kind++) item -= images * tiles_[kind];
    const std::int64_t tile = item % tiles_[kind], width = columns_[kind].count;
    const std::int64_t y = rows_[kind].first + tile / width, x = columns_[kind].first + tile % width;
    return {group * group_ + item / tiles_[kind],
            plan_.down.first(y),
            plan_.along.first(x),
            {plan_.down.results(y), plan_.along.results(x)}};
}

Items Windows::having(std::int64_t frequency, const Items& items) const {
    const bool tall = frequency / plan_.n() == 0, wide = frequency % plan_.n() == 0;
    const std::int64_t of_group = group_ * plan_.tiles(), group = items.first / of_group,
                       images = images_of_group(group);
    const int first_kind = tall ? 1 : 0, end_kind = wide ? 2 : tall ? 3 : kKinds;
    std::int64_t begin = group * of_group, end = begin;
    for (int kind = 0; kind < end_kind; kind++) {
        if (kind < first_kind) begin += images * tiles_[kind];
        end += images * tiles_[kind];
    }
    begin = std::max(begin, items.first);
    end = std::min(end, items.first + items.count);
    return {begin, std::max<std::int64_t>(end - begin, 0)};
}

namespace {

// Transforms panels of windows: of(window, panel) is where one lies. The next window's pixels are asked for, since rows of
// an image lie too far apart for the hardware to foresee.
template <class Of>
void window_spectra(const Kernels& kernels, int taps, WinogradForm form, const Windows& windows,
                    const Items& items, const Planes& out, std::int64_t at, Of of) {
    Window next = windows.at(items.first);
    for (std::int64_t i = 0; i < items.count; i++) {
        const Window window = next;
        const bool more = i + 1 < items.count;
        if (more) next = windows.at(items.first + i + 1);
        for (std::int64_t p = 0; p < out.panels; p++) {
            TileSource pixels = of(window, p);
            if (more) pixels.next = of(next, p).data;
            kernels.winograd_spectrum(taps, form, window.size, pixels, out.past, out.at(0, p, at + i),
                                      out.plane());
        }
    }
}

} // namespace

void source_spectra(const Kernels& kernels, const ConvShape& s, const WinogradPlan& plan, const float* src,
                    const Windows& windows, const Items& items, std::int64_t panel, const Planes& out,
                    std::int64_t at) {
    const std::int64_t panels = panels_of(s.c);
    window_spectra(kernels, plan.taps, WinogradForm::Source, windows, items, out, at,
                   [&](const Window& window, std::int64_t p) {
                       return source_window(s, plan, phase_at(plan, (panel + p) / panels), src, window,
                                            (panel + p) % panels);
                   });
}

void result_spectra(const Kernels& kernels, const ConvShape& s, const WinogradPlan& plan, const float* d_dst,
                    const Windows& windows, const Items& items, const Planes& out, std::int64_t at) {
    window_spectra(
        kernels, plan.taps, WinogradForm::Result, windows, items, out, at,
        [&](const Window& window, std::int64_t p) { return result_window(s, d_dst, window, p); });
}

void transform_sources(Machine& machine, const ConvShape& s, const WinogradPlan& plan, const float* src,
                       const Windows& windows, const Planes& out) {
    share_items(machine, windows, out.panels, [&](const Items& items) {
        source_spectra(machine.kernels, s, plan, src, windows, items, 0, out, items.first);
        out.finish(machine.kernels);
    });
}

void transform_results(Machine& machine, const ConvShape& s, const WinogradPlan& plan, const float* d_dst,
                       const Windows& windows, const Planes& out) {
    share_items(machine, windows, out.panels, [&](const Items& items) {
        result_spectra(machine.kernels, s, plan, d_dst, windows, items, out, items.first);
        out.finish(machine.kernels);
    });
}

std::int64_t chunk_of(const ConvShape& s, const WinogradPlan& plan, std::int64_t panels) {
    const std::int64_t image =
        Planes::floats(plan.planes(), panels, plan.tiles()) * static_cast<std::int64_t>(sizeof(float));
    const std::int64_t most =
        std::clamp<std::int64_t>(kChunkBytes / image, 1, std::max<std::int64_t>(s.n, 1));
    return ceil_div(s.n, std::max<std::int64_t>(ceil_div(s.n, most), 1));
}

} // namespace cgan::fast
