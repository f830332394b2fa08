// conv_sparse.cpp -- filter gradients of convolutions of few source channels from pooled gradients
//
// source  : each image's pixels are laid out by pooling windows, 8 of a row and 8 of the next for each, channel by channel
// gradient: a quarter of the multiply-adds of the unpooled gradient (sparse_kernels.h)
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
            machine.kernels.act_backward(pooled.act, pooled.dst + first, pooled.d_dst + first,
                                         gradient + first, results);
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

} // namespace cgan::fast
