// conv_filter.cpp -- filter gradient of a convolution
//
// result  : d_wei[k, r, s, c] = sum over images and results (y, x) of
//           d_dst[y, x, k] src[y * stride + r - pad, x * stride + s - pad, c]
// packing : a chunk of images at a time: d_dst as [k / 6][y, x][6], src as [c / 16][y, x with its
//           padding][16],
//           so that each tap reads both in order and nothing is tested inside the loops
// folding : an enlarged source is not enlarged; each phase of the results has its own smaller gradient, whose
//           taps are then given to the filter rows that were folded into them (conv_plan.h)
// thin    : with fewer than 8 source channels, columns are (r, s, c) together and src is packed once for each
//           of them
// threads : tasks of (panels of 16 columns, tap); each sums all images in order
// repeat  : bit-equal for any number of threads
// reference: cpu/reference/conv2d.cpp
#include "cpu/fast/conv_direct.h"
#include "cpu/fast/filters.h"

#include <algorithm>
#include <utility>

namespace cgan::fast {
namespace {

constexpr std::int64_t kChunkFloats = std::int64_t{1}
                                      << 20; // of packed operands in flight, 4 MiB: stays in the last cache
constexpr std::int64_t kBandPixels = 256;    // of a panel of B that one product reads: 16 KB
constexpr std::int64_t kPanelsTogether = 4;  // of B, in one task, where there are tasks enough

std::int64_t images_per_chunk(std::int64_t batch, std::int64_t floats_per_image) {
    return std::clamp<std::int64_t>(kChunkFloats / std::max<std::int64_t>(floats_per_image, 1), 1, batch);
}

// One operand, packed as [columns / width][positions][width] for each image; positions outside are zero.
// Column (tap, channel) of position (y, x) is the source pixel (y * step + tap's y, x * step + tap's x).
struct Window {
    std::int64_t h, w, c;       // the operand
    std::int64_t height, width; // positions
    std::int64_t step_y, step_x;
    std::vector<std::int64_t> tap_y, tap_x;
    std::int64_t columns() const { return static_cast<std::int64_t>(tap_y.size()) * c; }
};

void pack_window(const Window& win, const float* image, std::int64_t panel_width, std::int64_t first,
                 float* dst) {
    const std::int64_t last = std::min(first + panel_width, win.columns());
    std::fill(dst, dst + win.height * win.width * panel_width, 0.0f);
    for (std::int64_t col = first; col < last;) {
        const std::int64_t tap = col / win.c, channel = col % win.c,
                           n = std::min(win.c - channel, last - col);
        const std::int64_t dy = win.tap_y[static_cast<std::size_t>(tap)],
                           dx = win.tap_x[static_cast<std::size_t>(tap)];
        for (std::int64_t y = 0; y < win.height; y++) {
            const std::int64_t sy = y * win.step_y + dy;
            if (sy < 0 || sy >= win.h) continue;
            for (std::int64_t x = 0; x < win.width; x++) {
                const std::int64_t sx = x * win.step_x + dx;
                if (sx < 0 || sx >= win.w) continue;
                const float* from = image + (sy * win.w + sx) * win.c + channel;
                float* to = dst + (y * win.width + x) * panel_width + (col - first);
                for (std::int64_t i = 0; i < n; i++) to[i] = from[i];
            }
        }
        col += n;
    }
}

// How the gradient is arranged as a product: rows of A against columns of B, `shifts` times.
struct Arrangement {
    Window a, b;
    std::vector<std::int64_t> shift; // floats/16 by which each tap shifts panels of B
    std::int64_t height, width;      // positions summed
    std::int64_t b_row, b_step;      // positions of B from y to y + 1, x to x + 1
};

// Least and greatest offset of a phase's taps.
std::pair<std::int64_t, std::int64_t> reach(const Phase& p) {
    std::int64_t low = p.taps.front().offset, high = low;
    for (const Tap& t : p.taps) {
        low = std::min(low, t.offset);
        high = std::max(high, t.offset);
    }
    return {low, high};
}

// The results of one phase.
Window result_window(const ConvShape& s, const Phase& py, const Phase& px) {
    return {s.oh, s.ow, s.k, py.count, px.count, py.step, px.step, {py.first}, {px.first}};
}

Window whole(std::int64_t h, std::int64_t w, std::int64_t c) { return {h, w, c, h, w, 1, 1, {0}, {0}}; }

// The source shifted tap by tap, for one phase of the results.
Arrangement arrange_deep(const ConvShape& s, const Phase& py, const Phase& px) {
    Arrangement r{result_window(s, py, px), whole(s.h, s.w, s.c), {}, py.count, px.count, 0, 0};
    const auto [top, bottom] = reach(py);
    const auto [left, right] = reach(px);
    r.b.height = (py.count - 1) * py.source_step + bottom - top + 1;
    r.b.width = (px.count - 1) * px.source_step + right - left + 1;
    r.b.tap_y = {top};
    r.b.tap_x = {left};
    r.b_row = py.source_step * r.b.width;
    r.b_step = px.source_step;
    for (const Tap& y : py.taps)
        for (const Tap& x : px.taps) r.shift.push_back((y.offset - top) * r.b.width + x.offset - left);
    return r;
}

Arrangement arrange_thin_source(const ConvShape& s, const Phase& py, const Phase& px) {
    Arrangement r{result_window(s, py, px),
                  {s.h, s.w, s.c, py.count, px.count, py.source_step, px.source_step, {}, {}},
                  {0},
                  py.count,
                  px.count,
                  px.count,
                  1};
    for (const Tap& y : py.taps)
        for (const Tap& x : px.taps) {
            r.b.tap_y.push_back(y.offset);
            r.b.tap_x.push_back(x.offset);
        }
    return r;
}

// Sums the products of all images into dst [rows of A][shifts][columns of B].
void sum_products(Machine& machine, const Arrangement& r, std::int64_t batch, const float* a_images,
                  const float* b_images, float* dst) {
    const std::int64_t a_panel = r.a.height * r.a.width * kRows, a_panels = ceil_div(r.a.columns(), kRows);
    const std::int64_t b_panel = r.b.height * r.b.width * kPanel, b_panels = ceil_div(r.b.columns(), kPanel);
    const std::int64_t a_floats = a_panel * a_panels, b_floats = b_panel * b_panels;
    const std::int64_t chunk = images_per_chunk(batch, a_floats + b_floats);
    const std::int64_t shifts = static_cast<std::int64_t>(r.shift.size()), ld = shifts * r.b.columns();
    const std::int64_t group =
        std::clamp<std::int64_t>(b_panels * shifts / (4 * machine.pool.threads()), 1, kPanelsTogether);
    const std::int64_t b_groups = ceil_div(b_panels, group);
    const std::int64_t band = std::max<std::int64_t>(kBandPixels / r.width, 1);
    const std::int64_t together = std::max<std::int64_t>(kBandPixels / (r.width * r.height), 1);
    Scratch::Frame frame(machine.scratch);
    float* a = machine.scratch.take<float>(chunk * a_floats);
    float* b = machine.scratch.take<float>(chunk * b_floats);
    for (std::int64_t first = 0; first < batch; first += chunk) {
        const std::int64_t images = std::min(chunk, batch - first);
        machine.pool.parallel(images * (a_panels + b_panels), [&](std::int64_t task, int) {
            const std::int64_t image = task / (a_panels + b_panels), panel = task % (a_panels + b_panels);
            if (panel < a_panels)
                pack_window(r.a, a_images + (first + image) * r.a.h * r.a.w * r.a.c, kRows, panel * kRows,
                            a + image * a_floats + panel * a_panel);
            else
                pack_window(r.b, b_images + (first + image) * r.b.h * r.b.w * r.b.c, kPanel,
                            (panel - a_panels) * kPanel, b + image * b_floats + (panel - a_panels) * b_panel);
        });
        machine.pool.parallel(b_groups * shifts, [&](std::int64_t task, int) {
            const std::int64_t panel = task / shifts * group, shift = task % shifts;
            const std::int64_t cols = std::min(group * kPanel, r.b.columns() - panel * kPanel);
            float* out = dst + shift * r.b.columns() + panel * kPanel;
            for (std::int64_t image = 0; image < images; image += together)
                for (std::int64_t y = 0; y < r.height; y += band)
                    machine.kernels.filter_product(
                        {a + image * a_floats + y * r.width * kRows, a_floats, a_panel, r.width * kRows,
                         kRows, r.a.columns(),
                         b + image * b_floats + panel * b_panel +
                             (r.shift[static_cast<std::size_t>(shift)] + y * r.b_row) * kPanel,
                         b_floats, b_panel, r.b_row * kPanel, r.b_step * kPanel,
                         std::min(together, images - image), std::min(band, r.height - y), r.width, out, ld,
                         cols, first + image + y > 0});
        });
    }
}

} // namespace

void direct_backward_filter(Machine& machine, const ConvShape& shape, const float* src, const float* d_dst,
                            float* d_wei) {
    const AxisPlan ys = forward_plan(shape.vertical()), xs = forward_plan(shape.horizontal());
    const bool folded = ys.size() * xs.size() > 1 || shape.upsample > 1;
    if (folded) std::fill(d_wei, d_wei + shape.k * shape.taps() * shape.c, 0.0f);
    for (const Phase& py : ys)
        for (const Phase& px : xs) {
            if (py.count == 0 || px.count == 0) continue;
            Scratch::Frame frame(machine.scratch);
            const Arrangement r =
                shape.c < 8 ? arrange_thin_source(shape, py, px) : arrange_deep(shape, py, px);
            if (!folded) return sum_products(machine, r, shape.n, d_dst, src, d_wei);
            float* sums = machine.scratch.take<float>(
                shape.k * static_cast<std::int64_t>(py.taps.size() * px.taps.size()) * shape.c);
            sum_products(machine, r, shape.n, d_dst, src, sums);
            add_unfolded(machine, shape, {py, px}, sums, d_wei);
        }
}

} // namespace cgan::fast
