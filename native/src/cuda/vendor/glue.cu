// glue.cu: what stands around the vendors' calls: bias and activation, frames, places of maxima, running statistics
// launch  : 1-D grid-stride over the elements that are written, 256 threads, lanes along channels;  bound by memory
// repeat  : run-to-run deterministic (no atomics)
#include "glue.h"

#include "../divider.h"
#include "convolution.h"

namespace cgan::cuda::vendor {

// ---- kernels ------------------------------------------------------------------------------------

namespace {

// An image [n, h, w, c] split by its sizes.
struct ImageSplit {
    Divider c, w, h;
    __device__ __forceinline__ unsigned split(unsigned i, unsigned& y, unsigned& x, unsigned& channel) const {
        return h.divmod(w.divmod(c.divmod(i, channel), x), y);
    }
};

// Where src [n, h, w] lies in x [n, large_h, large_w].
struct Frame {
    int h, w, large_h, large_w, enlarge, top, left;
};

struct PoolWindow {
    int h, w, window_h, window_w, stride_h, stride_w, pad_top, pad_left;
};

} // namespace

// bia nullable
__global__ void __launch_bounds__(kBlock)
    bias_kernel(unsigned n, Divider c, Activation act, const float* __restrict__ bia,
                float* __restrict__ dst) {
    for (std::uint64_t i = first_item(); i < n; i += item_step()) {
        unsigned channel;
        c.divmod(unsigned(i), channel);
        dst[i] = act(bia ? dst[i] + bia[channel] : dst[i]);
    }
}

// x [n, large_h, large_w, c]
__global__ void __launch_bounds__(kBlock) frame_kernel(unsigned n, ImageSplit image, Frame f,
                                                       const float* __restrict__ src, float* __restrict__ x) {
    for (std::uint64_t i = first_item(); i < n; i += item_step()) {
        unsigned row, column, channel;
        const unsigned number = image.split(unsigned(i), row, column, channel);
        const int y = int(row) - f.top, z = int(column) - f.left;
        const bool inside = y >= 0 && y < f.h * f.enlarge && z >= 0 && z < f.w * f.enlarge;
        x[i] = inside
                   ? src[((int(number) * f.h + y / f.enlarge) * f.w + z / f.enlarge) * int(image.c.divisor) +
                         int(channel)]
                   : 0.0f;
    }
}

// d_src [n, h, w, c]
__global__ void __launch_bounds__(kBlock)
    gather_frame_kernel(unsigned n, ImageSplit image, Frame f, const float* __restrict__ dx,
                        float* __restrict__ d_src) {
    for (std::uint64_t i = first_item(); i < n; i += item_step()) {
        unsigned row, column, channel;
        const unsigned number = image.split(unsigned(i), row, column, channel);
        float sum = 0;
        for (int a = 0; a < f.enlarge; a++)
            for (int b = 0; b < f.enlarge; b++) {
                const int y = int(row) * f.enlarge + a + f.top, x = int(column) * f.enlarge + b + f.left;
                sum +=
                    dx[((int(number) * f.large_h + y) * f.large_w + x) * int(image.c.divisor) + int(channel)];
            }
        d_src[i] = sum;
    }
}

// dst [n, ph, pw, k]; bia nullable
__global__ void __launch_bounds__(kBlock)
    pool_result_kernel(unsigned n, ImageSplit image, int oh, int ow, const float* __restrict__ result,
                       const float* __restrict__ bia, Activation act, float* __restrict__ dst,
                       std::uint8_t* __restrict__ arg) {
    for (std::uint64_t i = first_item(); i < n; i += item_step()) {
        unsigned row, column, channel;
        const unsigned number = image.split(unsigned(i), row, column, channel);
        float top = 0;
        int best = -1;
        for (int place = 0; place < 4; place++) {
            const int y = 2 * int(row) + place / 2, x = 2 * int(column) + place % 2;
            const float v = result[((int(number) * oh + y) * ow + x) * int(image.c.divisor) + int(channel)];
            if (best < 0 || is_greater(v, top)) top = v, best = place;
        }
        dst[i] = act(bia ? top + bia[channel] : top);
        arg[i] = std::uint8_t(best);
    }
}

// arg, dst [n, oh, ow, c]
__global__ void __launch_bounds__(kBlock)
    locate_kernel(unsigned n, ImageSplit image, PoolWindow p, const float* __restrict__ src,
                  const float* __restrict__ dst, std::uint8_t* __restrict__ arg) {
    for (std::uint64_t i = first_item(); i < n; i += item_step()) {
        unsigned row, column, channel;
        const unsigned number = image.split(unsigned(i), row, column, channel);
        const float top = dst[i];
        int place = -1;
        for (int at = 0; at < p.window_h * p.window_w && place < 0; at++) {
            const int y = int(row) * p.stride_h - p.pad_top + at / p.window_w;
            const int x = int(column) * p.stride_w - p.pad_left + at % p.window_w;
            if (y < 0 || y >= p.h || x < 0 || x >= p.w) continue;
            const float v = src[((int(number) * p.h + y) * p.w + x) * int(image.c.divisor) + int(channel)];
            if (v == top || (v != v && top != top)) place = at;
        }
        arg[i] = std::uint8_t(place);
    }
}

__global__ void __launch_bounds__(kBlock) set_kernel(std::int64_t n, float value, float* __restrict__ dst) {
    for (std::int64_t i = first_item(); i < n; i += item_step()) dst[i] = value;
}

// batch [2, c]: mean and unbiased variance; biased = unbiased * share
__global__ void __launch_bounds__(kBlock)
    running_kernel(int c, double momentum, double share, const float* __restrict__ batch,
                   float* __restrict__ running_mean, float* __restrict__ running_var) {
    for (std::int64_t i = first_item(); i < c; i += item_step()) {
        running_mean[i] = float(momentum * running_mean[i] + (1 - momentum) * batch[i]);
        // Of one value cuDNN's unbiased variance is 0 / 0 or 0, ours 0.
        const double variance = share > 0 ? share * batch[c + i] : 0;
        running_var[i] = float(momentum * running_var[i] + (1 - momentum) * variance);
    }
}

// ---- launchers ----------------------------------------------------------------------------------

namespace {

Frame frame_of(const ConvFrame& f, const View& src) {
    return {int(src.dims[1]), int(src.dims[2]), f.h, f.w, f.enlarge, f.top, f.left};
}

ImageSplit split_of(std::int64_t h, std::int64_t w, std::int64_t c) {
    return {Divider(c), Divider(w), Divider(h)};
}

} // namespace

void add_bias(const Device& device, float* dst, std::int64_t rows, std::int64_t c, const float* bia,
              Activation act) {
    const std::int64_t n = rows * c;
    launch(device, grid_1d(device, n), kBlock, bias_kernel, unsigned(n), Divider(int(c)), act, bia, dst);
}

void draw_frame(const Device& device, const ConvFrame& f, const View& src, float* x) {
    const std::int64_t n = f.image_elems();
    launch(device, grid_1d(device, n), kBlock, frame_kernel, unsigned(n), split_of(f.h, f.w, f.c),
           frame_of(f, src), src.as<float>(), x);
}

void gather_frame(const Device& device, const ConvFrame& f, const float* dx, const View& d_src) {
    const std::int64_t n = d_src.elems();
    launch(device, grid_1d(device, n), kBlock, gather_frame_kernel, unsigned(n),
           split_of(d_src.dims[1], d_src.dims[2], f.c), frame_of(f, d_src), dx, d_src.as<float>());
}

void pool_result(const Device& device, const ConvFrame& f, const float* result, const float* bia,
                 Activation act, float* dst, std::uint8_t* arg) {
    const std::int64_t n = std::int64_t(f.n) * (f.oh / 2) * (f.ow / 2) * f.k;
    launch(device, grid_1d(device, n), kBlock, pool_result_kernel, unsigned(n),
           split_of(f.oh / 2, f.ow / 2, f.k), f.oh, f.ow, result, bia, act, dst, arg);
}

void locate_maxima(const Device& device, const cgan_pool2d_params& p, const View& src, const View& dst,
                   std::uint8_t* arg) {
    const std::int64_t n = dst.elems();
    const PoolWindow window{int(src.dims[1]), int(src.dims[2]), p.window_h, p.window_w,
                            p.stride_h,       p.stride_w,       p.pad_top,  p.pad_left};
    launch(device, grid_1d(device, n), kBlock, locate_kernel, unsigned(n),
           split_of(dst.dims[1], dst.dims[2], dst.dims[3]), window, src.as<float>(), dst.as<float>(), arg);
}

void set_all(const Device& device, float* dst, std::int64_t count, float value) {
    launch(device, grid_1d(device, count), kBlock, set_kernel, count, value, dst);
}

void update_running(const Device& device, double momentum, std::int64_t rows, std::int64_t c,
                    const float* batch, float* running_mean, float* running_var) {
    launch(device, grid_1d(device, c), kBlock, running_kernel, int(c), momentum,
           double(rows - 1) / double(rows), batch, running_mean, running_var);
}

} // namespace cgan::cuda::vendor
