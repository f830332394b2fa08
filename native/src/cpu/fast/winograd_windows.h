// What Winograd's convolutions transform: windows of sources, results and filters, and where their spectra lie.
#pragma once

#include <algorithm>

#include "cpu/fast/conv_winograd.h"

namespace cgan::fast {

inline constexpr std::int64_t kMostTerms = 64;  // of a chain of a sum
inline constexpr std::int64_t kRowBlock = 128;  // windows of a block that transforms its filters
inline constexpr std::int64_t kFilterRows = 64; // results of a block of a filter's gradient

// Terms of a chain of a sum: the transforms of 3 taps magnify its rounding errors more than those of 2.
inline std::int64_t depth_of(const WinogradPlan& plan) {
    return plan.taps == 2 ? kMostTerms : kMostTerms / 2;
}

inline std::int64_t bytes_of(std::int64_t floats) {
    return floats * static_cast<std::int64_t>(sizeof(float));
}

inline std::int64_t panels_of(std::int64_t channels) { return ceil_div(channels, kPanel); }

inline std::int64_t panel_channels(std::int64_t channels, std::int64_t panel) {
    return std::min<std::int64_t>(channels - panel * kPanel, kPanel);
}

// One plane for each frequency, of [panels][items][16], a cache line apart so that the planes of a window do not all
// fall into one set of the cache.
struct Planes {
    float* data;
    std::int64_t panels, items;
    bool past = false; // written past the caches

    std::int64_t plane() const { return (panels * items + 1) * kPanel; }
    std::int64_t panel() const { return items * kPanel; }
    float* at(std::int64_t f, std::int64_t panel, std::int64_t item) const {
        return data + f * plane() + (panel * items + item) * kPanel;
    }
    // Before another thread reads what this one wrote.
    void finish(const Kernels& kernels) const {
        if (past) kernels.end_stores_past();
    }
    // Floats of `frequencies` planes.
    static std::int64_t floats(std::int64_t frequencies, std::int64_t panels, std::int64_t items) {
        return frequencies * (panels * items + 1) * kPanel;
    }
};

inline Planes take(Machine& machine, const WinogradPlan& plan, std::int64_t panels, std::int64_t items,
                   bool past = false) {
    return {machine.scratch.take<float>(Planes::floats(plan.planes(), panels, items)), panels, items, past};
}

// The phases of both axes in turn.
struct PhasePair {
    SourcePhase y, x;
};

PhasePair phase_at(const WinogradPlan& plan, std::int64_t i);

// False where the phase's filter is zero: at infinity, if it has fewer taps than the transform takes.
bool has_frequency(const WinogradPlan& plan, const PhasePair& phase, std::int64_t f);

// A window: its image, its first result and how many it has.
struct Window {
    std::int64_t image, y, x;
    WinogradSize size;
};

// Windows, or tiles of an axis, from `first` on.
struct Items {
    std::int64_t first, count;
};

// The windows of some images, numbered so that those of a group of images which have a frequency lie together: by their
// numbers of results, down and along, 3 x 4, 4 x 4, 4 x 3, 3 x 3.
class Windows {
  public:
    Windows(const WinogradPlan& plan, std::int64_t images, std::int64_t group);

    std::int64_t count() const { return images_ * plan_.tiles(); }
    Window at(std::int64_t item) const;
    // Those of `items`, all of one group, that have the frequency.
    Items having(std::int64_t frequency, const Items& items) const;

  private:
    static constexpr int kKinds = 4;

    std::int64_t images_of_group(std::int64_t group) const {
        return std::min(group_, images_ - group * group_);
    }

    const WinogradPlan& plan_;
    const std::int64_t images_, group_;
    Items rows_[kKinds], columns_[kKinds]; // tiles of each kind
    std::int64_t tiles_[kKinds];           // of an image
};

// A panel of the pixels that a window of a phase reads, and of its results.
inline TileSource source_window(const ConvShape& s, const WinogradPlan& plan, const PhasePair& phase,
                                const float* images, const Window& window, std::int64_t panel) {
    const std::int64_t y = window.y + phase.y.low, x = window.x + phase.x.low;
    const std::int64_t row = s.stride_h * s.w * s.c, step = s.stride_w * s.c;
    return {images + ((window.image * s.h + phase.y.first) * s.w + phase.x.first) * s.c + y * row + x * step +
                panel * kPanel,
            row,
            step,
            std::max<std::int64_t>(-y, 0),
            std::min<std::int64_t>(phase.y.count - y, window.size.y + plan.taps - 1),
            std::max<std::int64_t>(-x, 0),
            std::min<std::int64_t>(phase.x.count - x, window.size.x + plan.taps - 1),
            panel_channels(s.c, panel)};
}

inline TileSource result_window(const ConvShape& s, const float* images, const Window& window,
                                std::int64_t panel) {
    return {images + ((window.image * s.oh + window.y) * s.ow + window.x) * s.k + panel * kPanel,
            s.ow * s.k,
            s.k,
            0,
            std::min<std::int64_t>(s.oh - window.y, window.size.y),
            0,
            std::min<std::int64_t>(s.ow - window.x, window.size.x),
            panel_channels(s.k, panel)};
}

// A phase's taps of one filter; `at` is where its row (0, 0) has the panel's channels, `tap` apart.
inline TileSource filter_window(const ConvShape& s, const PhasePair& phase, const float* at, std::int64_t tap,
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

// The place of a window as the one of its pixels to write.
inline TileSink sink_of(const TileSource& t, const Epilogue& epilogue = {}) {
    return {const_cast<float*>(t.data), t.row, t.step, t.y0, t.y1, t.x0, t.x1, t.channels, epilogue};
}

// B d of `out.panels` panels of (phase, c / 16) from `panel` on, and A d_y of all of k / 16, written from item `at` on.
void source_spectra(const Kernels& kernels, const ConvShape& s, const WinogradPlan& plan, const float* src,
                    const Windows& windows, const Items& items, std::int64_t panel, const Planes& out,
                    std::int64_t at);
void result_spectra(const Kernels& kernels, const ConvShape& s, const WinogradPlan& plan, const float* d_dst,
                    const Windows& windows, const Items& items, const Planes& out, std::int64_t at);

// The same of all windows, by all threads.
void transform_sources(Machine& machine, const ConvShape& s, const WinogradPlan& plan, const float* src,
                       const Windows& windows, const Planes& out);
void transform_results(Machine& machine, const ConvShape& s, const WinogradPlan& plan, const float* d_dst,
                       const Windows& windows, const Planes& out);

// How many images at once, equally many each time, if each has `panels` panels of spectra.
std::int64_t chunk_of(const ConvShape& s, const WinogradPlan& plan, std::int64_t panels);

} // namespace cgan::fast
