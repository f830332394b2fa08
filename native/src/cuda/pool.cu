// pool.cu: max and average pooling, nearest-neighbour upsampling
// forward : dst[n, oy, ox, c] = max or mean of its window; arg = position of the maximum, the first of equals, NaN wins
// backward: every pixel of src collects from the windows that contain it
// shapes  : src [n, h, w, c], dst [n, oh, ow, c] F32, arg U8
// launch  : 1-D grid-stride over the elements that are written, 256 threads, lanes along c;  bound by memory
// repeat  : run-to-run deterministic (gathers only, no atomics);  reference: cpu/reference/pooling.cpp
#include "cuda_backend.h"
#include "divider.h"
#include "math.h"

namespace cgan::cuda {

// ---- kernels ------------------------------------------------------------------------------------

namespace {

struct Window {
    int h, w, oh, ow, c;
    int window_h, window_w, stride_h, stride_w, pad_top, pad_left;
    Divider by_c, by_ow, by_oh, by_w, by_h;
};

struct Pixel {
    unsigned c, x, y, n;
};

__device__ __forceinline__ Pixel split(unsigned i, const Divider& by_c, const Divider& by_w,
                                       const Divider& by_h) {
    Pixel p;
    p.n = by_h.divmod(by_w.divmod(by_c.divmod(i, p.c), p.x), p.y);
    return p;
}

__device__ __forceinline__ std::int64_t src_offset(const Window& g, const Pixel& p, int y, int x) {
    return ((std::int64_t(p.n) * g.h + y) * g.w + x) * g.c + p.c;
}

} // namespace

__global__ void __launch_bounds__(kBlock)
    max_pool_kernel(unsigned n, Window g, const float* __restrict__ src, float* __restrict__ dst,
                    std::uint8_t* __restrict__ arg) {
    for (std::uint64_t i = first_item(); i < n; i += item_step()) {
        const Pixel p = split(unsigned(i), g.by_c, g.by_ow, g.by_oh);
        const int y0 = int(p.y) * g.stride_h - g.pad_top, x0 = int(p.x) * g.stride_w - g.pad_left;
        int best = -1;
        float top = 0;
        for (int r = 0; r < g.window_h; r++)
            for (int s = 0; s < g.window_w; s++) {
                if (y0 + r < 0 || y0 + r >= g.h || x0 + s < 0 || x0 + s >= g.w) continue;
                const float x = src[src_offset(g, p, y0 + r, x0 + s)];
                if (best >= 0 && !is_greater(x, top)) continue;
                best = r * g.window_w + s;
                top = x;
            }
        dst[i] = top;
        arg[i] = std::uint8_t(best);
    }
}

__global__ void __launch_bounds__(kBlock)
    average_pool_kernel(unsigned n, Window g, const float* __restrict__ src, float* __restrict__ dst) {
    for (std::uint64_t i = first_item(); i < n; i += item_step()) {
        const Pixel p = split(unsigned(i), g.by_c, g.by_ow, g.by_oh);
        const int y0 = int(p.y) * g.stride_h - g.pad_top, x0 = int(p.x) * g.stride_w - g.pad_left;
        const int y_end = min(y0 + g.window_h, g.h), x_end = min(x0 + g.window_w, g.w);
        float sum = 0;
        for (int y = max(y0, 0); y < y_end; y++)
            for (int x = max(x0, 0); x < x_end; x++) sum += src[src_offset(g, p, y, x)];
        dst[i] = sum / float(g.window_h * g.window_w);
    }
}

// arg nullable: null for average pooling.
__global__ void __launch_bounds__(kBlock)
    pool_backward_kernel(unsigned n, Window g, const float* __restrict__ d_dst,
                         const std::uint8_t* __restrict__ arg, float* __restrict__ d_src) {
    for (std::uint64_t i = first_item(); i < n; i += item_step()) {
        const Pixel p = split(unsigned(i), g.by_c, g.by_w, g.by_h);
        float sum = 0;
        for (int r = 0; r < g.window_h; r++) {
            const int ty = int(p.y) + g.pad_top - r;
            if (ty < 0 || ty % g.stride_h != 0 || ty / g.stride_h >= g.oh) continue;
            for (int s = 0; s < g.window_w; s++) {
                const int tx = int(p.x) + g.pad_left - s;
                if (tx < 0 || tx % g.stride_w != 0 || tx / g.stride_w >= g.ow) continue;
                const std::int64_t at =
                    ((std::int64_t(p.n) * g.oh + ty / g.stride_h) * g.ow + tx / g.stride_w) * g.c + p.c;
                if (!arg || arg[at] == r * g.window_w + s) sum += d_dst[at];
            }
        }
        d_src[i] = arg ? sum : sum / float(g.window_h * g.window_w);
    }
}

__global__ void __launch_bounds__(kBlock)
    pool_gather_kernel(unsigned n, Window g, const float* __restrict__ src,
                       const std::uint8_t* __restrict__ arg, float* __restrict__ dst) {
    for (std::uint64_t i = first_item(); i < n; i += item_step()) {
        const Pixel p = split(unsigned(i), g.by_c, g.by_ow, g.by_oh);
        const int row = arg[i] / g.window_w; // beyond the window where the caller wrote no place of it
        const int y = int(p.y) * g.stride_h - g.pad_top + row;
        const int x = int(p.x) * g.stride_w - g.pad_left + arg[i] % g.window_w;
        const bool inside = row < g.window_h && y >= 0 && y < g.h && x >= 0 && x < g.w;
        dst[i] = inside ? src[src_offset(g, p, y, x)] : 0.0f;
    }
}

// Upsampling by (stride_h, stride_w): window and stride are the factor, src the small image.
__global__ void __launch_bounds__(kBlock)
    upsample_kernel(unsigned n, Window g, const float* __restrict__ src, float* __restrict__ dst) {
    for (std::uint64_t i = first_item(); i < n; i += item_step()) {
        const Pixel p = split(unsigned(i), g.by_c, g.by_ow, g.by_oh);
        dst[i] = src[src_offset(g, p, int(p.y) / g.stride_h, int(p.x) / g.stride_w)];
    }
}

__global__ void __launch_bounds__(kBlock)
    upsample_backward_kernel(unsigned n, Window g, const float* __restrict__ d_dst,
                             float* __restrict__ d_src) {
    for (std::uint64_t i = first_item(); i < n; i += item_step()) {
        const Pixel p = split(unsigned(i), g.by_c, g.by_w, g.by_h);
        float sum = 0;
        for (int r = 0; r < g.stride_h; r++)
            for (int s = 0; s < g.stride_w; s++)
                sum +=
                    d_dst[((std::int64_t(p.n) * g.oh + p.y * g.stride_h + r) * g.ow + p.x * g.stride_w + s) *
                              g.c +
                          p.c];
        d_src[i] = sum;
    }
}

// ---- launchers ----------------------------------------------------------------------------------

namespace {

// src [n, h, w, c], dst [n, oh, ow, c]
Window make_window(const View& src, const View& dst, const char* what) {
    require_f32(src, what);
    if (src.elems() > kMaxIndex || dst.elems() > kMaxIndex)
        throw Error(CGAN_E_UNSUPPORTED, std::string(what) + ": more than 2^31 - 1 elements");
    Window g = {};
    g.h = int(src.dims[1]), g.w = int(src.dims[2]), g.c = int(src.dims[3]);
    g.oh = int(dst.dims[1]), g.ow = int(dst.dims[2]);
    g.by_c = Divider(g.c), g.by_ow = Divider(g.ow), g.by_oh = Divider(g.oh), g.by_w = Divider(g.w),
    g.by_h = Divider(g.h);
    return g;
}

Window make_pool(const cgan_pool2d_params& p, const View& src, const View& dst, const char* what) {
    Window g = make_window(src, dst, what);
    g.window_h = p.window_h, g.window_w = p.window_w;
    g.stride_h = p.stride_h, g.stride_w = p.stride_w;
    g.pad_top = p.pad_top, g.pad_left = p.pad_left;
    return g;
}

OperatorKey pool_key(const char* op, const cgan_pool2d_params& p, const View& src, const View& dst) {
    return {
        op, {&src, &dst}, {p.kind, p.window_h, p.window_w, p.stride_h, p.stride_w, p.pad_top, p.pad_left}};
}

Window make_upsample(const cgan_upsample2d_params& p, const View& src, const View& dst, const char* what) {
    Window g = make_window(src, dst, what);
    g.stride_h = p.factor_h, g.stride_w = p.factor_w;
    return g;
}

} // namespace

void CudaBackend::pool2d_forward(const cgan_pool2d_params& p, const View& src, const View& dst,
                                 const View& arg) {
    const Window g = make_pool(p, src, dst, "pool2d_forward");
    const std::int64_t n = dst.elems();
    const auto own = [&] {
        if (p.kind == CGAN_POOL_MAX)
            launch(device_, grid_1d(device_, n), kBlock, max_pool_kernel, unsigned(n), g, src.as<float>(),
                   dst.as<float>(), arg.as<std::uint8_t>());
        else
            launch(device_, grid_1d(device_, n), kBlock, average_pool_kernel, unsigned(n), g, src.as<float>(),
                   dst.as<float>());
    };
    candidates_.serve(
        pool_key("pool2d_forward", p, src, dst),
        [&](vendor::Operators& v) { return v.pool2d_forward(p, src, dst, arg); }, own);
}

void CudaBackend::pool2d_backward(const cgan_pool2d_params& p, const View& d_dst, const View& arg,
                                  const View& d_src) {
    const Window g = make_pool(p, d_src, d_dst, "pool2d_backward");
    const std::int64_t n = d_src.elems();
    candidates_.serve(
        pool_key("pool2d_backward", p, d_src, d_dst),
        [&](vendor::Operators& v) { return v.pool2d_backward(p, d_dst, d_src); },
        [&] {
            launch(device_, grid_1d(device_, n), kBlock, pool_backward_kernel, unsigned(n), g,
                   d_dst.as<float>(), p.kind == CGAN_POOL_MAX ? arg.as<std::uint8_t>() : nullptr,
                   d_src.as<float>());
        });
}

void CudaBackend::pool2d_gather(const cgan_pool2d_params& p, const View& src, const View& arg,
                                const View& dst) {
    const Window g = make_pool(p, src, dst, "pool2d_gather");
    const std::int64_t n = dst.elems();
    launch(device_, grid_1d(device_, n), kBlock, pool_gather_kernel, unsigned(n), g, src.as<float>(),
           arg.as<std::uint8_t>(), dst.as<float>());
}

void CudaBackend::upsample2d_forward(const cgan_upsample2d_params& p, const View& src, const View& dst) {
    const Window g = make_upsample(p, src, dst, "upsample2d_forward");
    const std::int64_t n = dst.elems();
    launch(device_, grid_1d(device_, n), kBlock, upsample_kernel, unsigned(n), g, src.as<float>(),
           dst.as<float>());
}

void CudaBackend::upsample2d_backward(const cgan_upsample2d_params& p, const View& d_dst, const View& d_src) {
    const Window g = make_upsample(p, d_src, d_dst, "upsample2d_backward");
    const std::int64_t n = d_src.elems();
    launch(device_, grid_1d(device_, n), kBlock, upsample_backward_kernel, unsigned(n), g, d_dst.as<float>(),
           d_src.as<float>());
}

} // namespace cgan::cuda
