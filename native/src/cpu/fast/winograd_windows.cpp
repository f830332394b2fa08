#include "cpu/fast/winograd_windows.h"

namespace cgan::fast {
namespace {

constexpr std::int64_t kChunkBytes = std::int64_t{12} << 20;
constexpr std::int64_t kPiece = 16; // transforms that a thread takes at a time, at least

// Calls f(items) for pieces of the windows of `images`, by all threads.
template <class F>
void share_items(Machine& machine, const WinogradPlan& plan, std::int64_t images, std::int64_t panels, F f) {
    machine.pool.ranges(images * plan.tiles(), ceil_div(kPiece, panels),
                        [&](std::int64_t begin, std::int64_t end) {
                            f(Items{begin, end - begin});
                        });
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

void source_spectra(const Kernels& kernels, const ConvShape& s, const WinogradPlan& plan, const float* src,
                    const Items& items, std::int64_t panel, const Planes& out, std::int64_t at) {
    const std::int64_t panels = panels_of(s.c);
    for (std::int64_t i = 0; i < items.count; i++) {
        const std::int64_t item = items.first + i;
        const float* image = src + item / plan.tiles() * s.h * s.w * s.c;
        for (std::int64_t p = 0; p < out.panels; p++)
            kernels.winograd_spectrum(plan.taps, WinogradForm::Source,
                                      source_window(s, plan, phase_at(plan, (panel + p) / panels), image,
                                                    item % plan.tiles(), (panel + p) % panels),
                                      out.at(0, p, at + i), out.plane());
    }
}

void result_spectra(const Kernels& kernels, const ConvShape& s, const WinogradPlan& plan, const float* d_dst,
                    const Items& items, const Planes& out, std::int64_t at) {
    for (std::int64_t i = 0; i < items.count; i++) {
        const std::int64_t item = items.first + i;
        const float* image = d_dst + item / plan.tiles() * s.oh * s.ow * s.k;
        for (std::int64_t p = 0; p < out.panels; p++)
            kernels.winograd_spectrum(plan.taps, WinogradForm::Result,
                                      result_window(s, plan, image, item % plan.tiles(), p),
                                      out.at(0, p, at + i), out.plane());
    }
}

void transform_sources(Machine& machine, const ConvShape& s, const WinogradPlan& plan, const float* src,
                       std::int64_t images, const Planes& out) {
    share_items(machine, plan, images, out.panels, [&](const Items& items) {
        source_spectra(machine.kernels, s, plan, src, items, 0, out, items.first);
    });
}

void transform_results(Machine& machine, const ConvShape& s, const WinogradPlan& plan, const float* d_dst,
                       std::int64_t images, const Planes& out) {
    share_items(machine, plan, images, out.panels, [&](const Items& items) {
        result_spectra(machine.kernels, s, plan, d_dst, items, out, items.first);
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
