// conv_thin.cpp -- convolutions of few source channels, too few for a loop over those of one tap
//
// source  : each image is copied with its padding; then the taps of one filter row are contiguous, s * c
//           floats
// forward : a row of results at a time: each pixel is a row of the product, whose k are runs of the image
// gradient: for each filter row r the product of [s, c], read in the image, with d_dst's channels, which lie ready as
//           columns: nothing is packed, and so small filters of many channels are summed here, too
// fusion  : pooling of two rows of results while they are in L1; unpooling of one image while it is in L2
// threads : bands of rows of images; the filter's gradient is summed in groups of images, or bands of few, which depend on
//           the shape alone, and these sums in order
// repeat  : bit-equal for any number of threads
// reference: cpu/reference/conv2d.cpp
#include "cpu/fast/conv_thin.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "cpu/fast/filters.h"
#include "cpu/fast/sums.h"

namespace cgan::fast {
namespace {

constexpr std::int64_t kSlack = 16;  // floats after a buffer that whole vectors may touch
constexpr std::int64_t kGroups = 64; // of images, at most,
constexpr std::int64_t kFewGroups = 16; // where the sums of more would take over this many
constexpr std::int64_t kSumFloats = 512 * 1024; // floats
constexpr std::int64_t kFewImages = 16; // of which bands of rows are summed apart, about so many in all
constexpr std::int64_t kSmallFilter = std::int64_t{1} << 16; // floats; those of a part's sums stay in L2
constexpr std::int64_t kBandPixels = 128;
constexpr std::int64_t kShortTap = 32; // channels that a loop of their own would be too short for,
constexpr std::int64_t kLongRow = 12;  // where a row of results fills register tiles
constexpr std::int64_t kCopiedFloats = std::int64_t{1} << 20; // of an image, of which each thread has a copy
// Of a result that is written past the caches: the last one would not keep it.
constexpr std::int64_t kPastFloats = std::int64_t{3} << 20;

// An image with its padding. One without, of which each row is read once, is read where it is.
struct PaddedImage {
    std::int64_t h, w, c; // padded
    bool in_place;

    explicit PaddedImage(const ConvShape& s)
        : h((s.oh - 1) * s.stride_h + s.r), w((s.ow - 1) * s.stride_w + s.s), c(s.c),
          in_place(s.r == 1 && s.pad_top == 0 && s.pad_left == 0 && h <= s.h && w <= s.w) {
        if (in_place) w = s.w;
    }
    std::int64_t floats() const { return in_place ? 0 : h * w * c; }

    // The image, of which what rows [begin, end) of results see is there; `own` has floats() of them.
    const float* seen(const ConvShape& s, const float* image, std::int64_t begin, std::int64_t end, float* own) const {
        if (in_place) return image;
        fill(s, image, begin * s.stride_h, (end - 1) * s.stride_h + s.r, own);
        return own;
    }

  private:
    // Rows [begin, end), at their places in `to`.
    void fill(const ConvShape& s, const float* image, std::int64_t begin, std::int64_t end, float* to) const {
        std::fill(to + begin * w * c, to + end * w * c, 0.0f);
        const std::int64_t cols = std::min(s.w, w - s.pad_left);
        if (cols <= 0) return;
        for (std::int64_t y = std::max(begin, s.pad_top); y < std::min(end, s.h + s.pad_top); y++)
            std::memcpy(to + (y * w + s.pad_left) * c, image + (y - s.pad_top) * s.w * c,
                        static_cast<std::size_t>(cols * c) * sizeof(float));
    }
};

// From what a pixel sees first to each of the values it sees, [r][s, c].
std::array<std::int64_t, kThinDepth> offsets_of(const ConvShape& s, const PaddedImage& padded) {
    std::array<std::int64_t, kThinDepth> offsets{};
    const std::int64_t run = s.s * s.c, depth = std::min(s.r * run, kThinDepth);
    for (std::int64_t i = 0; i < depth; i++)
        offsets[static_cast<std::size_t>(i)] = i / run * padded.w * s.c + i % run;
    return offsets;
}

} // namespace

bool is_thin(const ConvShape& shape) { return shape.c < 8 && shape.upsample == 1; }

bool has_short_taps(const ConvShape& shape) {
    return shape.upsample == 1 && shape.c < kShortTap && shape.s > 1 && shape.ow >= kLongRow &&
           shape.h * shape.w * shape.c <= kCopiedFloats;
}

void thin_forward(Machine& machine, const ConvShape& shape, const float* src, const float* wei,
                  const Epilogue& epilogue, float* dst, const Pooled* pooled) {
    Scratch::Frame frame(machine.scratch);
    const Kernels& kernels = machine.kernels;
    const AxisPlan ys = forward_plan(shape.vertical()), xs = forward_plan(shape.horizontal());
    const float* packed = pack_filter(machine, shape, {ys[0], xs[0]}, wei, true);
    const PaddedImage padded(shape);
    const auto offsets = offsets_of(shape, padded);
    const std::int64_t depth = shape.taps() * shape.c, run = shape.s * shape.c, width = shape.ow * shape.k;
    const std::int64_t floats = round_up(padded.floats(), 16) + 2 * width;
    float* scratch = machine.scratch.take<float>(machine.pool.threads() * round_up(floats, 16));
    const std::int64_t bands =
        std::clamp<std::int64_t>(ceil_div(4 * machine.pool.threads(), shape.n), 1, shape.oh);
    const std::int64_t band = round_up(ceil_div(shape.oh, bands), 2);
    const bool past = !pooled && shape.n * shape.oh * width >= kPastFloats && shape.k % kPanel == 0 &&
                      reinterpret_cast<std::uintptr_t>(dst) % 64 == 0;
    machine.pool.parallel(shape.n * ceil_div(shape.oh, band), [&](std::int64_t task, int worker) {
        float* own = scratch + worker * round_up(floats, 16);
        float* rows = own + round_up(padded.floats(), 16);
        const std::int64_t n = task / ceil_div(shape.oh, band),
                           first = task % ceil_div(shape.oh, band) * band, end = std::min(first + band, shape.oh);
        const float* image = padded.seen(shape, src + n * shape.h * shape.w * shape.c, first, end, own);
        for (std::int64_t y = first; y < end; y++) {
            float* const result = dst + (n * shape.oh + y) * width;
            float* out = pooled ? rows + y % 2 * width : past ? rows : result;
            const float* const from = image + y * shape.stride_h * padded.w * shape.c;
            if (depth <= kThinDepth) {
                kernels.thin_row({from, offsets.data(), depth, shape.stride_w * shape.c, packed, shape.ow, shape.k, out});
            } else {
                BlockProduct product{};
                product.a = from, product.a_row = shape.stride_w * shape.c;
                product.run = run, product.a_run = padded.w * shape.c;
                product.b = packed, product.b_panel = depth * kPanel;
                product.rows = shape.ow, product.cols = shape.k, product.k = depth;
                product.dst = out, product.ld = shape.k;
                kernels.block_product(product);
            }
            if (past) kernels.epilogue_past(epilogue, rows, result, shape.ow, shape.k);
            if (!pooled && !past && epilogue.any())
                kernels.epilogue(epilogue, out, shape.ow, shape.k, shape.k);
            if (!pooled || y % 2 == 0) continue;
            const std::int64_t at = (n * (shape.oh / 2) + y / 2) * (shape.ow / 2) * shape.k;
            kernels.pool_windows({shape.ow / 2, shape.k, shape.k, width, 2 * shape.k, shape.k}, rows,
                                 epilogue, pooled->dst + at, pooled->arg + at);
        }
    });
}

void thin_pool_forward(Machine& machine, const ConvShape& shape, const float* src, const float* wei,
                       const Epilogue& epilogue, const Pooled& pooled) {
    const PaddedImage padded(shape);
    const std::int64_t depth = shape.taps() * shape.c;
    if (depth > kThinDepth) return thin_forward(machine, shape, src, wei, epilogue, nullptr, &pooled);
    Scratch::Frame frame(machine.scratch);
    const float* packed = pack_filter(
        machine, shape, {forward_plan(shape.vertical())[0], forward_plan(shape.horizontal())[0]}, wei, true);
    const auto offsets = offsets_of(shape, padded);
    const std::int64_t floats = round_up(padded.floats(), 16), ph = shape.oh / 2, pw = shape.ow / 2;
    float* images = machine.scratch.take<float>(machine.pool.threads() * floats);
    const std::int64_t bands =
        std::clamp<std::int64_t>(ceil_div(4 * machine.pool.threads(), shape.n), 1, std::max<std::int64_t>(ph, 1));
    const std::int64_t band = ceil_div(ph, bands);
    machine.pool.parallel(shape.n * bands, [&](std::int64_t task, int worker) {
        const std::int64_t n = task / bands, first = task % bands * band, end = std::min(first + band, ph);
        if (first >= end) return;
        const float* image = padded.seen(shape, src + n * shape.h * shape.w * shape.c, 2 * first, 2 * end,
                                         images + worker * floats);
        for (std::int64_t y = first; y < end; y++) {
            const std::int64_t at = (n * ph + y) * pw * shape.k;
            machine.kernels.thin_windows({image + 2 * y * shape.stride_h * padded.w * shape.c, offsets.data(), depth,
                                          shape.stride_w * shape.c, shape.stride_h * padded.w * shape.c, packed,
                                          pw, shape.k, pooled.dst + at, pooled.arg + at});
            if (epilogue.any()) machine.kernels.epilogue(epilogue, pooled.dst + at, pw, shape.k, shape.k);
        }
    });
}

namespace {

// The memory of one worker that sums filter gradients.
struct FilterScratch {
    std::int64_t image_floats, gradient_floats;
    float* data;

    FilterScratch(Machine& machine, const ConvShape& s, const PaddedImage& padded, bool own_gradient)
        : image_floats(round_up(padded.floats(), 16)),
          gradient_floats(own_gradient ? round_up(s.oh * s.ow * s.k + kSlack, 16) : 0) {
        data = machine.scratch.take<float>(machine.pool.threads() * total());
    }
    std::int64_t total() const { return image_floats + gradient_floats; }
    float* image(int worker) const { return data + worker * total(); }
    float* gradient(int worker) const { return image(worker) + image_floats; }
};

// sums [r, s, c][k] (=|+=) the part of rows [begin, end) of one image's results.
void add_rows(const Kernels& kernels, const ConvShape& s, const PaddedImage& padded, const float* image,
              const float* d_dst, std::int64_t begin, std::int64_t end, bool accumulate, float* sums) {
    const std::int64_t run = s.s * s.c, row = padded.w * s.c;
    const std::int64_t band = std::max<std::int64_t>(kBandPixels / s.ow, 1);
    for (std::int64_t y = begin; y < end; y += band)
        for (std::int64_t r = 0; r < s.r; r++)
            kernels.filter_product({image + (y * s.stride_h + r) * row, 0, kRows, s.stride_h * row,
                                    s.stride_w * s.c, run, d_dst + y * s.ow * s.k, 0, kPanel, s.ow * s.k, s.k,
                                    1, std::min(band, end - y), s.ow, sums + r * run * s.k, s.k, s.k,
                                    accumulate || y > begin});
}

// How a batch is divided into sums: groups of images or, where those are few, bands of rows of one.
struct Parts {
    std::int64_t images, bands, band; // of a part, of an image, rows of a band
    std::int64_t count;

    Parts(const ConvShape& s, bool whole_images)
        : images(ceil_div(s.n, groups(s.taps() * s.c * s.k))), band(s.oh) {
        if (!whole_images && s.n < kFewImages)
            band = std::max(ceil_div(s.oh * s.n, kFewImages), ceil_div(kBandPixels, s.ow));
        bands = ceil_div(s.oh, band);
        count = bands * ceil_div(s.n, images);
    }

  private:
    static std::int64_t groups(std::int64_t floats) {
        return std::clamp(kSumFloats / std::max<std::int64_t>(floats, 1), kFewGroups, kGroups);
    }
};

} // namespace

bool sums_by_image(const ConvShape& s) {
    return s.upsample == 1 && (s.c < 8 || (s.k >= 8 && s.taps() * s.c * s.k <= kSmallFilter));
}

void thin_backward_filter(Machine& machine, const ConvShape& shape, const float* src, const float* d_dst,
                          float* d_wei, const Pooled* pooled) {
    Scratch::Frame frame(machine.scratch);
    const PaddedImage padded(shape);
    // Whole panels of d_dst's channels are read: the last ones may end beyond the last pixel, and so beyond the buffer.
    const bool copied = shape.k % kPanel != 0;
    const FilterScratch scratch(machine, shape, padded, pooled || copied);
    const std::int64_t depth = shape.taps() * shape.c, size = depth * shape.k, pixel = shape.ow * shape.k;
    const Parts parts(shape, pooled != nullptr);
    float* sums = machine.scratch.take<float>(parts.count * size + kSlack);
    machine.pool.parallel(parts.count, [&](std::int64_t part, int worker) {
        const std::int64_t first = part / parts.bands * parts.images, begin = part % parts.bands * parts.band,
                           end = std::min(begin + parts.band, shape.oh);
        for (std::int64_t n = first; n < std::min(first + parts.images, shape.n); n++) {
            const float* image =
                padded.seen(shape, src + n * shape.h * shape.w * shape.c, begin, end, scratch.image(worker));
            const float* gradient = d_dst + n * shape.oh * pixel;
            if (pooled) {
                unpool_image(machine.kernels, shape, *pooled, n, scratch.gradient(worker));
                gradient = scratch.gradient(worker);
            } else if (copied) {
                std::copy_n(gradient + begin * pixel, (end - begin) * pixel,
                            scratch.gradient(worker) + begin * pixel);
                gradient = scratch.gradient(worker);
            }
            add_rows(machine.kernels, shape, padded, image, gradient, begin, end, n > first, sums + part * size);
        }
    });
    float* total = machine.scratch.take<float>(size);
    sum_columns(machine, sums, parts.count, size, 1.0, total);
    machine.kernels.turn(total, shape.k, depth, shape.k, d_wei, depth);
}

} // namespace cgan::fast
