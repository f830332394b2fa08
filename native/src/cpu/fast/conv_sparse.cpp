// conv_sparse.cpp -- gradients of convolutions of few source channels from pooled gradients
//
// filter  : each image's pixels are laid out by pooling windows, 8 of a row and 8 of the next for each, channel by channel
// source  : each window adds to the pixels that it sees; the filters lie moved to each of the four places
// cost    : a quarter of the multiply-adds of the unpooled gradient, or little more (sparse_kernels.h)
// threads : images, summed in groups whose number depends on the batch alone, and the groups in order
// repeat  : bit-equal for any number of threads
// reference: cpu/reference/conv2d.cpp
#include "cpu/fast/conv_sparse.h"

#include <algorithm>

#include "cpu/fast/sums.h"

namespace cgan::fast {
namespace {

constexpr std::int64_t kGroups = 64; // of images, at most
constexpr std::int64_t kChain = 48;  // windows that are summed in one chain, about
constexpr std::int64_t kHalf = kPanel / 2;

// Channel c of an image [h, w, c] as windows of pixels, [row][pooled column][16]; zeros outside of the image.
class WindowRows {
  public:
    explicit WindowRows(const ConvShape& shape)
        : s_(shape), rows_(shape.oh / 2 * 2 + shape.r - 2), windows_(shape.ow / 2),
          width_(round_up(2 * windows_ + kHalf, kPanel)) {}

    std::int64_t floats() const { return rows_ * windows_ * kPanel; }
    std::int64_t row_floats() const { return 2 * width_; }

    // `rows` is memory for two padded rows.
    void lay_out(const float* image, std::int64_t c, float* rows, float* to) const {
        read_row(image, c, 0, rows);
        for (std::int64_t y = 0; y < rows_; y++) {
            const float* here = rows + y % 2 * width_;
            float* next = rows + (y + 1) % 2 * width_;
            read_row(image, c, y + 1, next);
            for (std::int64_t x = 0; x < windows_; x++, to += kPanel) {
                std::copy_n(here + 2 * x, kHalf, to);
                std::copy_n(next + 2 * x, kHalf, to + kHalf);
            }
        }
    }

  private:
    void read_row(const float* image, std::int64_t c, std::int64_t y, float* to) const {
        std::fill_n(to, width_, 0.0f);
        if (y < s_.pad_top || y >= s_.pad_top + s_.h) return;
        const float* from = image + (y - s_.pad_top) * s_.w * s_.c + c;
        const std::int64_t end = std::min(s_.w, width_ - s_.pad_left);
        for (std::int64_t x = 0; x < end; x++) to[s_.pad_left + x] = from[x * s_.c];
    }

    const ConvShape& s_;
    const std::int64_t rows_, windows_, width_;
};

} // namespace

bool takes_sparse(const Machine& machine, const ConvShape& shape) {
    return machine.kernels.sparse_filter != nullptr && shape.stride_h == 1 && shape.stride_w == 1 &&
           shape.upsample == 1 && shape.s <= kSparseWidth && shape.oh >= 2 && shape.ow >= 2;
}

void sparse_backward_filter(Machine& machine, const ConvShape& shape, const float* src, const Pooled& pooled,
                            float* d_wei, float* d_bia) {
    Scratch::Frame frame(machine.scratch);
    const WindowRows windows(shape);
    const std::int64_t panels = ceil_div(shape.k, kPanel), taps = shape.taps(),
                       size = panels * shape.c * taps * kPanel; // [panel][c][tap][16]
    const std::int64_t ph = shape.oh / 2, pw = shape.ow / 2, results = ph * pw * shape.k;
    const std::int64_t own = windows.floats() + windows.row_floats(); // of a worker
    const std::int64_t group = ceil_div(shape.n, kGroups), groups = ceil_div(shape.n, group);
    float* scratch = machine.scratch.take<float>(machine.pool.threads() * own);
    float* sums = machine.scratch.take<float>(groups * size);
    float* gradient = machine.scratch.take<float>(shape.n * results); // before activation
    machine.pool.parallel(groups, [&](std::int64_t g, int worker) {
        float* pairs = scratch + worker * own;
        float* rows = pairs + windows.floats();
        for (std::int64_t n = g * group; n < std::min((g + 1) * group, shape.n); n++) {
            const std::int64_t first = n * results;
            pooled_gradient(machine.kernels, pooled, first, results, gradient + first);
            for (std::int64_t c = 0; c < shape.c; c++) {
                windows.lay_out(src + n * shape.h * shape.w * shape.c, c, rows, pairs);
                for (std::int64_t panel = 0; panel < panels; panel++)
                    machine.kernels.sparse_filter(
                        {pairs, ph, pw, shape.r, shape.s, gradient + first + panel * kPanel,
                         pooled.arg + first + panel * kPanel, shape.k,
                         std::min<std::int64_t>(shape.k - panel * kPanel, kPanel),
                         std::max<std::int64_t>(kChain / pw, 1),
                         sums + g * size + (panel * shape.c + c) * taps * kPanel, n > g * group});
            }
        }
    });
    if (d_bia != nullptr) sum_columns(machine, gradient, shape.n * ph * pw, shape.k, 1.0, d_bia);
    float* total = machine.scratch.take<float>(size);
    sum_columns(machine, sums, groups, size, 1.0, total);
    for (std::int64_t k = 0; k < shape.k; k++)
        for (std::int64_t t = 0; t < taps; t++)
            for (std::int64_t c = 0; c < shape.c; c++)
                d_wei[(k * taps + t) * shape.c + c] =
                    total[((k / kPanel * shape.c + c) * taps + t) * kPanel + k % kPanel];
}

namespace {

// What a pooling window sees of the source.
struct WindowView {
    std::int64_t rows, width, patch; // width in floats

    explicit WindowView(const ConvShape& s)
        : rows(s.stride_h + s.r), width((s.stride_w + s.s) * s.c), patch(round_up(rows * width, kPanel)) {}
};

// [k][4][patch]: the filters as the window's four places apply them.
const float* moved_filters(Machine& machine, const ConvShape& s, const WindowView& view, const float* wei) {
    const std::int64_t run = s.s * s.c, taps = s.r * run;
    float* moved = machine.scratch.take<float>(s.k * 4 * view.patch);
    std::fill_n(moved, s.k * 4 * view.patch, 0.0f);
    for (std::int64_t k = 0; k < s.k; k++)
        for (std::int64_t place = 0; place < 4; place++)
            for (std::int64_t r = 0; r < s.r; r++)
                std::copy_n(wei + k * taps + r * run, run,
                            moved + (4 * k + place) * view.patch + (r + place / 2 * s.stride_h) * view.width +
                                place % 2 * s.stride_w * s.c);
    return moved;
}

} // namespace

bool takes_patches(const Machine& machine, const ConvShape& shape) {
    return machine.kernels.sparse_patches != nullptr && shape.upsample == 1 && shape.oh >= 2 && shape.ow >= 2 &&
           shape.k <= 2 * kChain && WindowView(shape).patch <= kSparsePatch; // channels are two chains
}

void sparse_backward_data(Machine& machine, const ConvShape& shape, const float* wei, const Pooled& pooled,
                          float* d_src) {
    Scratch::Frame frame(machine.scratch);
    const WindowView view(shape);
    const float* filters = moved_filters(machine, shape, view, wei);
    const std::int64_t ph = shape.oh / 2, pw = shape.ow / 2, line = pw * shape.k;
    // The source with its padding, as far as windows see it.
    const std::int64_t height = std::max((ph - 1) * 2 * shape.stride_h + view.rows, shape.pad_top + shape.h),
                       width = std::max((pw - 1) * 2 * shape.stride_w * shape.c + view.width,
                                        (shape.pad_left + shape.w) * shape.c);
    const std::int64_t own = round_up(height * width, kPanel) + round_up(line, kPanel);
    float* scratch = machine.scratch.take<float>(machine.pool.threads() * own);
    machine.pool.parallel(shape.n, [&](std::int64_t n, int worker) {
        float* image = scratch + worker * own;
        float* gradient = image + round_up(height * width, kPanel);
        std::fill_n(image, height * width, 0.0f);
        for (std::int64_t y = 0; y < ph; y++) {
            const std::int64_t at = (n * ph + y) * line;
            pooled_gradient(machine.kernels, pooled, at, line, gradient);
            machine.kernels.sparse_patches({gradient, pooled.arg + at, pw, shape.k, filters, view.patch,
                                            view.rows, view.width, image + 2 * y * shape.stride_h * width, width,
                                            2 * shape.stride_w * shape.c});
        }
        for (std::int64_t y = 0; y < shape.h; y++)
            std::copy_n(image + (shape.pad_top + y) * width + shape.pad_left * shape.c, shape.w * shape.c,
                        d_src + (n * shape.h + y) * shape.w * shape.c);
    });
}

} // namespace cgan::fast
